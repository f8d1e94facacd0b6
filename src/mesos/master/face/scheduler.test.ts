import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { HeaderMap } from '#base';
import { inProcessRequest } from '#mesos/protocol';
import { OpenStream, codec, fixture, namedAccess, shown } from './fixture.test.ts';
import type { Fixture } from './fixture.test.ts';

const path = '/api/v1/scheduler';
const framework_info = { user: 'u', name: 'n', roles: ['dev'] };
const subscribe = { type: 'SUBSCRIBE', subscribe: { framework_info } };
const streamID = '00000000-0000-4000-8000-000000000000';

async function subscribed(one: Fixture, headers: HeaderMap = {}): Promise<OpenStream> {
  const reply = await one.post(path, subscribe, headers);
  assert.equal(reply.status, 200);
  return new OpenStream(reply);
}

suite('Subscriptions', () => {
  test('A stream has its id, and one record a write', async () => {
    const one = fixture();
    const reply = await one.post(path, subscribe);
    assert.deepEqual(reply.headers, {
      'Content-Type': 'application/json',
      'Mesos-Stream-Id': streamID,
    });
    const stream = new OpenStream(reply);
    assert.deepEqual(stream.jsonEvents(), [
      {
        type: 'SUBSCRIBED',
        subscribed: { framework_id: { value: 'f-0' }, heartbeat_interval_seconds: 15 },
      },
      { type: 'HEARTBEAT' },
    ]);
    one.master.subscribers.get('f-0')?.event({ type: 'ERROR', error: { message: 'é\n' } });
    const [chunk] = stream.sink.chunks.slice(-1);
    assert.equal(
      Buffer.from(chunk ?? []).toString(),
      '47\n{"type":"ERROR","error":{"message":"\\u00e9\\n"}}',
    );
  });

  test('Protobuf is spoken to who accepts only that', async () => {
    const one = fixture();
    const call = codec.encodeProtobuf('scheduler.Call', {
      type: 'SUBSCRIBE',
      subscribe: { framework_info },
    });
    const reply = await one.post(path, call, {
      'content-type': 'application/x-protobuf',
      accept: 'application/x-protobuf',
    });
    assert.equal(reply.headers['Content-Type'], 'application/x-protobuf');
    const [first, second] = new OpenStream(reply).schedulerEvents();
    assert.equal(first?.subscribed?.framework_id.value, 'f-0');
    assert.deepEqual(second, { type: 'HEARTBEAT' });
  });

  test('A refused subscription is a stream with an ERROR', async () => {
    const one = fixture();
    one.master.refuse = 'Framework has been removed';
    const reply = await one.post(path, subscribe);
    assert.equal(reply.status, 200);
    assert.match(String(reply.headers['Mesos-Stream-Id']), /^[0-9a-f-]{36}$/);
    const stream = new OpenStream(reply);
    await stream.done;
    assert.deepEqual(stream.jsonEvents(), [
      { type: 'ERROR', error: { message: 'Framework has been removed' } },
    ]);
  });

  test('Who hangs up is disconnected once', async () => {
    const one = fixture();
    const stream = await subscribed(one);
    stream.hangUp();
    await stream.done;
    assert.equal(one.master.closed, 1);
    assert.equal(
      await shown(await one.post(path, { type: 'REVIVE', framework_id: { value: 'f-0' } })),
      '403 Framework is not subscribed',
    );
  });

  test('A client that does not read is cut off, and only it', async () => {
    const one = fixture({ limits: { streamBacklogBytesMax: 1000 } });
    const stream = await subscribed(one);
    const other = await subscribed(one);
    stream.sink.stuck = true;
    const events = { type: 'ERROR', error: { message: 'x'.repeat(300) } } as const;
    const subscribers = [...one.master.subscribers.values()];
    for (let count = 0; count < 5; count++) for (const each of subscribers) each.event(events);
    await assert.rejects(stream.done, /Stream was cut off: its client does not read/);
    assert.equal(one.master.closed, 1);
    assert.equal(other.jsonEvents().length, 7);
  });

  test('The offers of thousands of agents come in records that every client can read', async () => {
    const one = fixture();
    const stream = await subscribed(one);
    stream.records();
    const subscriber = one.master.subscribers.get('f-0');
    const offers = Array.from({ length: 1200 }, (_, index) => ({
      id: { value: `m-O${index}` },
      framework_id: { value: 'f-0' },
      agent_id: { value: 'm-S0' },
      hostname: 'n1',
    }));
    subscriber?.event({ type: 'OFFERS', offers: { offers } });
    subscriber?.event({ type: 'RESCIND', rescind: { offer_id: { value: 'm-O3' } } });
    subscriber?.closed();
    await stream.done;
    const records = stream.records().map((record) => Buffer.from(record).toString());
    const events = records.map((record) => codec.decodeJson('scheduler.Event', record));
    assert.deepEqual(
      events.map((event) => event.offers?.offers?.length ?? event.type),
      [500, 500, 200, 'RESCIND'],
    );
    assert.equal(events[2]?.offers?.offers?.at(-1)?.id.value, 'm-O1199');
  });

  test('The master ends the stream of a framework that failed over', async () => {
    const one = fixture();
    const stream = await subscribed(one);
    one.master.subscribers.get('f-0')?.closed();
    await stream.done;
    assert.equal(one.master.closed, 0);
  });
});

