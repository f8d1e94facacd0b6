/** RFC 3339 times as the Kubernetes API reads and writes them (metav1.Time, metav1.MicroTime). */
export interface Instant {
  /** Whole seconds since the Unix epoch; may be negative. */
  readonly seconds: number;
  readonly nanos: number;
}
export class TimeError extends Error {
  override readonly name = 'TimeError';
}

/** Go's zero time, 0001-01-01T00:00:00Z: on the wire it is null. */
export const zeroTimeSeconds = -62_135_596_800;

let lastSecond = Number.NaN;
let lastText = '';

/** `2026-01-02T03:04:05Z`: what metav1.Time writes. Thousands of writes share a second. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = `${new Date(ms).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastText;
}
/** `2026-01-02T03:04:05.123000Z`: what metav1.MicroTime writes; `micros` counts below the millisecond. */
export function formatMicroTime(ms: number, micros = 0): string {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
/** Milliseconds since the epoch of either form; throws `TimeError` with the reference's text. */
export function parseTime(text: string): number {
  const { seconds, nanos } = parseInstant(text);
  return seconds * 1000 + Math.trunc(nanos / 1e6);
}
/** The same, but undefined for what is absent or no time. */
export function timeOr(text: string | null | undefined, otherwise: number): number {
  if (text === undefined || text === null || text === '') return otherwise;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? otherwise : ms;
}

export function instantText(instant: Instant): string {
  return formatTime(instant.seconds * 1000);
}
export function instantMicroText(instant: Instant): string {
  const head = formatTime(instant.seconds * 1000).slice(0, -1);
  return `${head}.${String(Math.trunc(instant.nanos / 1000)).padStart(6, '0')}Z`;
}

const timeLayout = '2006-01-02T15:04:05Z07:00';
const microLayout = '2006-01-02T15:04:05.000000Z07:00';
const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

export function parseInstant(text: string): Instant {
  return parseWith(text, timeLayout, pattern);
}
const microPattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)[.](\d{6})(Z|[+-]\d\d:\d\d)$/;
export function parseMicroInstant(text: string): Instant {
  return parseWith(text, microLayout, microPattern);
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function parseWith(text: string, layout: string, form: RegExp): Instant {
  const match = form.exec(text);
  if (match === null) throw new TimeError(mismatch(text, layout));
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const outOf = (what: string) =>
    new TimeError(`parsing time ${JSON.stringify(text)}: ${what} out of range`);
  if (month < 1 || month > 12) throw outOf('month');
  if (hour > 23) throw outOf('hour');
  if (minute > 59) throw outOf('minute');
  if (second > 59) throw outOf('second');
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day < 1 || day > (monthDays[month - 1] ?? 0) + (leap ? 1 : 0)) throw outOf('day');
  const zone = match[8] ?? 'Z';
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const nanos = Number((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
  return { seconds: date.getTime() / 1000 - offsetSeconds(zone, outOf), nanos };
}

function offsetSeconds(zone: string, outOf: (what: string) => TimeError): number {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 24) throw outOf('time zone offset hour');
  if (minutes > 60) throw outOf('time zone offset minute');
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/** Go names the layout element at which it stopped: walk the same elements. */
function mismatch(text: string, layout: string): string {
  const elements: [RegExp, string][] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d\d/, '01'],
    [/^-/, '-'],
    [/^\d\d/, '02'],
    [/^T/, 'T'],
    [/^\d\d/, '15'],
    [/^:/, ':'],
    [/^\d\d/, '04'],
    [/^:/, ':'],
    [/^\d\d/, '05'],
    ...(layout === microLayout
      ? ([[/^\.\d{6}(?!\d)/, '.000000']] as [RegExp, string][])
      : ([[/^(?:[.,]\d+)?/, '']] as [RegExp, string][])),
    [/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00'],
  ];
  let rest = text;
  const head = `parsing time ${JSON.stringify(text)}`;
  for (const [form, name] of elements) {
    const match = form.exec(rest);
    if (match === null)
      return `${head} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(name)}`;
    rest = rest.slice(match[0].length);
  }
  return `${head}: extra text: ${JSON.stringify(rest)}`;
}
