import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { FaceRequest } from '#base';
import { createFakeApi, createInformer } from '#client';
import { nodes } from '#kube/kinds';
import { agents, frameworks, tasks } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';
import { createSimClock, seededRandom } from '#sim';
import type { SimClock } from '#sim';
import { encodeDnsAnswer, recordType, responseCode } from '#wire';
import type { DnsAnswer, DnsQuery } from '#wire';
import { createMesosDnsFace } from './face.ts';
import { frameworkLabels, labelOf, taskHash } from './labels.ts';
import { mesosNames } from './names.ts';
import { MesosView } from './view.ts';

const master = 'f1e2';
const zone = {
  domain: 'mesos',
  master: { ip: '10.88.0.1', port: 5050 },
  agentPort: 5051,
  listeners: ['10.244.0.1'],
};

interface TaskOptions {
  readonly id: string;
  readonly agent: string;
  readonly ip?: string;
  readonly ports?: readonly [number, number];
  readonly state?: Task['status']['state'];
  readonly discovery?: Task['spec']['task']['discovery'];
}

async function world() {
  const clock: SimClock = createSimClock();
  const random = seededRandom(1);
  const api = createFakeApi({ clock, random });
  const own = { apiVersion: 'mesos.tandem.dev/v1' };
  for (const [index, node] of ['n1', 'n2'].entries()) {
    await api.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: node },
      status: { addresses: [{ type: 'InternalIP', address: `192.168.0.${index + 1}` }] },
    });
    await api.create(agents, {
      ...own,
      kind: 'Agent',
      metadata: { name: node },
      spec: { agentID: `${master}-S${index}`, nodeName: node },
      status: { registeredTime: 'then' },
    });
  }
  await api.create(frameworks, {
    ...own,
    kind: 'Framework',
    metadata: { name: 'marathon' },
    spec: {
      frameworkID: 'F',
      info: { name: 'marathon-0.7.5', user: 'root', hostname: 'localhost' },
      namespace: 'mesos-marathon',
    },
    status: { phase: 'Active' },
  });
  const run = async (name: string, options: TaskOptions): Promise<void> => {
    const { id, agent, ip, ports, state = 'TASK_RUNNING', discovery } = options;
    const ranges = ports && { range: [{ begin: ports[0], end: ports[1] }] };
    const infos = ip === undefined ? [] : [{ ip_addresses: [{ ip_address: ip }] }];
    const agentID = `${master}-${agent}`;
    await api.create(tasks, {
      ...own,
      kind: 'Task',
      metadata: { name: id.toLowerCase(), namespace: 'mesos-marathon' },
      spec: {
        frameworkID: 'F',
        taskID: id,
        agentID,
        nodeName: 'n1',
        executorID: id,
        execution: 'Command',
        podName: 'p',
        task: {
          name,
          task_id: { value: id },
          agent_id: { value: agentID },
          ...(discovery && { discovery }),
          ...(ranges && { resources: [{ name: 'ports', type: 'RANGES', ranges }] }),
        },
      },
      status: {
        state,
        updates: [
          {
            task_id: { value: id },
            state: 'TASK_RUNNING',
            timestamp: 1,
            container_status: { network_infos: infos },
          },
        ],
      },
    });
  };
  const stop = new AbortController();
  const view = new MesosView({
    api,
    createInformer,
    clock,
    logger: silentLogger,
    signal: stop.signal,
    zone,
  });
  const names = mesosNames({ view, clock, random });
  const face = createMesosDnsFace({ view, version: '0.9.0', httpPort: 8123 });
  return { clock, api, run, view, names, face, stop: () => stop.abort() };
}
type World = Awaited<ReturnType<typeof world>>;

