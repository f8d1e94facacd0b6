/**
 * What every bench line needs: run it, take percentiles, compare with the budget, write
 * `bench/results/<name>.json` and show a table.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Budget {
  readonly atLeast?: number;
  readonly atMost?: number;
}
/** One line of DESIGN.md section 6, or a part of one. */
export interface BenchLine {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly budget?: Budget | undefined;
  /** Whatever else is worth keeping, percentiles for one. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function percentiles(samples: readonly number[] | Float64Array): Percentiles {
  const sorted = Float64Array.from(samples).toSorted();
  const at = (part: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** Three digits are enough to compare by. */
export function round(value: number): number {
  return Number(value.toPrecision(4));
}

export interface LoadResult {
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly latencyMs: Percentiles;
}

/** `clients` loops, each calling `once` again as soon as it is done, for `seconds`. */
export async function closedLoop(
  options: { readonly clients: number; readonly seconds: number },
  once: (client: number, round: number) => Promise<void>,
): Promise<LoadResult> {
  const samples: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + options.seconds * 1000;
  const client = async (index: number): Promise<void> => {
    for (let turn = 0; ; turn++) {
      const beganMs = performance.now();
      if (beganMs >= endMs) return;
      await once(index, turn);
      samples.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: options.clients }, (_, index) => client(index)));
  const seconds = (performance.now() - startMs) / 1000;
  return {
    count: samples.length,
    seconds: round(seconds),
    perSecond: Math.round(samples.length / seconds),
    latencyMs: percentiles(samples),
  };
}

export function budgetText({ atLeast, atMost }: Budget): string {
  if (atLeast !== undefined) return `>= ${atLeast}`;
  return atMost === undefined ? '' : `<= ${atMost}`;
}

export function meets({ value, budget }: BenchLine): boolean {
  if (budget === undefined) return true;
  return value >= (budget.atLeast ?? -Infinity) && value <= (budget.atMost ?? Infinity);
}

/**
 * Shows the lines and writes them, with the machine and the commit they were measured on: below
 * `results/`, or where `TANDEM_BENCH_REPORT` says when `tandem bench` runs the program.
 */
export function report(name: string, lines: readonly BenchLine[]): void {
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  const result = {
    name,
    ...circumstances(),
    lines: lines.map((line) => ({ ...line, met: meets(line) })),
  };
  const path = process.env['TANDEM_BENCH_REPORT'] ?? join(directory, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`);
  console.table(
    lines.map((line) => ({
      what: line.what,
      value: `${line.value} ${line.unit}`,
      budget: line.budget === undefined ? '' : budgetText(line.budget),
      met: line.budget === undefined ? '' : meets(line) ? 'yes' : 'NO',
    })),
  );
}

/** When, of which commit and on what machine a result is. */
export function circumstances() {
  return {
    measured: new Date().toISOString(),
    commit: commitHash(),
    node: process.version,
    machine: {
      cores: cpus().length,
      model: cpus()[0]?.model ?? '',
      memoryBytes: totalmem(),
      // Other work on the machine makes figures worse, never better.
      loadAverage: loadavg().map(round),
    },
  };
}

function commitHash(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown'; // Benches also run from an unpacked release.
  }
}
