import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from './cluster.ts';

test('destroy leaves a machine as it was (cases on a machine of its own)', async () => {
  const { NODE_TEST_CONTEXT: _ours, ...env } = process.env as Record<string, string>;
  const cases = join(import.meta.dirname, 'destroy-cases.ts');
  const machine = join(import.meta.dirname, 'own-machine.sh');
  const ended = await run(
    machine,
    [process.execPath, '--test', '--test-isolation=none', '--test-reporter=spec', cases],
    { env, minutesMax: 20 },
  );
  assert.equal(ended.code, 0, `${ended.out}${ended.err}`);
  assert.match(ended.out, /ℹ fail 0/);
});