function question(name: string, type: number): DnsQuery {
  const head = { id: 1, opcode: 0, recursionDesired: true, class: 1 };
  return { ...head, name, type, udpBytesMax: 512, edns: false };
}
async function ask(
  { names, clock }: World,
  name: string,
  type: keyof typeof recordType,
): Promise<DnsAnswer> {
  const asked = names.answer(question(name, recordType[type]), 'udp', new Uint8Array());
  await clock.settle();
  const answer = await asked;
  assert.ok(answer !== undefined && !('raw' in answer));
  return answer;
}
function told(records: DnsAnswer['answers'] | undefined): readonly string[] {
  return (records ?? [])
    .map((record) => {
      if ('address' in record) return `${record.type} ${record.address}`;
      if (record.type === 'SRV') return `SRV ${record.port} ${record.target}`;
      return record.type;
    })
    .toSorted();
}
async function get(
  { face, clock }: World,
  path: string,
): Promise<{ status: number; json: unknown }> {
  const request: FaceRequest = {
    method: 'GET',
    path,
    search: '',
    headers: {},
    peer: { address: '', port: 0, localAddress: '', localPort: 0, secure: false, certificates: [] },
    signal: new AbortController().signal,
    body: async () => new Uint8Array(),
    async *bodyStream() {},
  };
  const asked = face(request);
  await clock.settle();
  const { status, body } = await asked;
  assert.ok(body instanceof Uint8Array);
  const text = Buffer.from(body).toString();
  return { status, json: /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text };
}

const labelCases: readonly [string, string][] = [
  ['b.a', 'b-a'],
  ['Nginx_1', 'nginx-1'],
  ['--x--', 'x'],
  ['ä/b c', 'bc'],
  ['', ''],
  [`${'a'.repeat(62)}--${'b'.repeat(5)}`, `${'a'.repeat(62)}b`],
  ['x'.repeat(80), 'x'.repeat(63)],
];
for (const [name, want] of labelCases)
  test(`labelOf(${JSON.stringify(name.slice(0, 20))}) is a label`, () => {
    assert.equal(labelOf(name), want);
  });

test('Framework names keep their dots, hashes are z-base-32 of SHA-1', () => {
  assert.equal(frameworkLabels('marathon-0.7.5'), 'marathon-0.7.5');
  assert.equal(frameworkLabels('..My Frame.Work'), 'myframe.work');
  assert.match(taskHash('x'), /^[ybndrfg8ejkmcpqxot1uwisza345h769]{5}$/);
  // SHA-1 of nothing begins with da39a3ee: 11011 01000 11100 11010 00111.
  assert.equal(taskHash(''), '5eh48');
});

test('A task without discovery has every shape of name', async () => {
  const w = await world();
  await w.run('b.a', { id: 'T1', agent: 'S0', ports: [31_000, 31_001] });
  await w.run('b.a', { id: 'T2', agent: 'S1', ip: '10.244.1.9', ports: [31_005, 31_005] });
  const canonical = (id: string, agent: string) => `b-a-${taskHash(id)}-${agent}.marathon-0.7.5`;
  const one = canonical('T1', 's0');
  const two = canonical('T2', 's1');
  const base = 'b-a.marathon-0.7.5';
  assert.deepEqual(told((await ask(w, `${base}.mesos`, 'A')).answers), [
    'A 10.244.1.9',
    'A 192.168.0.1',
  ]);
  assert.deepEqual(told((await ask(w, `${base.toUpperCase()}.slave.mesos`, 'A')).answers), [
    'A 192.168.0.1',
    'A 192.168.0.2',
  ]);
  assert.deepEqual(told((await ask(w, `${two}.mesos`, 'A')).answers), ['A 10.244.1.9']);
  assert.deepEqual(told((await ask(w, `${two}.slave.mesos`, 'A')).answers), ['A 192.168.0.2']);
  const services = [
    `SRV 31000 ${one}.slave.mesos`,
    `SRV 31001 ${one}.slave.mesos`,
    `SRV 31005 ${two}.slave.mesos`,
  ];
  for (const name of [`_b-a._tcp.marathon-0.7.5`, `_b-a._udp.marathon-0.7.5.slave`]) {
    const { answers, additional } = await ask(w, `${name}.mesos`, 'SRV');
    assert.deepEqual(told(answers), services);
    assert.deepEqual(told(additional), ['A 192.168.0.1', 'A 192.168.0.2']);
    assert.ok(answers.every(({ ttl }) => ttl === 60));
  }
  assert.deepEqual(told((await ask(w, '_b-a._http.marathon-0.7.5.mesos', 'SRV')).answers), []);
  w.stop();
});

