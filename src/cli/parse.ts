import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { UsageError } from './errors.ts';
import { verbs } from './verbs.ts';
import type { VerbDeclaration } from './verbs.ts';

export interface ParsedCommand {
  readonly verb: VerbDeclaration;
  readonly arguments: readonly string[];
  readonly text: (flag: string) => string | undefined;
  readonly texts: (flag: string) => readonly string[];
  readonly number: (flag: string) => number | undefined;
  readonly flag: (flag: string) => boolean;
  readonly wantsHelp: boolean;
}

/** Reads a command line against the table of verbs. Throws `UsageError` naming what is wrong. */
export function parseCommand(argv: readonly string[]): ParsedCommand {
  const first = argv[0] ?? 'help';
  const name =
    first === '--help' || first === '-h' ? 'help' : first === '--version' ? 'version' : first;
  const verb = verbs.find((candidate) => candidate.name === name);
  if (verb === undefined)
    throw new UsageError(`unknown verb "${name}"${nearest(name)}; "tandem help" lists them`);
  const [own, passed] = split(argv.slice(1), verb);
  const options: NonNullable<ParseArgsConfig['options']> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const flag of verb.flags)
    options[flag.name] = {
      type: flag.type === 'flag' ? 'boolean' : 'string',
      ...(flag.short === undefined ? {} : { short: flag.short }),
      ...(flag.repeated === true ? { multiple: true } : {}),
    };
  const { values, positionals } = parseOrExplain(own, options, verb);
  return {
    verb,
    arguments: [...positionals, ...passed],
    text: (flag) => asText(values[flag]),
    texts: (flag) => [values[flag] ?? []].flat().map(String),
    number: (flag) => asNumber(flag, asText(values[flag])),
    flag: (flag) => values[flag] === true,
    wantsHelp: values['help'] === true,
  };
}

function split(args: readonly string[], verb: VerbDeclaration): [string[], string[]] {
  const at = verb.passThrough === true ? args.indexOf('--') : -1;
  return at < 0 ? [[...args], []] : [args.slice(0, at), args.slice(at + 1)];
}

function parseOrExplain(
  args: string[],
  options: NonNullable<ParseArgsConfig['options']>,
  verb: VerbDeclaration,
): { values: Record<string, unknown>; positionals: string[] } {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const text = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    throw new UsageError(`${text.replace(/\.$/, '')}; "tandem help ${verb.name}" shows the flags`);
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function asNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new UsageError(`--${flag} "${text}" must be a number that is not negative`);
  return value;
}

/** A verb that differs by at most two letters: ` (did you mean "status"?)`. */
function nearest(name: string): string {
  const close = verbs.find((verb) => distance(name, verb.name) <= 2);
  return close === undefined ? '' : ` (did you mean "${close.name}"?)`;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(
        Math.min(
          (next[j] ?? 0) + 1,
          (row[j + 1] ?? 0) + 1,
          (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] ?? 0;
}
