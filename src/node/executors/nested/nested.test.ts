import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentCall, AgentProcessIO, ContainerID } from '#mesos/protocol';
import type { Process } from '#node/runtime';
import { idText, namesBelowRoot, rootOf } from './ids.ts';
import { feed } from './input.ts';
import { launchProblem, launchedSpec } from './settings.ts';
import type { LaunchWish, SettingsFacts } from './settings.ts';
import { terminationOf } from './termination.ts';

const id: ContainerID = { value: 'c', parent: { value: 'b', parent: { value: 'a' } } };

test('Ids are told from the root on', () => {
  assert.equal(idText(id), 'a.b.c');
  assert.equal(rootOf(id).value, 'a');
  assert.deepEqual(namesBelowRoot(id), ['b', 'c']);
});

/** What a process is told, in order. */
function listener(): { readonly process: Process; readonly heard: string[] } {
  const heard: string[] = [];
  const process: Process = {
    stdin: {
      write: (chunk) => heard.push(`write ${Buffer.from(chunk).toString()}`) > 0,
      drained: async () => undefined,
      end: () => void heard.push('end'),
    },
    stdout: undefined,
    stderr: undefined,
    resize: async (columns, rows) => void heard.push(`resize ${columns}x${rows}`),
    exited: new Promise(() => undefined),
    close: () => undefined,
  };
  return { process, heard };
}

async function* calls(...all: readonly AgentProcessIO[]): AsyncGenerator<AgentCall> {
  for (const process_io of all)
    yield {
      type: 'ATTACH_CONTAINER_INPUT',
      attach_container_input: { type: 'PROCESS_IO', process_io },
    };
}
const data = (text: string): AgentProcessIO => ({
  type: 'DATA',
  data: { type: 'STDIN', data: Buffer.from(text).toString('base64') },
});
const size: AgentProcessIO = {
  type: 'CONTROL',
  control: { type: 'TTY_INFO', tty_info: { window_size: { columns: 80, rows: 24 } } },
};
const beat: AgentProcessIO = {
  type: 'CONTROL',
  control: { type: 'HEARTBEAT', heartbeat: { interval: { nanoseconds: 1 } } },
};

test('Without a terminal empty data is the end of the input', async () => {
  const { process, heard } = listener();
  await feed(process, calls(data('a'), beat, data('b'), data(''), data('late')), { tty: false });
  assert.deepEqual(heard, ['write a', 'write b', 'end']);
});

test('With a terminal it is nothing, and sizes come in their order', async () => {
  const { process, heard } = listener();
  await feed(process, calls(data('a'), size, data(''), data('b')), { tty: true });
  assert.deepEqual(heard, ['write a', 'resize 80x24', 'write b']);
});

const bad: readonly (readonly [AgentProcessIO, string])[] = [
  [{}, "Expecting 'process_io.type' to be present"],
  [{ type: 'DATA' }, "Expecting 'process_io.data' to be present"],
  [{ type: 'DATA', data: {} }, "Expecting 'process_io.data.type' to be present"],
  [{ type: 'DATA', data: { type: 'STDIN' } }, "Expecting 'process_io.data.data' to be present"],
  [
    { type: 'DATA', data: { type: 'STDERR', data: '' } },
    "Expecting 'process_io.data.type' to be 'STDIN'",
  ],
  [{ type: 'CONTROL' }, "Expecting 'process_io.control' to be present"],
  [{ type: 'CONTROL', control: {} }, "Expecting 'process_io.control.type' to be present"],
  [
    { type: 'CONTROL', control: { type: 'TTY_INFO' } },
    "Expecting 'process_io.control.tty_info' to be present",
  ],
  [
    { type: 'CONTROL', control: { type: 'TTY_INFO', tty_info: {} } },
    "Expecting 'tty_info.window_size' to be present",
  ],
  [
    { type: 'CONTROL', control: { type: 'HEARTBEAT' } },
    "Expecting 'process_io.control.heartbeat' to be present",
  ],
  [size, 'Unable to set the window size: Inappropriate ioctl for device'],
];
for (const [io, text] of bad)
  test(`An input ends with: ${text}`, async () => {
    const { process } = listener();
    await assert.rejects(feed(process, calls(io), { tty: false }), { message: text });
  });

