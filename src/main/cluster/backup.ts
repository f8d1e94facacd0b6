import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, UsageError, exitCodes } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { backupSqliteStore, restoreSqliteStore } from '#store';
import { agreed } from './ask.ts';
import { runDirOf } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { makeHostNetwork } from './host-network.ts';
import { located } from './locate.ts';
import { endProcesses, processState, processesOf } from './processes.ts';
import { serverName, startProcesses, waitReady } from './start.ts';

export function storePath(config: ClusterConfig): string {
  return join(config.dataDir, 'server', 'store.db');
}

/** `tandem backup FILE`: a consistent copy while the cluster goes on. */
export async function backup(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const config = located(command);
  const [file] = command.arguments;
  if (file === undefined) throw new UsageError('backup needs a FILE');
  if (config.ephemeral)
    throw new CommandError('this cluster is ephemeral: its store is in memory only');
  const target = resolve(file);
  if (existsSync(target)) throw new CommandError(`${target} exists: give another name`);
  if (!existsSync(storePath(config))) throw new CommandError('this cluster has no store yet');
  await backupSqliteStore(storePath(config), target);
  terminal.out(`${target}\n`);
  return exitCodes.ok;
}

/** `tandem restore FILE`: the backup takes the store's place; agents then bring the machine to what it says. */
export async function restore(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const config = located(command);
  const [file] = command.arguments;
  if (file === undefined) throw new UsageError('restore needs a FILE');
  if (config.ephemeral)
    throw new CommandError('this cluster is ephemeral: it has no store to restore to');
  const source = resolve(file);
  if (!existsSync(source)) throw new CommandError(`there is no file ${source}`);
  const question = `Replace all objects of cluster "${config.name}"?`;
  if (!(await agreed(command, terminal, question))) {
    terminal.err('Nothing was changed.\n');
    return exitCodes.refused;
  }
  const runDir = runDirOf(config);
  const ran = processState(runDir, serverName).pid !== undefined;
  await endProcesses(processesOf(runDir), { graceMs: 10_000, runDir });
  try {
    await restoreSqliteStore(source, storePath(config));
  } catch (error) {
    if (ran) await startAgain(config);
    throw new CommandError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  if (ran) await startAgain(config);
  terminal.out(
    `Restored ${source}; what was there before is kept in ${storePath(config)}.replaced\n`,
  );
  return exitCodes.ok;
}

async function startAgain(config: ClusterConfig): Promise<void> {
  if (config.root) await makeHostNetwork(config);
  await startProcesses(config);
  await waitReady(config, () => undefined);
}
