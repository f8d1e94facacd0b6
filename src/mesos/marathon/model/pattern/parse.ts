import {
  type CharacterTest,
  PatternSyntaxError,
  escapeClass,
  foldCase,
  readClass,
} from './classes.ts';

/** What a pattern is made of. */
export type PatternNode =
  | { readonly kind: 'take'; readonly accepts: CharacterTest }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly part: PatternNode;
      readonly min: number;
      readonly max: number;
    };

const repeatMax = 1000;
const groupDepthMax = 100;

/** Reads an expression of Java, but what looks around or back. */
export class PatternParser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;
  #ignoreCase = false;
  #dotAll = false;

  constructor(text: string) {
    const flags = /^\(\?([ims]+)\)/.exec(text);
    this.#ignoreCase = flags?.[1]?.includes('i') ?? false;
    this.#dotAll = flags?.[1]?.includes('s') ?? false;
    this.#characters = Array.from(text.slice(flags?.[0].length ?? 0));
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw new PatternSyntaxError('Unmatched )');
    return node;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw new PatternSyntaxError('Unexpected end');
    return character;
  }

  #skip(wanted: string): boolean {
    if (this.#peek() !== wanted) return false;
    this.#at++;
    return true;
  }

  #choice(): PatternNode {
    const parts = [this.#sequence()];
    while (this.#skip('|')) parts.push(this.#sequence());
    return { kind: 'choice', parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined; next = this.#peek()) {
      if (next === '|' || next === ')') break;
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: 'sequence', parts };
  }

  #repeated(part: PatternNode): PatternNode {
    let node = part;
    for (let bounds = this.#bounds(); bounds !== undefined; bounds = this.#bounds()) {
      // Lazy and possessive ones take the same whole texts, but for what backtracking would give.
      if (!this.#skip('?')) this.#skip('+');
      node = { kind: 'repeat', part: node, ...bounds };
    }
    return node;
  }

  #bounds(): { readonly min: number; readonly max: number } | undefined {
    if (this.#skip('*')) return { min: 0, max: Infinity };
    if (this.#skip('+')) return { min: 1, max: Infinity };
    if (this.#skip('?')) return { min: 0, max: 1 };
    if (!this.#skip('{')) return undefined;
    let text = '';
    for (let next = this.#next(); next !== '}'; next = this.#next()) text += next;
    const match = /^(\d{1,4})(,(\d{1,4})?)?$/.exec(text);
    if (match === null) throw new PatternSyntaxError(`Bad repetition {${text}}`);
    const min = Number(match[1]);
    const open = match[2] !== undefined && match[3] === undefined;
    const max = open ? Infinity : Number(match[3] ?? min);
    if (min > repeatMax || max < min || (max > repeatMax && max !== Infinity))
      throw new PatternSyntaxError(`Bad repetition {${text}}`);
    return { min, max };
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#take(
          readClass(
            () => this.#next(),
            () => this.#peek(),
          ),
        );
      case '.':
        return this.#take((one) => this.#dotAll || (one !== '\n' && one !== '\r'));
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternSyntaxError(`Dangling ${character}`);
      default:
        return this.#take((one) => one === character);
    }
  }

  #take(accepts: CharacterTest): PatternNode {
    return { kind: 'take', accepts: this.#ignoreCase ? foldCase(accepts) : accepts };
  }

  #group(): PatternNode {
    if (++this.#depth > groupDepthMax) throw new PatternSyntaxError('Too many groups');
    if (this.#skip('?')) {
      const plain = this.#skip(':');
      if (!plain) this.#groupName();
    }
    const node = this.#choice();
    if (!this.#skip(')')) throw new PatternSyntaxError('Unclosed group');
    this.#depth--;
    return node;
  }

  #groupName(): void {
    const opened = this.#skip('<');
    let name = '';
    while (opened && /^\w$/.test(this.#peek() ?? '')) name += this.#next();
    if (!/^[A-Za-z]\w*$/.test(name) || !this.#skip('>'))
      throw new PatternSyntaxError('Unknown group');
  }

  #escape(): PatternNode {
    const letter = this.#next();
    if (letter === 'Q') return this.#quoted();
    if (letter === 'A') return { kind: 'start' };
    if (letter === 'z' || letter === 'Z') return { kind: 'end' };
    return this.#take(escapeClass(letter, () => this.#next()));
  }

  #quoted(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#peek() !== undefined) {
      const character = this.#next();
      if (character === '\\' && this.#skip('E')) break;
      parts.push(this.#take((one) => one === character));
    }
    return { kind: 'sequence', parts };
  }
}
