/** Lines whose measurement is a bench program of its own: it is run, and its report is read. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launcherEnv } from './cluster.ts';
import type { BenchLine } from './harness.ts';
import type { LineContext, Reading } from './line.ts';

export interface SuiteOptions {
  /** File in this folder. */
  readonly program: string;
  readonly args?: (context: LineContext) => readonly string[];
  /** Which of the program's lines is which quantity: by a part of its text, or the one after it. */
  readonly pick: Readonly<
    Record<string, string | { readonly after: string; readonly what: string }>
  >;
}

/** A line that runs `program` and takes its quantities from the report the program writes. */
export function suite(options: SuiteOptions) {
  return async (context: LineContext): Promise<Readonly<Record<string, Reading>>> => {
    const { lines } = await runProgram(options.program, options.args?.(context) ?? []);
    return Object.fromEntries(
      Object.entries(options.pick).map(([quantity, wanted]) => [
        quantity,
        readingOf(lines, wanted, options.program),
      ]),
    );
  };
}

function readingOf(
  lines: readonly BenchLine[],
  wanted: string | { readonly after: string; readonly what: string },
  program: string,
): Reading {
  const main = typeof wanted === 'string' ? wanted : wanted.after;
  const at = lines.findIndex((line) => line.what.includes(main));
  const rest = at < 0 ? [] : lines.slice(at);
  const found =
    typeof wanted === 'string' ? rest[0] : rest.find(({ what }) => what.trim() === wanted.what);
  if (found === undefined) throw new Error(`bench/${program} reports no line "${main}"`);
  return { value: found.value, details: found.details };
}

export interface ProgramOutput {
  readonly lines: readonly BenchLine[];
  readonly text: string;
}

/** Runs a bench program apart; its report goes to a file of ours, its text is kept. */
export async function runProgram(program: string, args: readonly string[]): Promise<ProgramOutput> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  const path = join(folder, 'report.json');
  try {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, program), ...args],
      { env: { ...launcherEnv, TANDEM_BENCH_REPORT: path }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    for await (const chunk of child.stdout) text += String(chunk);
    const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
    if (code !== 0)
      throw new Error(`bench/${program} ended with ${String(code)}:\n${text.slice(-2000)}`);
    const report = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as { readonly lines: readonly BenchLine[] })
      : { lines: [] };
    return { lines: report.lines, text };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
