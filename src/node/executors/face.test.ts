import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaceReply } from '#base';
import { inProcessRequest } from '#mesos/protocol';
import type { Resource } from '#mesos/protocol';
import { pods } from './names.ts';
import { splitLog } from './output.ts';
import { worldWith } from './test-world.test.ts';
import type { World } from './test-world.test.ts';

async function get(world: World, path: string, search = ''): Promise<FaceReply> {
  const face = world.agent?.face;
  assert(face !== undefined);
  return face(inProcessRequest({ path, search }));
}

async function call(world: World, body: object): Promise<FaceReply> {
  const face = world.agent?.face;
  assert(face !== undefined);
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const text = JSON.stringify(body);
  return face(inProcessRequest({ path: '/api/v1', method: 'POST', headers, body: text }));
}

function textOf({ body }: FaceReply): string {
  return body instanceof Uint8Array ? Buffer.from(body).toString() : '';
}
function jsonOf(reply: FaceReply): Record<string, unknown> {
  assert.equal(reply.status, 200, textOf(reply));
  const parsed: Record<string, unknown> = JSON.parse(textOf(reply));
  return parsed;
}

const log = [
  '2026-01-01T00:00:00.000000000+00:00 stdout F hello',
  '2026-01-01T00:00:00.100000000+00:00 stderr F oops',
  '2026-01-01T00:00:00.200000000+00:00 stdout P wor',
  '2026-01-01T00:00:00.300000000+00:00 stdout F ld',
  '',
].join('\n');

test('A log is split into what went to stdout and to stderr', () => {
  const { stdout, stderr } = splitLog(Buffer.from(log));
  assert.equal(Buffer.from(stdout).toString(), 'hello\nworld\n');
  assert.equal(Buffer.from(stderr).toString(), 'oops\n');
});

async function running(): Promise<{ world: World; dir: string }> {
  const world = await worldWith(() => ({}));
  await world.launch('t1', { task: { command: { value: 'echo' } } });
  await world.run(200);
  const uid = world.pod('pod-t1')?.metadata.uid ?? '';
  world.files.put('/logs/pod-t1/t1/0.log', log);
  await world.files.makeDir('/logs/pod-t1/t1');
  return { world, dir: `/agent/slaves/A1/frameworks/F1/executors/t1/runs/${uid}` };
}

test('Output of a running task is read by every path of its sandbox', async () => {
  const { world, dir } = await running();
  const latest = '/agent/slaves/A1/frameworks/F1/executors/t1/runs/latest';
  for (const path of [dir, latest, '/frameworks/F1/executors/t1/runs/latest']) {
    const search = `path=${encodeURIComponent(`${path}/stdout`)}&offset=0`;
    assert.deepEqual(jsonOf(await get(world, '/files/read', search)), {
      data: 'hello\nworld\n',
      offset: 0,
    });
  }
  const size = await get(world, '/files/read', `path=${dir}/stderr&offset=-1`);
  assert.deepEqual(jsonOf(size), { data: '', offset: 5 });
  const part = await get(world, '/files/read', `path=${dir}/stdout&offset=6&length=3`);
  assert.deepEqual(jsonOf(part), { data: 'wor', offset: 6 });
  // More is written, and asked for from where the last answer ended.
  world.files.put('/logs/pod-t1/t1/0.log', `${log}x stdout F more\n`);
  const more = await get(world, '/files/read', `path=${dir}/stdout&offset=12`);
  assert.deepEqual(jsonOf(more), { data: 'more\n', offset: 12 });
  world.crash();
});

test('A sandbox is browsed with what ls would say of each file', async () => {
  const { world, dir } = await running();
  const reply = await get(world, '/files/browse', `path=${dir}`);
  const list: readonly Record<string, unknown>[] = JSON.parse(textOf(reply));
  assert.deepEqual(
    list.map(({ path }) => path),
    [`${dir}/stderr`, `${dir}/stdout`],
  );
  assert.deepEqual(Object.keys(list[0] ?? {}), [
    'gid',
    'mode',
    'mtime',
    'nlink',
    'path',
    'size',
    'uid',
  ]);
  assert.equal(list[0]?.['size'], 5);
  world.crash();
});

