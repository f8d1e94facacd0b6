import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandError, exitCodes } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { KubeconfigError } from '#client';
import { agreed } from './ask.ts';
import { removeContainers, stopContainers } from './node-paths.ts';
import { forgetCluster, knownClusters, removeIfEmpty, runDirOf } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { makeHostNetwork, removeHostNetwork, restoreMachine } from './host-network.ts';
import { contextName, leaveKubeconfigs } from './kubeconfig.ts';
import { existing, isRoot, located, place } from './locate.ts';
import { endProcesses, processesOf } from './processes.ts';
import { startProcesses, waitReady } from './start.ts';

const stopGraceMs = 10_000;

/** `tandem down`: containers end, then agents and server; everything stored is kept. */
export async function down(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const config = located(command);
  await endAll(config);
  if (config.root) await stopContainers(config);
  terminal.out(`Cluster "${config.name}" is stopped; "tandem up" brings it back as it was.\n`);
  return exitCodes.ok;
}

/** `tandem restart`: new processes, the same containers. */
export async function restart(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const config = located(command);
  await endAll(config);
  if (config.root) await makeHostNetwork(config);
  await startProcesses(config);
  await waitReady(config, () => undefined);
  terminal.out(`Cluster "${config.name}" was restarted; its containers ran on.\n`);
  return exitCodes.ok;
}

/** Agents and server with their supervisors, whether or not their pid files are there. */
async function endAll(config: ClusterConfig): Promise<void> {
  const runDir = runDirOf(config);
  await endProcesses(processesOf(runDir), { graceMs: stopGraceMs, runDir });
}

/** `tandem destroy`: afterwards the machine is as it was before the first `up`. */
export async function destroy(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const { name, dataDir } = place(command);
  const config = existing(dataDir);
  if (config === undefined) {
    forgetCluster(name, isRoot());
    terminal.out(`There is no cluster "${name}": nothing to destroy.\n`);
    return exitCodes.ok;
  }
  if (command.text('name') !== undefined && config.name !== name)
    throw new CommandError(`${dataDir} belongs to cluster "${config.name}", not "${name}"`);
  const question = `Remove cluster "${config.name}" with all its objects, images and volumes in ${config.dataDir}?`;
  if (!(await agreed(command, terminal, question))) {
    terminal.err('Nothing was changed.\n');
    return exitCodes.refused;
  }
  await endAll(config);
  const problems: unknown[] = [];
  const attempt = async (action: () => void | Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      problems.push(error); // the rest is removed all the same, then all is told
    }
  };
  if (config.root) {
    await attempt(() => removeContainers(config));
    await attempt(() => removeHostNetwork(config));
    if (knownClusters(true).every((cluster) => cluster.name === config.name))
      await attempt(() => restoreMachine(config.machineBefore));
  }
  try {
    await leaveKubeconfigs(config);
  } catch (error) {
    // Somebody made it unreadable meanwhile: theirs to mend, no reason to keep a cluster.
    if (!(error instanceof KubeconfigError)) problems.push(error);
    else terminal.err(`${error.message}: context "${contextName(config)}" was left in it.\n`);
  }
  if (problems.length > 0)
    throw new CommandError(
      `cluster "${config.name}" could not be removed whole: ${problems.map(String).join('; ')}. "tandem destroy" tries again`,
      { cause: problems[0] },
    );
  const runDir = runDirOf(config);
  rmSync(runDir, { recursive: true, force: true });
  if (config.root && existsSync(dirname(runDir))) removeIfEmpty(dirname(runDir));
  if (config.madeDataDir) rmSync(config.dataDir, { recursive: true, force: true });
  else if (existsSync(config.dataDir))
    for (const entry of readdirSync(config.dataDir))
      rmSync(join(config.dataDir, entry), { recursive: true, force: true });
  forgetCluster(config.name, config.root);
  terminal.out(`Cluster "${config.name}" and everything it made is gone.\n`);
  return exitCodes.ok;
}
