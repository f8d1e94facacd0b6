import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '#machinery';
import { appInstances } from '#mesos/kinds';
import { createWorld } from '../fixture.test.ts';
import type { CommitOp } from './options.ts';
import { createObjectWriter } from './writer.ts';

function object(name: string): { apiVersion: string; kind: string; metadata: { name: string } } {
  return { apiVersion: 'marathon.tandem.dev/v1', kind: 'AppInstance', metadata: { name } };
}

function nameOf(op: CommitOp): string {
  return `${op.op} ${op.op === 'delete' ? op.target.name : (op.object.metadata.name ?? '')}`;
}

test('What changes while a commit is under way goes into the next, each object once', async () => {
  const commits: string[][] = [];
  const writer = createObjectWriter({
    resource: appInstances,
    namespace: 'n',
    failed: (error) => assert.fail(String(error)),
    retried: (error) => assert.fail(String(error)),
    commit: async (ops) => {
      commits.push(ops.map(nameOf));
      await new Promise((resolve) => setImmediate(resolve));
      return [];
    },
  });
  const first = writer.put('a', object('a'));
  await Promise.resolve();
  await Promise.resolve();
  const later = [
    writer.put('a', object('a')),
    writer.put('b', object('b')),
    writer.put('a', object('a')),
  ];
  await first;
  await Promise.all(later);
  await writer.remove('b');
  await writer.remove('never');
  assert.deepEqual(commits, [['create a'], ['update a', 'create b'], ['delete b']]);
});

test('One object that cannot be written does not keep the others from it', async () => {
  const failed: unknown[] = [];
  const written: string[] = [];
  const writer = createObjectWriter({
    resource: appInstances,
    namespace: 'n',
    failed: (error) => failed.push(error),
    retried: () => undefined,
    commit: async (ops) => {
      const names = ops.map(nameOf);
      if (names.some((name) => name.endsWith(' bad'))) throw new StatusError('Invalid', 'bad');
      // Somebody made it behind our back.
      if (names.includes('create known')) throw new StatusError('AlreadyExists', 'known');
      written.push(...names);
      return [];
    },
  });
  const bad = writer.put('bad', object('bad'));
  const others = [writer.put('good', object('good')), writer.put('known', object('known'))];
  await assert.rejects(bad);
  await Promise.all(others);
  assert.deepEqual(written, ['create good', 'update known']);
  assert.equal(failed.length, 1);
});

test('A Marathon that cannot write begins again from what is stored', async () => {
  const world = await createWorld();
  const app = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 2 };
  await world.ask('POST', '/v2/apps', app);
  const { writeMany } = world.store;
  let refuses = true;
  world.store.writeMany = async (groups) => {
    const names = JSON.stringify(groups);
    if (!refuses || !names.includes('AppInstance')) return writeMany.call(world.store, groups);
    return [{ ok: false, error: new StatusError('InternalError', 'disk full') }];
  };
  const [taskID = ''] = world.master.tasks.keys();
  world.master.report(taskID, 'TASK_FAILED');
  await world.settle();
  refuses = false;
  await world.clock.advance(30_000);
  await world.settle();
  const { app: shown } = await world.ask('GET', '/v2/apps/sleep');
  assert.equal((shown as { tasksRunning: number }).tasksRunning, 2);
  assert.equal(world.master.live.length, 2);
  await world.stop();
});
