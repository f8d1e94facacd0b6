import { parseRegex, type Assertion, type CodeRange, type Node } from './regex-parse.ts';

/**
 * Regular expressions of strangers, matched without backtracking: all states at once, so that time is
 * at most the program's size times the text's length. Syntax and words are RE2's.
 */
export interface Regex {
  /** Does the whole text match? */
  matches(text: string): boolean;
  /** Instructions: close to what RE2 counts, which compiles to bytes. */
  readonly programSize: number;
}

type Step =
  | { readonly kind: 'set'; readonly ranges: readonly CodeRange[]; readonly foldCase: boolean }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'split'; other: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'match' };

/** Steps that are never compiled: past the limit only their number matters. */
const stepsMax = 20_000;
/** RE2 puts a loop in front for searches, and a failing instruction. */
const fixedSteps = 3;

/** Throws `RegexError`. */
export function compileRegex(pattern: string): Regex {
  const steps: Step[] = [];
  compile(parseRegex(pattern), steps);
  steps.push({ kind: 'match' });
  return { matches: (text) => run(steps, text), programSize: steps.length + fixedSteps };
}

function compile(node: Node, steps: Step[]): void {
  if (steps.length > stepsMax) return;
  switch (node.kind) {
    case 'empty':
      return;
    case 'set':
    case 'assert':
      steps.push(node);
      return;
    case 'sequence':
      for (const part of node.parts) compile(part, steps);
      return;
    case 'either':
      compileEither(node.parts, steps);
      return;
    case 'repeat':
      compileRepeat(node, steps);
  }
}

function compileEither(parts: readonly Node[], steps: Step[]): void {
  const ends: { kind: 'jump'; to: number }[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) compile(part, steps);
    else {
      const split = { kind: 'split' as const, other: 0 };
      steps.push(split);
      compile(part, steps);
      const end = { kind: 'jump' as const, to: 0 };
      steps.push(end);
      ends.push(end);
      split.other = steps.length;
    }
  }
  for (const end of ends) end.to = steps.length;
}

function compileRepeat(node: Extract<Node, { kind: 'repeat' }>, steps: Step[]): void {
  const { part, min, max } = node;
  for (let count = 0; count < min && steps.length <= stepsMax; count++) compile(part, steps);
  if (max === undefined) {
    const split = { kind: 'split' as const, other: 0 };
    const start = steps.length;
    steps.push(split);
    compile(part, steps);
    steps.push({ kind: 'jump', to: start });
    split.other = steps.length;
    return;
  }
  const splits: { kind: 'split'; other: number }[] = [];
  for (let count = min; count < max && steps.length <= stepsMax; count++) {
    const split = { kind: 'split' as const, other: 0 };
    steps.push(split);
    splits.push(split);
    compile(part, steps);
  }
  for (const split of splits) split.other = steps.length;
}

function run(steps: readonly Step[], text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  let states: number[] = [];
  const seen = new Uint32Array(steps.length);
  follow(steps, 0, { codes, at: 0, states, seen });
  for (let at = 0; at < codes.length; at++) {
    if (states.length === 0) return false;
    const code = codes[at] ?? 0;
    const next: number[] = [];
    for (const state of states) {
      const step = steps[state];
      if (step?.kind === 'set' && inSet(step, code))
        follow(steps, state + 1, { codes, at: at + 1, states: next, seen });
    }
    states = next;
  }
  return states.some((state) => steps[state]?.kind === 'match');
}

interface Front {
  readonly codes: readonly number[];
  readonly at: number;
  readonly states: number[];
  /** Position plus one at which a step was last reached. */
  readonly seen: Uint32Array;
}

/** Adds all states that are reached without reading; a stack of its own keeps the program's depth off ours. */
function follow(steps: readonly Step[], from: number, { codes, at, states, seen }: Front): void {
  const todo = [from];
  for (let state = todo.pop(); state !== undefined; state = todo.pop()) {
    if (seen[state] === at + 1) continue;
    seen[state] = at + 1;
    const step = steps[state];
    if (step === undefined) continue;
    if (step.kind === 'jump') todo.push(step.to);
    else if (step.kind === 'split') todo.push(step.other, state + 1);
    else if (step.kind !== 'assert') states.push(state);
    else if (holds(step.what, codes, at)) todo.push(state + 1);
  }
}

function inSet({ ranges, foldCase }: Extract<Step, { kind: 'set' }>, code: number): boolean {
  if (ranges.some(([low, high]) => low <= code && code <= high)) return true;
  if (!foldCase) return false;
  const character = String.fromCodePoint(code);
  return [character.toLowerCase(), character.toUpperCase()].some((other) => {
    const folded = other.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= folded && folded <= high);
  });
}

function holds(what: Assertion, codes: readonly number[], at: number): boolean {
  switch (what) {
    case 'start':
      return at === 0;
    case 'end':
      return at === codes.length;
    case 'lineStart':
      return at === 0 || codes[at - 1] === 10;
    case 'lineEnd':
      return at === codes.length || codes[at] === 10;
    case 'word':
      return isWord(codes[at - 1]) !== isWord(codes[at]);
    case 'notWord':
      return isWord(codes[at - 1]) === isWord(codes[at]);
  }
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && code < 128 && /\w/.test(String.fromCharCode(code));
}
