import { type CharacterTest, PatternSyntaxError } from './classes.ts';
import type { PatternNode } from './parse.ts';

/** A step of matching; the end is one past the last. */
export type Instruction =
  | { readonly kind: 'take'; readonly accepts: CharacterTest }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'fork'; readonly to: number[] };

/** Repetitions are written out, so nested ones grow fast. */
const instructionsMax = 5000;

export function assemble(node: PatternNode): readonly Instruction[] {
  const program: Instruction[] = [];
  emit(program, node);
  return program;
}

function push(program: Instruction[], instruction: Instruction): void {
  if (program.length >= instructionsMax) throw new PatternSyntaxError('Too large');
  program.push(instruction);
}

function emit(program: Instruction[], node: PatternNode): void {
  switch (node.kind) {
    case 'sequence':
      for (const part of node.parts) emit(program, part);
      return;
    case 'choice':
      emitChoice(program, node.parts);
      return;
    case 'repeat':
      emitRepeat(program, node);
      return;
    default:
      push(program, node);
  }
}

function emitChoice(program: Instruction[], parts: readonly PatternNode[]): void {
  if (parts.length === 1 && parts[0] !== undefined) {
    emit(program, parts[0]);
    return;
  }
  const fork = forkAt(program);
  const ends: number[][] = [];
  for (const part of parts) {
    fork.push(program.length);
    emit(program, part);
    ends.push(forkAt(program));
  }
  for (const end of ends) end.push(program.length);
}

/** A fork whose targets are filled in later. */
function forkAt(program: Instruction[]): number[] {
  const to: number[] = [];
  push(program, { kind: 'fork', to });
  return to;
}

type Repeat = Extract<PatternNode, { readonly kind: 'repeat' }>;

function emitRepeat(program: Instruction[], { part, min, max }: Repeat): void {
  for (let count = 0; count < min; count++) emit(program, part);
  if (max === Infinity) {
    const start = program.length;
    const fork = forkAt(program);
    fork.push(program.length);
    emit(program, part);
    forkAt(program).push(start);
    fork.push(program.length);
    return;
  }
  const skips: number[][] = [];
  for (let count = min; count < max; count++) {
    const fork = forkAt(program);
    fork.push(program.length);
    skips.push(fork);
    emit(program, part);
  }
  for (const skip of skips) skip.push(program.length);
}
