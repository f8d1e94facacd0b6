/** Durations as Go writes them: `1h30m0s`, `100ms`, `1.5s` (package time). Amounts are nanoseconds. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const nanosMax = 2n ** 63n;
const textLengthMax = 256;

export function parseDuration(text: string): bigint {
  const wrong = () => new DurationError(`time: invalid duration ${JSON.stringify(text)}`);
  const match = /^([-+]?)(.*)$/s.exec(text);
  const rest = match?.[2] ?? '';
  if (rest === '0') return 0n;
  if (rest === '' || text.length > textLengthMax) throw wrong();
  let nanos = 0n;
  let at = 0;
  while (at < rest.length) {
    const part = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(rest.slice(at));
    const whole = part?.[1] ?? '';
    const fraction = part?.[2] ?? '';
    const unit = part?.[3] ?? '';
    if (part === null || (whole === '' && fraction === '')) throw wrong();
    if (unit === '')
      throw new DurationError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = Object.hasOwn(unitNanos, unit) ? unitNanos[unit] : undefined;
    if (scale === undefined)
      throw new DurationError(
        `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`,
      );
    nanos += BigInt(whole === '' ? '0' : whole) * scale;
    nanos += (BigInt(fraction === '' ? '0' : fraction) * scale) / 10n ** BigInt(fraction.length);
    if (nanos > nanosMax) throw wrong();
    at += part[0].length;
  }
  return match?.[1] === '-' ? -nanos : nanos;
}

/** Milliseconds, for waits. */
export function durationMs(text: string): number {
  return Number(parseDuration(text)) / 1e6;
}

export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const sign = nanos < 0n ? '-' : '';
  const amount = nanos < 0n ? -nanos : nanos;
  if (amount < 1_000n) return `${sign}${amount}ns`;
  if (amount < 1_000_000n) return `${sign}${decimal(amount, 3)}µs`;
  if (amount < 1_000_000_000n) return `${sign}${decimal(amount, 6)}ms`;
  const minutes = amount / 60_000_000_000n;
  const seconds = `${decimal(amount % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** amount / 10^places without trailing zeros. */
function decimal(amount: bigint, places: number): string {
  const text = String(amount).padStart(places + 1, '0');
  const fraction = text.slice(-places).replace(/0+$/, '');
  const whole = text.slice(0, -places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
