/** Why a text is not the message it should be, in the words of the reference (stout's JSON parser). */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  /** `syntax`: no JSON at all; `content`: JSON, but not of this message. */
  readonly stage: 'syntax' | 'content';
  constructor(stage: 'syntax' | 'content', message: string) {
    super(message);
    this.stage = stage;
  }
}

/** Deeper documents are syntax errors to the reference. */
const depthMax = 200;

/**
 * JSON as the reference reads it. Nearly always that is what `JSON.parse` does; where that refuses,
 * or the text is suspiciously deep, a slow parser with the reference's leniency (`01`, `1.`) decides
 * and words the error.
 */
export function parseJsonText(text: string, options: JsonTextOptions = {}): unknown {
  if (!needsCare(text)) {
    const value = quickly(text);
    if (value !== refused) return value;
  }
  return new SlowParser(text, options.bareNonFinite ?? false).parse();
}
export interface JsonTextOptions {
  /** Takes bare `Infinity`, `-Infinity` and `NaN`, which the reference writes but does not read. */
  readonly bareNonFinite?: boolean | undefined;
}

const refused = Symbol('refused');
function quickly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return refused;
    throw error;
  }
}

function needsCare(text: string): boolean {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++)
        if (text.charCodeAt(at) === 0x5c) at++;
    } else if (code === 0x7b || code === 0x5b) {
      if (++open > depthMax) return true;
    } else if (code === 0x7d || code === 0x5d) open--;
    // What overflows is `Value out of range` there and silently Infinity here: the slow way tells.
    else if ((code === 0x65 || code === 0x45) && /^\+?\d{3}/.test(text.slice(at + 1, at + 5)))
      return true;
  }
  return false;
}

/** Characters of numbers, from where it is told to look. */
const numberPattern = /[-+0-9eE.]+/y;
const whitespace = ' \t\n\r';

/** Recursive descent in the order in which the reference's parser looks at characters. */
class SlowParser {
  readonly #text: string;
  readonly #bareNonFinite: boolean;
  #at = 0;

  constructor(text: string, bareNonFinite: boolean) {
    this.#text = text;
    this.#bareNonFinite = bareNonFinite;
  }
  parse(): unknown {
    const value = this.#value(0);
    const lastVisible = visibleEnd(this.#text);
    if (this.#at !== lastVisible)
      throw new MessageError(
        'syntax',
        `Parsed JSON included non-whitespace trailing characters: ${this.#text.slice(this.#at, Math.max(this.#at, lastVisible))}`,
      );
    return value;
  }

  #bad(): MessageError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    const end = this.#text.indexOf('\n', this.#at);
    const rest = this.#text.slice(this.#at, end === -1 ? undefined : end);
    // oxlint-disable-next-line no-control-regex -- the reference drops control characters
    const near = rest.replaceAll(/[\u0000-\u001f]/g, '');
    return new MessageError('syntax', `syntax error at line ${line} near: ${near}`);
  }
  #skipSpace(): void {
    while (this.#at < this.#text.length && whitespace.includes(this.#text.charAt(this.#at)))
      this.#at++;
  }
  #takes(character: string): boolean {
    this.#skipSpace();
    if (this.#text.charAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }
  #value(depth: number): unknown {
    this.#skipSpace();
    const character = this.#text.charAt(this.#at);
    if (this.#bareNonFinite && /[-IN]/.test(character)) {
      const word = /^(-?Infinity|NaN)/.exec(this.#text.slice(this.#at, this.#at + 9))?.[0];
      if (word !== undefined) return this.#word(word, Number(word));
    }
    if (character === 'n') return this.#word('null', null);
    if (character === 't') return this.#word('true', true);
    if (character === 'f') return this.#word('false', false);
    if (character === '-' || (character >= '0' && character <= '9')) return this.#number();
    if (character === '') throw this.#bad();
    if (character !== '"' && character !== '[' && character !== '{') throw this.#bad();
    this.#at++;
    if (character === '"') return this.#string();
    if (depth >= depthMax) throw this.#bad();
    return character === '[' ? this.#array(depth) : this.#object(depth);
  }
  #word(word: string, value: unknown): unknown {
    for (const character of word) {
      if (this.#text.charAt(this.#at) !== character) throw this.#bad();
      this.#at++;
    }
    return value;
  }
  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    if (this.#takes(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#takes(','));
    if (!this.#takes(']')) throw this.#bad();
    return items;
  }
  #object(depth: number): unknown {
    const entries: (readonly [string, unknown])[] = [];
    if (this.#takes('}')) return {};
    do {
      if (!this.#takes('"')) throw this.#bad();
      const key = this.#string();
      if (!this.#takes(':')) throw this.#bad();
      entries.push([key, this.#value(depth + 1)]);
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.#bad();
    // Defines own properties, `__proto__` too; the last of equal keys stays.
    return Object.fromEntries(entries);
  }
  #string(): string {
    let text = '';
    for (;;) {
      const character = this.#text.charAt(this.#at);
      if (character < ' ') throw this.#bad();
      this.#at++;
      if (character === '"') return text;
      text += character === '\\' ? this.#escape() : character;
    }
  }
  #escape(): string {
    const character = this.#text.charAt(this.#at);
    if (character === '') throw this.#bad();
    this.#at++;
    if (character === 'u') return this.#codepoint();
    const plain = simpleEscapes.get(character);
    if (plain === undefined) throw this.#bad();
    return plain;
  }
  #codepoint(): string {
    const first = this.#hex();
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    if (first >= 0xdc00) throw this.#bad();
    if (!this.#text.startsWith('\\u', this.#at)) throw this.#bad();
    this.#at += 2;
    const second = this.#hex();
    if (second < 0xdc00 || second > 0xdfff) throw this.#bad();
    return String.fromCharCode(first, second);
  }
  #hex(): number {
    const digits = /^[0-9a-fA-F]{0,4}/.exec(this.#text.slice(this.#at, this.#at + 4))?.[0] ?? '';
    this.#at += digits.length;
    if (digits.length < 4) throw this.#bad();
    return Number.parseInt(digits, 16);
  }
  #number(): number {
    numberPattern.lastIndex = this.#at;
    const digits = numberPattern.exec(this.#text)?.[0] ?? '';
    this.#at += digits.length;
    // What strtod takes of such characters.
    if (!/^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(digits)) throw this.#bad();
    const value = Number(digits);
    if (!Number.isFinite(value)) throw new MessageError('syntax', 'Value out of range');
    return value;
  }
}

function visibleEnd(text: string): number {
  let end = text.length;
  while (end > 0 && ' \t\n\r\v\f'.includes(text.charAt(end - 1))) end--;
  return end;
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
