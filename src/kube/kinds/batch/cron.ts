import { durationMs } from '#base';

/**
 * When a CronJob runs: one bit per value of each field, or an interval. The grammar is that of
 * robfig/cron v3 (standard parser), its texts are part of the API.
 */
export type CronSchedule = CronFields | { readonly everyMs: number };
export interface CronFields {
  readonly minute: bigint;
  readonly hour: bigint;
  readonly dayOfMonth: bigint;
  readonly month: bigint;
  readonly dayOfWeek: bigint;
  /** `*` in either: both must hold; else one of the two is enough. */
  readonly anyDayOfMonth: boolean;
  readonly anyDayOfWeek: boolean;
}

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}
const bounds = {
  minute: { low: 0, high: 59 },
  hour: { low: 0, high: 23 },
  dayOfMonth: { low: 1, high: 31 },
  month: { low: 1, high: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  dayOfWeek: { low: 0, high: 6, names: 'sun mon tue wed thu fri sat'.split(' ') },
} as const satisfies Readonly<Record<string, Bounds>>;

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const starBit = 1n << 63n;

/** What is wrong with a schedule; its message is the API's text. */
export class CronError extends Error {
  override readonly name = 'CronError';
}

/** Throws `CronError`. */
export function parseCron(text: string): CronSchedule {
  if (text === '') throw new CronError('empty spec string');
  const spec = /^(CRON_)?TZ=/.test(text) ? withoutZone(text) : text;
  if (spec.startsWith('@')) return parseDescriptor(spec);
  const fields = spec.split(/\s+/).filter((field) => field !== '');
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields;
  if (fields.length !== 5)
    throw new CronError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const bits = {
    minute: parseField(minute, bounds.minute),
    hour: parseField(hour, bounds.hour),
    dayOfMonth: parseField(dayOfMonth, bounds.dayOfMonth),
    month: parseField(month, bounds.month),
    dayOfWeek: parseField(dayOfWeek, bounds.dayOfWeek),
  };
  return {
    ...bits,
    anyDayOfMonth: (bits.dayOfMonth & starBit) !== 0n,
    anyDayOfWeek: (bits.dayOfWeek & starBit) !== 0n,
  };
}

function withoutZone(text: string): string {
  const space = text.indexOf(' ');
  if (space < 0)
    throw new CronError('invalid schedule format: runtime error: slice bounds out of range [:-1]');
  const zone = text.slice(text.indexOf('=') + 1, space);
  if (!isTimeZone(zone))
    throw new CronError(`provided bad location ${zone}: unknown time zone ${zone}`);
  return text.slice(space).trim();
}

/** A name of the zone database; `Local` is for the caller to refuse. */
export function isTimeZone(name: string): boolean {
  if (name === '' || name === 'UTC' || name === 'Local') return true;
  // Offsets such as +01:00 are names to this runtime, and none to the database.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function parseDescriptor(text: string): CronSchedule {
  const known = Object.hasOwn(descriptors, text) ? descriptors[text] : undefined;
  if (known !== undefined) return parseCron(known);
  const every = '@every ';
  if (!text.startsWith(every)) throw new CronError(`unrecognized descriptor: ${text}`);
  const duration = text.slice(every.length);
  let ms: number;
  try {
    ms = durationMs(duration);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CronError(`failed to parse duration ${text}: ${why}`, { cause: error });
  }
  return { everyMs: Math.max(1000, Math.trunc(ms / 1000) * 1000) };
}

function parseField(text: string, limits: Bounds): bigint {
  let bits = 0n;
  for (const part of text.split(',')) if (part !== '') bits |= parseRange(part, limits);
  return bits;
}

function parseRange(expression: string, { low, high, names }: Bounds): bigint {
  const [range = '', stepText, ...moreSteps] = expression.split('/');
  const [first = '', last, ...moreEnds] = range.split('-');
  let start = low;
  let end = high;
  let extra = 0n;
  if (first === '*' || first === '?') extra = starBit;
  else {
    start = parseNumber(first, names);
    end = last === undefined ? start : parseNumber(last, names);
    if (moreEnds.length > 0) throw new CronError(`too many hyphens: ${expression}`);
  }
  if (moreSteps.length > 0) throw new CronError(`too many slashes: ${expression}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  // `5/10` is every tenth from the fifth on.
  if (stepText !== undefined && last === undefined) end = high;
  if (step > 1) extra = 0n;
  const wrong = rangeProblem({ start, end, step }, { low, high });
  if (wrong !== undefined) throw new CronError(`${wrong}: ${expression}`);
  let bits = extra;
  for (let value = start; value <= end; value += step) bits |= 1n << BigInt(value);
  return bits;
}

function rangeProblem(
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
  { low, high }: Bounds,
): string | undefined {
  if (start < low) return `beginning of range (${start}) below minimum (${low})`;
  if (end > high) return `end of range (${end}) above maximum (${high})`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end})`;
  return step === 0 ? 'step of range should be a positive number' : undefined;
}

function parseNumber(text: string, names: readonly string[] = []): number {
  const name = names.indexOf(text.toLowerCase());
  // Months count from one, days from zero: the list of months is the longer one.
  if (name >= 0) return names.length === 12 ? name + 1 : name;
  const parsing = `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}`;
  if (!/^[+-]?\d+$/.test(text)) throw new CronError(`${parsing}: invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new CronError(`${parsing}: value out of range`);
  if (value < 0) throw new CronError(`negative number (${value}) not allowed: ${text}`);
  return value;
}
