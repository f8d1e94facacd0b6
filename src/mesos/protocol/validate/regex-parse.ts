/**
 * Reads regular expressions in the syntax of RE2 (github.com/google/re2/wiki/Syntax), without
 * Unicode classes (`\pL`), whose tables are not worth their size here: they are refused.
 */

/** Code points, both ends included. */
export type CodeRange = readonly [number, number];

export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly ranges: readonly CodeRange[]; readonly foldCase: boolean }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'either'; readonly parts: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly part: Node;
      readonly min: number;
      readonly max: number | undefined;
    };
export type Assertion = 'start' | 'end' | 'lineStart' | 'lineEnd' | 'word' | 'notWord';

export class RegexError extends Error {
  override readonly name = 'RegexError';
}

interface Flags {
  readonly foldCase: boolean;
  readonly dotAll: boolean;
  readonly multiLine: boolean;
}

const repeatMax = 1000;
const depthMax = 100;
const codeMax = 0x10ffff;
const digits: readonly CodeRange[] = [[48, 57]];
const spaces: readonly CodeRange[] = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const words: readonly CodeRange[] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const perl: Readonly<Record<string, readonly CodeRange[]>> = { d: digits, s: spaces, w: words };
const posix: Readonly<Record<string, readonly CodeRange[]>> = {
  alnum: [...digits, [65, 90], [97, 122]],
  alpha: [
    [65, 90],
    [97, 122],
  ],
  ascii: [[0, 127]],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: digits,
  graph: [[33, 126]],
  lower: [[97, 122]],
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper: [[65, 90]],
  word: words,
  xdigit: [...digits, [65, 70], [97, 102]],
};
const escapes: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** Throws `RegexError` in RE2's words. */
export function parseRegex(pattern: string): Node {
  return new Parser(pattern).whole();
}

