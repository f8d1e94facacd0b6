import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaceReply } from '#base';
import { StatusError } from '#machinery';
import { inProcessRequest } from '#mesos/protocol';
import type { ExecutorEvent, TaskState } from '#mesos/protocol';
import { RecordDecoder } from '#wire';
import { pods } from './names.ts';
import { worldWith } from './test-world.test.ts';
import type { Launch, World } from './test-world.test.ts';

const json = { 'content-type': 'application/json', accept: 'application/json' };
const names = { framework_id: { value: 'F1' }, executor_id: { value: 'ex' } };

/** A custom executor that speaks JSON. */
class Client {
  readonly world: World;
  readonly events: ExecutorEvent[] = [];
  readonly #gone = new AbortController();
  closed = false;
  #made = 0;

  constructor(world: World) {
    this.world = world;
  }

  async call(body: object): Promise<FaceReply> {
    const face = this.world.agent?.face;
    assert(face !== undefined);
    const text = JSON.stringify({ ...names, ...body });
    const request = inProcessRequest({
      path: '/slave(1)/api/v1/executor',
      method: 'POST',
      headers: json,
      body: text,
      signal: this.#gone.signal,
    });
    return face(request);
  }

  async subscribe(body: object = {}): Promise<FaceReply> {
    const reply = await this.call({ type: 'SUBSCRIBE', subscribe: body });
    const { body: stream } = reply;
    if (typeof stream !== 'function') return reply;
    const decoder = new RecordDecoder({ recordBytesMax: 1e6 });
    const write = (chunk: Uint8Array): boolean => {
      for (const record of decoder.push(chunk))
        this.events.push(JSON.parse(Buffer.from(record).toString()));
      return true;
    };
    const sink = { write, backlogBytes: 0, drained: () => Promise.resolve() };
    void stream(sink, this.#gone.signal).then(() => {
      this.closed = true;
    });
    return reply;
  }

  hangUp(): void {
    this.#gone.abort();
  }

  async update(task: string, state: TaskState, more: object = {}): Promise<FaceReply> {
    const uuid = Buffer.from(`4000-4000-4${String(this.#made++).padStart(5, '0')}`).toString(
      'base64',
    );
    const status = { task_id: { value: task }, state, uuid, source: 'SOURCE_EXECUTOR', ...more };
    return this.call({ type: 'UPDATE', update: { status } });
  }

  types(): string[] {
    return this.events.map(({ type }) => type ?? '');
  }
}

function custom(): Required<Launch> {
  return {
    spec: { execution: 'Custom', executorID: 'ex', podName: 'pod-ex', container: 'executor' },
    task: { executor: { executor_id: { value: 'ex' }, command: { value: './run' } } },
  };
}

/** Tasks of one executor; only the Pod has a container. */
async function launch(world: World, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const { spec, task } = custom();
    await world.launch(id, { spec, task });
    const pod = world.pod('pod-ex');
    if (pod === undefined || pod.spec.containers.length === 1) continue;
    const containers = pod.spec.containers.slice(0, 1);
    await world.api.update(pods, { ...pod, spec: { ...pod.spec, containers } });
  }
}

test('A custom executor runs ten tasks: subscribed, launched, told of, acknowledged', async () => {
  const world = await worldWith(() => ({}));
  const ids = Array.from({ length: 10 }, (_, index) => `t${index}`);
  await launch(world, ...ids);
  await world.run(100);
  const client = new Client(world);
  const reply = await client.subscribe();
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['Content-Type'], 'application/json');
  await world.run(100);
  assert.deepEqual(client.types(), ['SUBSCRIBED', ...ids.map(() => 'LAUNCH')]);
  const [subscribed] = client.events;
  assert.equal(subscribed?.subscribed?.container_id?.value, world.pod('pod-ex')?.metadata.uid);
  for (const id of ids) {
    assert.equal((await client.update(id, 'TASK_RUNNING')).status, 202);
    assert.equal((await client.update(id, 'TASK_FINISHED', { data: 'aGk=' })).status, 202);
  }
  await world.run(1000);
  for (const id of ids) {
    assert.deepEqual(world.states(id), ['TASK_RUNNING', 'TASK_FINISHED']);
    assert.equal(world.last(id)?.data, 'aGk=');
    assert.equal(world.last(id)?.source, 'SOURCE_EXECUTOR');
  }
  assert.equal(client.types().filter((type) => type === 'ACKNOWLEDGED').length, 20);
  world.crash();
});

