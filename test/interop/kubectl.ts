/**
 * The kubectl binaries of this machine, one per minor version, and where they are missing those that
 * can be built: kubectl is published as a Go module, a main function of ten lines makes it whole.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { bringGo } from './bring.ts';

export interface Kubectl {
  readonly minor: number;
  readonly path: string;
}

export const oldestMinor = 27;
export const newestMinor = 36;

/** Patch releases of the module: k8s.io/kubectl v0.MINOR.PATCH is kubectl 1.MINOR.PATCH. */
const patches: Readonly<Record<number, number>> = {
  27: 3,
  28: 3,
  29: 6,
  30: 14,
  31: 3,
  32: 3,
  33: 13,
  34: 13,
  35: 9,
  36: 6,
};
const cache = resolve(import.meta.dirname, '../../.tools/kubectl');
const buildMsMax = 15 * 60_000;
/** Folders that packages of distributions put several versions into. */
const furtherFolders = ['/usr/lib/google-cloud-sdk/bin'];

const program = `package main

import (
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
`;

/** By minor version, ascending; all minors are built with \`long\`, else only a missing newest one. */
export function findKubectls(long: boolean): readonly Kubectl[] {
  const found = new Map<number, string>();
  for (const path of candidates()) {
    const minor = minorOf(path);
    if (minor !== undefined && !found.has(minor)) found.set(minor, path);
  }
  const wanted = long
    ? Array.from({ length: newestMinor - oldestMinor + 1 }, (_, index) => oldestMinor + index)
    : [newestMinor];
  for (const minor of wanted) {
    const path = found.has(minor) ? undefined : built(minor);
    if (path !== undefined) found.set(minor, path);
  }
  if (found.size === 0)
    throw new Error('There is no kubectl on this machine, and none could be built');
  return [...found].map(([minor, path]) => ({ minor, path })).toSorted((a, b) => a.minor - b.minor);
}

function candidates(): readonly string[] {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...furtherFolders];
  const names = (folder: string): readonly string[] =>
    existsSync(folder)
      ? readdirSync(folder).filter((name) => /^kubectl([.-]?v?1\.\d+(\.\d+)?)?$/.test(name))
      : [];
  const cached = existsSync(cache)
    ? readdirSync(cache).map((minor) => join(cache, minor, 'kubectl'))
    : [];
  const others = folders.flatMap((folder) => names(folder).map((name) => join(folder, name)));
  // Those that name their version first: a plain "kubectl" may be a dispatcher to them.
  const named = others.filter((path) => !path.endsWith('/kubectl'));
  const plain = others.filter((path) => path.endsWith('/kubectl'));
  return [...cached, ...named, ...plain].filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // missing, or not for us
  }
}

function minorOf(path: string): number | undefined {
  const { stdout } = spawnSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  const version = /"gitVersion": "v1\.(\d+)\.[^"]*"/.exec(stdout ?? '');
  if (version === null || version[0].includes('dispatcher')) return undefined;
  const minor = Number(version[1]);
  return minor >= oldestMinor && minor <= newestMinor ? minor : undefined;
}

/** Undefined without a way to Go's modules. */
function built(minor: number): string | undefined {
  const go = bringGo();
  const folder = join(cache, `1.${minor}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'go.mod'), 'module kubectl\n\ngo 1.20\n');
  writeFileSync(join(folder, 'main.go'), program);
  const version = `${minor}.${patches[minor] ?? 0}`;
  const variables = [`gitVersion=v1.${version}`, 'gitMajor=1', `gitMinor=${minor}`].map(
    (setting) => `-X k8s.io/component-base/version.${setting}`,
  );
  console.log(`Building kubectl 1.${version} (once, some minutes)`);
  const steps = [
    ['get', `k8s.io/kubectl@v0.${version}`],
    ['mod', 'tidy'],
    ['build', '-trimpath', '-ldflags', ['-s -w', ...variables].join(' '), '-o', 'kubectl.new', '.'],
  ];
  for (const args of steps) {
    const step = spawnSync(go, args, { cwd: folder, encoding: 'utf8', timeout: buildMsMax });
    if (step.status === 0) continue;
    console.log(`go ${args[0]} failed: ${step.stderr.slice(-2000)}`);
    return undefined;
  }
  const path = join(folder, 'kubectl');
  renameSync(join(folder, 'kubectl.new'), path);
  return path;
}