class Parser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;
  /** Up to here characters mean themselves: between `\\Q` and `\\E`. */
  #quoteEnd = 0;
  #flags: Flags = { foldCase: false, dotAll: false, multiLine: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  whole(): Node {
    const node = this.#either();
    if (this.#at < this.#pattern.length) throw new RegexError(`unexpected ): ${this.#pattern}`);
    return node;
  }

  #either(): Node {
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'either', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#pattern.length) {
      if (!this.#quoting && (this.#sees('|') || this.#sees(')'))) break;
      const part = this.#atom();
      parts.push(part === undefined ? { kind: 'empty' } : this.#repeated(part));
    }
    return { kind: 'sequence', parts };
  }

  /** Undefined: it only set flags. */
  #atom(): Node | undefined {
    if (this.#quoting) return this.#quotedLiteral();
    const start = this.#at;
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group(start);
      case '[':
        return this.#class(start);
      case '.':
        return this.#set(this.#flags.dotAll ? [[0, codeMax]] : negate([[10, 10]]));
      case '^':
        return { kind: 'assert', what: this.#flags.multiLine ? 'lineStart' : 'start' };
      case '$':
        return { kind: 'assert', what: this.#flags.multiLine ? 'lineEnd' : 'end' };
      case '\\':
        return this.#escape(start);
      case '*':
      case '+':
      case '?':
        throw new RegexError(`no argument for repetition operator: ${character}`);
      default:
        return this.#literal(character);
    }
  }

  #repeated(part: Node): Node {
    let node = part;
    let last: string | undefined;
    while (!this.#quoting) {
      const from = this.#at;
      const bounds = this.#bounds();
      if (bounds === undefined) return node;
      this.#take('?');
      const operator = this.#pattern.slice(from, this.#at);
      if (last !== undefined) throw new RegexError(`bad repetition operator: ${last}${operator}`);
      const { min, max } = bounds;
      if (min > repeatMax || (max ?? 0) > repeatMax || (max !== undefined && max < min))
        throw new RegexError(`invalid repetition size: ${operator}`);
      last = operator;
      node = { kind: 'repeat', part: node, min, max };
    }
    return node;
  }

  #bounds(): { readonly min: number; readonly max: number | undefined } | undefined {
    if (this.#take('*')) return { min: 0, max: undefined };
    if (this.#take('+')) return { min: 1, max: undefined };
    if (this.#take('?')) return { min: 0, max: 1 };
    const match = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.#pattern.slice(this.#at, this.#at + 32));
    if (match === null) return undefined; // a brace that counts nothing is a brace
    this.#at += match[0].length;
    const min = Number(match[1]);
    if (match[2] === undefined) return { min, max: min };
    return { min, max: match[3] === '' ? undefined : Number(match[3]) };
  }

  #group(start: number): Node | undefined {
    this.#depth += 1;
    if (this.#depth > depthMax)
      throw new RegexError(`expression nests too deeply: ${this.#pattern}`);
    const outer = this.#flags;
    if (this.#take('?') && this.#flagsOnly(start)) {
      this.#depth -= 1;
      return undefined;
    }
    const node = this.#either();
    if (!this.#take(')')) throw new RegexError(`missing ): ${this.#pattern}`);
    this.#flags = outer;
    this.#depth -= 1;
    return node;
  }

  /** After `(?`. True: it was `(?i)`, which holds until the group around it ends. */
  #flagsOnly(start: number): boolean {
    const rest = this.#pattern.slice(this.#at);
    const named = /^P?<([A-Za-z0-9_]+)>/.exec(rest);
    if (named !== null) {
      this.#at += named[0].length;
      return false;
    }
    if (/^P?<(?![=!])/.test(rest))
      throw new RegexError(`invalid named capture group: ${this.#pattern.slice(start)}`);
    const match = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    if (match === null) {
      const shown = this.#pattern.slice(start, this.#at + 1);
      throw new RegexError(`invalid perl operator: ${shown}`);
    }
    this.#at += match[0].length;
    const [, on = '', off = '', end] = match;
    const flag = (letter: string, now: boolean): boolean =>
      (now || on.includes(letter)) && !off.includes(letter);
    this.#flags = {
      foldCase: flag('i', this.#flags.foldCase),
      dotAll: flag('s', this.#flags.dotAll),
      multiLine: flag('m', this.#flags.multiLine),
    };
    return end === ')';
  }

  #escape(start: number): Node {
    if (this.#at >= this.#pattern.length) throw new RegexError('trailing \\');
    const letter = this.#next();
    const asserted = assertions[letter];
    if (asserted !== undefined) return { kind: 'assert', what: asserted };
    if (letter === 'Q') return this.#quote();
    if (letter === 'E') return { kind: 'empty' };
    if (letter === 'C') return this.#set([[0, codeMax]]);
    const named = perlClass(letter);
    return this.#set(named ?? [this.#escaped(letter, start)]);
  }

  get #quoting(): boolean {
    return this.#at < this.#quoteEnd;
  }

  #quote(): Node {
    const end = this.#pattern.indexOf('\\E', this.#at);
    this.#quoteEnd = end < 0 ? this.#pattern.length : end;
    if (this.#quoting) return this.#quotedLiteral();
    this.#endQuote();
    return { kind: 'empty' };
  }

  #quotedLiteral(): Node {
    const node = this.#literal(this.#next());
    if (!this.#quoting) this.#endQuote();
    return node;
  }

  #endQuote(): void {
    if (this.#pattern.startsWith('\\E', this.#at)) this.#at += 2;
  }

  /** One character, as a range of itself. */
  #escaped(letter: string, start: number): CodeRange {
    const rest = this.#pattern.slice(this.#at, this.#at + 12);
    const hex = letter === 'x' ? /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest) : null;
    const octal = /[0-7]/.test(letter) ? /^[0-7]{0,2}/.exec(rest) : null;
    let code = escapes[letter];
    if (hex !== null) {
      this.#at += hex[0].length;
      code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    } else if (octal !== null && (letter === '0' || octal[0].length > 0)) {
      this.#at += octal[0].length;
      code = Number.parseInt(letter + octal[0], 8);
    } else if (code === undefined && /^[^A-Za-z0-9_]$/u.test(letter) && letter < '\u0080')
      code = letter.codePointAt(0);
    if (code === undefined || code > codeMax)
      throw new RegexError(`invalid escape sequence: ${this.#pattern.slice(start, this.#at)}`);
    return [code, code];
  }

  #class(start: number): Node {
    const negated = this.#take('^');
    const ranges: CodeRange[] = [];
    for (let first = true; first || !this.#sees(']'); first = false) {
      if (this.#at >= this.#pattern.length)
        throw new RegexError(`missing ]: ${this.#pattern.slice(start)}`);
      const named = this.#namedClass();
      if (named === undefined) ranges.push(this.#classRange());
      else ranges.push(...named);
    }
    this.#at += 1;
    const folded = this.#flags.foldCase ? foldRanges(ranges) : ranges;
    // Without the flag s, [^a] does match a new line in RE2.
    return { kind: 'set', ranges: negated ? negate(folded) : folded, foldCase: false };
  }

  #namedClass(): readonly CodeRange[] | undefined {
    const rest = this.#pattern.slice(this.#at);
    const named = /^\[:(\^?)([^\]]*?):\]/.exec(rest);
    if (named !== null) {
      const ranges = posix[named[2] ?? ''];
      if (ranges === undefined) throw new RegexError(`invalid character class range: ${named[0]}`);
      this.#at += named[0].length;
      return named[1] === '^' ? negate(ranges) : ranges;
    }
    const ranges = rest.startsWith('\\') ? perlClass(rest[1] ?? '') : undefined;
    if (ranges !== undefined) this.#at += 2;
    return ranges;
  }

  #classRange(): CodeRange {
    const start = this.#at;
    const low = this.#classCharacter();
    const more = this.#pattern.slice(this.#at, this.#at + 2);
    if (!more.startsWith('-') || more === '-]' || more === '-') return [low, low];
    this.#at += 1;
    const high = this.#classCharacter();
    if (high < low)
      throw new RegexError(
        `invalid character class range: ${this.#pattern.slice(start, this.#at)}`,
      );
    return [low, high];
  }

  #classCharacter(): number {
    const start = this.#at;
    const character = this.#next();
    if (character !== '\\') return character.codePointAt(0) ?? 0;
    if (this.#at >= this.#pattern.length) throw new RegexError('trailing \\');
    return this.#escaped(this.#next(), start)[0];
  }

  #literal(character: string): Node {
    const code = character.codePointAt(0) ?? 0;
    return this.#set([[code, code]]);
  }

  #set(ranges: readonly CodeRange[]): Node {
    return { kind: 'set', ranges, foldCase: this.#flags.foldCase };
  }

  #sees(character: string): boolean {
    return this.#pattern[this.#at] === character;
  }

  #take(character: string): boolean {
    if (!this.#sees(character)) return false;
    this.#at += 1;
    return true;
  }

  /** A whole code point; '' at the end. */
  #next(): string {
    const code = this.#pattern.codePointAt(this.#at);
    if (code === undefined) return '';
    const character = String.fromCodePoint(code);
    this.#at += character.length;
    return character;
  }
}

