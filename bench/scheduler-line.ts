import type { Reading } from './line.ts';
import { runProgram } from './suite.ts';

const quantities: Readonly<Record<string, string>> = {
  plain: 'plain',
  'anti-affinity': 'required anti-affinity on hostname',
  'spread-zones': 'spread over zones',
};

/** `scheduler.ts` prints one JSON line per case. */
export async function schedulerCore(): Promise<Readonly<Record<string, Reading>>> {
  const { text } = await runProgram('scheduler.ts', []);
  const cases = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly case: string; readonly podsPerSecond: number });
  return Object.fromEntries(
    Object.entries(quantities).flatMap(([quantity, name]) => {
      const found = cases.find((one) => one.case === name);
      return found === undefined ? [] : [[quantity, { value: found.podsPerSecond }]];
    }),
  );
}
