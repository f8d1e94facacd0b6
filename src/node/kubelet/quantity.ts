import { formatDuration, formatTime, quantityToMillis, quantityValue } from '#base';

/** Whole units of a quantity (bytes). */
export function amountOf(quantity: string): number {
  return quantityValue(quantity);
}

/** CPU in thousandths. */
export function milliOf(quantity: string): number {
  return quantityToMillis(quantity);
}

export function kibi(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}

export function cpuText(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

/** A duration the way Go prints it: 10s, 1m20s, 5m0s, 1.5s, 250ms. */
export function goDuration(ms: number): string {
  return formatDuration(BigInt(Math.max(0, Math.round(ms))) * 1_000_000n);
}

/** Bytes as the shortest binary quantity (resource.BinarySI). */
export function bytesText(bytes: number): string {
  for (const [suffix, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const)
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${suffix}`;
  return String(Math.round(bytes));
}

/** Bytes in whole KiB, as a quantity. */
export function kibiText(bytes: number): string {
  return bytesText(Math.floor(bytes / 1024) * 1024);
}

/** metav1.Time: whole seconds. */
export function timeText(ms: number): string {
  return formatTime(ms);
}
