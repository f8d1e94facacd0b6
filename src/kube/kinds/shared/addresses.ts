import { formatIp, ipAddress, parseIp } from '#machinery';
import type { ParsedCidr, ParsedIp } from '#machinery';
import type { Field } from './field.ts';

const low32 = 0xffff_ffffn;

/** IPv4 in IPv6's clothes is told apart by its IPv4 address (as Go's net.IP does). */
function plain(ip: ParsedIp): { readonly family: 4 | 6; readonly value: bigint } {
  return ip.mapped ? { family: 4, value: ip.value & low32 } : ip;
}
function textOf(ip: ParsedIp): string {
  const { family, value } = plain(ip);
  return formatIp(family, value);
}

/** True when `inner` lies in `outer` and is smaller. */
export function isStrictSubset(inner: ParsedCidr, outer: ParsedCidr): boolean {
  if (inner.ip.family !== outer.ip.family || inner.prefix <= outer.prefix) return false;
  const shift = BigInt((outer.ip.family === 4 ? 32 : 128) - outer.prefix);
  return inner.network >> shift === outer.network >> shift;
}

/** An address that other machines can reach: what Endpoints and external IPs must be. */
export function reachableProblems(text: string): readonly string[] {
  const ip = parseIp(text);
  if (ip === undefined) return ['must be a valid IP address'];
  const { family, value } = plain(ip);
  const isV4 = family === 4;
  const problems: string[] = [];
  if (value === 0n) problems.push(`may not be unspecified (${formatIp(family, value)})`);
  if (isV4 ? value >> 24n === 127n : value === 1n)
    problems.push('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (isV4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan)
    problems.push('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  if (isV4 ? value >> 8n === 0xe00000n : ((value >> 112n) & 0xff0fn) === 0xff02n)
    problems.push('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  return problems;
}

/** Values that the old object had already are taken as they are. */
export function checkAddress(text: string, field: Field, kept: readonly string[] = []): boolean {
  if (kept.includes(text)) return true;
  const problems = ipAddress(text);
  field.invalidAll(text, problems);
  return problems.length === 0;
}
/** At most two, one of each family. */
export function isDualStack(addresses: readonly (ParsedIp | undefined)[]): boolean {
  return (
    addresses.length <= 2 && (addresses.length < 2 || addresses[0]?.family !== addresses[1]?.family)
  );
}

/** Texts for values that are taken but should be written otherwise. */
export function addressWarnings(path: string, text: string): readonly string[] {
  const ip = parseIp(text);
  if (ip === undefined) return [];
  const canonical = textOf(ip);
  if (ip.leadingZeros || ip.mapped)
    return [`${path}: non-standard IP address "${text}" is invalid: use "${canonical}"`];
  return ip.family === 6 && canonical !== text
    ? [`${path}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${canonical}")`]
    : [];
}
