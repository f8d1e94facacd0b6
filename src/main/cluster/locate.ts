import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError, exitCodes } from '#cli';
import type { ParsedCommand } from '#cli';
import { findCluster, knownClusters, readConfig, stateRoot } from './config.ts';
import type { ClusterConfig } from './config.ts';
import { clusterNameProblem } from './plan.ts';

export const defaultName = 'tandem';

/** Name and data directory that a command line means, whether or not the cluster exists. */
export function place(command: ParsedCommand): { readonly name: string; readonly dataDir: string } {
  const dataDir = command.text('data-dir');
  const root = isRoot();
  if (dataDir !== undefined) {
    const full = existsSync(dataDir) ? realpathSync(dataDir) : resolve(dataDir);
    const there = existing(full);
    return { name: checkedName(command.text('name') ?? there?.name ?? defaultName), dataDir: full };
  }
  const name = checkedName(command.text('name') ?? defaultName);
  return { name, dataDir: findCluster(name, root)?.dataDir ?? join(stateRoot(root), name) };
}

function checkedName(name: string): string {
  const problem = clusterNameProblem(name);
  if (problem !== undefined) throw new CommandError(problem, { exitCode: exitCodes.usage });
  return name;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The cluster a command line means, if it was ever started. */
export function existing(dataDir: string): ClusterConfig | undefined {
  if (existsSync(join(dataDir, 'cluster.json'))) return readConfig(dataDir);
  // A start that was killed early has only left its note, as has a data directory that somebody removed.
  return knownClusters(isRoot()).find((cluster) => cluster.dataDir === dataDir);
}

/** The same, for verbs that make no sense without it. */
export function located(command: ParsedCommand): ClusterConfig {
  const { name, dataDir } = place(command);
  const config = existing(dataDir);
  if (config === undefined)
    throw new CommandError(
      `there is no cluster "${name}": "tandem up${name === defaultName ? '' : ` --name ${name}`}" starts one`,
      {
        exitCode: exitCodes.notRunning,
      },
    );
  if (command.text('name') !== undefined && config.name !== name)
    throw new CommandError(`${dataDir} belongs to cluster "${config.name}", not "${name}"`);
  return config;
}
