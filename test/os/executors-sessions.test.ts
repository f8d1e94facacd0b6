/** Sessions, nested and standalone containers through the agent's API, on real processes. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadCodec } from '#mesos/protocol';
import type { AgentCall, AgentProcessIO, ContainerID } from '#mesos/protocol';
import { RecordDecoder, encodeRecord, encodeTextRecord } from '#wire';
import { Machine } from './executors-kit.ts';
import { busyboxLayer, dockerArchive, leftovers, once, until } from './runtime-kit.ts';

const port = 18_451;
const codec = await loadCodec();
let machine: Machine;
before(async () => {
  machine = await Machine.open(port);
  const archive = await dockerArchive({
    name: 'box:1',
    layers: [await busyboxLayer()],
    gzip: true,
  });
  await machine.fixture.runtime.images.load(once(archive));
  for (const [id, plan] of Object.entries({ plain: {}, boxed: { image: 'box:1' } })) {
    const container = { type: 'MESOS', mesos: {} } as const;
    const command = { value: 'export SEEN=task; sleep 1000' };
    await machine.launch(id, { ...plan, info: { command, container } });
    await machine.toldOf(id, 'TASK_RUNNING');
  }
});
after(async () => {
  await machine[Symbol.asyncDispose]();
  assert.deepEqual(leftovers(machine.fixture), []);
  assert.deepEqual(machine.problems, []);
});

type Form = 'json' | 'protobuf';
const types = { json: 'application/json', protobuf: 'application/x-protobuf' } as const;

function encoded(call: AgentCall, form: Form): Uint8Array {
  return form === 'json'
    ? Buffer.from(codec.encodeJson('agent.Call', call))
    : codec.encodeProtobuf('agent.Call', call);
}

async function post(call: AgentCall, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/api/v1`, {
    method: 'POST',
    headers: { 'Content-Type': types.json, Accept: types.json, ...headers },
    body: Buffer.from(encoded(call, 'json')),
  });
}

async function said(call: AgentCall): Promise<string> {
  const reply = await post(call);
  return `${reply.status} ${await reply.text()}`;
}

/** A stream of ProcessIO, gathered as it comes. */
class Output {
  readonly #abort: AbortController;
  text = '';
  errors = '';
  readonly ended: Promise<void>;

  constructor(response: Response, form: Form, abort: AbortController) {
    this.#abort = abort;
    this.ended = this.#read(response, form);
  }

  static async open(call: AgentCall, form: Form = 'json'): Promise<Output> {
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}/api/v1`, {
      method: 'POST',
      headers: {
        'Content-Type': types.json,
        Accept: 'application/recordio',
        'Message-Accept': types[form],
      },
      body: Buffer.from(encoded(call, 'json')),
      signal: abort.signal,
    });
    assert.equal(response.status, 200, response.status === 200 ? '' : await response.text());
    assert.equal(response.headers.get('content-type'), 'application/recordio');
    assert.equal(response.headers.get('message-content-type'), types[form]);
    return new Output(response, form, abort);
  }

  async #read(response: Response, form: Form): Promise<void> {
    const decoder = new RecordDecoder({ recordBytesMax: 2 ** 22 });
    try {
      for await (const chunk of response.body ?? [])
        for (const record of decoder.push(chunk)) {
          const io =
            form === 'json'
              ? codec.decodeJson('agent.ProcessIO', Buffer.from(record).toString())
              : codec.decodeProtobuf('agent.ProcessIO', record);
          const text = Buffer.from(io.data?.data ?? '', 'base64').toString();
          if (io.data?.type === 'STDOUT') this.text += text;
          if (io.data?.type === 'STDERR') this.errors += text;
        }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    }
  }

  leave(): void {
    this.#abort.abort();
  }
}

/** An input stream that stays open until it is closed. */
class Input {
  #send: (chunk: Uint8Array) => void = () => undefined;
  #close: () => void = () => undefined;
  readonly #form: Form;
  readonly reply: Promise<Response>;

  constructor(id: ContainerID, form: Form = 'json') {
    this.#form = form;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#send = (chunk) => controller.enqueue(chunk);
        this.#close = () => controller.close();
      },
    });
    const init = {
      method: 'POST',
      headers: {
        'Content-Type': 'application/recordio',
        'Message-Content-Type': types[form],
        Accept: types.json,
      },
      body,
      duplex: 'half',
    } as const;
    this.#call({ type: 'CONTAINER_ID', container_id: id });
    this.reply = fetch(`http://127.0.0.1:${port}/api/v1`, init);
  }

  #call(input: NonNullable<AgentCall['attach_container_input']>): void {
    const call: AgentCall = { type: 'ATTACH_CONTAINER_INPUT', attach_container_input: input };
    const bytes = encoded(call, this.#form);
    this.#send(
      this.#form === 'json' ? encodeTextRecord(Buffer.from(bytes).toString()) : encodeRecord(bytes),
    );
  }

  io(io: AgentProcessIO): void {
    this.#call({ type: 'PROCESS_IO', process_io: io });
  }

  write(text: string): void {
    const data = Buffer.from(text).toString('base64');
    this.io({ type: 'DATA', data: { type: 'STDIN', data } });
  }

  resize(columns: number, rows: number): void {
    const tty_info = { window_size: { columns, rows } };
    this.io({ type: 'CONTROL', control: { type: 'TTY_INFO', tty_info } });
  }

  beat(): void {
    const heartbeat = { interval: { nanoseconds: 30e9 } };
    this.io({ type: 'CONTROL', control: { type: 'HEARTBEAT', heartbeat } });
  }

  close(): void {
    this.#close();
  }
}

