import { type Instruction, assemble } from './assemble.ts';
import { PatternSyntaxError } from './classes.ts';
import { PatternParser } from './parse.ts';

/** Longer expressions are refused: they are matched against attributes on every offer. */
const patternLengthMax = 1024;
/** Longer texts match nothing. */
const textLengthMax = 4096;

/** A regular expression that is matched in time linear in the text, whatever it is. */
export interface Pattern {
  /** Whether the whole text matches. */
  test(text: string): boolean;
}

const compiled = new Map<string, Pattern | undefined>();
const compiledMax = 1000;

/**
 * A Java expression; undefined when it is none, or when it looks around or back, which takes time
 * without bound. Users write them, and they are matched for every offer.
 */
export function wholePattern(text: string): Pattern | undefined {
  if (compiled.has(text)) return compiled.get(text);
  if (compiled.size >= compiledMax) compiled.clear();
  const pattern = compile(text);
  compiled.set(text, pattern);
  return pattern;
}

function compile(text: string): Pattern | undefined {
  if (text.length > patternLengthMax) return undefined;
  try {
    const program = assemble(new PatternParser(text).parse());
    return { test: (subject) => subject.length <= textLengthMax && runs(program, subject) };
  } catch (error) {
    if (error instanceof PatternSyntaxError) return undefined;
    throw error;
  }
}

/** All ways at once: which instructions can be reached after each character. */
function runs(program: readonly Instruction[], text: string): boolean {
  const characters = Array.from(text);
  let reached = new Set<number>();
  const at = { index: 0, length: characters.length };
  follow(program, 0, { reached, at });
  for (const character of characters) {
    at.index++;
    const next = new Set<number>();
    for (const address of reached) {
      const instruction = program[address];
      if (instruction?.kind === 'take' && instruction.accepts(character))
        follow(program, address + 1, { reached: next, at });
    }
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(program.length);
}

interface Walk {
  /** Instructions that take a character, and the end (one past the last). */
  readonly reached: Set<number>;
  readonly at: { index: number; readonly length: number };
}

function follow(program: readonly Instruction[], start: number, { reached, at }: Walk): void {
  const seen = new Set<number>();
  const open = [start];
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    if (seen.has(address)) continue;
    seen.add(address);
    const instruction = program[address];
    if (instruction === undefined || instruction.kind === 'take') reached.add(address);
    else if (instruction.kind === 'fork') open.push(...instruction.to);
    else if (instruction.kind === 'start' ? at.index === 0 : at.index === at.length)
      open.push(address + 1);
  }
}