const facts: SettingsFacts = {
  name: 'n',
  image: undefined,
  directory: '/var/dir',
  volumes: [],
  user: { name: 'me', uid: 5, gid: 6, home: '/' },
  logPath: '/log',
  labels: {},
  annotations: {},
  security: undefined,
  ownLimits: true,
};
const amounts: LaunchWish = {
  command: { value: 'true' },
  resources: [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } },
    { name: 'mem', type: 'SCALAR', scalar: { value: 64 } },
  ],
};

test('Limits are those of the call; without a cgroup of its own there are none', () => {
  const mine = launchedSpec(amounts, facts).resources;
  assert.deepEqual(mine, { cpuShares: 512, cpuQuotaUs: 50_000, memoryBytes: 64 * 2 ** 20 });
  const limits = { cpus: { value: Number.POSITIVE_INFINITY }, mem: { value: 128 } };
  const wider = launchedSpec({ ...amounts, limits }, facts).resources;
  assert.deepEqual(wider, { cpuShares: 512, memoryBytes: 128 * 2 ** 20 });
  assert.deepEqual(launchedSpec(amounts, { ...facts, ownLimits: false }).resources, {});
});

test('A process runs in its sandbox as its user, with variables of its own', () => {
  const variables = [
    { name: 'A', value: '1' },
    { name: 'B', secret: { type: 'VALUE', value: { data: 'c2VjcmV0' } } },
    { name: 'MESOS_SANDBOX', value: 'mine' },
  ] as const;
  const command = { value: 'x', shell: false, arguments: ['x', 'y'], environment: { variables } };
  const spec = launchedSpec({ command }, facts);
  assert.deepEqual([spec.workingDir, spec.security.runAsUserName], ['/var/dir', 'me']);
  assert.deepEqual(spec.args.slice(-2), ['x', 'y']);
  assert.deepEqual(spec.env.map(({ name, value }) => `${name}=${value}`).slice(0, 3), [
    'A=1',
    'B=secret',
    'MESOS_SANDBOX=mine',
  ]);
});

test('What is not served is refused in words', () => {
  const of = (container: object) => launchProblem({ container: { type: 'MESOS', ...container } });
  const volume = (more: object) => of({ volumes: [{ mode: 'RW', container_path: 'x', ...more }] });
  assert.equal(of({}), undefined);
  assert.equal(of({ network_infos: [{ name: 'w' }] }), "Unknown CNI network 'w'");
  assert.equal(of({ mesos: { image: { type: 'APPC' } } }), 'Appc images are not supported');
  assert.equal(volume({ image: { type: 'DOCKER' } }), 'Volumes of images are not supported');
  const driver = volume({ source: { type: 'DOCKER_VOLUME' } });
  assert.equal(driver, 'Volumes of Docker volume drivers are not supported');
  assert.equal(volume({ source: { type: 'CSI_VOLUME' } }), 'CSI volumes are not supported');
});

test('The end of a container tells of a limit that it met', () => {
  const container = {
    id: 'r',
    sandboxId: 's',
    spec: {
      ...launchedSpec(amounts, facts),
      attempt: 0,
    },
    state: 'exited',
    createdMs: 0,
    startedMs: 0,
    finishedMs: 0,
    exitCode: 137,
    exitSignal: 9,
    oomKilled: true,
    message: '',
    pid: undefined,
    uid: 5,
  } as const;
  const { exit_status, state, reason } = terminationOf(container);
  assert.deepEqual(
    [exit_status, state, reason],
    [9, 'TASK_FAILED', 'REASON_CONTAINER_LIMITATION_MEMORY'],
  );
  assert.deepEqual(terminationOf({ ...container, oomKilled: false }), { exit_status: 9 });
});