const below = (task: string, value: string): ContainerID => ({
  value,
  parent: { value: machine.podUid(task) },
});
const session = (
  id: ContainerID,
  value: string,
  more: Partial<NonNullable<AgentCall['launch_nested_container_session']>> = {},
): AgentCall => ({
  type: 'LAUNCH_NESTED_CONTAINER_SESSION',
  launch_nested_container_session: { container_id: id, command: { value }, ...more },
});
async function waited(id: ContainerID): Promise<unknown> {
  const call: AgentCall = {
    type: 'WAIT_NESTED_CONTAINER',
    wait_nested_container: { container_id: id },
  };
  const reply = await post(call);
  assert.equal(reply.status, 200);
  const answer = codec.decodeJson('agent.Response', await reply.text());
  return answer.wait_nested_container;
}
const terminal = { type: 'MESOS', tty_info: { window_size: { columns: 91, rows: 17 } } } as const;

for (const form of ['json', 'protobuf'] as const)
  for (const task of ['plain', 'boxed'])
    test(`What is fed to a session of ${task} comes back until its end, in ${form}`, async () => {
      const id = below(task, `cat-${form}`);
      const output = await Output.open(session(id, 'cat; echo done >&2; exit 3'), form);
      const input = new Input(id, form);
      input.write('one ');
      await until('the echo', () => output.text === 'one ');
      input.beat();
      input.write('two');
      input.write('');
      await output.ended;
      assert.deepEqual([output.text, output.errors], ['one two', 'done\n']);
      input.close();
      assert.equal((await input.reply).status, 200);
      assert.deepEqual(await waited(id), { exit_status: 3 << 8 });
    });

for (const task of ['plain', 'boxed'])
  test(`A session of ${task} with a terminal has the size that it is told`, async () => {
    const id = below(task, 'tty');
    const script = 'while read line; do [ "$line" = end ] && exit 0; stty size; done';
    const output = await Output.open(session(id, script, { container: terminal }));
    const input = new Input(id);
    input.write('first\n');
    await until('the first size', () => output.text.includes('17 91'));
    input.resize(133, 41);
    input.write('again\n');
    await until('the second size', () => output.text.includes('41 133'));
    input.write('end\n');
    await output.ended;
    assert.equal((await input.reply).status, 200);
    assert.deepEqual(await waited(id), { exit_status: 0 });
  });

