import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Sink } from '#base';
import type { Task } from '#mesos/kinds';
import { createSimClock } from '#sim';
import { TaskFeed, TaskFollower } from './task-feed.ts';

function task(name: string, state: Task['status']['state'] = 'TASK_RUNNING'): Task {
  const id = { value: name };
  return {
    apiVersion: 'mesos.tandem.dev/v1',
    kind: 'Task',
    metadata: { name, namespace: 'f' },
    spec: {
      frameworkID: 'F',
      taskID: name,
      agentID: 'A',
      nodeName: 'n1',
      executorID: name,
      execution: 'Command',
      podName: name,
      task: {
        name,
        task_id: id,
        agent_id: id,
        command: { value: 'x', environment: { variables: [{ name: 'SECRET', value: 'sesame' }] } },
      },
    },
    status: { state },
  } as unknown as Task;
}

/** A server with its tasks, and a pipe to one agent. */
class World {
  readonly clock = createSimClock();
  readonly tasks = new Map<string, Task>();
  readonly listeners = new Set<(key: string, task: Task | undefined) => void>();
  readonly feed = new TaskFeed(
    {
      list: () => [...this.tasks.values()],
      onChange: (listener) => {
        this.listeners.add(listener);
        return { [Symbol.dispose]: () => this.listeners.delete(listener) };
      },
    },
    this.clock,
  );
  readonly sent: string[] = [];
  readonly names = new Map<string, string>();
  readonly stop = new AbortController();
  /** Ends the stream that is open. */
  hangUp = (): void => undefined;
  readonly follower = new TaskFollower({
    open: async () => this.#open(),
    changed: (key, one) => {
      if (one === undefined) this.names.delete(key);
      else this.names.set(key, one.spec.task.name);
    },
    clock: this.clock,
    logger: silentLogger,
  });

  set(name: string, one: Task | undefined): void {
    if (one === undefined) this.tasks.delete(name);
    else this.tasks.set(name, one);
    for (const listener of this.listeners) listener(`f/${name}`, one);
  }

  async *#open(): AsyncIterable<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let wake = (): void => undefined;
    const over = new AbortController();
    const sink: Sink = {
      write: (chunk) => {
        this.sent.push(Buffer.from(chunk).toString());
        chunks.push(chunk);
        wake();
        return true;
      },
      backlogBytes: 0,
      drained: async () => undefined,
    };
    this.hangUp = () => {
      over.abort();
      wake();
    };
    const done = this.feed.body(sink, over.signal);
    while (!over.signal.aborted) {
      const chunk = chunks.shift();
      if (chunk !== undefined) yield chunk;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    await done;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test('Agents hear of tasks that run, and nothing but what names are made of', async () => {
  const at = new World();
  at.set('a', task('a'));
  at.set('b', task('b', 'TASK_STAGING'));
  const running = at.follower.run(at.stop.signal);
  await at.follower.synced;
  assert.deepEqual([...at.names.keys()], ['f/a']);
  at.set('b', task('b'));
  at.set('a', task('a', 'TASK_FINISHED'));
  at.set('c', task('c', 'TASK_FAILED'));
  await turns();
  assert.deepEqual([...at.names.keys()], ['f/b']);
  assert.equal(at.sent.length, 4, 'of a task that never ran nothing is said');
  assert.doesNotMatch(at.sent.join(''), /SECRET|sesame/);
  at.stop.abort();
  at.hangUp();
  await running;
  assert.equal(at.listeners.size, 0);
});

test('What was known stays known while the server is away, and no longer', async () => {
  const at = new World();
  at.set('a', task('a'));
  at.set('b', task('b'));
  const running = at.follower.run(at.stop.signal);
  await at.follower.synced;
  at.hangUp();
  await turns();
  at.set('a', undefined);
  at.set('c', task('c'));
  assert.deepEqual([...at.names.keys()], ['f/a', 'f/b']);
  await at.clock.advance(1000);
  await turns();
  assert.deepEqual([...at.names.keys()].toSorted(), ['f/b', 'f/c']);
  at.stop.abort();
  at.hangUp();
  await running;
});
