import { constants, createDeflate, createInflate } from 'node:zlib';
import type { Deflate, Inflate } from 'node:zlib';

/**
 * Frames of SPDY/3.1 as clients of exec and port-forward speak it (SPDY Protocol draft 3.1,
 * sections 2.2 and 2.6). A frame is either data (first bit 0) or control (first bit 1).
 */
export type SpdyFrame =
  | {
      readonly type: 'data';
      readonly streamId: number;
      readonly fin: boolean;
      readonly data: Uint8Array;
    }
  | {
      readonly type: 'synStream';
      readonly streamId: number;
      readonly fin: boolean;
      readonly headers: SpdyHeaders;
    }
  | {
      readonly type: 'synReply' | 'headers';
      readonly streamId: number;
      readonly fin: boolean;
      readonly headers: SpdyHeaders;
    }
  | { readonly type: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStreamId: number; readonly status: number }
  | { readonly type: 'settings' | 'windowUpdate' | 'unknown' };

/** Names in lower case. */
export type SpdyHeaders = Readonly<Record<string, string>>;

export class SpdyError extends Error {
  override readonly name = 'SpdyError';
}

const frameBytesMax = 1 << 24;
const headerBytesMax = 64 * 1024;
const kinds = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
};
const flagFin = 1;

/** The words both sides' compressors start from (section 2.6.10.1): names with their lengths, then loose text. */
const dictionary = dictionaryBytes();