test('A session inherits what its task has, and takes a user and variables of its own', async () => {
  const id = below('plain', 'env');
  const environment = { variables: [{ name: 'MORE', value: 'a b' }] };
  const value = 'echo "$MORE"; pwd; echo $MESOS_SANDBOX; id -un';
  const command = { value, environment, user: 'nobody' };
  const output = await Output.open(session(id, '', { command }));
  await output.ended;
  const dir = machine.sandbox('plain');
  assert.equal(output.text, `a b\n${dir}\n${dir}\nnobody\n`);
});

test('A session ends with the stream that shows it', async () => {
  const id = below('plain', 'left');
  const output = await Output.open(session(id, 'echo $$; sleep 1000'));
  await until('its start', () => output.text !== '');
  const waiting = waited(id);
  output.leave();
  assert.deepEqual(await waiting, { exit_status: 9 });
});

test('A signal is the one that is asked for, and SIGKILL without one', async () => {
  const deaf = `trap 'echo usr1' USR1; echo ready; while :; do sleep 0.05; done`;
  const id = below('plain', 'signals');
  const output = await Output.open(session(id, deaf));
  await until('its start', () => output.text === 'ready\n');
  const kill = (signal?: number): AgentCall => ({
    type: 'KILL_NESTED_CONTAINER',
    kill_nested_container: { container_id: id, ...(signal === undefined ? {} : { signal }) },
  });
  assert.equal(await said(kill(10)), '200 ');
  await until('its answer', () => output.text.includes('usr1'));
  assert.equal(await said(kill()), '200 ');
  await output.ended;
  assert.deepEqual(await waited(id), { exit_status: 9 });
  const text = `${machine.podUid('plain')}.signals`;
  assert.equal(
    await said(kill()),
    `404 Container '${text}' cannot be found (or is already killed)`,
  );
});

test('Only one input is taken at a time, and what cannot be read ends it', async () => {
  const id = below('plain', 'inputs');
  const output = await Output.open(session(id, 'cat'));
  const first = new Input(id);
  first.write('x');
  await until('the echo', () => output.text === 'x');
  const second = new Input(id);
  const refused = await second.reply;
  assert.deepEqual(
    [refused.status, await refused.text()],
    [409, 'Multiple input connections are not allowed'],
  );
  first.io({ type: 'DATA', data: { type: 'STDOUT', data: '' } });
  const reply = await first.reply;
  assert.deepEqual(
    [reply.status, await reply.text()],
    [400, "Expecting 'process_io.data.type' to be 'STDIN'"],
  );
  const third = new Input(id);
  third.resize(1, 1);
  const sized = await third.reply;
  assert.deepEqual(
    [sized.status, await sized.text()],
    [400, 'Unable to set the window size: Inappropriate ioctl for device'],
  );
  output.leave();
  await waited(id);
});

test('A nested container has a sandbox and files of its own, of an image or of the machine', async () => {
  const launch = (id: ContainerID, wish: object): AgentCall => ({
    type: 'LAUNCH_NESTED_CONTAINER',
    launch_nested_container: { container_id: id, ...wish },
  });
  const value = 'pwd; echo $MESOS_SANDBOX; ls /etc; id -un; exit 4';
  const image = { type: 'DOCKER', docker: { name: 'box:1' } } as const;
  const boxed = below('plain', 'boxed');
  const plain = below('boxed', 'plain');
  const container = { type: 'MESOS', mesos: { image } } as const;
  assert.equal(await said(launch(boxed, { command: { value }, container })), '200 ');
  assert.equal(await said(launch(plain, { command: { value, user: 'nobody' } })), '200 ');
  assert.deepEqual(await waited(boxed), { exit_status: 4 << 8 });
  assert.deepEqual(await waited(plain), { exit_status: 4 << 8 });
  const read = async (task: string, name: string): Promise<string[]> => {
    const path = join(machine.sandbox(task), 'containers', name, 'stdout');
    await until(`output of ${name}`, () => existsSync(path) && readFileSync(path).length > 0);
    return readFileSync(path, 'utf8').trim().split('\n');
  };
  const there = '/mnt/mesos/sandbox';
  const inBox = await read('plain', 'boxed');
  assert.deepEqual([inBox[0], inBox[1], inBox.at(-1)], [there, there, 'root']);
  assert(!inBox.includes('fstab') && !inBox.includes('apt'));
  const onHost = await read('boxed', 'plain');
  const dir = join(machine.sandbox('boxed'), 'containers/plain');
  assert.deepEqual([onHost[0], onHost[1], onHost.at(-1)], [dir, dir, 'nobody']);
  assert(onHost.includes('apt'));

  const remove: AgentCall = {
    type: 'REMOVE_NESTED_CONTAINER',
    remove_nested_container: { container_id: boxed },
  };
  assert.equal(await said(remove), '200 ');
  assert(!existsSync(join(machine.sandbox('plain'), 'containers/boxed')));
  const wait: AgentCall = {
    type: 'WAIT_NESTED_CONTAINER',
    wait_nested_container: { container_id: boxed },
  };
  const name = `${machine.podUid('plain')}.boxed`;
  assert.equal(await said(wait), `404 Container ${name} cannot be found`);
});

