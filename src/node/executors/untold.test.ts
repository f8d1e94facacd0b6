import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimClock } from '#sim';
import { Untold } from './untold.ts';

test('Other work waits until every end is told, also one that is noted in the same turn', async () => {
  const clock = createSimClock();
  const untold = new Untold(clock);
  let over = false;
  const waiting = untold.none().then(() => (over = true));
  untold.add('a');
  untold.add('b');
  await clock.advance(50);
  {
    using _telling = untold.telling('a');
  }
  await clock.advance(50);
  assert.equal(over, false);
  {
    using _telling = untold.telling('b');
  }
  // More may be about to end: they come first too.
  await clock.advance(10);
  untold.add('c');
  await clock.advance(50);
  assert.equal(over, false);
  {
    using _telling = untold.telling('c');
  }
  await clock.advance(50);
  await waiting;
});

test('What ends while its task is being looked at stays untold, and nobody waits for ever', async () => {
  const clock = createSimClock();
  const untold = new Untold(clock);
  {
    using _telling = untold.telling('a');
    untold.add('a');
  }
  let over = false;
  const waiting = untold.none().then(() => (over = true));
  await clock.advance(150);
  assert.equal(over, false);
  await clock.advance(100);
  await waiting;
});
