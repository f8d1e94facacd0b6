/** Tasks and executors of Mesos on real processes and containers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '#io';
import { Machine, port } from './executors-kit.ts';
import { busyboxLayer, dockerArchive, leftovers, once, tarOf, until } from './runtime-kit.ts';

let machine: Machine;
before(async () => {
  machine = await Machine.open();
  const layers = [await busyboxLayer()];
  const archive = await dockerArchive({ name: 'box:1', layers, gzip: true });
  await machine.fixture.runtime.images.load(once(archive));
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  assert.deepEqual(leftovers(machine.fixture), []);
});

async function page(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
}
const states = (id: string): readonly string[] => machine.told(id).map(({ state }) => state);

test('A command runs in its sandbox as its user, and its output is read while it runs', async () => {
  const value = 'id -un; pwd; echo $MESOS_SANDBOX; echo oops >&2; touch made; sleep 1000';
  await machine.launch('plain', { info: { command: { value, user: 'nobody' } } });
  await machine.toldOf('plain', 'TASK_RUNNING');
  const dir = machine.sandbox('plain');
  const read = async (name: string): Promise<string> => {
    const { text } = await page(`/files/read?path=${dir}/${name}&offset=0`);
    return String(JSON.parse(text).data);
  };
  await until('all output', async () => (await read('stdout')).split('\n').length === 4);
  assert.equal(await read('stdout'), `nobody\n${dir}\n${dir}\n`);
  assert.equal(await read('stderr'), 'oops\n');
  assert.equal(statSync(join(dir, 'made')).uid, statSync(dir).uid);
  assert.notEqual(statSync(dir).uid, 0);
  await machine.kill('plain');
  const last = await machine.toldOf('plain', 'TASK_KILLED');
  assert.equal(last.message, 'Command terminated with signal Terminated');
  assert.deepEqual(states('plain'), [
    'TASK_STARTING',
    'TASK_RUNNING',
    'TASK_KILLING',
    'TASK_KILLED',
  ]);
});

test('SIGTERM reaches every process of a task, SIGKILL those that are deaf', async () => {
  const value = `(trap 'echo child; exit' TERM; while :; do sleep 0.1; done) & trap '' TERM; wait; while :; do sleep 0.1; done`;
  const kill_policy = { grace_period: { nanoseconds: 500e6 } };
  await machine.launch('deaf', { info: { command: { value }, kill_policy } });
  await machine.toldOf('deaf', 'TASK_RUNNING');
  await systemClock.sleep(200);
  await machine.kill('deaf');
  const last = await machine.toldOf('deaf', 'TASK_KILLED');
  assert.equal(last.message, 'Command terminated with signal Killed');
  await until('its output', () => existsSync(join(machine.sandbox('deaf'), 'stdout')));
  await until('the child’s last word', () =>
    /child/.test(readFileSync(join(machine.sandbox('deaf'), 'stdout'), 'utf8')),
  );
});

test('Files are fetched and unpacked before a task starts; archives that lead out are refused', async () => {
  const source = join(machine.fixture.folder, 'source');
  mkdirSync(source);
  machine.file('source/run.sh', '#!/bin/sh\necho fetched\n', 0o755);
  symlinkSync('run.sh', join(source, 'link'));
  const good = join(machine.fixture.folder, 'good.tar.xz');
  execFileSync('tar', ['-cJf', good, '-C', source, '.']);
  const value = './link && ./plain.sh && ls';
  const plain = { value: join(source, 'run.sh'), output_file: 'plain.sh', executable: true };
  const uris = [{ value: `file://${good}`, cache: true }, plain];
  await machine.launch('fetches', { info: { command: { value, uris } } });
  await machine.toldOf('fetches', 'TASK_FINISHED');
  const stdout = join(machine.sandbox('fetches'), 'stdout');
  await until('its output', () => existsSync(stdout) && statSync(stdout).size > 0);
  assert.match(readFileSync(stdout, 'utf8'), /^fetched\nfetched\n/);

  const bad = machine.file('bad.tar', await tarOf([{ name: '../../../escaped', content: 'x' }]));
  await machine.launch('refused', { info: { command: { value, uris: [{ value: bad }] } } });
  const { reason, message } = await machine.toldOf('refused', 'TASK_FAILED');
  assert.equal(reason, 'REASON_CONTAINER_LAUNCH_FAILED');
  assert.match(message ?? '', /^Failed to launch container: Failed to fetch all URIs/);
  assert.deepEqual(states('refused'), ['TASK_FAILED']);
});

test('A container with an image sees its sandbox at /mnt/mesos/sandbox', async () => {
  const value = 'pwd; echo $MESOS_SANDBOX; echo kept > made';
  const container = { type: 'MESOS', mesos: {} } as const;
  await machine.launch('image', { image: 'box:1', info: { command: { value }, container } });
  await machine.toldOf('image', 'TASK_FINISHED');
  const dir = machine.sandbox('image');
  assert.equal(readFileSync(join(dir, 'made'), 'utf8'), 'kept\n');
  await until('its output', () => existsSync(join(dir, 'stdout')));
  const there = '/mnt/mesos/sandbox';
  await until('all of it', () => readFileSync(join(dir, 'stdout'), 'utf8').length > 0);
  assert.equal(readFileSync(join(dir, 'stdout'), 'utf8'), `${there}\n${there}\n`);
});

const seconds = (text: string): string => Buffer.from(text).toString('base64');

test('An executor in another language runs ten tasks in one process, over a restart of the agent', async () => {
  const script = join(import.meta.dirname, 'ten-tasks-executor.py');
  const executor = { id: 'python', command: `exec python3 -u ${script}` };
  const ids = Array.from({ length: 10 }, (_, index) => `ten-${index}`);
  for (const [index, id] of ids.entries())
    await machine.launch(id, { executor, info: { data: seconds(index < 5 ? '0.2' : '4') } });
  for (const id of ids) await machine.toldOf(id, 'TASK_RUNNING');
  for (const id of ids.slice(0, 5)) await machine.toldOf(id, 'TASK_FINISHED');
  await machine.stop();
  await systemClock.sleep(300);
  await machine.start();
  await machine.kill(ids[9] ?? '');
  assert.equal((await machine.toldOf(ids[9] ?? '', 'TASK_KILLED')).message, 'as asked');
  const ends = await Promise.all(ids.slice(0, 9).map((id) => machine.toldOf(id, 'TASK_FINISHED')));
  assert.equal(new Set(ends.map(({ message }) => message)).size, 1, 'all in one process');
  for (const id of ids) assert.equal(states(id).length, 2, `${id}: ${states(id).join()}`);
});

test('What ends while the agent is away is told by the next one', async () => {
  await machine.launch('away', { info: { command: { value: 'sleep 1; exit 7' } } });
  await machine.toldOf('away', 'TASK_RUNNING');
  await machine.stop();
  await systemClock.sleep(1500);
  await machine.start();
  const last = await machine.toldOf('away', 'TASK_FAILED');
  assert.equal(last.message, 'Command exited with status 7');
  assert.deepEqual(machine.problems, []);
});