test('A nested container outlives the agent, and its own nested ones end with it', async () => {
  const outer = below('plain', 'outer');
  const inner: ContainerID = { value: 'inner', parent: outer };
  for (const id of [outer, inner]) {
    const launch_container = { container_id: id, command: { value: 'sleep 1000' } };
    assert.equal(await said({ type: 'LAUNCH_CONTAINER', launch_container }), '200 ');
    assert.equal(await said({ type: 'LAUNCH_CONTAINER', launch_container }), '202 ');
  }
  await machine.stop();
  await machine.start();
  const shown = async (flags: object): Promise<readonly string[]> => {
    const reply = await post({ type: 'GET_CONTAINERS', get_containers: flags });
    const answer = codec.decodeJson('agent.Response', await reply.text());
    return (answer.get_containers?.containers ?? []).map(({ container_id: { value } }) => value);
  };
  await until('both again', async () => (await shown({ show_nested: true })).includes('inner'));
  assert(!(await shown({})).includes('outer'));
  const running = { type: 'REMOVE_CONTAINER', remove_container: { container_id: outer } } as const;
  assert.equal(await said(running), '500 Nested container has not terminated yet');
  const waiting = waited(inner);
  const kill_container = { container_id: outer, signal: 15 };
  assert.equal(await said({ type: 'KILL_CONTAINER', kill_container }), '200 ');
  assert.deepEqual(await waited(outer), { exit_status: 15 });
  assert.deepEqual(await waiting, { exit_status: 9 });
  assert.equal(await said(running), '200 ');
});

test('A standalone container has a sandbox and limits of its own', async () => {
  const id = { value: 'alone' };
  const resources = [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 0.1 } },
    { name: 'mem', type: 'SCALAR', scalar: { value: 32 } },
  ] as const;
  const value = 'pwd; ls /sys/class/net; sleep 0.5; exit 5';
  const launch_container = { container_id: id, command: { value }, resources };
  assert.equal(await said({ type: 'LAUNCH_CONTAINER', launch_container }), '200 ');
  const reply = await post({ type: 'GET_CONTAINERS', get_containers: { show_standalone: true } });
  const { get_containers } = codec.decodeJson('agent.Response', await reply.text());
  const own = get_containers?.containers?.find(
    ({ container_id }) => container_id.value === 'alone',
  );
  assert.deepEqual([own?.framework_id, own?.container_status?.container_id], [undefined, id]);
  const [limits] = machine.fixture.runtime
    .containers()
    .flatMap(({ spec }) => (spec.name === 'launched-alone' ? [spec.resources] : []));
  assert.deepEqual(limits, { cpuShares: 102, cpuQuotaUs: 10_000, memoryBytes: 32 * 2 ** 20 });
  const wait: AgentCall = { type: 'WAIT_CONTAINER', wait_container: { container_id: id } };
  const ended = codec.decodeJson('agent.Response', await (await post(wait)).text());
  assert.deepEqual(ended.wait_container, { exit_status: 5 << 8 });
  const dir = join(machine.fixture.folder, 'mesos/containers/alone');
  await until('its output', () => existsSync(join(dir, 'stdout')));
  await until('all of it', () => readFileSync(join(dir, 'stdout'), 'utf8').includes('lo'));
  await until('its sandbox to go', () => machine.fixture.runtime.sandboxes().length === 2);
  const remove_container = { container_id: id };
  assert.equal(await said({ type: 'REMOVE_CONTAINER', remove_container }), '200 ');
  assert(!existsSync(dir));
});

