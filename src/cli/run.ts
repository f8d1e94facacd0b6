import { completionScript } from './completion.ts';
import type { Connection } from './connection.ts';
import { CommandError, UsageError, exitCodes } from './errors.ts';
import { overview, verbHelp } from './help.ts';
import type { ObjectContext } from './objects.ts';
import { parseCommand } from './parse.ts';
import type { ParsedCommand } from './parse.ts';
import { createTerminal } from './print.ts';
import type { Terminal } from './print.ts';
import { verbs } from './verbs.ts';

/** What only the machine's own side of a cluster can do; `main` brings it. Gives the exit code. */
export type ClusterVerb = (command: ParsedCommand, terminal: Terminal) => Promise<number>;

export interface CliOptions {
  readonly argv: readonly string[];
  /** Verbs of the table that are carried out elsewhere, by name. */
  readonly clusterVerbs: Readonly<Record<string, ClusterVerb>>;
  readonly connect: (command: ParsedCommand) => Promise<Connection>;
  readonly readInput: (path: string) => Promise<string>;
}

/** Runs one command line to its exit code. */
export async function runCli(options: CliOptions): Promise<number> {
  const terminal = createTerminal();
  try {
    return await dispatch(options, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`tandem: ${error.message}\n`);
      return exitCodes.usage;
    }
    if (error instanceof CommandError) {
      terminal.err(
        `${error.message.startsWith('Error from server') ? '' : 'tandem: '}${error.message}\n`,
      );
      return error.exitCode;
    }
    terminal.err(
      `tandem: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    return exitCodes.failed;
  }
}

async function dispatch(options: CliOptions, terminal: Terminal): Promise<number> {
  const command = parseCommand(options.argv);
  const { verb } = command;
  if (verb.name === 'help') return help(command, terminal);
  if (command.wantsHelp) {
    terminal.out(verbHelp(verb));
    return exitCodes.ok;
  }
  if (verb.name === 'completion') {
    terminal.out(completionScript(command.arguments[0] ?? ''));
    return exitCodes.ok;
  }
  const own = options.clusterVerbs[verb.name];
  if (own !== undefined && !(verb.name === 'logs' && command.text('component') === undefined))
    return own(command, terminal);
  const connection = await options.connect(command);
  try {
    return await objectVerb(command, connection, { terminal, options });
  } finally {
    connection.api.close();
  }
}

async function objectVerb(
  command: ParsedCommand,
  connection: Connection,
  { terminal, options }: { readonly terminal: Terminal; readonly options: CliOptions },
): Promise<number> {
  const context: ObjectContext = {
    api: connection.api,
    terminal,
    namespace: command.text('namespace') ?? 'default',
    readInput: options.readInput,
  };
  const name = command.verb.name;
  if (name === 'logs' || name === 'exec') {
    const streams = await import('./streams.ts');
    return name === 'logs'
      ? streams.logs(command, context)
      : streams.exec(command, { context, connection });
  }
  const objects = await import('./objects.ts');
  const run = {
    get: objects.get,
    describe: objects.describe,
    apply: objects.apply,
    delete: objects.remove,
  }[name];
  if (run === undefined) throw new UsageError(`unknown verb "${name}"`);
  await run(command, context);
  return exitCodes.ok;
}

function help(command: ParsedCommand, terminal: Terminal): number {
  const [name] = command.arguments;
  if (name === undefined) {
    terminal.out(overview());
    return exitCodes.ok;
  }
  const verb = verbs.find((candidate) => candidate.name === name);
  if (verb === undefined) throw new UsageError(`unknown verb "${name}"; "tandem help" lists them`);
  terminal.out(verbHelp(verb));
  return exitCodes.ok;
}
