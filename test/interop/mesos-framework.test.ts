/**
 * The npm package mesos-framework 0.5.3, unmodified, and raw RecordIO over sockets, against the
 * master's face with a core that only plays the part; mesos-cluster.test.ts has real tasks.
 */
import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { before, test } from 'node:test';
import { silentLogger } from '#base';
import { serve, systemClock, systemRandom } from '#io';
import { createMasterFace } from '#mesos/master';
import type { Offer, SchedulerCall, SchedulerEvent, Subscriber } from '#mesos/protocol';
import { RecordDecoder } from '#wire';
import { installMesosFramework, runMesosFramework } from './mesos-package.ts';
import { FakeMaster, codec, scalar } from '../../src/mesos/master/face/fixture.test.ts';

before(installMesosFramework);

const uuid = 'AAAAAAAAQACAAAAAAAAAAA==';

/** Offers one machine, runs what is accepted, kills what is to be killed. */
class PlayedMaster extends FakeMaster {
  readonly seen: string[] = [];

  constructor() {
    super();
    this.react = (call, subscriber) => {
      this.seen.push(describe(call));
      const { type } = call;
      if (type === 'ACCEPT') for (const event of updates(call)) subscriber.event(event);
      if (type === 'KILL') subscriber.event(update(call.kill?.task_id.value ?? '', 'TASK_KILLED'));
      if (type === 'TEARDOWN') subscriber.closed();
    };
    const { subscribe } = this.link;
    this.link.subscribe = async (call, subscriber) => {
      const connection = await subscribe(call, subscriber);
      subscriber.event(offers(connection.frameworkID));
      return connection;
    };
  }
}

function describe(call: SchedulerCall): string {
  const states = call.acknowledge?.uuid ?? '';
  return `${call.type ?? ''} ${states}`.trim();
}

function offers(frameworkID: string): SchedulerEvent {
  const offer: Offer = {
    id: { value: 'm-O0' },
    framework_id: { value: frameworkID },
    agent_id: { value: 'm-S0' },
    hostname: 'nöde',
    url: { scheme: 'http', address: { ip: '10.0.0.1', port: 5051 }, path: '/slave(1)' },
    resources: [
      scalar('cpus', 2),
      scalar('mem', 512),
      scalar('disk', 100),
      { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 31_000, end: 31_010 }] } },
    ],
  };
  return { type: 'OFFERS', offers: { offers: [offer] } };
}

function updates(call: SchedulerCall): SchedulerEvent[] {
  const [operation] = call.accept?.operations ?? [];
  const [task] = operation?.launch?.task_infos ?? [];
  const ports = task?.resources?.find(({ name }) => name === 'ports');
  assert.deepEqual(ports?.ranges?.range, [{ begin: 31_000, end: 31_000 }]);
  assert.equal(task?.command?.value, 'sleep 600');
  return [update(task.task_id.value, 'TASK_RUNNING')];
}

function update(taskID: string, state: 'TASK_RUNNING' | 'TASK_KILLED'): SchedulerEvent {
  const status = { task_id: { value: taskID }, state, agent_id: { value: 'm-S0' }, uuid } as const;
  return { type: 'UPDATE', update: { status } };
}

async function served(master: FakeMaster): Promise<Awaited<ReturnType<typeof serve>>> {
  const face = createMasterFace({
    master,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    address: { hostname: 'localhost', ip: '127.0.0.1', port: 0 },
    version: '1.11.0',
  });
  return await serve({ face, host: '127.0.0.1', port: 0, clock: systemClock });
}

test('mesos-framework 0.5.3 subscribes, launches, acknowledges, kills and tears down', async () => {
  const master = new PlayedMaster();
  await using server = await served(master);
  assert.deepEqual(await runMesosFramework(server.port), [
    'accepted',
    'acknowledged',
    'acknowledged',
    'heartbeat',
    'subscribed 36',
    'torn down',
  ]);
  const calls = master.seen.toSorted();
  assert.deepEqual(calls, [
    'ACCEPT',
    `ACKNOWLEDGE ${uuid}`,
    `ACKNOWLEDGE ${uuid}`,
    'KILL',
    'TEARDOWN',
  ]);
});