const assertions: Readonly<Record<string, Assertion>> = {
  A: 'start',
  z: 'end',
  b: 'word',
  B: 'notWord',
};

function perlClass(letter: string): readonly CodeRange[] | undefined {
  const ranges = perl[letter.toLowerCase()];
  if (ranges === undefined || letter === '') return undefined;
  return letter === letter.toLowerCase() ? ranges : negate(ranges);
}

function negate(ranges: readonly CodeRange[]): readonly CodeRange[] {
  const result: CodeRange[] = [];
  let next = 0;
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > next) result.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  if (next <= codeMax) result.push([next, codeMax]);
  return result;
}

/** Letters of ASCII in both cases; beyond ASCII case is only folded for single characters. */
function foldRanges(ranges: readonly CodeRange[]): readonly CodeRange[] {
  const more = ranges.flatMap(([low, high]): CodeRange[] =>
    [shifted(low, high, [65, 90], 32), shifted(low, high, [97, 122], -32)].filter(
      (range) => range !== undefined,
    ),
  );
  return [...ranges, ...more];
}

function shifted(
  low: number,
  high: number,
  [from, to]: CodeRange,
  by: number,
): CodeRange | undefined {
  const begin = Math.max(low, from);
  const end = Math.min(high, to);
  return begin <= end ? [begin + by, end + by] : undefined;
}
