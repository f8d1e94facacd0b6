/**
 * DNS messages (RFC 1035, RFC 2782 SRV, RFC 6891 EDNS): queries to values, answers to bytes.
 *
 * Names in answers are compressed. Only what a server of cluster names needs; other people's
 * answers are passed on as bytes.
 */
export const recordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
} as const;

export const responseCode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

export interface DnsQuery {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  /** As sent, without the last dot; compare in lower case. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** What the client takes over UDP: 512 without EDNS. */
  readonly udpBytesMax: number;
  readonly edns: boolean;
}

export type DnsRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'CNAME' | 'PTR' | 'NS'; readonly target: string }
  | { readonly type: 'TXT'; readonly texts: readonly string[] }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly type: 'SOA';
      readonly primary: string;
      readonly mailbox: string;
      readonly serial: number;
      readonly refresh: number;
      readonly retry: number;
      readonly expire: number;
      readonly minimum: number;
    }
);

export interface DnsAnswer {
  readonly code: number;
  readonly authoritative: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authority?: readonly DnsRecord[];
  readonly additional?: readonly DnsRecord[];
  /** Answers that do not fit are left out from the end, instead of all of them. */
  readonly partial?: boolean;
}

const headerBytes = 12;
const labelBytesMax = 63;
const nameBytesMax = 255;
const pointerJumpsMax = 32;
const udpBytesDefault = 512;
/** Answers over UDP stay below what crosses any network in one piece (DNS flag day 2020). */
const udpBytesOurs = 1232;

/** Undefined when the bytes are no query with exactly one question. */
export function decodeDnsQuery(bytes: Uint8Array): DnsQuery | undefined {
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) !== 0 || view.getUint16(4) !== 1) return undefined;
  const question = readName(bytes, headerBytes);
  if (question === undefined || question.next + 4 > bytes.length) return undefined;
  const additional = view.getUint16(10);
  const edns =
    view.getUint16(6) + view.getUint16(8) === 0 && additional > 0
      ? ednsSize(view, question.next + 4)
      : undefined;
  return {
    id: view.getUint16(0),
    opcode: (flags >> 11) & 15,
    recursionDesired: (flags & 0x0100) !== 0,
    name: question.name,
    type: view.getUint16(question.next),
    class: view.getUint16(question.next + 2),
    udpBytesMax: Math.max(udpBytesDefault, edns ?? 0),
    edns: edns !== undefined,
  };
}

/** The size in an OPT record at `at`: root name, type 41, class = size. */
function ednsSize(view: DataView, at: number): number | undefined {
  if (at + 11 > view.byteLength || view.getUint8(at) !== 0) return undefined;
  return view.getUint16(at + 1) === recordType.OPT ? view.getUint16(at + 3) : undefined;
}

function readName(bytes: Uint8Array, start: number): { name: string; next: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let next: number | undefined;
  let total = 0;
  for (let jumps = 0; jumps <= pointerJumpsMax; ) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length === 0) return { name: labels.join('.'), next: next ?? at + 1 };
    if ((length & 0xc0) === 0xc0) {
      const low = bytes[at + 1];
      if (low === undefined) return undefined;
      next ??= at + 2;
      at = ((length & 0x3f) << 8) | low;
      jumps++;
      continue;
    }
    if (length > labelBytesMax || at + 1 + length > bytes.length) return undefined;
    total += length + 1;
    if (total > nameBytesMax) return undefined;
    let label = '';
    for (const byte of bytes.subarray(at + 1, at + 1 + length)) label += String.fromCharCode(byte);
    labels.push(label);
    at += 1 + length;
  }
  return undefined;
}

/** Bytes of an answer; over UDP one that is too long is cut to its head with TC set. */
export function encodeDnsAnswer(
  query: DnsQuery,
  answer: DnsAnswer,
  transport: 'udp' | 'tcp',
): Uint8Array {
  const bytesMax =
    transport === 'tcp'
      ? 65_535
      : Math.min(query.udpBytesMax, Math.max(udpBytesOurs, udpBytesDefault));
  const whole = new AnswerWriter(query, answer).bytes(false);
  if (whole.length <= bytesMax) return whole;
  const { additional: _left, ...required } = answer;
  const smaller = new AnswerWriter(query, required).bytes(false);
  if (smaller.length <= bytesMax) return smaller;
  let count = 0;
  for (let over = answer.partial === true ? required.answers.length : 0; over - count > 1; ) {
    const half = (count + over) >> 1;
    if (cut(query, required, half).length <= bytesMax) count = half;
    else over = half;
  }
  return cut(query, required, count);
}

