import type { Reading } from './line.ts';
import { runProgram } from './suite.ts';

/** `allocator.ts` prints one JSON line per case. */
export async function allocationCycle(): Promise<Readonly<Record<string, Reading>>> {
  const { text } = await runProgram('allocator.ts', []);
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => {
        const {
          case: name,
          p50Ms,
          maxMs,
        } = JSON.parse(line) as {
          readonly case: string;
          readonly p50Ms: number;
          readonly maxMs: number;
        };
        return [name, { value: p50Ms, details: { maxMs } }];
      }),
  );
}
