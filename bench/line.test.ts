import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measure } from './line.ts';

test('the best of all runs counts, in the direction of the budget', async () => {
  let turn = 0;
  const result = await measure(
    {
      name: 'both',
      what: 'both directions',
      budget: { rate: { unit: '/s', atLeast: 100 }, time: { unit: 'ms', atMost: 10 } },
      repeat: 3,
      run: async () => {
        turn++;
        return { rate: { value: turn * 20 }, time: { value: 30 - turn * 5 } };
      },
    },
    { seconds: 1 },
  );
  const [rate, time] = result.quantities;
  assert.deepEqual([rate?.value, rate?.met, rate?.halfMet], [60, false, true]);
  assert.deepEqual([time?.value, time?.met, time?.halfMet], [15, false, true]);
  assert.deepEqual(rate?.all, [20, 40, 60]);
  assert.equal(result.load.length, 3);
});
