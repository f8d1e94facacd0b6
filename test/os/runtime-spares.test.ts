import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { leftovers, openFixture, sandboxSpec, until } from './runtime-kit.ts';
import type { Fixture } from './runtime-kit.ts';

const never = new AbortController().signal;

/** Ids of connected sandboxes that are no Pod's yet. */
function sparesOf({ options }: Fixture): readonly string[] {
  const folder = join(options.dataDir, 'sandboxes');
  return readdirSync(folder).filter((id) =>
    readFileSync(join(folder, id, 'record.json'), 'utf8').includes('"state":"spare"'),
  );
}
const ready = (fixture: Fixture) =>
  until('spares', () => {
    const spares = sparesOf(fixture);
    return spares.length === 2 && spares;
  });

test('sandboxes are prepared in quiet moments, taken by Pods, kept for the next agent', async () => {
  const fixture = await openFixture();
  try {
    const spares = await ready(fixture);
    assert.deepEqual(fixture.runtime.sandboxes(), []);
    const runtime = await fixture.reopen();
    assert.deepEqual(sparesOf(fixture).toSorted(), spares.toSorted());
    const taken = await Promise.all(
      [0, 1, 2].map(() => runtime.createSandbox(sandboxSpec(), never)),
    );
    assert.equal(taken.filter(({ id }) => spares.includes(id)).length, 2);
    assert.equal(new Set(taken.map(({ ip }) => ip)).size, 3);
    for (const { ip } of taken) execFileSync('busybox', ['ping', '-c', '1', '-W', '2', ip]);
    // Pods that share a namespace with the host cannot take one.
    await ready(fixture);
    const host = await runtime.createSandbox(sandboxSpec({ hostNetwork: true }), never);
    assert.equal(host.ip, '');
    assert.equal(sparesOf(fixture).length, 2);
  } finally {
    await fixture[Symbol.asyncDispose]();
  }
  assert.deepEqual(leftovers(fixture), []);
});
