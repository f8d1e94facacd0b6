import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timer } from './timer.ts';

test('A timer tells its last value, and statistics once there are samples', () => {
  const timer = new Timer();
  assert.deepEqual(Object.fromEntries(timer.entries('run_ms')), { run_ms: 0 });
  for (const ms of [3, 1, 2]) timer.add(ms);
  const told = Object.fromEntries(timer.entries('run_ms'));
  assert.equal(told['run_ms'], 2);
  assert.equal(told['run_ms/count'], 3);
  assert.equal(told['run_ms/min'], 1);
  assert.equal(told['run_ms/max'], 3);
  assert.equal(told['run_ms/p50'], 2);
  assert.ok(Math.abs((told['run_ms/p90'] ?? 0) - 2.8) < 1e-9);
});

test('A timer forgets all but the last thousand', () => {
  const timer = new Timer();
  for (let ms = 0; ms < 1500; ms++) timer.add(ms);
  const told = Object.fromEntries(timer.entries('t'));
  assert.deepEqual([told['t/count'], told['t/min'], told['t/max']], [1000, 500, 1499]);
});
