import { createInterface } from 'node:readline/promises';
import { CommandError, exitCodes } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';

/** True when `--yes` was given or the user agreed on a terminal; without a terminal it throws. */
export async function agreed(
  command: ParsedCommand,
  terminal: Terminal,
  question: string,
): Promise<boolean> {
  if (command.flag('yes')) return true;
  if (!terminal.isTerminal)
    throw new CommandError(`${command.verb.name} asks on a terminal; without one it needs --yes`, {
      exitCode: exitCodes.refused,
    });
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
