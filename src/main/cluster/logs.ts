import { existsSync, readFileSync } from 'node:fs';
import { CommandError, UsageError, exitCodes } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import { runCommand } from '#io';
import { located } from './locate.ts';
import { planOf } from './plan.ts';
import { logPath, serverName } from './start.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** `tandem logs --component server|agent`. */
export async function componentLogs(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const config = located(command);
  const component = command.text('component');
  const plan = planOf(config);
  const names = Array.from({ length: config.nodes }, (_, index) => plan.nodeName(index));
  let name: string;
  if (component === 'server') name = serverName;
  else if (component === 'agent') {
    const node = command.text('node') ?? names[0];
    if (node === undefined) throw new CommandError(`cluster "${config.name}" has no nodes`);
    if (!names.includes(node))
      throw new CommandError(`there is no node "${node}": ${names.join(', ')}`);
    name = node;
  } else throw new UsageError(`--component "${component}" must be server or agent`);
  const path = logPath(config, name);
  if (!existsSync(path)) throw new CommandError(`there is no log yet: ${path}`);
  const tail = command.number('tail');
  if (command.flag('follow')) {
    const child = spawn('tail', ['-n', String(tail ?? 100), '-F', path], { stdio: 'inherit' });
    await once(child, 'exit');
    return exitCodes.ok;
  }
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  terminal.out(`${(tail === undefined ? lines : lines.slice(-tail)).join('\n')}\n`);
  return exitCodes.ok;
}

/** Follows a child that packs a folder; rejects with its words. */
export function packFolder(folder: string, target: string): Promise<void> {
  return runCommand(['tar', '-czf', target, '-C', folder, '.'], { timeoutMs: 120_000 });
}
