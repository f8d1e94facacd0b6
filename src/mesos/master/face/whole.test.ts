/** The face over the real core: a framework's life as it goes over the wire. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Face, FaceReply, HeaderMap } from '#base';
import { inProcessRequest } from '#mesos/protocol';
import type { MasterCall, MasterResponse, Offer, SchedulerCall } from '#mesos/protocol';
import { World, taskInfo } from '../core/fixture.test.ts';
import { createMasterFace } from './face.ts';
import { OpenStream, codec, shown, textOf } from './fixture.test.ts';

const json = { 'content-type': 'application/json' };
const protobuf = { 'content-type': 'application/x-protobuf', accept: 'application/x-protobuf' };

class Wire {
  readonly world: World;
  readonly face: Face;

  constructor(world: World) {
    this.world = world;
    const { clock, random, master } = world;
    const address = { hostname: 'master.example', ip: '127.0.0.1', port: 5050 };
    const options = { master, clock, random, logger: silentLogger, address, version: '1.11.0' };
    this.face = createMasterFace(options);
  }

  async post(path: string, body: Uint8Array | string, headers: HeaderMap): Promise<FaceReply> {
    const reply = this.face(inProcessRequest({ path, method: 'POST', headers, body }));
    let ended = false;
    const done = (): void => {
      ended = true;
    };
    reply.then(done, done);
    for (let turn = 0; !ended && turn < 100; turn++) {
      await this.world.clock.settle();
      await this.world.clock.advance(1);
    }
    return await reply;
  }

  async scheduler(call: SchedulerCall, streamID?: string): Promise<FaceReply> {
    return await this.post('/api/v1/scheduler', codec.encodeProtobuf('scheduler.Call', call), {
      ...protobuf,
      'mesos-stream-id': streamID,
    });
  }

  async operator(call: MasterCall): Promise<MasterResponse> {
    const reply = await this.post('/api/v1', codec.encodeJson('master.Call', call), json);
    assert.equal(reply.status, 200);
    return codec.decodeJson('master.Response', await textOf(reply));
  }
}

async function wire(): Promise<Wire> {
  const world = new World();
  await world.start();
  await world.addNode('n1');
  await world.clock.advance(1);
  return new Wire(world);
}

const subscribe: SchedulerCall = {
  type: 'SUBSCRIBE',
  subscribe: {
    framework_info: {
      user: 'nobody',
      name: 'wire',
      roles: ['dev'],
      failover_timeout: 60,
      capabilities: [{ type: 'MULTI_ROLE' }, { type: 'RESERVATION_REFINEMENT' }],
    },
  },
};

async function nextOffer(at: Wire, stream: OpenStream): Promise<Offer> {
  for (let turn = 0; turn < 20; turn++) {
    const events = stream.schedulerEvents();
    const offer = events.flatMap(({ offers }) => offers?.offers ?? [])[0];
    if (offer !== undefined) return offer;
    await at.world.clock.advance(1000);
  }
  assert.fail('No offer came');
}

interface Heard {
  readonly type: string;
  readonly framework_added?: {
    readonly framework: { readonly active: boolean; readonly connected: boolean };
  };
}

test('A framework subscribes, launches, hears of its task and is torn down', async () => {
  const at = await wire();
  await using world = at.world;
  const events = new OpenStream(await at.post('/api/v1', '{"type":"SUBSCRIBE"}', json));
  assert.equal(events.jsonEvents().length, 2);
  const reply = await at.scheduler(subscribe);
  assert.equal(reply.status, 200);
  const streamID = String(reply.headers['Mesos-Stream-Id']);
  const stream = new OpenStream(reply);
  const first = stream.schedulerEvents();
  assert.deepEqual(
    first.slice(0, 2).map(({ type }) => type),
    ['SUBSCRIBED', 'HEARTBEAT'],
  );
  const framework_id = first[0]?.subscribed?.framework_id;
  assert.ok(framework_id);
  const offer =
    first.flatMap(({ offers }) => offers?.offers ?? [])[0] ?? (await nextOffer(at, stream));
  assert.deepEqual(offer.url, {
    scheme: 'http',
    address: { hostname: offer.hostname, ip: '10.0.0.1', port: 5051 },
    path: '/slave(1)',
  });
  const accept = {
    offer_ids: [offer.id],
    operations: [{ type: 'LAUNCH', launch: { task_infos: [taskInfo('t1', offer)] } }],
  } as const;
  const accepted = await at.scheduler({ type: 'ACCEPT', framework_id, accept }, streamID);
  assert.equal(await shown(accepted), '202 ');
  await world.update('t1', 'TASK_RUNNING', { uuid: 'AAAAAAAAQACAAAAAAAAAAA==' });
  const [update] = stream.schedulerEvents().filter(({ type }) => type === 'UPDATE');
  const status = update?.update?.status;
  assert.equal(status?.state, 'TASK_RUNNING');
  assert.ok(status.uuid !== undefined && status.agent_id !== undefined);
  const acknowledge = { task_id: status.task_id, agent_id: status.agent_id, uuid: status.uuid };
  const taken = await at.scheduler({ type: 'ACKNOWLEDGE', framework_id, acknowledge }, streamID);
  assert.equal(await shown(taken), '202 ');
  const { get_tasks } = await at.operator({ type: 'GET_TASKS' });
  assert.deepEqual(
    get_tasks?.tasks?.map(({ name, state }) => `${name} ${state}`),
    ['t1 TASK_RUNNING'],
  );
  const { get_state } = await at.operator({ type: 'GET_STATE' });
  assert.equal(get_state?.get_frameworks?.frameworks?.[0]?.framework_info.name, 'wire');
  assert.equal(get_state?.get_agents?.agents?.[0]?.agent_info.hostname, '10.0.0.1');
  const torn = await at.scheduler({ type: 'TEARDOWN', framework_id }, streamID);
  assert.equal(await shown(torn), '202 ');
  await stream.done;
  assert.equal(
    await shown(await at.scheduler({ type: 'REVIVE', framework_id }, streamID)),
    '400 Framework cannot be found',
  );
  const heard = events.jsonEvents() as readonly Heard[];
  const types = heard.map(({ type }) => type);
  for (const type of ['FRAMEWORK_ADDED', 'TASK_ADDED', 'TASK_UPDATED', 'FRAMEWORK_REMOVED'])
    assert.ok(types.includes(type), `${type} among ${types.join()}`);
  const added = heard[types.indexOf('FRAMEWORK_ADDED')]?.framework_added?.framework;
  assert.ok(added?.active === true && added.connected, 'a framework that is added is connected');
  events.hangUp();
  world.master.check();
});

test('A second subscription takes the framework over, and a refused one says why', async () => {
  const at = await wire();
  await using world = at.world;
  const first = await at.scheduler(subscribe);
  const old = new OpenStream(first);
  const [subscribed] = old.schedulerEvents();
  const id = subscribed?.subscribed?.framework_id ?? { value: '' };
  const info = subscribe.subscribe?.framework_info ?? { user: '', name: '' };
  const again: SchedulerCall = {
    type: 'SUBSCRIBE',
    framework_id: id,
    subscribe: { framework_info: { ...info, id } },
  };
  const second = await at.scheduler(again);
  await old.done;
  const last = old.schedulerEvents().at(-1);
  assert.equal(last?.error?.message, 'Framework failed over');
  const stale = String(first.headers['Mesos-Stream-Id']);
  assert.match(
    await shown(await at.scheduler({ type: 'REVIVE', framework_id: id }, stale)),
    /^400 The stream ID '.*' included in this request didn't match the stream ID currently/,
  );
  const bad = { ...subscribe, subscribe: { framework_info: { ...info, roles: ['a', 'a'] } } };
  const refused = new OpenStream(await at.scheduler(bad));
  await refused.done;
  assert.match(
    refused.schedulerEvents()[0]?.error?.message ?? '',
    /^'FrameworkInfo\.roles' contains duplicate items/,
  );
  new OpenStream(second).hangUp();
  await world.clock.settle();
  assert.equal(world.master.state.frameworks.get(id.value)?.connected, false);
});
