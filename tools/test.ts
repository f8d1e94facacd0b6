/**
 * Runs the test suites this user may run and ends with one line: `N passed, N failed`.
 *
 * Usage: node tools/test.ts [--long] [--interop] [SUITE...]
 * Suites: unit, project (the documents), os (root: containers, networks, file systems),
 * cluster (root: whole clusters through `./tandem`), interop (real clients; only when asked for).
 * `--long` runs the campaigns instead of the short forms: thousands of seeds, hundreds of kills.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dealt } from './deal.ts';

interface Suite {
  readonly name: string;
  readonly files: string;
  readonly needsRoot: boolean;
  /** Own process per file: for tests that change the machine. */
  readonly isolated: boolean;
  readonly minutesMax: number;
}

const suites: readonly Suite[] = [
  {
    name: 'unit',
    files: '{src,tools}/**/*.test.ts',
    needsRoot: false,
    isolated: false,
    minutesMax: 10,
  },
  { name: 'project', files: 'test/*.test.ts', needsRoot: false, isolated: false, minutesMax: 5 },
  { name: 'os', files: 'test/os/*.test.ts', needsRoot: true, isolated: true, minutesMax: 30 },
  {
    name: 'cluster',
    files: 'test/cluster/*.test.ts',
    needsRoot: true,
    isolated: true,
    minutesMax: 40,
  },
  {
    name: 'interop',
    files: 'test/interop/**/*.test.ts',
    needsRoot: true,
    isolated: true,
    minutesMax: 40,
  },
];

const args = process.argv.slice(2);
const long = args.includes('--long');
const asked = args.filter((arg) => !arg.startsWith('--'));
const root = process.getuid?.() === 0;

function chosen(): readonly Suite[] {
  if (asked.length > 0) {
    const unknown = asked.filter((name) => !suites.some((suite) => suite.name === name));
    if (unknown.length > 0) {
      console.error(`unknown suite "${unknown[0]}": ${suites.map(({ name }) => name).join(', ')}`);
      process.exit(2);
    }
    return suites.filter(({ name }) => asked.includes(name));
  }
  const interop = args.includes('--interop');
  return suites.filter(({ name }) => name !== 'interop' || interop);
}

interface Sum {
  readonly passed: number;
  readonly failed: number;
}

async function runSuite(suite: Suite): Promise<Sum> {
  const files = globSync(suite.files, {
    exclude: (path) => path.includes('node_modules'),
  }).toSorted();
  if (files.length === 0) return { passed: 0, failed: 0 };
  console.log(`\n== ${suite.name}: ${files.length} files`);
  // Tests that change the machine run alone; the others share the processors.
  const hands = suite.isolated ? 1 : Math.min(2, availableParallelism());
  const sums = await Promise.all(
    dealt(files, hands).map((part, hand) => runFiles(suite, part, hand === 0)),
  );
  return sums.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }));
}

/** What is not shown as it comes is shown whole at the end, so that two processes do not mix their lines. */
async function runFiles(suite: Suite, files: readonly string[], live: boolean): Promise<Sum> {
  const millisecondsMax = suite.minutesMax * 60_000 * (long ? 10 : 1);
  const child = spawn(
    process.execPath,
    [
      '--test',
      `--test-isolation=${suite.isolated ? 'process' : 'none'}`,
      // A failed test may leave a server open: its file has ended all the same.
      '--test-force-exit',
      ...(suite.isolated ? ['--test-concurrency=1'] : []),
      // One that hangs is named, and the others are run.
      `--test-timeout=${millisecondsMax / 2}`,
      '--test-reporter=spec',
      ...files,
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...(long ? { TANDEM_TEST_LONG: '1' } : {}) },
      timeout: millisecondsMax,
    },
  );
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (status) => resolve(status ?? 1));
  });
  let shown = '';
  let text = '';
  for await (const chunk of child.stdout) {
    if (live) process.stdout.write(chunk as Buffer);
    else shown += (chunk as Buffer).toString();
    text = (text + (chunk as Buffer).toString()).slice(-100_000);
  }
  process.stdout.write(shown);
  const code = await ended;
  const count = (word: string): number =>
    Number(new RegExp(`ℹ ${word} (\\d+)`).exec(text)?.[1] ?? 0);
  const skipped = count('skipped') + count('cancelled') + count('todo');
  const failed = count('fail') + skipped;
  // A suite that broke before it counted, or was cut off, has failed too.
  return { passed: count('pass'), failed: failed === 0 && code !== 0 ? 1 : failed };
}

let passed = 0;
let failed = 0;
const left: string[] = [];
for (const suite of chosen()) {
  if (suite.needsRoot && !root) {
    left.push(suite.name);
    continue;
  }
  const result = await runSuite(suite);
  passed += result.passed;
  failed += result.failed;
}
if (left.length > 0) console.log(`\nLeft out without root: ${left.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
