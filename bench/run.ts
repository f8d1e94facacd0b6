/**
 * `tandem bench`: measures the table of budgets and says of each line whether it is met.
 *
 * Usage: node bench/run.ts [LINE...] [--seconds N] [--repeat N] [-o json]   Without names all lines.
 * Ends with 1 when a line could not be measured; a missed budget is a result, not a failure.
 */
import { parseArgs } from 'node:util';
import { measure } from './line.ts';
import { lines } from './lines.ts';
import { store, terminalRows, writeTable, type StoredResult } from './results.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '4' },
    repeat: { type: 'string' },
    output: { type: 'string', short: 'o' },
    json: { type: 'boolean', default: false },
  },
});
const json = values.json || values.output === 'json';
const unknown = positionals.filter((name) => !lines.some((line) => line.name === name));
if (unknown.length > 0) {
  console.error(
    `no such line: ${unknown.join(', ')}; there are ${lines.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
const chosen = lines.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const results: StoredResult[] = [];
for (const line of chosen) {
  if (!json) console.error(`${line.name}: ${line.what} ...`);
  try {
    const result = await measure(line, {
      seconds: Number(values.seconds),
      repeat: values.repeat === undefined ? undefined : Number(values.repeat),
    });
    results.push(store(result));
    if (!json) console.log(terminalRows(result).join('\n'));
  } catch (error) {
    process.exitCode = 1;
    console.error(`${line.name} could not be measured:`, error);
  }
  writeTable(lines);
}
if (json) console.log(JSON.stringify(results, undefined, 2));
process.exit();