suite('Calls', () => {
  const revive = { type: 'REVIVE', framework_id: { value: 'f-0' } };

  test('A call of the stream is taken, UPDATE_FRAMEWORK answered', async () => {
    const one = fixture();
    await subscribed(one);
    const headers = { 'mesos-stream-id': streamID };
    assert.equal(await shown(await one.post(path, revive, headers)), '202 ');
    const info = { ...framework_info, id: { value: 'f-0' } };
    const update = {
      type: 'UPDATE_FRAMEWORK',
      framework_id: { value: 'f-0' },
      update_framework: { framework_info: info },
    };
    assert.equal(await shown(await one.post(path, update, headers)), '200 ');
    assert.deepEqual(
      one.master.calls.map(({ type }) => type),
      ['REVIVE', 'UPDATE_FRAMEWORK'],
    );
    const unknown = { type: 'UNKNOWN', framework_id: { value: 'f-0' } };
    assert.equal(await shown(await one.post(path, unknown, headers)), '501 501 Not Implemented.');
  });

  test('Stream ids are checked in the order of the reference', async () => {
    const one = fixture({ access: namedAccess() });
    assert.equal(await shown(await one.post(path, revive)), '400 Framework cannot be found');
    await subscribed(one);
    assert.equal(
      await shown(await one.post(path, revive)),
      "400 All non-subscribe calls should include the 'Mesos-Stream-Id' header",
    );
    assert.equal(
      await shown(await one.post(path, revive, { 'mesos-stream-id': 'x' })),
      "400 The stream ID 'x' included in this request didn't match the stream ID currently associated with framework ID f-0",
    );
    assert.equal(
      await shown(await one.post(path, revive, { 'x-user': 'eve' })),
      "400 Authenticated principal 'eve' does not match principal '' set in `FrameworkInfo`",
    );
    assert.equal(
      await shown(await one.post(path, subscribe, { 'mesos-stream-id': 'x' })),
      "400 Subscribe calls should not include the 'Mesos-Stream-Id' header",
    );
    assert.equal(one.master.calls.length, 0);
  });

  test('A framework of another wire is not reached over HTTP', async () => {
    const one = fixture();
    await subscribed(one);
    const record = one.master.frameworks.get('f-0');
    assert.ok(record);
    one.master.frameworks.set('f-0', { ...record, streamID: undefined });
    assert.equal(
      await shown(await one.post(path, revive, { 'mesos-stream-id': streamID })),
      '403 Framework is not connected via HTTP',
    );
  });
});

const body = JSON.stringify(subscribe);
const refusals: readonly {
  readonly name: string;
  readonly body?: string | Uint8Array;
  readonly headers?: HeaderMap;
  readonly answer: string;
}[] = [
  {
    name: 'without a content type',
    headers: { 'content-type': undefined },
    answer: "400 Expecting 'Content-Type' to be present",
  },
  {
    name: 'with a charset',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    answer: "415 Expecting 'Content-Type' of application/json or application/x-protobuf",
  },
  {
    name: 'that is no JSON',
    body: '{"type":',
    answer: '400 Failed to parse body into JSON: syntax error at line 1 near: ',
  },
  {
    name: 'that is no call',
    body: '[]',
    answer: '400 Failed to convert JSON into Call protobuf: Expecting a JSON object',
  },
  {
    name: 'that lacks fields',
    body: '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u"}}}',
    answer:
      '400 Failed to convert JSON into Call protobuf: Missing required fields: subscribe.framework_info.name',
  },
  {
    name: 'that is no protobuf',
    headers: { 'content-type': 'application/x-protobuf' },
    body: 'nonsense',
    answer: '400 Failed to parse body into Call protobuf',
  },
  {
    name: 'without a type',
    body: '{}',
    answer: "400 Failed to validate scheduler::Call: Expecting 'type' to be present",
  },
  {
    name: 'that accepts nothing we speak',
    headers: { accept: 'text/html' },
    answer: "406 Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
  },
  {
    name: 'longer than the limit',
    body: `{"type":"${'x'.repeat(3000)}"}`,
    answer: '413 Request body is longer than 2000 bytes',
  },
];
for (const { name, body: sent, headers, answer } of refusals) {
  test(`A call ${name} is answered ${answer.slice(0, 60)}`, async () => {
    const one = fixture({ limits: { bodyBytesMax: 2000 } });
    assert.equal(await shown(await one.post(path, sent ?? body, headers)), answer);
    assert.equal(one.master.frameworks.size, 0);
  });
}

test('Only POST is allowed', async () => {
  const one = fixture();
  const reply = await one.face(inProcessRequest({ path }));
  assert.equal(reply.headers['Allow'], 'POST');
  assert.equal(
    await shown(reply),
    "405 405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.",
  );
});

test('A master that does not lead sends clients to the one that does', async () => {
  const leader = { kind: 'other', hostname: 'm2', port: 5050 } as const;
  const one = fixture({ leader: () => leader });
  const reply = await one.post(path, subscribe);
  assert.equal(reply.status, 307);
  assert.equal(reply.headers['Location'], '//m2:5050/master/api/v1/scheduler');
  const none = fixture({ leader: () => ({ kind: 'none' }) });
  assert.equal(await shown(await none.post(path, subscribe)), '503 No leader elected');
});

test('/redirect names the leader, also on it', async () => {
  const one = fixture();
  const reply = await one.face(inProcessRequest({ path: '/redirect' }));
  assert.equal(`${reply.status} ${String(reply.headers['Location'])}`, '307 //m.test:5050');
  const headers = { host: '127.0.0.1:15050' };
  const near = await one.face(inProcessRequest({ path: '/master/redirect', headers }));
  assert.equal(near.headers['Location'], '//127.0.0.1:15050');
  assert.equal((await one.face(inProcessRequest({ path: '/redirect/x' }))).status, 404);
});

test('A master that is not ready says so', async () => {
  const one = fixture();
  one.master.recovered = false;
  assert.equal(
    await shown(await one.post(path, subscribe)),
    '503 Master has not finished recovery',
  );
});
