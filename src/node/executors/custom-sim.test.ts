import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessRequest } from '#mesos/protocol';
import type { ExecutorEvent, TaskInfo, TaskState } from '#mesos/protocol';
import { seedsFromEnvironment } from '#sim';
import { RecordDecoder } from '#wire';
import { pods } from './names.ts';
import { World } from './test-world.test.ts';

/** A well-behaved executor: subscribes again whenever its stream breaks, and forgets nothing. */
class SimExecutor {
  readonly #world: World;
  readonly runs = new Map<string, number>();
  readonly #tasks = new Map<string, TaskInfo>();
  readonly #updates = new Map<string, object>();
  #connection: AbortController | undefined;
  #alive = true;

  constructor(world: World) {
    this.#world = world;
    void this.#loop();
  }

  die(): void {
    this.#alive = false;
    this.#connection?.abort();
  }
  /** The agent died: its streams break. */
  cut(): void {
    this.#connection?.abort();
  }

  async #loop(): Promise<void> {
    while (this.#alive) {
      const connection = new AbortController();
      this.#connection = connection;
      await Promise.race([this.#subscribe(connection.signal), broken(connection.signal)]);
      await this.#world.clock.sleep(50 + this.#world.random.below(200));
    }
  }

  async #call(body: object, signal: AbortSignal): ReturnType<NonNullable<World['agent']>['face']> {
    const face = this.#world.agent?.face;
    assert(face !== undefined);
    const names = { framework_id: { value: 'F1' }, executor_id: { value: 'ex' } };
    return face(
      inProcessRequest({
        path: '/api/v1/executor',
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ ...names, ...body }),
        signal,
      }),
    );
  }

  async #subscribe(signal: AbortSignal): Promise<void> {
    const subscribe = {
      unacknowledged_tasks: [...this.#tasks.values()],
      unacknowledged_updates: [...this.#updates.values()].map((status) => ({ status })),
    };
    const reply = await this.#call({ type: 'SUBSCRIBE', subscribe }, signal);
    if (typeof reply.body !== 'function' || reply.status !== 200) return;
    const decoder = new RecordDecoder({ recordBytesMax: 1e6 });
    const write = (chunk: Uint8Array): boolean => {
      if (!signal.aborted)
        for (const record of decoder.push(chunk))
          this.#heed(JSON.parse(Buffer.from(record).toString()), signal);
      return true;
    };
    await reply.body({ write, backlogBytes: 0, drained: () => Promise.resolve() }, signal);
  }

  #heed(event: ExecutorEvent, signal: AbortSignal): void {
    const { launch, kill, acknowledged } = event;
    if (launch !== undefined) void this.#run(launch.task);
    if (kill !== undefined && this.#tasks.has(kill.task_id.value))
      this.#end(kill.task_id.value, 'TASK_KILLED');
    if (acknowledged !== undefined) this.#updates.delete(acknowledged.uuid);
    if (event.type === 'SHUTDOWN') this.die();
    assert(!signal.aborted);
  }

  async #run(task: TaskInfo): Promise<void> {
    const id = task.task_id.value;
    this.runs.set(id, (this.runs.get(id) ?? 0) + 1);
    this.#tasks.set(id, task);
    this.#tell(id, 'TASK_RUNNING');
    await this.#world.clock.sleep(this.#world.random.below(1500));
    if (this.#tasks.has(id)) this.#end(id, 'TASK_FINISHED');
  }

  #end(id: string, state: TaskState): void {
    this.#tasks.delete(id);
    this.#tell(id, state);
  }

  #tell(id: string, state: TaskState): void {
    if (!this.#alive) return;
    const bytes = Buffer.from(this.#world.random.uuid().replaceAll('-', ''), 'hex');
    const uuid = bytes.toString('base64');
    const status = { task_id: { value: id }, state, uuid, source: 'SOURCE_EXECUTOR' };
    this.#updates.set(uuid, status);
    const signal = this.#connection?.signal ?? new AbortController().signal;
    // Whatever comes of it: an update that is not acknowledged is brought with the next subscription.
    void this.#call({ type: 'UPDATE', update: { status } }, signal);
  }
}

function broken(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function launch(world: World, id: string): Promise<void> {
  const executor = { executor_id: { value: 'ex' }, command: { value: './run' } };
  const spec = { execution: 'Custom', executorID: 'ex', podName: 'pod-ex' } as const;
  await world.launch(id, { spec: { ...spec, container: 'executor' }, task: { executor } });
  const pod = world.pod('pod-ex');
  if (pod === undefined || pod.spec.containers.length === 1) return;
  const containers = pod.spec.containers.slice(0, 1);
  await world.api.update(pods, { ...pod, spec: { ...pod.spec, containers } });
}

async function simulate(seed: number): Promise<void> {
  const world = new World(seed);
  const { random } = world;
  await world.start();
  await launch(world, 't0');
  await world.run(100);
  const executor = new SimExecutor(world);
  const ids = ['t0'];
  for (let step = 1; step < 40; step++) {
    if (random.chance(50)) {
      const id = `t${step}`;
      ids.push(id);
      await launch(world, id);
    }
    // An executor whose only task is killed before it subscribes is shut down, as it should be.
    if (random.chance(20) && ids.length > 1) await world.kill(random.pick(ids.slice(1)));
    if (random.chance(25)) {
      await world.clock.advance(random.below(12));
      world.crash();
      executor.cut();
      await world.clock.advance(random.below(400));
      await world.start();
      // Who called the dead one gets no answer, and calls again.
      executor.cut();
    }
    await world.run(50 * random.below(5));
  }
  await world.run(5000);
  executor.die();
  world.machine.end(world.containerOf('executor'), 0);
  await world.run(2000);
  for (const id of ids) {
    const life = world.states(id).join(',');
    assert.match(life, /^(TASK_RUNNING,)?(TASK_FINISHED|TASK_KILLED|TASK_LOST)$/, id);
    assert((executor.runs.get(id) ?? 0) <= 1, `${id} ran once at most`);
    // Dropped is only what never ran.
    if (life === 'TASK_LOST') assert.equal(executor.runs.get(id), undefined, `${id} never ran`);
  }
  world.crash();
}

test('Whenever the agent dies, an executor’s tasks run once and are told of to their end', async () => {
  for (const seed of seedsFromEnvironment(8)) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
