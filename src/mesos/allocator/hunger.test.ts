import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Hunger } from './hunger.ts';

suite('Hunger', () => {
  test('is presumed until the first answer, and known after a launch', () => {
    const hunger = new Hunger();
    assert.deepEqual([hunger.wants(0), hunger.state], [true, 'unknown']);
    hunger.launched([500]);
    assert.deepEqual([hunger.wants(0), hunger.state], [true, 'hungry']);
  });

  test('ends with an offer that was declined, for longer each time, until a revival', () => {
    const hunger = new Hunger();
    for (const [at, until] of [
      [0, 5000],
      [5000, 15_000],
      [15_000, 35_000],
      [35_000, 75_000],
      [75_000, 135_000],
      [135_000, 195_000],
    ] as const) {
      hunger.declined(at, at + 1000);
      assert.deepEqual([hunger.wants(until - 1), hunger.wants(until)], [false, true]);
    }
    hunger.declined(200_000, 200_000);
    hunger.revived();
    assert.equal(hunger.wants(200_000), true);
    hunger.declined(200_000, 290_000);
    assert.deepEqual([hunger.wants(289_999), hunger.wants(290_000)], [false, true]);
  });

  test('is not judged by small offers once a size is known, and by three of them before', () => {
    const hunger = new Hunger();
    hunger.declinedScraps(0, 0);
    hunger.declinedNothing();
    hunger.declinedScraps(0, 0);
    assert.equal(hunger.wants(0), true);
    hunger.declinedScraps(0, 0);
    assert.equal(hunger.wants(0), false);
    hunger.launched([500]);
    for (let turn = 0; turn < 9; turn++) hunger.declinedScraps(0, 0);
    assert.equal(hunger.state, 'hungry');
  });

  test('does not count while an offer is held for long, until that is settled', () => {
    const hunger = new Hunger();
    hunger.offered(0);
    hunger.offered(3000);
    assert.deepEqual([hunger.wants(4999), hunger.wants(5000)], [true, false]);
    hunger.settled();
    assert.equal(hunger.wants(9000), true);
  });
});