test('What cannot be had is refused in words', async () => {
  const launch = (container: object, id: ContainerID = below('plain', 'no')): AgentCall => ({
    type: 'LAUNCH_CONTAINER',
    launch_container: {
      container_id: id,
      command: { value: 'true' },
      container: container as never,
    },
  });
  const cases: readonly (readonly [AgentCall, string])[] = [
    [
      launch({ type: 'DOCKER', docker: { image: 'box:1' } }),
      'The provided ContainerInfo is not supported',
    ],
    [
      launch({ type: 'MESOS' }, { value: 'x', parent: { value: 'nobody' } }),
      'Parent container nobody does not exist',
    ],
    [launch({ type: 'MESOS', network_infos: [{ name: 'weave' }] }), "Unknown CNI network 'weave'"],
    [
      launch({ type: 'MESOS', rlimit_info: { rlimits: [{ type: 'RLMT_CPU', soft: 1 }] } }),
      'Failed to set RLMT_CPU limit: Invalid rlimit values',
    ],
  ];
  for (const [call, text] of cases) assert.equal(await said(call), `400 ${text}`);
  const refused = session(below('plain', 'no'), 'true', {
    container: {
      type: 'MESOS',
      mesos: { image: { type: 'DOCKER', docker: { name: 'box:1' } } },
    },
  });
  assert.equal(await said(refused), "400 A 'rootfs' cannot be set for DEBUG containers");
});

test('A container with limits of its processes runs within them', async () => {
  const rlimits = [{ type: 'RLMT_NOFILE', soft: 100, hard: 200 }, { type: 'RLMT_CORE' }] as const;
  const container = { type: 'MESOS', mesos: {}, rlimit_info: { rlimits } } as const;
  const value = 'ulimit -Sn; ulimit -Hn; ulimit -Hc';
  for (const image of [undefined, 'box:1']) {
    const id = `limits-${image === undefined ? 'plain' : 'box'}`;
    const info = { command: { value }, container };
    await machine.launch(id, { ...(image === undefined ? {} : { image }), info });
    await machine.toldOf(id, 'TASK_FINISHED');
    const path = join(machine.sandbox(id), 'stdout');
    await until('its output', () => existsSync(path) && readFileSync(path).length > 0);
    assert.equal(readFileSync(path, 'utf8'), '100\n200\nunlimited\n');
  }
  const rlimit_info = { rlimits: [{ type: 'RLMT_CPU', soft: 3, hard: 2 }] } as const;
  const info = {
    command: { value },
    container: { type: 'MESOS', mesos: {}, rlimit_info },
  } as const;
  await machine.launch('limits-bad', { info });
  const { message, reason } = await machine.toldOf('limits-bad', 'TASK_FAILED');
  assert.equal(reason, 'REASON_CONTAINER_LAUNCH_FAILED');
  assert.equal(
    message,
    'Failed to launch container: Failed to set RLMT_CPU limit: Invalid argument',
  );
});