test('Files beside sandboxes are not there, whatever leads to them', async () => {
  const { world, dir } = await running();
  world.files.put('/etc/shadow', 'secret');
  await world.files.link('/etc/shadow', `${dir}/shadow`);
  const cases: readonly (readonly [string, number])[] = [
    ['/etc/shadow', 404],
    [`${dir}/../../../../../../../../../etc/shadow`, 404],
    [`${dir}/shadow`, 400],
    ['/agent/meta', 404],
    ['/agent/slaves/A1', 404],
    [`${dir}/nothing`, 404],
  ];
  for (const [path, status] of cases) {
    const reply = await get(world, '/files/read', `path=${encodeURIComponent(path)}&offset=0`);
    assert.equal(reply.status, status, path);
    assert(!textOf(reply).includes('secret'));
  }
  world.crash();
});

test('A persistent volume is seen through its sandbox by its own task only', async () => {
  const world = await worldWith(() => ({}));
  const disk: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 10 },
    reservations: [{ type: 'DYNAMIC', role: 'web' }],
    disk: { persistence: { id: 'p1' }, volume: { mode: 'RW', container_path: 'data' } },
  };
  await world.launch('owner', { task: { resources: [disk] } });
  await world.launch('other');
  await world.run(200);
  world.files.put('/agent/volumes/roles/web/p1/kept', 'kept');
  const latest = (id: string): string => `/frameworks/F1/executors/${id}/runs/latest`;
  const uid = world.pod('pod-other')?.metadata.uid ?? '';
  const other = `/agent/slaves/A1/frameworks/F1/executors/other/runs/${uid}`;
  await world.files.link('/agent/volumes/roles/web/p1', `${other}/data`);
  const own = await get(world, '/files/read', `path=${latest('owner')}/data/kept&offset=0`);
  assert.deepEqual(jsonOf(own), { data: 'kept', offset: 0 });
  const foreign = await get(world, '/files/read', `path=${latest('other')}/data/kept&offset=0`);
  assert.equal(foreign.status, 400);
  world.crash();
});

test('Malformed questions about files get the reference’s texts', async () => {
  const { world, dir } = await running();
  const cases: readonly (readonly [string, number, string])[] = [
    ['', 400, "Expecting 'path=value' in query.\n"],
    [`path=${dir}/stdout&offset=-2`, 400, 'Negative offset provided: -2.\n'],
    [`path=${dir}&offset=0`, 400, 'Cannot read a directory.\n'],
    ['path=/nowhere', 404, '404 Not Found.'],
  ];
  for (const [search, status, text] of cases) {
    const reply = await get(world, '/files/read', search);
    assert.deepEqual([reply.status, textOf(reply)], [status, text]);
  }
  world.crash();
});

test('The state names frameworks, executors, directories and tasks', async () => {
  const { world, dir } = await running();
  const state = jsonOf(await get(world, '/slave(1)/state'));
  assert.equal(state['pid'], 'slave(1)@192.168.0.1:5051');
  assert.equal(state['id'], 'A1');
  const [framework] = state['frameworks'] as Record<string, unknown>[];
  const [executor] = (framework?.['executors'] ?? []) as Record<string, unknown>[];
  assert.equal(executor?.['id'], 't1');
  assert.equal(executor?.['source'], 't1');
  assert.equal(executor?.['directory'], dir);
  assert.equal(executor?.['name'], "Command Executor (Task: t1) (Command: sh -c 'echo')");
  const [task] = (executor?.['tasks'] ?? []) as Record<string, unknown>[];
  assert.equal(task?.['state'], 'TASK_RUNNING');
  assert.equal(task?.['executor_id'], '');
  assert.deepEqual(task?.['resources'], { cpus: 0, gpus: 0, mem: 0, disk: 0 });
  world.crash();
});

test('The operator API tells of tasks, containers and files', async () => {
  const { world, dir } = await running();
  const tasks = jsonOf(await call(world, { type: 'GET_TASKS' }))['get_tasks'];
  assert.equal((tasks as { launched_tasks: unknown[] }).launched_tasks.length, 1);
  const containers = jsonOf(await call(world, { type: 'GET_CONTAINERS' }))['get_containers'];
  const [container] = (containers as { containers: Record<string, unknown>[] }).containers;
  assert.deepEqual(container?.['container_id'], { value: dir.split('/').at(-1) });
  const read = { path: `${dir}/stdout`, offset: 0 };
  const file = jsonOf(await call(world, { type: 'READ_FILE', read_file: read }))['read_file'];
  const { data, size } = file as { data: string; size: number };
  assert.deepEqual([Buffer.from(data, 'base64').toString(), size], ['hello\nworld\n', 12]);
  const health = jsonOf(await call(world, { type: 'GET_HEALTH' }));
  assert.deepEqual(health['get_health'], { healthy: true });
  for (const path of ['/state', '/containers', '/monitor/statistics', '/flags', '/version'])
    assert.equal((await get(world, path)).status, 200, path);
  world.crash();
});

