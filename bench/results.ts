/** Writes results: a JSON file per line, and one table over all that lie there. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { budgetText, circumstances } from './harness.ts';
import type { Line, LineResult, Quantity } from './line.ts';

const directory = join(import.meta.dirname, 'results');

export type StoredResult = LineResult & ReturnType<typeof circumstances>;

export function store(result: LineResult): StoredResult {
  mkdirSync(directory, { recursive: true });
  const stored = { ...result, ...circumstances() };
  writeFileSync(
    join(directory, `${result.name}.json`),
    `${JSON.stringify(stored, undefined, 2)}\n`,
  );
  return stored;
}

/** `results/README.md`, from what was measured last of each line. */
export function writeTable(lines: readonly Line[]): void {
  const stored = lines
    .map((line) => join(directory, `${line.name}.json`))
    .filter((path) => existsSync(path))
    .map((path) => JSON.parse(readFileSync(path, 'utf8')) as StoredResult);
  writeFileSync(join(directory, 'README.md'), tableText(stored));
}

export function tableText(results: readonly StoredResult[]): string {
  const machine = results.at(-1)?.machine;
  const head = [
    '# Measured against the budgets',
    '',
    'Written by `tandem bench`; the budgets are those of the design. Load generator and server share one',
    'machine. Of several runs the best counts and all are listed, since other work on the machine slows',
    'them; its load average (one minute, before each run) stands beside. "half" means at least half of the',
    'budget: half the rate, or twice the time or memory.',
    '',
    machine === undefined
      ? ''
      : `Machine: ${machine.cores} cores (${machine.model}), ${Math.round(machine.memoryBytes / 2 ** 30)} GiB.`,
    '',
    '| line | what | quantity | budget | measured | verdict | runs | load | commit |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  const rows = results.flatMap((result) =>
    result.quantities.map((quantity, index) =>
      [
        index === 0 ? result.name : '',
        index === 0 ? result.what : '',
        quantity.quantity,
        goalText(quantity),
        `${quantity.value} ${quantity.unit}${quantity.note === undefined ? '' : ` (${quantity.note})`}`,
        verdict(quantity),
        quantity.all.join(', '),
        index === 0 ? result.load.join(', ') : '',
        index === 0 ? result.commit : '',
      ].join(' | '),
    ),
  );
  return `${[...head, ...rows.map((row) => `| ${row} |`)].join('\n')}\n`;
}

function goalText(quantity: Quantity): string {
  const text = budgetText(quantity);
  return text === '' ? '' : `${text} ${quantity.unit}`;
}

export function verdict(quantity: Quantity): string {
  if (quantity.atLeast === undefined && quantity.atMost === undefined) return '';
  if (quantity.met)
    return quantity.note?.startsWith('extrapolated') === true ? 'met if extrapolated' : 'met';
  return quantity.halfMet ? 'half' : 'MISSED';
}

/** The same for a terminal. */
export function terminalRows(result: LineResult): readonly string[] {
  return result.quantities.map((quantity) =>
    [
      `${result.name} ${quantity.quantity}`.padEnd(34),
      `${quantity.value} ${quantity.unit}`.padEnd(20),
      goalText(quantity).padEnd(20),
      verdict(quantity),
    ].join(' '),
  );
}
