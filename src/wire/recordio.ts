/**
 * RecordIO of the Mesos v1 APIs: the length of a record in bytes as decimal text, a line feed, the
 * record. Nothing stands between records (docs/recordio.md of Mesos).
 */
export function encodeRecord(record: Uint8Array): Uint8Array {
  const head = `${record.length}\n`;
  const bytes = Buffer.allocUnsafe(head.length + record.length);
  bytes.write(head, 0, 'latin1');
  bytes.set(record, head.length);
  return bytes;
}

/** The same for text, whose length in UTF-8 counts. */
export function encodeTextRecord(text: string): Uint8Array {
  const length = Buffer.byteLength(text);
  const head = `${length}\n`;
  const bytes = Buffer.allocUnsafe(head.length + length);
  bytes.write(head, 0, 'latin1');
  bytes.write(text, head.length, 'utf8');
  return bytes;
}

/** What the reference says of a stream it cannot read on. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

export interface RecordLimits {
  /** A longer record fails the decoder. */
  readonly recordBytesMax: number;
}

// Twenty digits hold every 64-bit length; whoever sends more before a line feed sends no RecordIO.
const headerBytesMax = 20;

/** Takes a byte stream in any split and gives out whole records. Once failed it stays failed. */
export class RecordDecoder {
  readonly #limits: RecordLimits;
  #header = '';
  /** Length of the record under way; undefined while its header is read. */
  #length: number | undefined;
  #parts: Uint8Array[] = [];
  #gathered = 0;
  #failed = false;

  constructor(limits: RecordLimits) {
    this.#limits = limits;
  }

  /** True between records: a stream may end here. */
  get atBoundary(): boolean {
    return this.#length === undefined && this.#header === '';
  }

  /** Records that are complete now. They may share memory with `chunk`. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#failed) throw new RecordError('Decoder is in a FAILED state');
    const records: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#length === undefined) at = this.#readHeader(chunk, at, records);
      else at = this.#readRecord(chunk, at, records);
    }
    return records;
  }

  #readHeader(chunk: Uint8Array, from: number, records: Uint8Array[]): number {
    const end = chunk.indexOf(0x0a, from);
    const until = end === -1 ? chunk.length : end;
    const room = headerBytesMax + 1 - this.#header.length;
    const piece = chunk.subarray(from, Math.min(until, from + room));
    this.#header += Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('utf8');
    if (this.#header.length > headerBytesMax) throw this.#fail(notANumber(this.#header));
    if (end === -1) return chunk.length;
    const length = numberOf(this.#header);
    if (length === undefined) throw this.#fail(notANumber(this.#header));
    if (length > this.#limits.recordBytesMax)
      throw this.#fail(`record is longer than ${this.#limits.recordBytesMax} bytes`);
    this.#header = '';
    if (length === 0) records.push(new Uint8Array(0));
    else this.#length = length;
    return end + 1;
  }

  #readRecord(chunk: Uint8Array, from: number, records: Uint8Array[]): number {
    const length = this.#length ?? 0;
    const piece = chunk.subarray(from, from + length - this.#gathered);
    this.#parts.push(piece);
    this.#gathered += piece.length;
    if (this.#gathered === length) {
      records.push(this.#parts.length === 1 ? piece : Buffer.concat(this.#parts, length));
      this.#parts = [];
      this.#gathered = 0;
      this.#length = undefined;
    }
    return from + piece.length;
  }

  #fail(why: string): RecordError {
    this.#failed = true;
    this.#parts = [];
    return new RecordError(`Failed to decode length '${this.#header}': ${why}`);
  }
}

function notANumber(text: string): string {
  return `Failed to convert '${text}' to number`;
}

/** As stout's `numify<size_t>`: decimal or hexadecimal digits without white space. */
function numberOf(text: string): number | undefined {
  if (/^\+?\d+$/.test(text) || /^0[xX][0-9a-fA-F]+$/.test(text)) return Number(text);
  // A negative number wraps around there, to a length that nobody can send.
  return /^-\d+$/.test(text) ? Number.MAX_SAFE_INTEGER : undefined;
}
