import type { HeaderMap } from '#base';

/** The head of a request that is plain enough for the short way. */
export interface LaneHead {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: HeaderMap;
  /** Of the head with its empty line. */
  readonly bytes: number;
  readonly bodyBytes: number;
}

const headBytesMax = 16 * 1024;
const headersMax = 64;
const headEnd = Buffer.from('\r\n\r\n');
const requestLine =
  /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\x21-\x22\x24-\x7e]*) HTTP\/1\.1$/;
// RFC 9112 5: no space before the colon, no line folding, no control characters.
const headerLine =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*$/;
/** Whoever sends one of these wants more of HTTP than is read here. */
const special = new Set([
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'http2-settings',
  'proxy-connection',
  'keep-alive',
]);

interface Fields {
  readonly headers: HeaderMap;
  readonly bodyBytes: number;
}

/** Reads heads of one connection, whose requests mostly repeat the header lines of the one before. */
export class LaneHeads {
  #lastText = '';
  #lastFields: Fields | undefined;

  /** Undefined: not here as a whole, or in any way not plain. */
  read(bytes: Buffer): LaneHead | undefined {
    const end = bytes.indexOf(headEnd);
    if (end < 0 || end > headBytesMax) return undefined;
    const text = bytes.toString('latin1', 0, end);
    const lineEnd = text.indexOf('\r\n');
    if (lineEnd < 0) return undefined; // no header at all, so no Host
    const line = requestLine.exec(text.slice(0, lineEnd));
    if (line === null) return undefined;
    const fields = this.#fieldsOf(text.slice(lineEnd + 2));
    if (fields === undefined) return undefined;
    const [, method = '', target = ''] = line;
    const mark = target.indexOf('?');
    return {
      method,
      path: mark < 0 ? target : target.slice(0, mark),
      search: mark < 0 ? '' : target.slice(mark + 1),
      headers: fields.headers,
      bytes: end + headEnd.length,
      bodyBytes: fields.bodyBytes,
    };
  }

  #fieldsOf(text: string): Fields | undefined {
    if (this.#lastFields !== undefined && text === this.#lastText) return this.#lastFields;
    const fields = parseFields(text);
    if (fields === undefined) return undefined;
    this.#lastText = text;
    this.#lastFields = fields;
    return fields;
  }
}

function parseFields(text: string): Fields | undefined {
  const lines = text.split('\r\n');
  if (lines.length > headersMax) return undefined;
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const match = headerLine.exec(line);
    if (match === null) return undefined;
    const name = (match[1] ?? '').toLowerCase();
    if (special.has(name) || name in headers) return undefined;
    headers[name] = match[2] ?? '';
  }
  const { connection, host, 'content-length': length = '0' } = headers;
  if (host === undefined || host === '') return undefined;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return undefined;
  if (!/^\d{1,9}$/.test(length)) return undefined;
  return { headers, bodyBytes: Number(length) };
}