test('A container without a network has loopback alone; one on the machine’s may have a name', async () => {
  const value = 'ls /sys/class/net; hostname; cat /etc/hostname';
  const stdout = async (id: string): Promise<string> => {
    await machine.toldOf(id, 'TASK_FINISHED');
    const path = join(machine.sandbox(id), 'stdout');
    await until('its output', () => existsSync(path) && readFileSync(path).length > 0);
    return readFileSync(path, 'utf8');
  };
  const spec = { hostNetwork: false };
  const pod = { annotations: { 'mesos.tandem.dev/network': 'none' }, spec };
  const docker = { image: 'box:1', network: 'NONE' } as const;
  const lonely = { command: { value }, container: { type: 'DOCKER', docker } } as const;
  await machine.launch('lonely', { image: 'box:1', pod, info: lonely });
  assert.match(await stdout('lonely'), /^lo\n/);
  for (const image of [undefined, 'box:1']) {
    const id = `named-${image === undefined ? 'plain' : 'box'}`;
    const container = { type: 'MESOS', mesos: {} } as const;
    const named = { spec: { hostname: 'chosen' } };
    const plan = { pod: named, info: { command: { value }, container } };
    await machine.launch(id, { ...plan, ...(image === undefined ? {} : { image }) });
    const text = await stdout(id);
    assert.match(text, image === undefined ? /\nchosen\n/ : /\nchosen\nchosen\n$/);
  }
});

test('A check reaches a container that has no network', async () => {
  const script = 'while :; do echo -e "HTTP/1.1 200 OK\\r\\n\\r" | nc -l -p 8080; done';
  const spec = { hostNetwork: false };
  const pod = { annotations: { 'mesos.tandem.dev/network': 'none' }, spec };
  const docker = { image: 'box:1', network: 'NONE' } as const;
  const health_check = {
    type: 'HTTP',
    http: { port: 8080, path: '/' },
    delay_seconds: 0,
    interval_seconds: 0.2,
  } as const;
  const container = { type: 'DOCKER', docker } as const;
  const info = { command: { value: script }, container, health_check };
  await machine.launch('checked', { image: 'box:1', pod, info });
  await until('its health', () => machine.told('checked').some(({ healthy }) => healthy === true));
  await machine.kill('checked');
  await machine.toldOf('checked', 'TASK_KILLED');
});

test('The terminal of a task itself is attached to, for output and for input', async () => {
  const script = 'stty -echo; echo ready; while read line; do echo "got $line"; stty size; done';
  const containers = [
    { name: 'task', command: ['/bin/sh', '-c', script], tty: true, stdin: true, resources: {} },
  ];
  const container = { type: 'MESOS', tty_info: {} } as const;
  const info = { command: { value: script }, container };
  await machine.launch('terminal', { pod: { spec: { containers } }, info });
  await machine.toldOf('terminal', 'TASK_RUNNING');
  const id = { value: machine.podUid('terminal') };
  const attach = { type: 'ATTACH_CONTAINER_OUTPUT', attach_container_output: { container_id: id } };
  const output = await Output.open(attach as AgentCall, 'protobuf');
  const input = new Input(id, 'protobuf');
  input.resize(77, 22);
  input.write('hello\n');
  await until('its answer', () => output.text.includes('got hello'));
  await until('its size', () => output.text.includes('22 77'));
  input.close();
  assert.equal((await input.reply).status, 200);
  const again = new Input(id);
  again.write('again\n');
  await until('its second answer', () => output.text.includes('got again'));
  await machine.kill('terminal');
  await output.ended;
  assert.equal((await again.reply).status, 200);

  const plain = new Input({ value: machine.podUid('plain') });
  const refused = await plain.reply;
  assert.deepEqual(
    [refused.status, await refused.text()],
    [500, 'I/O switchboard server was disabled for this container'],
  );
  const nobody = new Input({ value: 'nobody' });
  const missing = await nobody.reply;
  assert.deepEqual(
    [missing.status, await missing.text()],
    [404, 'Container nobody cannot be found'],
  );
});

test('An id may be used again, and tells only of its last container', async () => {
  const id = below('plain', 'again');
  const path = join(machine.sandbox('plain'), 'containers/again/stdout');
  for (const text of ['first and longer', 'second']) {
    const launch_container = { container_id: id, command: { value: `echo ${text}` } };
    assert.equal(await said({ type: 'LAUNCH_CONTAINER', launch_container }), '200 ');
    assert.deepEqual(await waited(id), { exit_status: 0 });
    await until('its output', () => existsSync(path) && readFileSync(path, 'utf8').length > 0);
    assert.equal(readFileSync(path, 'utf8'), `${text}\n`);
  }
});
