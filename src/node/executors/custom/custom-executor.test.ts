import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '#mesos/kinds';
import { createSimClock } from '#sim';
import { FakeSandboxFiles } from '../fake-files.ts';
import type { World } from '../world.ts';
import { CustomExecutor } from './custom-executor.ts';

test('Tasks that are handed over at once are all noted', async () => {
  const options = { files: new FakeSandboxFiles(), clock: createSimClock() };
  // Nothing else of the world is looked at.
  const world = { options } as unknown as World;
  const of = { podUid: 'p1', frameworkID: 'F1', executorID: 'ex', notesDir: '/notes' };
  const executor = new CustomExecutor(world, of);
  const tasks = ['t1', 't2', 't3'].map(
    (uid) => ({ metadata: { uid }, spec: { taskID: uid, task: {} } }) as unknown as Task,
  );
  await executor.notes();
  await Promise.all(tasks.map((task) => executor.launch([task])));
  const next = new CustomExecutor(world, of);
  for (const task of tasks) {
    assert.equal(await executor.wasSent(task), true);
    assert.equal(await next.wasSent(task), true, 'also for the next agent');
  }
});
