import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, exitCodes } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { gitVersion, kubernetesVersion, tandemVersion } from '../version.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { located } from './locate.ts';

/** `tandem kubeconfig`: to standard output, for other machines and other tools. */
export async function kubeconfig(command: ParsedCommand, terminal: Terminal): Promise<number> {
  terminal.out(await kubeconfigText(located(command)));
  return exitCodes.ok;
}

/** `tandem version`. */
export async function version(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const all = {
    tandem: tandemVersion(),
    kubernetes: kubernetesVersion,
    gitVersion: gitVersion(),
    node: process.version,
  };
  if (command.text('output') === 'json') terminal.out(`${JSON.stringify(all, undefined, 2)}\n`);
  else terminal.out(`tandem ${all.tandem} (Kubernetes API ${all.kubernetes}, Node ${all.node})\n`);
  return exitCodes.ok;
}

/** `tandem bench`: the benches are part of a checkout, not of a running cluster. */
export async function bench(command: ParsedCommand): Promise<number> {
  const runner = join(import.meta.dirname, '../../../bench/run.ts');
  if (!existsSync(runner))
    throw new CommandError('the benches come with a checkout of the sources');
  const seconds = command.number('seconds');
  const args = [
    ...command.arguments,
    ...(seconds === undefined ? [] : ['--seconds', String(seconds)]),
    ...(command.text('output') === 'json' ? ['--json'] : []),
  ];
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', runner, ...args],
    { stdio: 'inherit' },
  );
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? exitCodes.failed)));
}