test('A task with discovery goes by that name and its ports', async () => {
  const w = await world();
  const ports = [
    { number: 8080, protocol: 'tcp', name: 'web ui' },
    { number: 53, name: 'dns' },
  ];
  await w.run('ignored', {
    id: 'T',
    agent: 'S0',
    ip: '10.244.0.7',
    ports: [31_000, 31_000],
    discovery: { visibility: 'CLUSTER', name: 'my.app', ports: { ports } },
  });
  const tail = `${taskHash('T')}-s0.marathon-0.7.5.mesos`;
  for (const name of ['my.app', 'my-app']) {
    assert.deepEqual(told((await ask(w, `${name}.marathon-0.7.5.mesos`, 'A')).answers), [
      'A 10.244.0.7',
    ]);
    const srv = async (front: string, back = ''): Promise<readonly string[]> =>
      told((await ask(w, `${front}.marathon-0.7.5${back}.mesos`, 'SRV')).answers);
    assert.deepEqual(await srv(`_${name}._tcp`), [
      `SRV 53 ${name}-${tail}`,
      `SRV 8080 ${name}-${tail}`,
    ]);
    assert.deepEqual(await srv(`_${name}._udp`), [`SRV 53 ${name}-${tail}`]);
    assert.deepEqual(await srv(`_webui._${name}._tcp`), [`SRV 8080 ${name}-${tail}`]);
    const onAgent = `${name}-${tail.replace(/\.mesos$/, '')}.slave.mesos`;
    assert.deepEqual(await srv(`_${name}._tcp`, '.slave'), [`SRV 31000 ${onAgent}`]);
  }
  assert.equal((await ask(w, 'ignored.marathon-0.7.5.mesos', 'A')).code, responseCode.nameError);
  w.stop();
});

test('Master, agents, frameworks and the zone itself have names', async () => {
  const w = await world();
  for (const name of ['leader', 'master', 'master0', 'marathon-0.7.5'])
    assert.deepEqual(told((await ask(w, `${name}.mesos`, 'A')).answers), ['A 10.88.0.1'], name);
  const leader = await ask(w, '_leader._tcp.mesos', 'SRV');
  assert.deepEqual(told(leader.answers), ['SRV 5050 leader.mesos']);
  assert.deepEqual(told(leader.additional), ['A 10.88.0.1']);
  assert.deepEqual(told((await ask(w, '_slave._tcp.mesos', 'SRV')).answers), [
    'SRV 5051 slave.mesos',
  ]);
  assert.equal((await ask(w, 'slave.mesos', 'A')).answers.length, 2);
  assert.deepEqual(told((await ask(w, 'ns1.mesos', 'A')).answers), ['A 10.244.0.1']);
  for (const type of ['SOA', 'NS'] as const) {
    const { code, answers, authority } = await ask(w, 'mesos', type);
    assert.deepEqual([code, answers, told(authority)], [0, [], [type]]);
  }
  w.stop();
});

test('What has no answer is told as the reference tells it', async () => {
  const w = await world();
  const cases: readonly [string, keyof typeof recordType, number, readonly string[]][] = [
    ['nobody.mesos', 'A', responseCode.nameError, ['SOA']],
    ['nobody.mesos', 'AAAA', responseCode.nameError, ['SOA']],
    ['leader.mesos', 'AAAA', responseCode.noError, ['SOA']],
    ['nobody.mesos', 'SRV', responseCode.noError, []],
    ['leader.mesos', 'SRV', responseCode.noError, []],
    ['leader.mesos', 'TXT', responseCode.nameError, ['SOA']],
  ];
  for (const [name, type, code, authority] of cases) {
    const answer = await ask(w, name, type);
    assert.deepEqual([answer.code, told(answer.authority)], [code, authority], `${type} ${name}`);
    assert.ok(answer.authoritative);
  }
  assert.deepEqual(told((await ask(w, '*.leader.*.mesos', 'A')).answers), []);
  assert.deepEqual(told((await ask(w, 'leader.*.mesos', 'A')).answers), ['A 10.88.0.1']);
  assert.equal(
    await w.names.answer(question('example.org', 1), 'udp', new Uint8Array()),
    undefined,
  );
  w.stop();
});

