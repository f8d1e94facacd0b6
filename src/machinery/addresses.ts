import type { Texts } from './names.ts';

/** IP addresses and ranges as the API takes them, with the reference's texts. */
export interface ParsedIp {
  readonly family: 4 | 6;
  /** The address as a number of 32 or 128 bits. */
  readonly value: bigint;
  readonly mapped: boolean;
  readonly leadingZeros: boolean;
}

export function parseIp(text: string): ParsedIp | undefined {
  if (!text.includes(':')) {
    const four = parseFour(text);
    return four === undefined ? undefined : { family: 4, mapped: false, ...four };
  }
  return parseSix(text);
}

function parseFour(text: string): { value: bigint; leadingZeros: boolean } | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  let leadingZeros = false;
  for (const part of parts) {
    if (!/^[0-9]{1,8}$/.test(part) || Number(part) > 255) return undefined;
    if (part.length > 1 && part.startsWith('0')) leadingZeros = true;
    value = value * 256n + BigInt(Number(part));
  }
  return { value, leadingZeros };
}

function parseSix(text: string): ParsedIp | undefined {
  if (text.length > 64) return undefined;
  let source = text;
  let leadingZeros = false;
  const last = source.slice(source.lastIndexOf(':') + 1);
  if (last.includes('.')) {
    const four = parseFour(last);
    if (four === undefined) return undefined;
    ({ leadingZeros } = four);
    const high = (four.value >> 16n).toString(16);
    const low = (four.value & 0xffffn).toString(16);
    source = `${source.slice(0, -last.length)}${high}:${low}`;
  }
  const halves = source.split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined) =>
    half === undefined || half === '' ? [] : half.split(':');
  const left = groups(halves[0]);
  const right = groups(halves[1]);
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...left, ...Array<string>(Math.max(missing, 0)).fill('0'), ...right];
  let value = 0n;
  for (const group of all) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    value = value * 65_536n + BigInt(`0x${group}`);
  }
  return { family: 6, value, mapped: value >> 32n === 0xffffn, leadingZeros };
}

/** The canonical text: RFC 5952 for IPv6. */
export function formatIp(family: 4 | 6, value: bigint): string {
  if (family === 4)
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  if (value >> 32n === 0xffffn) return `::ffff:${formatIp(4, value & 0xffffffffn)}`;
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt((7 - index) * 16)) & 0xffffn).toString(16),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  const head = groups.slice(0, best.start).join(':');
  return `${head}::${groups.slice(best.start + best.length).join(':')}`;
}

/** The rule for older fields: no leading zeros, no IPv4-mapped IPv6. */
export function ipAddress(text: string): Texts {
  const ip = parseIp(text);
  if (ip === undefined) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
  if (ip.leadingZeros) return ['must not have leading 0s'];
  return ip.mapped ? ['must not be an IPv4-mapped IPv6 address'] : [];
}
/** The rule for newer fields: canonical text too. */
export function canonicalIpAddress(text: string): Texts {
  const found = ipAddress(text);
  const ip = parseIp(text);
  if (found.length > 0 || ip === undefined) return found;
  const canonical = formatIp(ip.family, ip.value);
  return canonical === text ? [] : [`must be in canonical form ("${canonical}")`];
}

export interface ParsedCidr {
  readonly ip: ParsedIp;
  readonly prefix: number;
  readonly prefixText: string;
  /** The lowest address of the range. */
  readonly network: bigint;
}
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/');
  const ip = parseIp(text.slice(0, Math.max(slash, 0)));
  const prefixText = text.slice(slash + 1);
  if (slash < 0 || ip === undefined || !/^[0-9]{1,8}$/.test(prefixText)) return undefined;
  const bits = ip.family === 4 ? 32 : 128;
  const prefix = Number(prefixText);
  if (prefix > bits) return undefined;
  const shift = BigInt(bits - prefix);
  return { ip, prefix, prefixText, network: (ip.value >> shift) << shift };
}
export function cidr(text: string): Texts {
  const parsed = parseCidr(text);
  if (parsed === undefined)
    return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
  const { ip, prefixText, network } = parsed;
  if (ip.leadingZeros || (prefixText.length > 1 && prefixText.startsWith('0')))
    return ['must not have leading 0s in IP or prefix length'];
  if (ip.mapped) return ['must not have an IPv4-mapped IPv6 address'];
  return network === ip.value ? [] : ['must not have bits set beyond the prefix length'];
}
export function canonicalCidr(text: string): Texts {
  const found = cidr(text);
  const parsed = parseCidr(text);
  if (found.length > 0 || parsed === undefined) return found;
  const canonical = `${formatIp(parsed.ip.family, parsed.network)}/${parsed.prefix}`;
  return canonical === text ? [] : [`must be in canonical form ("${canonical}")`];
}
