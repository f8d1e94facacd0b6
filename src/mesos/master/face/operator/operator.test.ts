import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CallRejected, inProcessRequest } from '#mesos/protocol';
import type { MasterCall, MasterResponse, VirtualFiles } from '#mesos/protocol';
import {
  OpenStream,
  agentRecord,
  codec,
  fixture,
  frameworkRecord,
  namedAccess,
  shown,
  taskRecord,
  textOf,
} from '../fixture.test.ts';
import type { Fixture } from '../fixture.test.ts';

const path = '/api/v1';
const protobuf = {
  'content-type': 'application/x-protobuf',
  accept: 'application/x-protobuf',
};

async function withFramework(): Promise<Fixture> {
  const one = fixture();
  const info = { user: 'u', name: 'n', roles: ['dev'] };
  one.master.frameworks.set('f-0', frameworkRecord('f-0', info, 's'));
  return one;
}

/** The answer in both encodings, which must say the same; as JSON text. */
async function answered(one: Fixture, call: MasterCall): Promise<string> {
  const reply = await one.post(path, call);
  const text = await textOf(reply);
  assert.equal(reply.status, 200, text);
  assert.equal(reply.headers['Content-Type'], 'application/json');
  const binary = await one.post(path, codec.encodeProtobuf('master.Call', call), protobuf);
  assert.equal(binary.headers['Content-Type'], 'application/x-protobuf');
  const { body } = binary;
  assert.ok(body !== undefined && typeof body !== 'function');
  const bytes = body instanceof Uint8Array ? body : Buffer.concat(body);
  const message: MasterResponse = codec.decodeProtobuf('master.Response', bytes);
  const again = codec.encodeJson('master.Response', message);
  const same = codec.encodeJson('master.Response', codec.decodeJson('master.Response', text));
  assert.equal(again, same);
  return text;
}

