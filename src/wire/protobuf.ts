import { DecodeError } from './codec.ts';

/**
 * Writes protobuf backwards into one growing buffer: a message's length is known when its content
 * has been written, so nothing is measured first. Callers write fields in descending order.
 */
export class ProtobufWriter {
  #buffer: Buffer;
  /** Where the last written byte begins; content stands from here to the end of the buffer. */
  #at: number;

  constructor(bytes = 16 * 1024) {
    this.#buffer = Buffer.allocUnsafe(bytes);
    this.#at = bytes;
  }
  /** Bytes written so far; the difference of two marks is a length. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }
  /** A copy of what was written; the writer starts over. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(this.#at));
    this.#at = this.#buffer.length;
    return bytes;
  }
  reset(): void {
    this.#at = this.#buffer.length;
  }

  #room(bytes: number): number {
    if (this.#at < bytes) {
      const used = this.length;
      const bigger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, (used + bytes) * 2));
      this.#buffer.copy(bigger, bigger.length - used, this.#at);
      this.#buffer = bigger;
      this.#at = bigger.length - used;
    }
    this.#at -= bytes;
    return this.#at;
  }
  byte(value: number): void {
    const at = this.#room(1);
    this.#buffer[at] = value;
  }
  /** Unsigned, up to 2^53. */
  varint(value: number): void {
    if (value < 0x80) {
      this.byte(value);
      return;
    }
    let size = 1;
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) size++;
    let at = this.#room(size);
    let rest = value;
    for (; size > 1; size--) {
      this.#buffer[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[at] = rest;
  }
  /**
   * Negative numbers take ten bytes, sign-extended to 64 bits. Beyond 2^53 the shortest digits count
   * that mean the number: nanoseconds that came in whole microseconds go out as they came.
   */
  int64(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, wholeOf(value));
    const bytes: number[] = [];
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
  }
  double(value: number): void {
    // Making room may replace the buffer, so it comes first.
    const at = this.#room(8);
    this.#buffer.writeDoubleLE(value, at);
  }
  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#buffer.set(value, at);
  }
  /** The text without a length. */
  text(value: string): void {
    const length = value.length;
    if (length === 0) return;
    if (length <= 32) {
      let ascii = true;
      for (let i = 0; i < length; i++)
        if (value.charCodeAt(i) > 0x7f) {
          ascii = false;
          break;
        }
      if (ascii) {
        const at = this.#room(length);
        const buffer = this.#buffer;
        for (let i = 0; i < length; i++) buffer[at + i] = value.charCodeAt(i);
        return;
      }
    }
    const size = Buffer.byteLength(value);
    const at = this.#room(size);
    this.#buffer.write(value, at, size, 'utf8');
  }
  /** Tag and text of a string field. */
  stringField(tag: number, value: string): void {
    const mark = this.length;
    this.text(value);
    this.varint(this.length - mark);
    this.varint(tag);
  }
  /** Closes a message whose content was written since `mark`. */
  close(tag: number, mark: number): void {
    this.varint(this.length - mark);
    this.varint(tag);
  }
}

const depthMax = 400;

/** Reads protobuf; every length is checked against the bytes there are. */
export class ProtobufReader {
  readonly bytes: Buffer;
  at: number;
  end: number;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.end = bytes.length;
  }
  get more(): boolean {
    return this.at < this.end;
  }
  /** The next tag; the wire type is its low three bits. */
  tag(): number {
    const tag = this.uint();
    if (tag >>> 3 === 0 || tag > 0xffffffff)
      throw new DecodeError(`proto: illegal tag ${Math.floor(tag / 8)} (wire type ${tag % 8})`);
    return tag;
  }
  /** Unsigned; exact up to 2^53. */
  uint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.at >= this.end) throw new DecodeError('unexpected EOF');
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new DecodeError('proto: integer overflow');
  }
  /** Signed 64 bits, two's complement. */
  int(): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80 && this.at < this.end) {
      this.at++;
      return first;
    }
    const start = this.at;
    const value = this.uint();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    let exact = 0n;
    for (let at = this.at - 1; at >= start; at--)
      exact = (exact << 7n) | BigInt((this.bytes[at] ?? 0) & 0x7f);
    return Number(BigInt.asIntN(64, exact));
  }
  double(): number {
    this.#need(8);
    const value = this.bytes.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }
  text(): string {
    const length = this.#length();
    const start = this.at;
    this.at += length;
    if (length <= 24) {
      let text = '';
      for (let at = start; at < this.at; at++) {
        const byte = this.bytes[at] ?? 0;
        if (byte > 0x7f) return this.bytes.toString('utf8', start, this.at);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return this.bytes.toString('utf8', start, this.at);
  }
  slice(): Buffer {
    const length = this.#length();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  /** Reads a length and narrows the reader to that message; give the result to `leave`. */
  enter(): number {
    const length = this.#length();
    if (++this.#depth > depthMax) throw new DecodeError('proto: exceeded max depth');
    const outer = this.end;
    this.end = this.at + length;
    return outer;
  }
  leave(outer: number): void {
    this.#depth--;
    this.at = this.end;
    this.end = outer;
  }
  skip(wireType: number): void {
    if (wireType === 0) this.uint();
    else if (wireType === 1) this.#skipBytes(8);
    else if (wireType === 2) this.#skipBytes(this.#length());
    else if (wireType === 5) this.#skipBytes(4);
    else throw new DecodeError(`proto: illegal wireType ${wireType}`);
  }
  #skipBytes(count: number): void {
    this.#need(count);
    this.at += count;
  }
  #length(): number {
    const length = this.uint();
    this.#need(length);
    return length;
  }
  #need(count: number): void {
    if (count > this.end - this.at) throw new DecodeError('unexpected EOF');
  }
}

/** The integer of the shortest digits that mean this number. */
export function wholeOf(value: number): bigint {
  const whole = Math.trunc(value);
  return Math.abs(whole) < 1e21 ? BigInt(String(whole)) : BigInt(whole);
}
