/**
 * The `tandem` command: its verbs, their help, and the ones that only need the API.
 *
 * Starting and stopping clusters is `main`'s; it hands those verbs in. Start with `verbs.ts`.
 */
export { CommandError, UsageError, exitCodes } from './errors.ts';
export { parseCommand } from './parse.ts';
export type { ParsedCommand } from './parse.ts';
export { createTerminal, formatBytes, paint, parseBytes, table } from './print.ts';
export type { Terminal } from './print.ts';
export { runCli } from './run.ts';
export type { Connection } from './connection.ts';
export type { CliOptions, ClusterVerb } from './run.ts';
export { verbs } from './verbs.ts';
