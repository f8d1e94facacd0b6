/**
 * The checks before a commit, for the whole tree or for the folders given: format, types, lint, tidy, unit tests.
 *
 * Usage: node tools/check.ts [--write] [PATH...]   `--write` formats instead of complaining. Without
 * paths everything is checked. Prints what is wrong and ends with 1 when something is.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { resolve } from 'node:path';

const args = process.argv.slice(2);
const write = args.includes('--write');
const paths = args.filter((arg) => !arg.startsWith('--')).map((path) => path.replace(/\/$/, ''));
const all = paths.length === 0;
const roots = all ? ['src', 'tools', 'test', 'bench'].filter((path) => existsSync(path)) : paths;
let failed = false;

function run(name: string, command: string, parameters: readonly string[]): string {
  const startMs = performance.now();
  const result = spawnSync(command, parameters, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // tools/ has its own node_modules, where oxlint does not look for its partner.
    env: { ...process.env, OXLINT_TSGOLINT_PATH: resolve('tools/node_modules/.bin/tsgolint') },
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${result.status === 0 ? 'ok  ' : 'FAIL'} ${name} ${seconds} s`);
  if (result.status !== 0) failed = true;
  return result.status === 0 ? '' : output;
}

function inPaths(line: string): boolean {
  return all || paths.some((path) => line.startsWith(`${path}/`) || line.startsWith(path));
}

const bin = 'tools/node_modules/.bin';
process.stdout.write(
  run('format', `${bin}/biome`, ['format', ...(write ? ['--write'] : []), ...roots]),
);

const types = spawnSync('node_modules/.bin/tsc', ['-p', '.', '--pretty', 'false'], {
  encoding: 'utf8',
});
const typeErrors = types.stdout
  .split('\n')
  .filter((line) => line.includes('error TS') && inPaths(line));
console.log(`${typeErrors.length === 0 ? 'ok  ' : 'FAIL'} types`);
if (typeErrors.length > 0) {
  failed = true;
  console.log(typeErrors.slice(0, 60).join('\n'));
}

process.stdout.write(run('lint', `${bin}/oxlint`, ['--type-aware', ...roots]));
const tidy = run('tidy', process.execPath, ['tools/tidy.ts', ...(all ? [] : paths)]);
process.stdout.write(tidy);

const tests = globSync(
  roots.map((root) =>
    root.endsWith('.ts') ? root.replace(/(\.test)?\.ts$/, '.test.ts') : `${root}/**/*.test.ts`,
  ),
).filter((file) => !file.startsWith('test/'));
if (tests.length > 0)
  process.stdout.write(
    run(`unit tests (${tests.length} files)`, process.execPath, [
      '--test',
      '--test-isolation=none',
      '--test-reporter=dot',
      ...tests,
    ]),
  );
process.exitCode = failed ? 1 : 0;
