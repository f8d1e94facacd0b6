/** The text is no expression, or one that is not understood. */
export class PatternSyntaxError extends Error {
  override readonly name = 'PatternSyntaxError';
}

/** Whether one character (a code point) is of a class. */
export type CharacterTest = (character: string) => boolean;

const named: Readonly<Record<string, RegExp>> = {
  d: /^[0-9]$/,
  w: /^[A-Za-z0-9_]$/,
  s: /^[ \t\n\v\f\r]$/,
};

const controls: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  f: '\f',
  a: '\x07',
  e: '\x1b',
};

const posix: Readonly<Record<string, RegExp>> = {
  Alpha: /^[A-Za-z]$/,
  Digit: /^[0-9]$/,
  Alnum: /^[A-Za-z0-9]$/,
  Upper: /^[A-Z]$/,
  Lower: /^[a-z]$/,
  Punct: /^[!-/:-@[-`{-~]$/,
  Space: /^[ \t\n\v\f\r]$/,
  XDigit: /^[0-9A-Fa-f]$/,
  Blank: /^[ \t]$/,
};

/** Whether the character or its other case is of the class. */
export function foldCase(accepts: CharacterTest): CharacterTest {
  return (one) => accepts(one) || accepts(one.toLowerCase()) || accepts(one.toUpperCase());
}

function negated(test: CharacterTest, negate: boolean): CharacterTest {
  return negate ? (one) => !test(one) : test;
}

/** What comes after a backslash. Letters that mean nothing are refused, as they may once mean more. */
export function escapeClass(letter: string, next: () => string): CharacterTest {
  const lower = letter.toLowerCase();
  const known = Object.hasOwn(named, lower) ? named[lower] : undefined;
  if (known !== undefined) return negated((one) => known.test(one), letter !== lower);
  if (lower === 'p') return negated(property(next), letter === 'P');
  const literal = escapedCharacter(letter, next);
  return (one) => one === literal;
}

function escapedCharacter(letter: string, next: () => string): string {
  const control = Object.hasOwn(controls, letter) ? controls[letter] : undefined;
  if (control !== undefined) return control;
  if (letter === 'x') return codePoint(next() + next());
  if (letter === 'u') return codePoint(next() + next() + next() + next());
  if (/^[A-Za-z0-9]$/.test(letter)) throw new PatternSyntaxError(`Unknown escape \\${letter}`);
  return letter;
}

function codePoint(digits: string): string {
  if (!/^[0-9A-Fa-f]+$/.test(digits)) throw new PatternSyntaxError(`Bad code ${digits}`);
  return String.fromCodePoint(Number.parseInt(digits, 16));
}

function property(next: () => string): CharacterTest {
  let name = next();
  if (name === '{') {
    name = '';
    for (let one = next(); one !== '}'; one = next()) name += one;
  }
  const known = Object.hasOwn(posix, name) ? posix[name] : undefined;
  if (known !== undefined) return (one) => known.test(one);
  if (!/^[A-Za-z]{1,2}$/.test(name)) throw new PatternSyntaxError(`Unknown property ${name}`);
  try {
    const expression = new RegExp(`^\\p{${name}}$`, 'u');
    return (one) => expression.test(one);
  } catch (cause) {
    throw new PatternSyntaxError(`Unknown property ${name}`, { cause });
  }
}

/** The rest of `[...]`. Intersections (`&&`) are refused. */
export function readClass(next: () => string, peek: () => string | undefined): CharacterTest {
  const negate = peek() === '^';
  if (negate) next();
  const tests: CharacterTest[] = [];
  for (let one = next(); one !== ']' || tests.length === 0; one = next()) {
    if (one === '[') tests.push(readClass(next, peek));
    else if (one === '&' && peek() === '&') throw new PatternSyntaxError('Intersection of classes');
    else tests.push(classMember(one, next, peek));
  }
  return negated((one) => tests.some((test) => test(one)), negate);
}

function classMember(
  first: string,
  next: () => string,
  peek: () => string | undefined,
): CharacterTest {
  const low = classCharacter(first, next);
  if (typeof low !== 'string') return low;
  if (peek() !== '-') return (one) => one === low;
  next();
  // A hyphen before the end is one.
  if (peek() === ']') return (one) => one === low || one === '-';
  const high = classCharacter(next(), next);
  if (typeof high !== 'string' || order(high) < order(low))
    throw new PatternSyntaxError('Bad range of a class');
  return (one) => order(low) <= order(one) && order(one) <= order(high);
}

function classCharacter(first: string, next: () => string): string | CharacterTest {
  if (first !== '\\') return first;
  const letter = next();
  if (/^[dwsp]$/i.test(letter)) return escapeClass(letter, next);
  return escapedCharacter(letter, next);
}

function order(character: string): number {
  return character.codePointAt(0) ?? 0;
}
