import assert from 'node:assert/strict';
import { test } from 'node:test';
import { worldWith } from './test-world.test.ts';
import { silentLogger } from '#base';
import type { Task } from '#mesos/kinds';
import type { Resource } from '#mesos/protocol';
import { createSimClock, seededRandom } from '#sim';
import { durationText } from './environment.ts';
import { FakeSandboxFiles, fakeFetchTools } from './fake-files.ts';
import { openFetcher } from './fetch/open-fetcher.ts';
import { sourceOf } from './fetch/uri.ts';
import { OutputSplitter } from './output.ts';
import { WorkPaths, directoryName } from './paths.ts';
import { ageMsMax } from './sandbox-gc.ts';
import { taskVolumes } from './volumes.ts';
import { waitText } from './wait-status.ts';

const durations: readonly (readonly [number, string])[] = [
  [5e9, '5secs'],
  [60e9, '1mins'],
  [90e9, '90secs'],
  [1.5e9, '1500ms'],
  [250e6, '250ms'],
  [604_800e9, '1weeks'],
  [864_000e9, '10days'],
  [0, '0ns'],
];
for (const [nanoseconds, text] of durations)
  test(`A duration of ${nanoseconds} ns is written ${text}`, () => {
    assert.equal(durationText(nanoseconds), text);
  });

test('Ends of processes are told as libc words them', () => {
  assert.equal(waitText({ kind: 'exited', code: 3 }), 'exited with status 3');
  assert.equal(waitText({ kind: 'signalled', signal: 15 }), 'terminated with signal Terminated');
  assert.equal(
    waitText({ kind: 'signalled', signal: 11 }),
    'terminated with signal Segmentation fault',
  );
});

const badUris: readonly (readonly [string, string | undefined, RegExp])[] = [
  ["http://x/a'b", undefined, /^Illegal characters in URI$/],
  ['http://x\\a', undefined, /^Illegal characters in URI$/],
  ['http://host', undefined, /^Malformed URI \(missing path\): http:\/\/host$/],
  ['http://x/a', '', /^URI output file path is empty$/],
  ['http://x/a', '/etc/passwd', /must be within the sandbox directory$/],
  ['http://x/a', 'a/../../b', /must be within the sandbox directory$/],
  ['file://relative/path', undefined, /^File URI only supports absolute paths$/],
  ['some/path', undefined, /^A relative path was passed/],
];
for (const [value, output_file, text] of badUris)
  test(`The URI ${JSON.stringify(value)} to ${JSON.stringify(output_file)} is refused`, () => {
    assert.throws(() => sourceOf({ value, output_file }), { message: text });
  });

test('Schemes lead to those who know them: FTP, and the Hadoop client for all others', () => {
  const kinds = ['ftp://h/a', 'ftps://h/a', 'hdfs://n/a', 's3a://b/a'].map(
    (value) => sourceOf({ value }).kind,
  );
  assert.deepEqual(kinds, ['ftp', 'ftp', 'hadoop', 'hadoop']);
});

test('A URI is fetched to its own name, query and all, leading blanks dropped', () => {
  assert.deepEqual(sourceOf({ value: '  https://x/d/a.tgz?v=1' }), {
    uri: 'https://x/d/a.tgz?v=1',
    kind: 'http',
    from: 'https://x/d/a.tgz?v=1',
    to: 'a.tgz?v=1',
  });
  assert.equal(sourceOf({ value: 'file:///opt/x' }).from, '/opt/x');
});

test('A cached file is brought once for each user, and unpacked from the cache', async () => {
  const files = new FakeSandboxFiles();
  const web = new Map([['http://x/a.tgz', 'archive']]);
  const tools = fakeFetchTools(files, web);
  let downloads = 0;
  const fetchTools: typeof tools = {
    ...tools,
    download: (...args) => {
      downloads++;
      return tools.download(...args);
    },
  };
  const random = seededRandom(1);
  const options = { files, fetchTools, clock: createSimClock(), random, logger: silentLogger };
  const fetcher = openFetcher(options, '/cache');
  const uris = [{ value: 'http://x/a.tgz', cache: true }];
  const { signal } = new AbortController();
  for (const [user, directory] of [
    ['a', '/s1'],
    ['a', '/s2'],
    ['b', '/s3'],
  ] as const) {
    await files.makeDir(directory);
    await fetcher.fetch({ uris, directory, user, containerID: 'c' }, signal);
    assert.equal(files.text(`${directory}/extracted`), 'archive');
    assert.equal(files.text(`${directory}/a.tgz`), undefined, 'the archive stays in the cache');
  }
  assert.equal(downloads, 2);
});

