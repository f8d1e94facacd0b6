import type { Field } from './field.ts';

/** An IP address as bytes: 4 or 16 of them. */
export interface Address {
  readonly bytes: readonly number[];
  readonly isV6: boolean;
  /** Written with zeros in front of a decimal number. */
  readonly hasLeadingZeros: boolean;
  /** `::ffff:1.2.3.4`. */
  readonly isMapped: boolean;
}

export function parseAddress(text: string): Address | undefined {
  if (text.includes(':')) return parseV6(text);
  const v4 = parseV4(text);
  return v4 === undefined
    ? undefined
    : { bytes: v4.bytes, isV6: false, hasLeadingZeros: v4.zeros, isMapped: false };
}

function parseV4(text: string): { bytes: number[]; zeros: boolean } | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  let zeros = false;
  for (const part of parts) {
    if (!/^\d{1,9}$/.test(part) || Number(part) > 255) return undefined;
    if (part.length > 1 && part.startsWith('0')) zeros = true;
    bytes.push(Number(part));
  }
  return { bytes, zeros };
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff]);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return { bytes, isV6: true, hasLeadingZeros: false, isMapped };
}

function groupsOf(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (mayEndInV4 && index === parts.length - 1 && part.includes('.')) {
      const v4 = parseV4(part);
      if (v4 === undefined || v4.zeros) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = v4.bytes;
      groups.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** RFC 5952 for IPv6, dotted for IPv4. */
export function addressText({ bytes, isV6, isMapped }: Address): string {
  if (!isV6) return bytes.join('.');
  if (isMapped) return bytes.slice(12).join('.');
  const groups = Array.from(
    { length: 8 },
    (_, i) => (bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

const addressWrong = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const cidrWrong = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** Strict about zeros and mapped addresses, not about the canonical form (older fields). */
export function addressProblems(text: string): readonly string[] {
  const address = parseAddress(text);
  if (address === undefined) return [addressWrong];
  if (address.hasLeadingZeros) return ['must not have leading 0s'];
  return address.isMapped ? ['must not be an IPv4-mapped IPv6 address'] : [];
}
/** The same and in canonical form (newer fields). */
export function canonicalAddressProblems(text: string): readonly string[] {
  const problems = addressProblems(text);
  const address = parseAddress(text);
  if (problems.length > 0 || address === undefined) return problems;
  const canonical = addressText(address);
  return canonical === text ? [] : [`must be in canonical form ("${canonical}")`];
}

export interface AddressRange {
  readonly address: Address;
  readonly prefix: number;
}
export function parseCidr(text: string): AddressRange | undefined {
  const slash = text.lastIndexOf('/');
  if (slash < 0) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  if (address === undefined || !/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = Number(prefixText);
  if (prefix > address.bytes.length * 8) return undefined;
  return { address, prefix };
}
export function hasHostBits({ address, prefix }: AddressRange): boolean {
  return address.bytes.some((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return (byte & (0xff >> kept)) !== 0 && kept < 8;
  });
}
export function cidrProblems(text: string): readonly string[] {
  const range = parseCidr(text);
  if (range === undefined) return [cidrWrong];
  const prefixText = text.slice(text.lastIndexOf('/') + 1);
  if (range.address.hasLeadingZeros || (prefixText.length > 1 && prefixText.startsWith('0')))
    return ['must not have leading 0s in IP or prefix length'];
  if (range.address.isMapped) return ['must not have an IPv4-mapped IPv6 address'];
  return hasHostBits(range) ? ['must not have bits set beyond the prefix length'] : [];
}
export function canonicalCidrProblems(text: string): readonly string[] {
  const problems = cidrProblems(text);
  const range = parseCidr(text);
  if (problems.length > 0 || range === undefined) return problems;
  const canonical = `${addressText(range.address)}/${range.prefix}`;
  return canonical === text ? [] : [`must be in canonical form ("${canonical}")`];
}
/** True when `inner` lies in `outer` and is smaller. */
export function isStrictSubset(inner: AddressRange, outer: AddressRange): boolean {
  if (inner.address.isV6 !== outer.address.isV6 || inner.prefix <= outer.prefix) return false;
  return inner.address.bytes.every((byte, index) => {
    const kept = Math.min(8, Math.max(0, outer.prefix - index * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    return (byte & mask) === ((outer.address.bytes[index] ?? 0) & mask);
  });
}

/** An address that other machines can reach: what Endpoints and external IPs must be. */
export function reachableProblems(text: string): readonly string[] {
  const address = parseAddress(text);
  if (address === undefined) return ['must be a valid IP address'];
  const problems: string[] = [];
  const bytes = address.isMapped ? address.bytes.slice(12) : address.bytes;
  const [a = 0, b = 0, c = 0] = bytes;
  const isV4 = bytes.length === 4;
  if (bytes.every((byte) => byte === 0))
    problems.push(`may not be unspecified (${addressText(address)})`);
  const isOne = bytes.every((byte, index) => byte === Number(index === bytes.length - 1));
  if (isV4 ? a === 127 : isOne)
    problems.push('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  if (isV4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80)
    problems.push('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  if (isV4 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 2)
    problems.push('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  return problems;
}

/** Values that the old object had already are taken as they are. */
export function checkAddress(text: string, field: Field, kept: readonly string[] = []): boolean {
  if (kept.includes(text)) return true;
  const problems = addressProblems(text);
  field.invalidAll(text, problems);
  return problems.length === 0;
}
/** At most two, one of each family. */
export function isDualStack(addresses: readonly (Address | undefined)[]): boolean {
  return (
    addresses.length <= 2 && (addresses.length < 2 || addresses[0]?.isV6 !== addresses[1]?.isV6)
  );
}

/** Texts for values that are taken but should be written otherwise. */
export function addressWarnings(path: string, text: string): readonly string[] {
  const address = parseAddress(text);
  if (address === undefined) return [];
  const canonical = addressText(address);
  if (address.hasLeadingZeros || address.isMapped)
    return [`${path}: non-standard IP address "${text}" is invalid: use "${canonical}"`];
  return address.isV6 && canonical !== text
    ? [`${path}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${canonical}")`]
    : [];
}