test('What the server cannot take just now is stored once it can, in order', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1');
  await world.run(100);
  const client = new Client(world);
  await client.subscribe();
  await world.run(100);
  const { update } = world.api;
  world.api.update = () => Promise.reject(new StatusError('ServiceUnavailable', 'away'));
  await client.update('t1', 'TASK_RUNNING');
  await world.clock.advance(2000);
  world.api.update = update;
  await client.update('t1', 'TASK_FINISHED');
  await world.run(10_000);
  assert.deepEqual(world.states('t1'), ['TASK_RUNNING', 'TASK_FINISHED']);
  assert.equal(client.types().filter((type) => type === 'ACKNOWLEDGED').length, 2);
  world.crash();
});

test('A status that comes twice is acknowledged twice and told once', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1');
  await world.run(100);
  const client = new Client(world);
  await client.subscribe();
  const uuid = Buffer.from('01234567-8901-4234-8567-890123456789'.replaceAll('-', ''), 'hex');
  const status = {
    task_id: { value: 't1' },
    state: 'TASK_RUNNING',
    source: 'SOURCE_EXECUTOR',
    uuid: uuid.toString('base64'),
  };
  const update = { status };
  for (let turn = 0; turn < 2; turn++) {
    const reply = await client.call({ type: 'UPDATE', update });
    assert.equal(reply.status, 202);
    await world.run(200);
  }
  assert.deepEqual(world.states('t1'), ['TASK_RUNNING']);
  assert.equal(client.types().filter((type) => type === 'ACKNOWLEDGED').length, 2);
  world.crash();
});

test('KILL goes to the executor once it has the task, and again after it came back', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1', 't2');
  await world.run(100);
  const first = new Client(world);
  await first.subscribe();
  await world.run(100);
  await world.kill('t1', 2000);
  await world.run(200);
  const kill = first.events.find(({ type }) => type === 'KILL')?.kill;
  assert.equal(kill?.task_id.value, 't1');
  assert.equal(kill?.kill_policy?.grace_period?.nanoseconds, 2e9);
  first.hangUp();
  await world.run(100);
  const again = new Client(world);
  const tasks = [world.task('t1').spec.task, world.task('t2').spec.task];
  await again.subscribe({ unacknowledged_tasks: tasks });
  await world.run(200);
  assert.deepEqual(again.types(), ['SUBSCRIBED', 'KILL']);
  world.crash();
});

test('What was handed over and is unknown to the executor that came back is dropped', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1', 't2');
  await world.run(100);
  const first = new Client(world);
  await first.subscribe();
  await world.run(100);
  world.crash();
  await world.start();
  const again = new Client(world);
  await again.subscribe({ unacknowledged_tasks: [world.task('t1').spec.task] });
  await world.run(300);
  assert.deepEqual(world.states('t1'), []);
  assert.equal(world.last('t2')?.state, 'TASK_LOST');
  assert.equal(world.last('t2')?.reason, 'REASON_AGENT_RESTARTED');
  assert.deepEqual(again.types(), ['SUBSCRIBED'], 'nothing is handed over twice');
  world.crash();
});

test('An executor that never subscribes is ended after a minute', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1');
  await world.run(59_000);
  assert.deepEqual(world.states('t1'), []);
  await world.run(3000);
  assert.equal(world.last('t1')?.reason, 'REASON_EXECUTOR_REGISTRATION_TIMEOUT');
  assert.equal(world.last('t1')?.message, 'Executor did not register within 1mins');
  world.crash();
});