suite('Reading', () => {
  test('Small answers', async () => {
    const one = await withFramework();
    assert.equal(
      await answered(one, { type: 'GET_HEALTH' }),
      '{"type":"GET_HEALTH","get_health":{"healthy":true}}',
    );
    assert.equal(
      await answered(one, { type: 'GET_METRICS', get_metrics: {} }),
      '{"type":"GET_METRICS","get_metrics":{"metrics":[{"name":"master/uptime_secs","value":12.0},{"name":"master/cpus_percent","value":0.5},{"name":"master/operator_event_stream_subscribers","value":0.0},{"name":"registrar/registry_size_bytes","value":729.0}]}}',
    );
    assert.match(
      await answered(one, { type: 'GET_MASTER' }),
      /^\{"type":"GET_MASTER","get_master":\{"master_info":\{"id":"m","ip":150994954,"port":5050,.*"start_time":1\.5,"elected_time":2\.0\}\}$/,
    );
    assert.equal(
      await answered(one, { type: 'GET_ROLES' }),
      '{"type":"GET_ROLES","get_roles":{"roles":[{"name":"dev","weight":2.0,"frameworks":[{"value":"f-0"}],"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.3}},{"name":"mem","type":"SCALAR","scalar":{"value":32.0}}]}]}}',
    );
    assert.equal(
      await answered(one, { type: 'GET_WEIGHTS' }),
      '{"type":"GET_WEIGHTS","get_weights":{"weight_infos":[{"weight":2.0,"role":"dev"}]}}',
    );
    assert.equal(
      await answered(one, { type: 'GET_QUOTA' }),
      '{"type":"GET_QUOTA","get_quota":{"status":{"infos":[{"role":"dev","guarantee":[{"name":"cpus","type":"SCALAR","scalar":{"value":1.0}}]}],"configs":[{"role":"dev","guarantees":{"cpus":{"value":1.0}}}]}}}',
    );
    assert.equal(
      await answered(one, { type: 'GET_MAINTENANCE_STATUS' }),
      '{"type":"GET_MAINTENANCE_STATUS","get_maintenance_status":{"status":{"down_machines":[{"hostname":"n9"}]}}}',
    );
    assert.equal(
      await answered(one, { type: 'GET_MAINTENANCE_SCHEDULE' }),
      '{"type":"GET_MAINTENANCE_SCHEDULE","get_maintenance_schedule":{"schedule":{}}}',
    );
    assert.match(await answered(one, { type: 'GET_VERSION' }), /"version":"1\.11\.0"/);
    assert.match(await answered(one, { type: 'GET_FLAGS' }), /"get_flags":\{\}/);
    assert.match(await answered(one, { type: 'GET_OPERATIONS' }), /"get_operations":\{\}/);
  });

  test('Lists are there also when they are empty', async () => {
    const one = fixture();
    assert.equal(
      await answered(one, { type: 'GET_TASKS' }),
      '{"type":"GET_TASKS","get_tasks":{"tasks":[],"unreachable_tasks":[],"completed_tasks":[]}}',
    );
    assert.equal(
      await answered(one, { type: 'GET_EXECUTORS' }),
      '{"type":"GET_EXECUTORS","get_executors":{"executors":[]}}',
    );
    assert.equal(
      await answered(one, { type: 'GET_FRAMEWORKS' }),
      '{"type":"GET_FRAMEWORKS","get_frameworks":{"frameworks":[],"completed_frameworks":[]}}',
    );
  });

  test('GET_STATE has tasks, executors, frameworks and agents', async () => {
    const one = await withFramework();
    const text = await answered(one, { type: 'GET_STATE' });
    assert.match(
      text,
      /^\{"type":"GET_STATE","get_state":\{"get_tasks":\{"tasks":\[\{"name":"t1","task_id":\{"value":"t1"\},"framework_id":\{"value":"f-0"\},"agent_id":\{"value":"m-S0"\},"state":"TASK_RUNNING"/,
    );
    assert.match(text, /"completed_tasks":\[\{"name":"t0"/);
    assert.match(
      text,
      /"get_executors":\{"executors":\[\{"executor_info":\{"executor_id":\{"value":"e"\}\},"agent_id":\{"value":"m-S0"\}\}\]\}/,
    );
    assert.match(text, /"get_frameworks":\{"frameworks":\[\{"framework_info":\{"user":"u"/);
    assert.match(text, /"get_agents":\{"agents":\[\{"agent_info":\{"hostname":"n1"/);
    assert.match(text, /"recovered_agents":\[\{"hostname":"n2","port":5051\}\]/);
    assert.match(text, /"registered_time":\{"nanoseconds":1500000000\}/);
  });

  test('What the caller may not see is left out', async () => {
    const access = namedAccess((action) => action !== 'view_frameworks');
    const one = fixture({ access });
    one.master.frameworks.set('f-0', frameworkRecord('f-0', { user: 'u', name: 'n' }, 's'));
    assert.equal(
      await textOf(await one.post(path, { type: 'GET_FRAMEWORKS' })),
      '{"type":"GET_FRAMEWORKS","get_frameworks":{"frameworks":[],"completed_frameworks":[]}}',
    );
  });

  test('A large state is sent in slices', async () => {
    const one = fixture();
    const record = frameworkRecord('f-0', { user: 'u', name: 'n' }, 's');
    const names = Array.from({ length: 5000 }, (_, index) => `task-${index}`);
    const tasks = new Map(names.map((name) => [name, taskRecord(name)]));
    one.master.frameworks.set('f-0', { ...record, tasks });
    const reply = await one.post(path, { type: 'GET_STATE' });
    assert.equal(typeof reply.body, 'function');
    const message = codec.decodeJson('master.Response', await textOf(reply));
    assert.equal(message.get_state?.get_tasks?.tasks?.length, 5000);
  });
});

suite('Files', () => {
  const files: VirtualFiles = {
    browse: async (file) => [{ path: `${file}/x`, size: 3, mode: 33188 }],
    read: async (file, { offset, length }) => {
      if (file !== '/master/log') throw new CallRejected(404, '');
      return { size: 6, data: Buffer.from('abcdef').subarray(offset, offset + (length ?? 6)) };
    },
    open: () => Promise.reject(new CallRejected(404, '')),
    attached: () => new Map([['/master/log', '/var/log/x']]),
  };

  test('The log is listed and read', async () => {
    const one = fixture({ files });
    assert.equal(
      await answered(one, { type: 'LIST_FILES', list_files: { path: '/master' } }),
      '{"type":"LIST_FILES","list_files":{"file_infos":[{"path":"/master/x","size":3,"mode":33188}]}}',
    );
    const read = { path: '/master/log', offset: 2, length: 3 };
    assert.equal(
      await answered(one, { type: 'READ_FILE', read_file: read }),
      '{"type":"READ_FILE","read_file":{"size":6,"data":"Y2Rl"}}',
    );
    const wrong = { type: 'READ_FILE', read_file: { path: '/etc/passwd', offset: 0 } };
    assert.equal(await shown(await one.post(path, wrong)), '404 404 Not Found.');
  });

  test('The endpoints of files and logs are served too', async () => {
    const one = fixture({ files });
    const get = (path: string, search = ''): Promise<string> =>
      one.face(inProcessRequest({ path, search })).then(shown);
    assert.equal(await get('/files/debug'), '200 {"/master/log":"/var/log/x"}');
    assert.equal(
      await get('/files/read', 'path=/master/log&offset=1&length=2'),
      '200 {"data":"bc","offset":1}',
    );
    assert.equal(await get('/files/read', 'path=/etc/x&offset=0'), '404 404 Not Found.');
    assert.equal(await get('/files/read'), "400 Expecting 'path=value' in query.\n");
    assert.match(await get('/__processes__'), /^200 \[\{"id":"logging","events":\[\]\},/);
    assert.equal(await get('/logging/toggle'), '200 0\n');
    assert.equal(await get('/logging/toggle', 'level=1&duration=5secs'), '200 ');
    assert.equal(await get('/logging/toggle'), '200 1\n');
    assert.equal(
      await get('/logging/toggle', 'level=1'),
      "400 Expecting 'duration=value' in query.\n",
    );
    await one.clock.advance(5000);
    assert.equal(await get('/logging/toggle'), '200 0\n');
  });

  test('Nobody reads the log who may not', async () => {
    const one = fixture({ files, access: namedAccess(() => false) });
    const read = { type: 'READ_FILE', read_file: { path: '/master/log', offset: 0 } };
    assert.equal(await shown(await one.post(path, read)), '403 403 Forbidden.');
  });
});

suite('Changing', () => {
  const agent_id = { value: 'm-S0' };
  const volume = { name: 'disk', type: 'SCALAR', scalar: { value: 1 } } as const;
  const calls: readonly (readonly [MasterCall, string, unknown])[] = [
    [
      { type: 'UPDATE_WEIGHTS', update_weights: { weight_infos: [{ role: 'a', weight: 2 }] } },
      '200 ',
      ['updateWeights', [{ role: 'a', weight: 2 }]],
    ],
    [
      {
        type: 'DRAIN_AGENT',
        drain_agent: { agent_id, max_grace_period: { seconds: 2, nanos: 5 }, mark_gone: true },
      },
      '200 ',
      ['drainAgent', 'm-S0', { maxGracePeriod: { nanoseconds: 2_000_000_005 }, markGone: true }],
    ],
    [
      { type: 'DEACTIVATE_AGENT', deactivate_agent: { agent_id } },
      '200 ',
      ['deactivateAgent', 'm-S0'],
    ],
    [
      { type: 'REACTIVATE_AGENT', reactivate_agent: { agent_id } },
      '200 ',
      ['reactivateAgent', 'm-S0'],
    ],
    [
      { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id } },
      "404 Agent 'x' not found",
      undefined,
    ],
    [
      { type: 'UPDATE_QUOTA', update_quota: { force: true, quota_configs: [{ role: 'dev' }] } },
      '200 ',
      ['updateQuota', [{ role: 'dev' }], true],
    ],
    [{ type: 'REMOVE_QUOTA', remove_quota: { role: 'dev' } }, '200 ', ['removeQuota', 'dev']],
    [
      { type: 'TEARDOWN', teardown: { framework_id: { value: 'x' } } },
      '400 No framework found with specified ID',
      undefined,
    ],
    [
      { type: 'TEARDOWN', teardown: { framework_id: { value: 'f-0' } } },
      '200 ',
      ['teardown', 'f-0'],
    ],
    [
      { type: 'START_MAINTENANCE', start_maintenance: { machines: [{ hostname: 'h' }] } },
      '200 ',
      ['startMaintenance', [{ hostname: 'h' }]],
    ],
    [
      { type: 'SET_LOGGING_LEVEL' },
      "400 Failed to validate master::Call: Expecting 'set_logging_level' to be present",
      undefined,
    ],
    [{ type: 'UNKNOWN' }, '501 501 Not Implemented.', undefined],
  ];
  for (const [call, answer, act] of calls) {
    test(`${String(call.type)} is answered ${answer}`, async () => {
      const one = await withFramework();
      assert.equal(await shown(await one.post(path, call)), answer);
      assert.deepEqual(one.master.acts, act === undefined ? [] : [act]);
    });
  }

  test('Operations on resources are accepted', async () => {
    const one = fixture({ access: namedAccess() });
    const asked: readonly MasterCall[] = [
      { type: 'RESERVE_RESOURCES', reserve_resources: { agent_id, resources: [volume] } },
      { type: 'UNRESERVE_RESOURCES', unreserve_resources: { agent_id, resources: [volume] } },
      { type: 'CREATE_VOLUMES', create_volumes: { agent_id, volumes: [volume] } },
      { type: 'DESTROY_VOLUMES', destroy_volumes: { agent_id, volumes: [volume] } },
      { type: 'GROW_VOLUME', grow_volume: { agent_id, volume, addition: volume } },
      { type: 'SHRINK_VOLUME', shrink_volume: { agent_id, volume, subtract: { value: 1 } } },
    ];
    for (const call of asked)
      assert.equal(await shown(await one.post(path, call, { 'x-user': 'ada' })), '202 ');
    assert.deepEqual(
      one.master.operations.map(([agent, { type }, principal]) => `${agent} ${type} ${principal}`),
      ['RESERVE', 'UNRESERVE', 'CREATE', 'DESTROY', 'GROW_VOLUME', 'SHRINK_VOLUME'].map(
        (type) => `m-S0 ${type} ada`,
      ),
    );
  });

  test('Nobody changes what he may not', async () => {
    const one = fixture({ access: namedAccess((action) => action.startsWith('view')) });
    const reserve = { agent_id, resources: [volume] };
    const asked = [
      { type: 'RESERVE_RESOURCES', reserve_resources: reserve },
      { type: 'DRAIN_AGENT', drain_agent: { agent_id } },
      { type: 'UPDATE_QUOTA', update_quota: { quota_configs: [{ role: 'dev' }] } },
    ];
    for (const call of asked)
      assert.equal(await shown(await one.post(path, call)), '403 403 Forbidden.');
    assert.deepEqual(one.master.acts, []);
  });

  test('The level of logs rises for a while', async () => {
    const levels: number[] = [];
    const one = fixture({ logLevel: (level) => levels.push(level) });
    const duration = { nanoseconds: 60e9 };
    const call = { type: 'SET_LOGGING_LEVEL', set_logging_level: { level: 2, duration } };
    assert.equal(await shown(await one.post(path, call)), '200 ');
    assert.match(await answered(one, { type: 'GET_LOGGING_LEVEL' }), /\{"level":2\}/);
    await one.clock.advance(60_000);
    assert.match(await answered(one, { type: 'GET_LOGGING_LEVEL' }), /\{"level":0\}/);
    assert.deepEqual(levels, [2, 0]);
  });
});

suite('The event stream', () => {
  test('It begins with the state and goes on with what changes', async () => {
    const one = await withFramework();
    const stream = new OpenStream(await one.post(path, { type: 'SUBSCRIBE' }));
    const [first, second] = stream.jsonEvents();
    const { get_state } = (first as { subscribed: { get_state: object } }).subscribed;
    assert.deepEqual(Object.keys(get_state), [
      'get_tasks',
      'get_executors',
      'get_frameworks',
      'get_agents',
    ]);
    assert.deepEqual(second, { type: 'HEARTBEAT' });
    const task = taskRecord('t2');
    const status = { task_id: { value: 't2' }, state: 'TASK_RUNNING' } as const;
    const framework = frameworkRecord('f-1', { user: 'u', name: 'n' }, 's');
    one.master.announce({ type: 'TASK_ADDED', task });
    one.master.announce({ type: 'TASK_UPDATED', task, status });
    one.master.announce({ type: 'FRAMEWORK_ADDED', framework });
    one.master.announce({ type: 'FRAMEWORK_UPDATED', framework });
    one.master.announce({ type: 'FRAMEWORK_REMOVED', framework });
    one.master.announce({ type: 'AGENT_ADDED', agent: agentRecord });
    one.master.announce({ type: 'AGENT_REMOVED', agentID: 'm-S0' });
    const events = stream.jsonEvents();
    assert.deepEqual(
      events.map((event) => Object.keys(event as object)),
      [
        'task_added',
        'task_updated',
        'framework_added',
        'framework_updated',
        'framework_removed',
        'agent_added',
        'agent_removed',
      ].map((name) => ['type', name]),
    );
    assert.deepEqual(events[1], {
      type: 'TASK_UPDATED',
      task_updated: { framework_id: { value: 'f-0' }, status, state: 'TASK_RUNNING' },
    });
    stream.hangUp();
    await stream.done;
    assert.equal(one.master.listeners.size, 0);
    assert.equal(one.clock.pendingTimers, 0);
  });

  test('It has a heartbeat every 15 s, in protobuf too', async () => {
    const one = await withFramework();
    const call = codec.encodeProtobuf('master.Call', { type: 'SUBSCRIBE' });
    const stream = new OpenStream(await one.post(path, call, protobuf));
    const [first] = stream.masterEvents();
    assert.equal(first?.subscribed?.heartbeat_interval_seconds, 15);
    assert.equal(first?.subscribed?.get_state?.get_tasks?.tasks?.length, 1);
    await one.clock.advance(31_000);
    assert.deepEqual(stream.masterEvents(), [{ type: 'HEARTBEAT' }, { type: 'HEARTBEAT' }]);
    stream.hangUp();
    await stream.done;
  });

  test('One subscriber too many closes the oldest', async () => {
    const one = fixture({ limits: { subscribersMax: 2 } });
    const streams: OpenStream[] = [];
    for (let count = 0; count < 3; count++)
      streams.push(new OpenStream(await one.post(path, { type: 'SUBSCRIBE' })));
    await streams[0]?.done;
    assert.equal(one.master.listeners.size, 2);
    for (const stream of streams) stream.hangUp();
  });
});

suite('Refusals', () => {
  for (const { name, body, headers, answer } of [
    {
      name: 'without a content type',
      body: '{}',
      headers: { 'content-type': undefined },
      answer: "400 Expecting 'Content-Type' to be present",
    },
    {
      name: 'of no type',
      body: '{"type":"NO_SUCH"}',
      headers: {},
      answer: "400 Failed to validate master::Call: Expecting 'type' to be present",
    },
    {
      name: 'that accepts nothing',
      body: '{"type":"GET_HEALTH"}',
      headers: { accept: 'application/json;q=0' },
      answer: "406 Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
    },
    {
      name: 'with a duration as text',
      body: '{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"a"},"max_grace_period":"10mins"}}',
      headers: {},
      answer:
        "400 Failed to convert JSON into Call protobuf: Not expecting a JSON string for field 'max_grace_period'",
    },
  ]) {
    test(`A call ${name} is answered ${answer.slice(0, 50)}`, async () => {
      assert.equal(await shown(await fixture().post(path, body, headers)), answer);
    });
  }

  test('Everything below the endpoint is the endpoint', async () => {
    const reply = await fixture().face(inProcessRequest({ path: '/master/api/v1/foo' }));
    assert.equal(reply.status, 405);
  });
});

test('The registry is what the master remembers', async () => {
  const one = await withFramework();
  const reply = await one.post('/registrar(1)/registry', {});
  const registry = JSON.parse(await textOf(reply)) as Readonly<Record<string, unknown>>;
  assert.deepEqual(Object.keys(registry), [
    'master',
    'slaves',
    'unreachable',
    'gone',
    'machines',
    'schedules',
    'quota_configs',
    'weights',
    'minimum_capabilities',
  ]);
  assert.deepEqual(registry['quota_configs'], [
    { role: 'dev', guarantees: { cpus: { value: 1 } } },
  ]);
  assert.deepEqual(registry['weights'], [{ info: { weight: 2, role: 'dev' } }]);
  assert.deepEqual(registry['minimum_capabilities'], [{ capability: 'QUOTA_V2' }]);
});