test('Statistics tell the CPU time of user and system apart', async () => {
  const { world } = await running();
  world.machine.stats = {
    atMs: 0,
    cpuNanos: 3_000_000_000,
    cpuUserNanos: 2_000_000_000,
    cpuSystemNanos: 1_010_000_000,
    memoryWorkingSetBytes: 0,
    memoryUsageBytes: 0,
    memoryRssBytes: 0,
    pids: 1,
    rootfsUsedBytes: 0,
    logsUsedBytes: 0,
  };
  const answer = await get(world, '/monitor/statistics');
  const [one] = jsonOf(answer) as unknown as readonly { statistics: Record<string, number> }[];
  const { cpus_user_time_secs, cpus_system_time_secs } = one?.statistics ?? {};
  assert.deepEqual([cpus_user_time_secs, cpus_system_time_secs], [2, 1.01]);
  world.crash();
});

test('A sandbox whose Pod is gone stays for days, and goes at once when the disk is full', async () => {
  const { world, dir } = await running();
  const pod = world.pod('pod-t1');
  assert(pod !== undefined);
  world.machine.end(world.containerOf('t1'), 0);
  await world.run(200);
  const target = { namespace: 'mesos-test', name: 'pod-t1' };
  await world.api.delete(pods, target, { gracePeriodSeconds: 0 });
  await world.run(100);
  world.agent?.extension.released(pod);
  await world.clock.advance(3_600_000);
  assert.equal(world.files.text(`${dir}/stdout`), 'hello\nworld\n');
  world.files.availableBytes = 2 ** 30;
  await world.clock.advance(120_000);
  assert.deepEqual(
    [...world.files.nodes.keys()].filter((path) => path.includes('/frameworks/')),
    [],
  );
  world.crash();
});

test('Waiting for a container tells how it ended', async () => {
  const { world } = await running();
  const id = { value: world.pod('pod-t1')?.metadata.uid };
  const waiting = call(world, { type: 'WAIT_CONTAINER', wait_container: { container_id: id } });
  await world.run(100);
  world.machine.end(world.containerOf('t1'), 3);
  const reply = jsonOf(await waiting)['wait_container'];
  assert.deepEqual(reply, { exit_status: 768 });
  const nobody = { container_id: { value: 'nobody' } };
  const attach = await call(world, {
    type: 'ATTACH_CONTAINER_OUTPUT',
    attach_container_output: nobody,
  });
  assert.deepEqual([attach.status, textOf(attach)], [404, 'Container nobody cannot be found']);
  const kill = { container_id: { value: 'nobody' } };
  const missing = await call(world, { type: 'KILL_CONTAINER', kill_container: kill });
  assert.deepEqual(
    [missing.status, textOf(missing)],
    [404, "Container 'nobody' cannot be found (or is already killed)"],
  );
  world.crash();
});

test('The processes of an agent are listed', async () => {
  const { world } = await running();
  assert.match(
    textOf(await get(world, '/__processes__')),
    /^\[\{"id":"slave\(1\)","events":\[\]\},/,
  );
  world.crash();
});

test('Calls that cannot be read get the reference’s answers', async () => {
  const { world } = await running();
  const face = world.agent?.face;
  assert(face !== undefined);
  const cases: readonly (readonly [Record<string, string>, string, number])[] = [
    [{}, '{}', 400],
    [{ 'content-type': 'text/plain' }, '{}', 415],
    [{ 'content-type': 'application/json', accept: 'text/html' }, '{"type":"GET_HEALTH"}', 406],
    [{ 'content-type': 'application/json' }, '{', 400],
    [{ 'content-type': 'application/recordio' }, '', 400],
    [{ 'content-type': 'application/json', 'message-accept': 'application/json' }, '{}', 406],
  ];
  for (const [headers, body, status] of cases) {
    const request = inProcessRequest({ path: '/api/v1', method: 'POST', headers, body });
    assert.equal((await face(request)).status, status, JSON.stringify(headers));
  }
  assert.equal((await get(world, '/api/v1')).status, 405);
  world.crash();
});
