/** Python's public clients of Mesos and Marathon, in an environment of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../cluster/cluster.ts';
import { bringCompiler, must, pythonIn } from './bring.ts';

const folder = resolve(import.meta.dirname, '../../.tools/python-mesos');
const python = join(folder, 'bin/python');

/** pymesos 0.3.15 and marathon 0.13.0, once per checkout. */
export function installMesosClients(): void {
  const there = spawnSync(python, ['-c', 'import pymesos, marathon, http_parser.parser']);
  if (existsSync(python) && there.status === 0) return;
  pythonIn(folder);
  bringCompiler();
  must(python, ['-m', 'pip', 'install', '-q', 'cython<3', 'setuptools', 'wheel']);
  installHttpParser();
  must(python, ['-m', 'pip', 'install', '-q', 'pymesos==0.3.15', 'marathon==0.13.0']);
}

/** What pymesos parses with: its C was made for Pythons that are gone, and is made anew from its own source. */
function installHttpParser(): void {
  const work = mkdtempSync(join(tmpdir(), 'http-parser-'));
  try {
    const pip = ['-m', 'pip', 'download', '-q', '--no-deps', '--no-binary', ':all:'];
    must(python, [...pip, '--no-build-isolation', '-d', work, 'http-parser==0.9.0']);
    const [archive = ''] = readdirSync(work);
    must('tar', ['xzf', archive], { cwd: work });
    const source = join(work, 'http-parser-0.9.0');
    must(join(folder, 'bin/cython'), ['-3', 'http_parser/parser.pyx'], { cwd: source });
    must(python, ['-m', 'pip', 'install', '-q', '--no-build-isolation', source]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What a script of this folder prints; it must end well. */
export async function runPython(script: string, ...args: readonly string[]): Promise<string> {
  const ended = await run(python, [join(import.meta.dirname, script), ...args]);
  assert.equal(ended.code, 0, `${script}: ${ended.out}${ended.err.slice(-3000)}`);
  return ended.out;
}
