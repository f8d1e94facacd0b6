/**
 * What `maxSurge: 25%` or `maxUnavailable: 1` means for `total` (intstr.GetScaledValueFromIntOrPercent).
 * Throws on a text that is no percentage.
 */
export function scaledValue(value: number | string, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value;
  const percent = percentOf(value);
  if (percent === undefined)
    throw new Error(
      `invalid value for IntOrString: invalid type: string is not a percentage: ${JSON.stringify(value)}`,
    );
  const scaled = (percent * total) / 100;
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled);
}

/** 25 for `25%`; undefined for what is no percentage. */
export function percentOf(text: string): number | undefined {
  return /^[+-]?[0-9]+%$/.test(text) ? Number(text.slice(0, -1)) : undefined;
}