function cut(query: DnsQuery, answer: DnsAnswer, count: number): Uint8Array {
  const less = { ...answer, answers: answer.answers.slice(0, count), authority: [] };
  return new AnswerWriter(query, less).bytes(true);
}

class AnswerWriter {
  #buffer = new Uint8Array(1024);
  #length = 0;
  readonly #names = new Map<string, number>();
  readonly #query: DnsQuery;
  readonly #answer: DnsAnswer;

  constructor(query: DnsQuery, answer: DnsAnswer) {
    this.#query = query;
    this.#answer = answer;
  }

  bytes(truncated: boolean): Uint8Array {
    const { answers, authority = [], additional = [] } = this.#answer;
    const query = this.#query;
    this.#u16(query.id);
    // QR, opcode, AA, TC, RD, RA, RCODE
    this.#u16(
      0x8000 |
        (query.opcode << 11) |
        (this.#answer.authoritative ? 0x0400 : 0) |
        (truncated ? 0x0200 : 0) |
        (query.recursionDesired ? 0x0100 : 0) |
        0x0080 |
        this.#answer.code,
    );
    this.#u16(1);
    this.#u16(answers.length);
    this.#u16(authority.length);
    this.#u16(additional.length + (query.edns ? 1 : 0));
    this.#name(query.name);
    this.#u16(query.type);
    this.#u16(query.class);
    for (const record of [...answers, ...authority, ...additional]) this.#record(record);
    if (query.edns) this.#opt();
    return this.#buffer.slice(0, this.#length);
  }

  #opt(): void {
    this.#u8(0);
    this.#u16(recordType.OPT);
    this.#u16(udpBytesOurs);
    this.#u32(0);
    this.#u16(0);
  }

  #record(record: DnsRecord): void {
    this.#name(record.name);
    this.#u16(recordType[record.type]);
    this.#u16(1);
    this.#u32(record.ttl);
    const lengthAt = this.#length;
    this.#u16(0);
    this.#data(record);
    const length = this.#length - lengthAt - 2;
    this.#buffer[lengthAt] = length >> 8;
    this.#buffer[lengthAt + 1] = length & 255;
  }

  #data(record: DnsRecord): void {
    switch (record.type) {
      case 'A':
        for (const part of record.address.split('.')) this.#u8(Number(part));
        return;
      case 'AAAA':
        for (const group of ipv6Groups(record.address)) this.#u16(group);
        return;
      case 'TXT':
        for (const text of record.texts) this.#text(text);
        return;
      case 'SRV':
        this.#u16(record.priority);
        this.#u16(record.weight);
        this.#u16(record.port);
        this.#name(record.target);
        return;
      case 'SOA':
        this.#name(record.primary);
        this.#name(record.mailbox);
        for (const value of [
          record.serial,
          record.refresh,
          record.retry,
          record.expire,
          record.minimum,
        ])
          this.#u32(value);
        return;
      default:
        this.#name(record.target);
    }
  }

  /** A name, pointing back to the longest ending that was written before. */
  #name(name: string): void {
    let rest = name.replace(/\.$/, '');
    while (rest !== '') {
      const key = rest.toLowerCase();
      const known = this.#names.get(key);
      if (known !== undefined) {
        this.#u16(0xc000 | known);
        return;
      }
      if (this.#length < 0x3fff) this.#names.set(key, this.#length);
      const dot = rest.indexOf('.');
      this.#text(dot < 0 ? rest : rest.slice(0, dot));
      rest = dot < 0 ? '' : rest.slice(dot + 1);
    }
    this.#u8(0);
  }

  #text(text: string): void {
    const length = Math.min(text.length, 255);
    this.#u8(length);
    for (let index = 0; index < length; index++) this.#u8(text.charCodeAt(index) & 255);
  }

  #u8(value: number): void {
    if (this.#length === this.#buffer.length) {
      const larger = new Uint8Array(this.#buffer.length * 2);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer[this.#length++] = value;
  }
  #u16(value: number): void {
    this.#u8((value >> 8) & 255);
    this.#u8(value & 255);
  }
  #u32(value: number): void {
    this.#u16((value >>> 16) & 0xffff);
    this.#u16(value & 0xffff);
  }
}

/** The eight groups of an IPv6 address in text form, `::` filled in. */
export function ipv6Groups(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const parse = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const front = parse(head);
  if (tail === undefined) return front;
  const back = parse(tail);
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
}
