import { crc32 } from 'node:zlib';
import type { LogRecord } from '../backend.ts';

/**
 * How records travel to the writer thread, and what their checksum covers. Little-endian: created,
 * previous, expiresMs (float64 each), key bytes, value bytes (uint32 each; the last 0xffffffff for
 * a deletion), key, value.
 */
export const headBytes = 32;
const noValue = 0xffff_ffff;

export function packRecords(records: readonly LogRecord[]): Buffer {
  let size = 0;
  for (const { key, value } of records)
    size += headBytes + key.length * 3 + (value === undefined ? 0 : value.length);
  const packed = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const record of records) {
    const keyBytes = packed.write(record.key, at + headBytes, 'utf8');
    writeHead(packed, at, { record, keyBytes });
    at += headBytes + keyBytes;
    if (record.value === undefined) continue;
    packed.set(record.value, at);
    at += record.value.length;
  }
  return packed.subarray(0, at);
}

function writeHead(
  target: Buffer,
  at: number,
  { record, keyBytes }: { readonly record: LogRecord; readonly keyBytes: number },
): void {
  target.writeDoubleLE(record.created, at);
  target.writeDoubleLE(record.previous, at + 8);
  target.writeDoubleLE(record.expiresMs, at + 16);
  target.writeUInt32LE(keyBytes, at + 24);
  target.writeUInt32LE(record.value === undefined ? noValue : record.value.length, at + 28);
}

/** One record as the writer stores it. */
export interface PackedRecord {
  readonly created: number;
  readonly previous: number;
  readonly expiresMs: number;
  readonly key: string;
  readonly value: Uint8Array | null;
  readonly checksum: number;
}

/** Reads records back; `firstRevision` is that of the first, the others follow it. */
export function* unpackRecords(
  packed: Buffer,
  firstRevision: number,
): IterableIterator<PackedRecord> {
  let revision = firstRevision;
  for (let at = 0; at < packed.length; revision++) {
    const keyBytes = packed.readUInt32LE(at + 24);
    const valueBytes = packed.readUInt32LE(at + 28);
    const keyEnd = at + headBytes + keyBytes;
    const end = valueBytes === noValue ? keyEnd : keyEnd + valueBytes;
    yield {
      created: packed.readDoubleLE(at),
      previous: packed.readDoubleLE(at + 8),
      expiresMs: packed.readDoubleLE(at + 16),
      key: packed.toString('utf8', at + headBytes, keyEnd),
      value: valueBytes === noValue ? null : packed.subarray(keyEnd, end),
      checksum: crc32(packed.subarray(at, end), seedOf(revision)),
    };
    at = end;
  }
}

const scratch = Buffer.alloc(headBytes + 4096);

/** The checksum of a record that was read. */
export function checksumOf(record: LogRecord): number {
  const { key, value, revision } = record;
  const room = headBytes + key.length * 3;
  const head = room <= scratch.length ? scratch : Buffer.alloc(room);
  const keyBytes = head.write(key, headBytes, 'utf8');
  writeHead(head, 0, { record, keyBytes });
  const checksum = crc32(head.subarray(0, headBytes + keyBytes), seedOf(revision));
  return value === undefined ? checksum : crc32(value, checksum);
}

/** A record that stands at another's revision is wrong too. */
function seedOf(revision: number): number {
  return (revision ^ Math.floor(revision / 2 ** 32)) >>> 0;
}
