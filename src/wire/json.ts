import { DecodeError } from './codec.ts';
import { isGoPrint } from './go-text.ts';

/** Deeper documents are refused: no API object comes near, and every walker recurses. */
const depthMax = 1_000;

export interface ParsedJson {
  readonly text: string;
  readonly value: unknown;
  /** Keys of all objects in the document, doubled ones counted twice. */
  readonly keys: number;
}

/** Throws `DecodeError` with the text of Go's decoder. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keys = scan(buffer);
  const text = buffer.toString('utf8');
  try {
    return { text, value: JSON.parse(text), keys };
  } catch (cause) {
    // The slow parser knows how Go says it.
    parseDocument(text);
    throw new DecodeError('unexpected end of JSON input', { cause });
  }
}

/** Counts colons outside strings, which are the keys, and bounds the depth. */
function scan(bytes: Buffer): number {
  let keys = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) {
      for (at++; at < bytes.length && bytes[at] !== 0x22; at++) if (bytes[at] === 0x5c) at++;
    } else if (byte === 0x3a) keys++;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > depthMax) throw new DecodeError('exceeded max depth');
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return keys;
}

/** A parsed document that still has its doubled keys, in their order. */
export type DocumentNode =
  | { readonly entries: readonly (readonly [string, DocumentNode])[] }
  | { readonly items: readonly DocumentNode[] }
  | undefined;

/** The slow way, for what strict validation says of a document and for Go's texts of errors. */
export function parseDocument(text: string): DocumentNode {
  return new DocumentParser(text).parse();
}

/** The same of a value that is already there: no key can be doubled. */
export function documentOf(value: unknown): DocumentNode {
  if (Array.isArray(value)) return { items: value.map(documentOf) };
  if (typeof value !== 'object' || value === null) return undefined;
  return {
    entries: Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => [key, documentOf(one)] as const),
  };
}

class DocumentParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }
  parse(): DocumentNode {
    const node = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#bad('after top-level value');
    return node;
  }
  #peek(): string {
    return this.#text.charAt(this.#at);
  }
  #space(): void {
    while (' \t\r\n'.includes(this.#peek()) && this.#at < this.#text.length) this.#at++;
  }
  #bad(where: string): DecodeError {
    if (this.#at >= this.#text.length) return new DecodeError('unexpected end of JSON input');
    const code = this.#text.codePointAt(this.#at) ?? 0;
    return new DecodeError(`invalid character ${quoteCharacter(code)} ${where}`);
  }
  #value(): DocumentNode {
    this.#space();
    const character = this.#peek();
    if (character === '{') return this.#object();
    if (character === '[') return this.#array();
    if (character === '"') this.#string();
    else if (character === 't') this.#literal('true');
    else if (character === 'f') this.#literal('false');
    else if (character === 'n') this.#literal('null');
    else if (/[-0-9]/.test(character)) this.#number();
    else throw this.#bad('looking for beginning of value');
    return undefined;
  }
  #object(): DocumentNode {
    const entries: [string, DocumentNode][] = [];
    this.#at++;
    this.#space();
    if (this.#peek() === '}') {
      this.#at++;
      return { entries };
    }
    for (;;) {
      this.#space();
      if (this.#peek() !== '"') throw this.#bad('looking for beginning of object key string');
      const key = this.#string();
      this.#space();
      if (this.#peek() !== ':') throw this.#bad('after object key');
      this.#at++;
      entries.push([key, this.#value()]);
      this.#space();
      const next = this.#peek();
      if (next !== ',' && next !== '}') throw this.#bad('after object key:value pair');
      this.#at++;
      if (next === '}') return { entries };
    }
  }
  #array(): DocumentNode {
    const items: DocumentNode[] = [];
    this.#at++;
    this.#space();
    if (this.#peek() === ']') {
      this.#at++;
      return { items };
    }
    for (;;) {
      items.push(this.#value());
      this.#space();
      const next = this.#peek();
      if (next !== ',' && next !== ']') throw this.#bad('after array element');
      this.#at++;
      if (next === ']') return { items };
    }
  }
  #string(): string {
    const start = this.#at++;
    while (this.#at < this.#text.length) {
      const character = this.#peek();
      if (character === '"') {
        this.#at++;
        const parsed: unknown = JSON.parse(this.#text.slice(start, this.#at));
        return String(parsed);
      }
      if (character < ' ') throw this.#bad('in string literal');
      this.#at++;
      if (character === '\\') this.#escape();
    }
    throw this.#bad('in string literal');
  }
  #escape(): void {
    const character = this.#peek();
    if (character === '' || !'"\\/bfnrtu'.includes(character))
      throw this.#bad('in string escape code');
    this.#at++;
    if (character !== 'u') return;
    for (let count = 0; count < 4; count++) {
      if (!/[0-9a-fA-F]/.test(this.#peek())) throw this.#bad('in \\u hexadecimal character escape');
      this.#at++;
    }
  }
  #literal(word: string): void {
    for (const character of word) {
      if (this.#peek() !== character)
        throw this.#bad(`in literal ${word} (expecting '${character}')`);
      this.#at++;
    }
  }
  #digits(where: string): void {
    if (!/[0-9]/.test(this.#peek())) throw this.#bad(where);
    while (/[0-9]/.test(this.#peek())) this.#at++;
  }
  #number(): void {
    if (this.#peek() === '-') this.#at++;
    if (this.#peek() === '0') this.#at++;
    else this.#digits('in numeric literal');
    if (this.#peek() === '.') {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#peek())) {
      this.#at++;
      if (/[-+]/.test(this.#peek())) this.#at++;
      this.#digits('in exponent of numeric literal');
    }
  }
}

function quoteCharacter(code: number): string {
  const character = String.fromCodePoint(code);
  if (character === "'") return "'\\''";
  if (character === '"') return "'\"'";
  if (character === '\\') return "'\\\\'";
  const named: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };
  if (Object.hasOwn(named, character)) return `'${named[character]}'`;
  if (isGoPrint(character)) return `'${character}'`;
  const hex = code.toString(16);
  return code < 0x80 ? `'\\x${hex.padStart(2, '0')}'` : `'\\u${hex.padStart(4, '0')}'`;
}