/** What a raw client got: status, headers, and the records of the stream one after the other. */
class RawStream {
  readonly response: IncomingMessage;
  readonly #records: Uint8Array[] = [];
  readonly #decoder = new RecordDecoder({ recordBytesMax: 1e6 });
  #wake: (() => void) | undefined;
  readonly ended: Promise<void>;

  constructor(response: IncomingMessage) {
    this.response = response;
    this.ended = new Promise((resolve) => {
      response.once('close', resolve);
    });
    response.on('data', (chunk: Buffer) => {
      this.#records.push(...this.#decoder.push(chunk));
      this.#wake?.();
    });
    response.on('error', () => this.#wake?.());
  }
  async event(): Promise<SchedulerEvent> {
    while (this.#records.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return codec.decodeProtobuf('scheduler.Event', this.#records.shift() ?? new Uint8Array(0));
  }
}

async function post(
  port: number,
  body: Uint8Array,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  return await new Promise((done, fail) => {
    const call = request(
      { host: '127.0.0.1', port, path: '/api/v1/scheduler', method: 'POST', headers },
      done,
    );
    call.on('error', fail);
    call.end(body);
  });
}

test('A raw client speaks protobuf over RecordIO', async () => {
  const master = new PlayedMaster();
  await using server = await served(master);
  const type = 'application/x-protobuf';
  const headers = { 'Content-Type': type, Accept: type };
  const framework_info = { user: 'root', name: 'raw', roles: ['*'] };
  const call = codec.encodeProtobuf('scheduler.Call', {
    type: 'SUBSCRIBE',
    subscribe: { framework_info },
  });
  const response = await post(server.port, call, headers);
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], type);
  assert.equal(response.headers['transfer-encoding'], 'chunked');
  const streamID = String(response.headers['mesos-stream-id']);
  const stream = new RawStream(response);
  assert.equal((await stream.event()).type, 'SUBSCRIBED');
  assert.equal((await stream.event()).type, 'HEARTBEAT');
  const offered = await stream.event();
  assert.equal(offered.offers?.offers?.[0]?.hostname, 'nöde');
  const revive = codec.encodeProtobuf('scheduler.Call', {
    type: 'REVIVE',
    framework_id: { value: 'f-0' },
  });
  const taken = await post(server.port, revive, { ...headers, 'Mesos-Stream-Id': streamID });
  assert.equal(`${taken.statusCode} ${taken.headers['content-length']}`, '202 0');
  taken.resume();
  master.react = (_: SchedulerCall, subscriber: Subscriber) => subscriber.closed();
  const last = await post(server.port, revive, { ...headers, 'Mesos-Stream-Id': streamID });
  last.resume();
  await stream.ended;
});

for (const framing of ['content-length', 'chunked'] as const) {
  test(`A client with a ${framing} body that does not read is cut off`, async () => {
    const master = new PlayedMaster();
    await using server = await served(master);
    const body = JSON.stringify({
      type: 'SUBSCRIBE',
      subscribe: { framework_info: { user: 'root', name: 'deaf', roles: ['*'] } },
    });
    const framed =
      framing === 'chunked'
        ? `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
        : `Content-Length: ${body.length}\r\n\r\n${body}`;
    const socket = connect(server.port, '127.0.0.1');
    const broken = new Promise((resolve) => {
      socket.once('close', resolve);
      socket.on('error', resolve);
    });
    socket.pause();
    socket.write(
      `POST /api/v1/scheduler HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${framed}`,
    );
    while (master.subscribers.size === 0) await setTimeout(5);
    const event = { type: 'ERROR', error: { message: 'x'.repeat(1_000_000) } } as const;
    for (let count = 0; count < 200 && master.closed === 0; count++) {
      master.subscribers.get('f-0')?.event(event);
      await setTimeout(1);
    }
    assert.equal(master.closed, 1);
    socket.resume();
    await broken;
  });
}