test('Names follow tasks and agents as they come and go', async () => {
  const w = await world();
  const name = 'web.marathon-0.7.5.mesos';
  assert.equal((await ask(w, name, 'A')).code, responseCode.nameError);
  await w.run('web', { id: 'T', agent: 'S1' });
  await w.run('web', { id: 'U', agent: 'S1', state: 'TASK_STAGING' });
  await w.run('web', { id: 'V', agent: 'S7' });
  await w.clock.settle();
  assert.deepEqual(told((await ask(w, name, 'A')).answers), ['A 192.168.0.2']);
  await w.api.delete(agents, { name: 'n2' });
  await w.clock.settle();
  assert.equal((await ask(w, name, 'A')).code, responseCode.nameError);
  w.stop();
});

test('An answer that is too long is cut from its end', async () => {
  const w = await world();
  for (let at = 0; at < 60; at++)
    await w.run('many', { id: `T${at}`, agent: 'S0', ip: `10.244.0.${at + 1}` });
  const answer = await ask(w, 'many.marathon-0.7.5.mesos', 'A');
  assert.equal(answer.answers.length, 60);
  const bytes = encodeDnsAnswer(question('many.marathon-0.7.5.mesos', 1), answer, 'udp');
  assert.ok(bytes.length <= 512 && bytes.length > 480);
  assert.equal((bytes[2] ?? 0) & 2, 2);
  w.stop();
});

test('The HTTP API tells hosts, services and the whole zone, and agrees with the names', async () => {
  const w = await world();
  await w.run('web', { id: 'T', agent: 'S0', ports: [31_000, 31_000] });
  const canonical = `web-${taskHash('T')}-s0.marathon-0.7.5`;
  assert.deepEqual((await get(w, '/v1/version')).json, {
    Service: 'Mesos-DNS',
    Version: '0.9.0',
    URL: 'https://github.com/mesosphere/mesos-dns',
  });
  assert.deepEqual((await get(w, '/v1/hosts/Web.marathon-0.7.5.mesos')).json, [
    { host: 'web.marathon-0.7.5.mesos.', ip: '192.168.0.1' },
  ]);
  assert.deepEqual((await get(w, '/v1/hosts/nobody.mesos.')).json, [{ host: '', ip: '' }]);
  assert.deepEqual((await get(w, '/v1/services/_web._tcp.marathon-0.7.5.mesos.')).json, [
    {
      service: '_web._tcp.marathon-0.7.5.mesos.',
      host: `${canonical}.slave.mesos.`,
      ip: '192.168.0.1',
      port: '31000',
    },
  ]);
  assert.deepEqual((await get(w, '/v1/services/_x._tcp.mesos')).json, [
    { service: '', host: '', ip: '', port: '' },
  ]);
  assert.equal((await get(w, '/v1/hosts/web.mesos/ports')).status, 501);
  assert.equal((await get(w, '/v2')).status, 404);
  const all = (await get(w, '/v1/axfr')).json as {
    Domain: string;
    Records: Record<'As' | 'SRVs', Record<string, string[]>>;
  };
  assert.equal(all.Domain, 'mesos');
  for (const [name, ips] of Object.entries(all.Records.As))
    assert.deepEqual(
      told((await ask(w, name.slice(0, -1), 'A')).answers),
      ips.map((ip) => `A ${ip}`).toSorted(),
    );
  for (const [name, targets] of Object.entries(all.Records.SRVs))
    assert.deepEqual(
      told((await ask(w, name.slice(0, -1), 'SRV')).answers),
      targets.map((target) => target.replace(/^(.*)\.:(\d+)$/, 'SRV $2 $1')).toSorted(),
    );
  assert.ok(Object.keys(all.Records.SRVs).includes('_web._udp.marathon-0.7.5.slave.mesos.'));
  const { frameworks: listed } = (await get(w, '/v1/enumerate')).json as {
    frameworks: { name: string; tasks: { id: string; records: unknown[] }[] }[];
  };
  assert.deepEqual(
    listed.map(({ name, tasks: own }) => [name, own[0]?.id, own[0]?.records.length]),
    [['marathon-0.7.5', 'T', 8]],
  );
  w.stop();
});