test('Output is split to its end over rotations and a crash, nothing twice', async () => {
  const files = new FakeSandboxFiles();
  await files.makeDir('/logs');
  await files.makeDir('/sandbox');
  const place = {
    logPath: '/logs/0.log',
    directory: '/sandbox',
    owner: undefined,
    notePath: '/notes/output.json',
  };
  const line = (text: string, stream = 'stdout'): string => `t ${stream} F ${text}\n`;
  files.put('/logs/0.log', line('one') + line('bad', 'stderr') + 't stdout F half');
  await new OutputSplitter(files).bring(place);
  assert.equal(files.text('/sandbox/stdout'), 'one\n');
  // The rest of the line comes, the log is rotated, and a new one begins.
  await files.remove('/logs/0.log');
  files.put('/logs/0.log.20260101', line('one') + line('bad', 'stderr') + line('half way'));
  files.put('/logs/0.log', line('three'));
  // An agent that died after it wrote and before it noted how far it came.
  await files.append('/sandbox/stdout', Buffer.from('half way\n'), undefined);
  const next = new OutputSplitter(files);
  await Promise.all([next.bring(place), next.bring(place)]);
  assert.equal(files.text('/sandbox/stdout'), 'one\nhalf way\nthree\n');
  assert.equal(files.text('/sandbox/stderr'), 'bad\n');
});

test('Names that cannot be directories are refused or shortened', () => {
  for (const id of ['', '.', '..', 'a/b', 'a\0b']) assert.throws(() => directoryName(id));
  const long = directoryName('x'.repeat(300));
  assert(Buffer.byteLength(long) <= 255);
  assert.notEqual(long, directoryName(`${'x'.repeat(299)}y`));
});

test('Sandboxes become less old the fuller the disk is', () => {
  const days = (usage: number): number => Math.round(ageMsMax(usage) / 86_400_000);
  assert.deepEqual([0, 0.4, 0.9, 1].map(days), [6, 4, 0, 0]);
});

test('Volumes of a task lie in its sandbox, on a disk, or where the machine has them', () => {
  const disk: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 10 },
    reservations: [{ type: 'DYNAMIC', role: 'eng/dev' }],
    disk: { persistence: { id: 'p1' }, volume: { mode: 'RW', container_path: 'data' } },
  };
  const task: Task = {
    apiVersion: 'mesos.tandem.dev/v1',
    kind: 'Task',
    metadata: { name: 't', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: {
      frameworkID: 'F',
      taskID: 't',
      agentID: 'A',
      nodeName: 'n1',
      executorID: 'e',
      execution: 'Group',
      podName: 'p',
      container: 't',
      task: {
        name: 't',
        task_id: { value: 't' },
        agent_id: { value: 'A' },
        resources: [disk],
        container: {
          type: 'MESOS',
          volumes: [
            { mode: 'RO', container_path: '/abs', host_path: '/srv' },
            { mode: 'RO', container_path: 'rel', host_path: '/srv' },
            {
              mode: 'RW',
              container_path: 'shared',
              source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'common' } },
            },
          ],
        },
      },
    },
    status: { state: 'TASK_STAGING' },
  };
  const names = { agentID: 'A', frameworkID: 'F', executorID: 'e', containerID: 'c' };
  const run = '/w/slaves/A/frameworks/F/executors/e/runs/c';
  const shown = taskVolumes(task, names, new WorkPaths('/w')).map(
    ({ hostPath, containerPath }) => `${hostPath} ${containerPath}`,
  );
  assert.deepEqual(shown, ['/w/volumes/roles/eng dev/p1 data', '/srv rel', `${run}/common shared`]);
});

test('A volume of a default executor is found at its place in the executor’s sandbox', async () => {
  const disk: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 1 },
    reservations: [{ type: 'DYNAMIC', role: 'eng' }],
    disk: { persistence: { id: 'p1' }, volume: { container_path: 'data', mode: 'RW' } },
  };
  const inParent = (container_path: string, path: string, mode: 'RO' | 'RW') => ({
    mode,
    container_path,
    source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path } } as const,
  });
  const world = await worldWith(() => ({}));
  const executor = { type: 'DEFAULT', executor_id: { value: 'e' }, resources: [disk] } as const;
  const volumes = [inParent('own', 'data', 'RW'), inParent('inner', 'data/x', 'RO')];
  await world.launch('t', {
    task: { executor, container: { type: 'MESOS', volumes } },
    spec: { execution: 'Group', executorID: 'e', group: 0 },
  });
  await world.run(300);
  assert.deepEqual(world.states('t'), ['TASK_STARTING', 'TASK_RUNNING']);
  const { uid } = world.pod('pod-t')?.metadata ?? assert.fail();
  const run = `/agent/slaves/A1/frameworks/F1/executors/e/runs/${uid}`;
  const nested = `${run}/containers/${world.task('t').metadata.uid}`;
  const volume = '/agent/volumes/roles/eng/p1';
  assert.equal(await world.files.readLink(`${run}/data`), volume);
  assert.equal(await world.files.readLink(`${nested}/own`), volume);
  assert.equal(await world.files.readLink(`${nested}/inner`), `${volume}/x`);
  world.crash();
});