test('An executor that does not come back to a restarted agent is ended', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1');
  await world.run(100);
  const client = new Client(world);
  await client.subscribe();
  await world.run(100);
  await client.update('t1', 'TASK_RUNNING');
  await world.run(100);
  world.crash();
  await world.start();
  await world.run(20_000);
  assert.equal(world.last('t1')?.reason, 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT');
  assert.equal(world.last('t1')?.state, 'TASK_LOST');
  world.crash();
});

test('What an executor leaves when it ends has failed', async () => {
  const world = await worldWith(() => ({ exitAfterMs: 3000, exitCode: 1 }));
  await launch(world, 't1', 't2');
  await world.run(100);
  const client = new Client(world);
  await client.subscribe();
  await world.run(100);
  await client.update('t1', 'TASK_RUNNING');
  await client.update('t2', 'TASK_RUNNING');
  await client.update('t2', 'TASK_FINISHED');
  await world.run(4000);
  assert.deepEqual(world.states('t2'), ['TASK_RUNNING', 'TASK_FINISHED']);
  assert.equal(world.last('t1')?.state, 'TASK_FAILED');
  assert.equal(world.last('t1')?.reason, 'REASON_EXECUTOR_TERMINATED');
  assert.equal(world.last('t1')?.message, 'Executor terminated');
  world.crash();
});

test('SHUTDOWN is an event, a grace, and then the end of the container', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1');
  await world.run(100);
  const client = new Client(world);
  await client.subscribe();
  await world.run(100);
  assert.equal(
    world.agent?.message({ frameworkID: 'F1', executorID: 'ex', agentID: 'A1', data: 'aGk=' }),
    true,
  );
  assert.equal(world.agent?.shutdown('F1', 'ex'), true);
  await world.run(200);
  assert.deepEqual(client.types().slice(-2), ['MESSAGE', 'SHUTDOWN']);
  await world.run(6000);
  assert.equal(world.last('t1')?.reason, 'REASON_EXECUTOR_TERMINATED');
  assert.equal(client.closed, true);
  world.crash();
});

const refusals: readonly (readonly [string, object, number, string])[] = [
  ['without a type', {}, 400, "Failed to validate Executor::Call: Expecting 'type' to be present"],
  [
    'of an unknown framework',
    { type: 'SUBSCRIBE', subscribe: {}, framework_id: { value: 'x' } },
    400,
    'Framework cannot be found',
  ],
  [
    'of an unknown executor',
    { type: 'SUBSCRIBE', subscribe: {}, executor_id: { value: 'x' } },
    400,
    'Executor cannot be found',
  ],
  [
    'of one that is not subscribed',
    { type: 'MESSAGE', message: { data: '' } },
    403,
    'Executor is not subscribed',
  ],
  [
    'that tells TASK_STAGING',
    {
      type: 'UPDATE',
      update: {
        status: {
          task_id: { value: 't' },
          state: 'TASK_STAGING',
          source: 'SOURCE_EXECUTOR',
          uuid: 'AAAAAAAAQACAAAAAAAAAAA==',
        },
      },
    },
    400,
    'Failed to validate Executor::Call: Received TASK_STAGING from executor ex of framework F1 which is not allowed',
  ],
];
test('Calls that executors may not make are refused in the reference’s words', async () => {
  const world = await worldWith(() => ({}));
  await launch(world, 't1');
  await world.run(100);
  const client = new Client(world);
  for (const [name, body, status, text] of refusals) {
    const reply = await client.call(body);
    const said = reply.body instanceof Uint8Array ? Buffer.from(reply.body).toString() : '';
    assert.deepEqual([reply.status, said], [status, text], `a call ${name}`);
  }
  world.crash();
});