function dictionaryBytes(): Uint8Array {
  const names = (
    'options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|' +
    'accept-ranges|age|allow|authorization|cache-control|connection|content-base|' +
    'content-encoding|content-language|content-length|content-location|content-md5|' +
    'content-range|content-type|date|etag|expect|expires|from|host|if-match|' +
    'if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|' +
    'max-forwards|pragma|proxy-authenticate|proxy-authorization|range|referer|retry-after|' +
    'server|te|trailer|transfer-encoding|upgrade|user-agent|vary|via|warning|' +
    'www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|public|set-cookie|' +
    'keep-alive|origin'
  ).split('|');
  const loose =
    '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
    '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request' +
    '401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented' +
    '503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, ' +
    'Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,' +
    'application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=' +
    'gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';
  const parts = names.flatMap((name) => [uint32(name.length), Buffer.from(name, 'latin1')]);
  return Buffer.concat([...parts, Buffer.from(loose, 'latin1')]);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Cuts a byte stream into frames. Header blocks share one compression state, so frames go in order. */
export class SpdyReader {
  readonly #inflate: Inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH });
  #buffer: Buffer = Buffer.alloc(0);

  constructor() {
    this.#inflate.on('error', () => undefined);
  }

  async read(chunk: Uint8Array): Promise<readonly SpdyFrame[]> {
    this.#buffer =
      this.#buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#buffer, chunk]);
    const frames: SpdyFrame[] = [];
    for (;;) {
      if (this.#buffer.length < 8) return frames;
      const length = this.#buffer.readUInt32BE(4) & 0xffffff;
      if (length > frameBytesMax)
        throw new SpdyError(`Cannot read frame: ${length} bytes are too many`);
      if (this.#buffer.length < 8 + length) return frames;
      const frame = this.#buffer.subarray(0, 8 + length);
      this.#buffer = this.#buffer.subarray(8 + length);
      frames.push(await this.#decode(frame));
    }
  }

  async #decode(frame: Buffer): Promise<SpdyFrame> {
    const first = frame.readUInt32BE(0);
    const fin = ((frame[4] ?? 0) & flagFin) !== 0;
    const body = frame.subarray(8);
    if (first >>> 31 === 0)
      return { type: 'data', streamId: first, fin, data: new Uint8Array(body) };
    const version = (first >>> 16) & 0x7fff;
    if (version !== 3) throw new SpdyError(`Cannot read frame: version is ${version}, must be 3`);
    const id = body.length >= 4 ? body.readUInt32BE(0) & 0x7fffffff : 0;
    const second = body.length >= 8 ? body.readUInt32BE(4) : 0;
    switch (first & 0xffff) {
      case kinds.synStream:
        return {
          type: 'synStream',
          streamId: id,
          fin,
          headers: await this.#headers(body.subarray(10)),
        };
      case kinds.synReply:
        return {
          type: 'synReply',
          streamId: id,
          fin,
          headers: await this.#headers(body.subarray(4)),
        };
      case kinds.headers:
        return {
          type: 'headers',
          streamId: id,
          fin,
          headers: await this.#headers(body.subarray(4)),
        };
      case kinds.rstStream:
        return { type: 'rstStream', streamId: id, status: second };
      case kinds.ping:
        return { type: 'ping', id: body.length >= 4 ? body.readUInt32BE(0) : 0 };
      case kinds.goAway:
        return { type: 'goAway', lastStreamId: id, status: second };
      case kinds.settings:
        return { type: 'settings' };
      case kinds.windowUpdate:
        return { type: 'windowUpdate' };
      default:
        return { type: 'unknown' };
    }
  }

  async #headers(block: Buffer): Promise<SpdyHeaders> {
    const bytes = await throughZlib(this.#inflate, block);
    const headers: Record<string, string> = Object.create(null);
    let at = 0;
    const number = (): number => {
      if (at + 4 > bytes.length) throw new SpdyError('Cannot read headers: block is cut off');
      at += 4;
      return bytes.readUInt32BE(at - 4);
    };
    const text = (): string => {
      const length = number();
      if (at + length > bytes.length) throw new SpdyError('Cannot read headers: block is cut off');
      at += length;
      return bytes.toString('latin1', at - length, at);
    };
    const count = number();
    for (let index = 0; index < count; index++) {
      const name = text().toLowerCase();
      // Several values of one name come with a zero byte between them.
      headers[name] = text().replaceAll('\0', ', ');
    }
    return headers;
  }
}

/** Writes frames; header blocks share one compression state. */
export class SpdyWriter {
  readonly #deflate: Deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });

  async encode(
    frame: Exclude<SpdyFrame, { type: 'settings' | 'windowUpdate' | 'unknown' }>,
  ): Promise<Uint8Array> {
    switch (frame.type) {
      case 'data':
        return Buffer.concat([
          uint32(frame.streamId),
          flagged(frame.fin, frame.data.length),
          frame.data,
        ]);
      case 'synStream': {
        const block = await this.#block(frame.headers);
        return control(kinds.synStream, frame.fin, [
          uint32(frame.streamId),
          uint32(0),
          new Uint8Array(2),
          block,
        ]);
      }
      case 'synReply':
      case 'headers':
        return control(kinds[frame.type], frame.fin, [
          uint32(frame.streamId),
          await this.#block(frame.headers),
        ]);
      case 'rstStream':
        return control(kinds.rstStream, false, [uint32(frame.streamId), uint32(frame.status)]);
      case 'ping':
        return control(kinds.ping, false, [uint32(frame.id)]);
      case 'goAway':
        return control(kinds.goAway, false, [uint32(frame.lastStreamId), uint32(frame.status)]);
    }
  }

  async #block(headers: SpdyHeaders): Promise<Uint8Array> {
    const entries = Object.entries(headers);
    const parts: Uint8Array[] = [uint32(entries.length)];
    for (const [name, value] of entries) {
      const bytes = Buffer.from(value, 'latin1');
      parts.push(
        uint32(name.length),
        Buffer.from(name.toLowerCase(), 'latin1'),
        uint32(bytes.length),
        bytes,
      );
    }
    return throughZlib(this.#deflate, Buffer.concat(parts));
  }
}

function control(type: number, fin: boolean, parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([uint32((0x80030000 | type) >>> 0), flagged(fin, body.length), body]);
}

function flagged(fin: boolean, length: number): Uint8Array {
  return uint32((((fin ? flagFin : 0) << 24) | length) >>> 0);
}

/** One block through a compressor whose state lives on: all it gives before the write is done. */
function throughZlib(zlib: Deflate | Inflate, block: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (error?: Error | null): void => {
      zlib.off('data', collect);
      zlib.off('error', failed);
      if (error) reject(new SpdyError(`Cannot read headers: ${error.message}`, { cause: error }));
      else resolve(Buffer.concat(chunks));
    };
    const collect = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > headerBytesMax) finish(new Error('block is too long'));
      else chunks.push(chunk);
    };
    const failed = (error: Error): void => finish(error);
    zlib.on('data', collect);
    zlib.on('error', failed);
    zlib.write(block, (error) => {
      // Output is handed to 'data' listeners before the next turn of the loop.
      setImmediate(finish, error);
    });
  });
}
