import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimClock } from './clock.ts';
import { seededRandom } from './random.ts';

test('advance() runs timers in the order of their time, then of their age', async () => {
  const clock = createSimClock(1000);
  const seen: string[] = [];
  const note = (what: string) => () => seen.push(`${what}@${clock.nowMs()}`);
  clock.after(30, note('c'));
  clock.after(10, note('a'));
  clock.after(10, note('b'));
  clock.after(50, note('late'));
  await clock.advance(40);
  assert.deepEqual(seen, ['a@1010', 'b@1010', 'c@1030']);
  assert.equal(clock.nowMs(), 1040);
  assert.equal(clock.monotonicMs(), 40);
  assert.equal(clock.pendingTimers, 1);
});

test('advance() runs what a timer sets going before it moves on', async () => {
  const clock = createSimClock(0);
  const seen: number[] = [];
  const loop = async (): Promise<void> => {
    for (let round = 0; round < 3; round++) {
      await clock.sleep(10);
      seen.push(clock.nowMs());
    }
  };
  const running = loop();
  await clock.runUntilIdle();
  await running;
  assert.deepEqual(seen, [10, 20, 30]);
});

test('a cancelled timer and an aborted sleep never run', async () => {
  const clock = createSimClock(0);
  let ran = false;
  const cancel = clock.after(5, () => {
    ran = true;
  });
  cancel();
  cancel();
  const ending = new AbortController();
  const slept = clock.sleep(5, ending.signal);
  ending.abort(new Error('enough'));
  await assert.rejects(slept, /enough/);
  await clock.runUntilIdle();
  assert.equal(ran, false);
  assert.equal(clock.pendingTimers, 0);
});

test('a thousand timers in any order run in order', async () => {
  const clock = createSimClock(0);
  const random = seededRandom(7);
  const seen: number[] = [];
  for (let made = 0; made < 1000; made++) {
    const delayMs = random.below(500);
    const cancel = clock.after(delayMs, () => seen.push(delayMs));
    if (random.chance(20)) cancel();
  }
  const live = clock.pendingTimers;
  await clock.runUntilIdle();
  assert.equal(seen.length, live);
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
});

test('seededRandom() replays from its seed and differs between seeds', () => {
  const draw = (seed: number) =>
    Array.from(
      { length: 20 },
      (
        (r) => () =>
          r.below(1000)
      )(seededRandom(seed)),
    );
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
  const random = seededRandom(1);
  const counts = [0, 0, 0, 0];
  for (let draws = 0; draws < 4000; draws++) {
    const at = random.below(4);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  for (const count of counts)
    assert(count > 900 && count < 1100, `evenly spread: ${counts.join()}`);
  assert.match(
    random.uuid(),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.deepEqual(new Set(random.shuffled([1, 2, 3, 4, 5])), new Set([1, 2, 3, 4, 5]));
});
