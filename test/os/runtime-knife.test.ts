import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once as event } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { openNodeNamespace, removeEverything } from '#node/runtime';
import { busyboxLayer, dockerArchive, leftovers, once, openFixture } from './runtime-kit.ts';
import type { Fixture } from './runtime-kit.ts';

// Entering a mount namespace changes the working folder to its root.
const starter = resolve('test/os/runtime-starter.ts');

/** Starts an agent inside the node's namespace, as the supervisor does, and kills it after `afterMs`. */
async function killedAfter(fixture: Fixture, afterMs: number): Promise<void> {
  const { prefix } = await openNodeNamespace(fixture.options.runDir);
  const { clock: _clock, logger: _logger, ...plain } = fixture.options;
  const argv = [...prefix, process.execPath, starter, JSON.stringify(plain)];
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = event(child, 'exit');
  await Promise.race([event(child.stdout, 'data'), ended]);
  assert.equal(child.exitCode, null, 'the agent runs');
  await new Promise((done) => setTimeout(done, afterMs));
  child.kill('SIGKILL');
  await ended;
}

async function opened(): Promise<Fixture> {
  const fixture = await openFixture();
  const archive = await dockerArchive({ name: 'box:1', layers: [await busyboxLayer()] });
  await fixture.runtime.images.load(once(archive));
  return fixture;
}

test('after the agent was killed at any moment, what it had started runs on, whole', async () => {
  const fixture = await opened();
  try {
    let known = 0;
    // The later moments are for a busy machine, where the first ones come before anything is there.
    for (const afterMs of [5, 20, 35, 60, 90, 400, 1500]) {
      if (afterMs > 90 && known > 0) break;
      // One agent at a time: this one would prepare sandboxes beside the other.
      await fixture.runtime[Symbol.asyncDispose]();
      await killedAfter(fixture, afterMs);
      const runtime = await fixture.reopen();
      const containers = runtime.containers();
      assert.ok(containers.length >= known);
      known = containers.length;
      for (const { state, pid, id, sandboxId } of containers) {
        assert.ok(state === 'running' || state === 'created', `${id} is ${state}`);
        assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Name:\s+(sleep|busybox|crun)/);
        const sandbox = runtime.sandboxes().find((one) => one.id === sandboxId);
        assert.equal(sandbox?.state, 'ready');
      }
      const ips = runtime.sandboxes().map((sandbox) => sandbox.ip);
      assert.equal(new Set(ips).size, ips.length, 'no address is given twice');
      for (const sandbox of runtime.sandboxes())
        if (!containers.some((container) => container.sandboxId === sandbox.id))
          await runtime.removeSandbox(sandbox.id);
    }
    assert.ok(known > 0);
  } finally {
    await fixture[Symbol.asyncDispose]();
  }
  assert.deepEqual(leftovers(fixture), []);
});

test('removal after a kill in the middle of starts leaves the host as it was', async () => {
  for (const afterMs of [3, 15, 28, 41, 64]) {
    const fixture = await opened();
    await fixture.runtime[Symbol.asyncDispose]();
    await killedAfter(fixture, afterMs);
    const { bridge } = fixture.options.network;
    await removeEverything({ ...fixture.options, bridge });
    await removeEverything({ ...fixture.options, bridge });
    assert.deepEqual(leftovers(fixture), [], `killed after ${afterMs} ms`);
    await fixture[Symbol.asyncDispose]();
  }
});

test('a removed run folder and a lost namespace end as containers that are gone, not as an error', async () => {
  const fixture = await opened();
  try {
    await fixture.runtime[Symbol.asyncDispose]();
    await killedAfter(fixture, 400);
    await removeEverything({ ...fixture.options, bridge: undefined, keepData: true });
    const runtime = await fixture.reopen();
    assert.ok(runtime.containers().length > 0);
    for (const container of runtime.containers()) {
      assert.equal(container.state, 'exited');
      await runtime.removeContainer(container.id);
    }
    for (const sandbox of runtime.sandboxes()) {
      assert.equal(sandbox.state, 'notReady');
      await runtime.removeSandbox(sandbox.id);
    }
  } finally {
    await fixture[Symbol.asyncDispose]();
  }
  assert.deepEqual(leftovers(fixture), []);
});
