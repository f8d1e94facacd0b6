/**
 * The checks before a commit, for the whole tree or for the folders given: format, types, lint, tidy, unit tests.
 *
 * Usage: node tools/check.ts [--write] [--no-tests] [PATH...]   `--write` formats instead of complaining. Without
 * paths everything is checked. Prints what is wrong and ends with 1 when something is.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { dealt } from './deal.ts';

const args = process.argv.slice(2);
const write = args.includes('--write');
const paths = args.filter((arg) => !arg.startsWith('--')).map((path) => path.replace(/\/$/, ''));
const all = paths.length === 0;
const roots = all ? ['src', 'tools', 'test', 'bench'].filter((path) => existsSync(path)) : paths;
const bin = 'tools/node_modules/.bin';
const hands = Math.min(2, availableParallelism());
/** Of one test, on a machine that is busy with other things too. */
const testMsMax = 5 * 60_000;

interface Check {
  readonly name: string;
  readonly command: string;
  readonly parameters: readonly string[];
  /** What of its output is wrong; without it, an exit status other than 0 makes all of it wrong. */
  readonly wrong?: (output: string) => string;
}

async function run(check: Check): Promise<boolean> {
  const startMs = performance.now();
  const child = spawn(check.command, check.parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // tools/ has its own node_modules, where oxlint does not look for its partner.
    env: { ...process.env, OXLINT_TSGOLINT_PATH: resolve('tools/node_modules/.bin/tsgolint') },
  });
  const status = new Promise<number>((done) => {
    child.once('error', () => done(1));
    child.once('close', (code) => done(code ?? 1));
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const code = await status;
  const wrong = check.wrong?.(output);
  const passed = wrong === undefined ? code === 0 : wrong === '';
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${check.name} ${seconds} s`);
  if (!passed) process.stdout.write(`${wrong ?? output}\n`);
  return passed;
}

function inPaths(line: string): boolean {
  return all || paths.some((path) => line.startsWith(`${path}/`) || line.startsWith(path));
}

function typeErrors(output: string): string {
  const errors = output.split('\n').filter((line) => line.includes('error TS'));
  // A compiler that could not do its work at all has said so in other words.
  if (errors.length === 0) return output.trim();
  return errors.filter(inPaths).slice(0, 60).join('\n');
}

function unitTests(): readonly Check[] {
  const files = globSync(
    roots.map((root) =>
      root.endsWith('.ts') ? root.replace(/(\.test)?\.ts$/, '.test.ts') : `${root}/**/*.test.ts`,
    ),
    { exclude: (path) => path.includes('node_modules') },
  ).filter((file) => !file.startsWith('test/'));
  return dealt(files.toSorted(), hands).map((part) => ({
    name: `unit tests (${part.length} files)`,
    command: process.execPath,
    parameters: [
      '--test',
      '--test-isolation=none',
      // One that hangs is named; what a failed one left open does not keep the others waiting.
      `--test-timeout=${testMsMax}`,
      '--test-force-exit',
      '--test-reporter=dot',
      ...part,
    ],
  }));
}

const format: Check = {
  name: 'format',
  command: `${bin}/biome`,
  parameters: ['format', ...(write ? ['--write'] : []), ...roots],
};
const types: Check = {
  name: 'types',
  command: 'node_modules/.bin/tsc',
  parameters: [
    '-p',
    '.',
    '--pretty',
    'false',
    '--incremental',
    '--tsBuildInfoFile',
    '.tools/types',
  ],
  wrong: typeErrors,
};
const lint: Check = {
  name: 'lint',
  command: `${bin}/oxlint`,
  parameters: ['--type-aware', ...roots],
};
const tidy: Check = {
  name: 'tidy',
  command: process.execPath,
  parameters: ['tools/tidy.ts', ...(all ? [] : paths)],
};

// Formatting writes files, so it comes before those who read them.
let passed = await run(format);
const waiting: Check[] = [...(args.includes('--no-tests') ? [] : unitTests()), types, lint, tidy];
const hand = async (): Promise<void> => {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift())
    if (!(await run(check))) passed = false;
};
await Promise.all(Array.from({ length: hands }, hand));
process.exitCode = passed ? 0 : 1;
