import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer, TaskInfo } from '#mesos/protocol';
import { applyOperation } from '#mesos/protocol';
import { seededRandom } from '#sim';
import { appFromJson } from '../app/definition.ts';
import type { App } from '../types.ts';
import type { Match } from '../offer/match.ts';
import { emptyRoot } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { appTask } from './app-task.ts';
import type { LaunchRequest } from './request.ts';
import { releaseOperations, releasedResource, reserveOperations } from './reservation.ts';

const settings = defaultSettings;
const context = { root: emptyRoot(''), settings, forceRole: false };
const version = '2020-01-01T00:00:00.000Z';
const instanceID = 'g_a.instance-u';

function app(json: object): App {
  const spec = appFromJson({ id: '/g/a', cmd: 'sleep 1', ...json }, context);
  // As a root update leaves it: service ports are given out.
  const portDefinitions = spec.portDefinitions?.map((definition, index) => ({
    ...definition,
    port: definition.port === 0 ? 10_000 + index : definition.port,
  }));
  return { ...spec, version, ...(portDefinitions === undefined ? {} : { portDefinitions }) };
}

const offer: Offer = {
  id: { value: 'o' },
  framework_id: { value: 'f' },
  agent_id: { value: 's' },
  hostname: 'h1',
};

function request(
  hostPorts: readonly (number | undefined)[],
  more: Partial<LaunchRequest> = {},
): LaunchRequest {
  const match: Match = {
    ok: true,
    resources: [],
    taskResources: [[]],
    executorResources: [],
    hostPorts,
    newVolumes: [],
    toReserve: false,
  };
  const random = seededRandom(3);
  return {
    offer,
    match,
    instanceID,
    incarnation: 2,
    settings,
    enforceRole: false,
    random,
    ...more,
  };
}

function variablesOf({ command }: TaskInfo): Record<string, string | undefined> {
  const variables = command?.environment?.variables ?? [];
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

test('appTask() of a mere command', () => {
  const json = {
    args: undefined,
    user: 'u',
    labels: { a: 'b' },
    taskKillGracePeriodSeconds: 7,
    fetch: [{ uri: 'http://x/y.tgz', destPath: 'z' }],
    resourceLimits: { cpus: 'unlimited', mem: 256 },
  };
  const task = appTask(app(json), request([31_005]));
  const { command, ...others } = task;
  assert.deepEqual(others, {
    name: 'a.g',
    task_id: { value: 'g_a.instance-u._app.2' },
    agent_id: { value: 's' },
    resources: [],
    kill_policy: { grace_period: { nanoseconds: 7e9 } },
    labels: { labels: [{ key: 'a', value: 'b' }] },
    discovery: {
      visibility: 'FRAMEWORK',
      name: 'a.g',
      ports: { ports: [{ number: 31_005, name: 'default', protocol: 'tcp' }] },
    },
    limits: { cpus: { value: Infinity }, mem: { value: 256 } },
  });
  assert.equal(command?.shell, true);
  assert.equal(command?.value, 'sleep 1');
  assert.equal(command?.user, 'u');
  assert.deepEqual(command?.uris, [
    { value: 'http://x/y.tgz', executable: false, extract: true, cache: false, output_file: 'z' },
  ]);
});

test('appTask() tells a task of itself', () => {
  const json = { labels: { 'a-b.c': 'v', long: 'x'.repeat(512) }, env: { OWN: '1', HOST: 'mine' } };
  const task = appTask(app(json), request([31_005], { enforceRole: true }));
  assert.deepEqual(variablesOf(task), {
    MESOS_TASK_ID: 'g_a.instance-u._app.2',
    MARATHON_APP_ID: '/g/a',
    MARATHON_APP_VERSION: version,
    MARATHON_APP_RESOURCE_CPUS: '1.0',
    MARATHON_APP_RESOURCE_MEM: '128.0',
    MARATHON_APP_RESOURCE_DISK: '0.0',
    MARATHON_APP_RESOURCE_GPUS: '0',
    MARATHON_APP_ENFORCE_GROUP_ROLE: 'TRUE',
    MARATHON_APP_LABELS: 'A_B_C',
    MARATHON_APP_LABEL_A_B_C: 'v',
    PORT0: '31005',
    PORT_10000: '31005',
    PORT_DEFAULT: '31005',
    PORT: '31005',
    PORTS: '31005',
    HOST: 'mine',
    OWN: '1',
  });
});

test('appTask() puts a prefix before ports and host, and nothing where there is no port', () => {
  const prefixed = { settings: { ...settings, envVarsPrefix: 'P_' } };
  const task = appTask(app({ portDefinitions: [] }), request([], prefixed));
  const names = Object.keys(variablesOf(task)).filter((name) => !name.startsWith('MARATHON'));
  assert.deepEqual(names, ['MESOS_TASK_ID', 'P_HOST']);
  const ports = appTask(app({}), request([31_000], prefixed));
  assert.equal(variablesOf(ports)['P_PORT0'], '31000');
});

test('appTask() in a bridge maps ports, and a port that is any is that of the host', () => {
  const json = {
    networks: [{ mode: 'container/bridge', labels: { n: 'l' } }],
    container: {
      type: 'DOCKER',
      docker: { image: 'i', parameters: [{ key: 'k', value: 'v' }], forcePullImage: true },
      volumes: [{ containerPath: '/c', hostPath: '/h', mode: 'RO' }],
      portMappings: [
        { containerPort: 80, name: 'web', protocol: 'udp,tcp', labels: { x: 'y' } },
        { containerPort: 0 },
      ],
    },
  };
  const task = appTask(app(json), request([31_001, 31_002]));
  assert.deepEqual(task.container, {
    type: 'DOCKER',
    volumes: [{ mode: 'RO', container_path: '/c', host_path: '/h' }],
    docker: {
      image: 'i',
      network: 'BRIDGE',
      port_mappings: [
        { host_port: 31_001, container_port: 80, protocol: 'udp' },
        { host_port: 31_001, container_port: 80, protocol: 'tcp' },
        { host_port: 31_002, container_port: 31_002, protocol: 'tcp' },
      ],
      privileged: false,
      parameters: [
        { key: 'k', value: 'v' },
        { key: 'label', value: 'MESOS_TASK_ID=g_a.instance-u._app.2' },
      ],
      force_pull_image: true,
    },
  });
  const scope = { key: 'network-scope', value: 'host' };
  assert.deepEqual(task.discovery?.ports?.ports, [
    {
      number: 31_001,
      name: 'web',
      protocol: 'udp',
      labels: { labels: [{ key: 'x', value: 'y' }, scope] },
    },
    {
      number: 31_001,
      name: 'web',
      protocol: 'tcp',
      labels: { labels: [{ key: 'x', value: 'y' }, scope] },
    },
    { number: 31_002, protocol: 'tcp', labels: { labels: [scope] } },
  ]);
  const variables = variablesOf(task);
  assert.equal(variables['PORT_80'], '31001');
  assert.equal(variables['PORT_31002'], '31002');
  assert.equal(variables['PORT_WEB'], '31001');
  assert.equal(variables['PORTS'], '31001,31002');
  assert.equal(variables['MARATHON_APP_DOCKER_IMAGE'], 'i');
});

test('appTask() in a container network has ports without a host port', () => {
  const json = {
    networks: [{ mode: 'container', name: 'n' }],
    container: {
      type: 'MESOS',
      docker: { image: 'i' },
      portMappings: [{ containerPort: 80 }, { containerPort: 0, name: 'any' }],
    },
    tty: true,
  };
  const task = appTask(app(json), request([undefined, undefined]));
  assert.deepEqual(task.container, {
    type: 'MESOS',
    tty_info: {},
    mesos: { image: { type: 'DOCKER', docker: { name: 'i' }, cached: true } },
    network_infos: [{ ip_addresses: [{}], name: 'n' }],
  });
  const variables = variablesOf(task);
  assert.equal(variables['PORT0'], '80');
  const any = variables['PORT1'] ?? '';
  assert(Number(any) >= 1025);
  assert.equal(variables['PORT_ANY'], any);
  assert.equal(variables['PORT'], any);
  assert.deepEqual(task.discovery?.ports?.ports?.[0], {
    number: 80,
    protocol: 'tcp',
    labels: {
      labels: [
        { key: 'network-scope', value: 'container' },
        { key: 'network-name', value: 'n' },
      ],
    },
  });
});

test('appTask() without a container in a bridge gets one', () => {
  const task = appTask(app({ networks: [{ mode: 'container/bridge' }] }), request([31_000]));
  assert.deepEqual(task.container, {
    type: 'MESOS',
    mesos: {},
    network_infos: [
      {
        ip_addresses: [{}],
        name: 'mesos-bridge',
        port_mappings: [{ host_port: 31_000, container_port: 31_000, protocol: 'tcp' }],
      },
    ],
  });
});

const commands: { name: string; json: object; want: object }[] = [
  {
    name: 'arguments on the host',
    json: { cmd: undefined, args: ['/bin/x', 'y'] },
    want: { shell: false, value: '/bin/x', arguments: ['/bin/x', 'y'] },
  },
  {
    name: 'arguments of an image',
    json: { cmd: undefined, args: ['y'], container: { type: 'DOCKER', docker: { image: 'i' } } },
    want: { shell: false, arguments: ['y'] },
  },
  {
    name: 'an image as it is',
    json: { cmd: undefined, container: { type: 'DOCKER', docker: { image: 'i' } } },
    want: { shell: false },
  },
];
for (const { name, json, want } of commands) {
  test(`appTask() runs ${name}`, () => {
    const { environment: _environment, ...command } =
      appTask(app(json), request([31_000])).command ?? {};
    assert.deepEqual(command, want);
  });
}

const timing = {
  delay_seconds: 15,
  interval_seconds: 60,
  timeout_seconds: 20,
  consecutive_failures: 3,
  grace_period_seconds: 300,
};
const bridged = {
  networks: [{ mode: 'container/bridge' }],
  container: { type: 'MESOS', portMappings: [{ containerPort: 80 }] },
};
const checks: { name: string; json: object; want: object | undefined }[] = [
  {
    name: 'a command',
    json: { healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' } }] },
    want: { ...timing, type: 'COMMAND', command: { shell: true, value: 'true' } },
  },
  {
    name: 'a request to a port of the host',
    json: { portDefinitions: [{}], healthChecks: [{ protocol: 'MESOS_HTTP', path: '/p' }] },
    want: {
      ...timing,
      type: 'HTTP',
      http: { protocol: 'IPv4', scheme: 'http', port: 31_000, path: '/p' },
    },
  },
  {
    name: 'a connection to the port of the container',
    json: { ...bridged, healthChecks: [{ protocol: 'MESOS_TCP' }] },
    want: { ...timing, type: 'TCP', tcp: { protocol: 'IPv4', port: 80 } },
  },
  {
    name: 'a port of its own',
    json: { healthChecks: [{ protocol: 'MESOS_HTTPS', port: 99 }] },
    want: { ...timing, type: 'HTTP', http: { protocol: 'IPv4', scheme: 'https', port: 99 } },
  },
  {
    name: "none, which is Marathon's own work",
    json: { portDefinitions: [{}], healthChecks: [{ protocol: 'HTTP' }] },
    want: undefined,
  },
];
for (const { name, json, want } of checks) {
  test(`appTask() has the agent check ${name}`, () => {
    assert.deepEqual(appTask(app(json), request([31_000])).health_check, want);
  });
}

test('appTask() has a check that tells', () => {
  const json = { check: { http: { portIndex: 0, path: '/c' } } };
  assert.deepEqual(appTask(app(json), request([31_000])).check, {
    delay_seconds: 15,
    interval_seconds: 60,
    timeout_seconds: 20,
    type: 'HTTP',
    http: { port: 31_000, path: '/c' },
  });
});

test('appTask() with an executor of its own', () => {
  const task = appTask(app({ executor: "/opt/it's" }), request([31_000]));
  assert.equal(task.command, undefined);
  assert.equal(task.executor?.executor_id.value, 'marathon-g_a.instance-u._app.2');
  assert.equal(
    task.executor?.command?.value,
    String.raw`chmod ug+rx '/opt/it'\''s' && exec '/opt/it'\''s' sleep 1`,
  );
});

test('appTask() hands on secrets by value, or by reference', () => {
  const json = {
    secrets: { pw: { source: 'path/pw' }, key: { source: '/DB/prod/k' } },
    env: { PW: { secret: 'pw' }, KEY: { secret: 'key' } },
    container: {
      type: 'MESOS',
      docker: { image: 'i', pullConfig: { secret: 'key' } },
      volumes: [{ containerPath: '/run/pw', secret: 'pw' }],
    },
  };
  const task = appTask(app(json), request([31_000], { secrets: { 'path/pw': 'eA==' } }));
  const variables = task.command?.environment?.variables ?? [];
  const value = { type: 'VALUE', value: { data: 'eA==' } };
  const reference = { type: 'REFERENCE', reference: { name: 'db.prod', key: 'k' } };
  assert.deepEqual(
    variables.filter(({ type }) => type === 'SECRET'),
    [
      { name: 'PW', type: 'SECRET', secret: value },
      { name: 'KEY', type: 'SECRET', secret: reference },
    ],
  );
  assert.deepEqual(task.container?.volumes, [
    { mode: 'RO', container_path: '/run/pw', source: { type: 'SECRET', secret: value } },
  ]);
  assert.deepEqual(task.container?.mesos?.image?.docker?.config, reference);
});

test('reservations of residents are made, and undone when the instance is gone', () => {
  const scalar = (name: string, value: number): object => ({
    name,
    type: 'SCALAR',
    scalar: { value },
    allocation_info: { role: 'g' },
  });
  const [cpus, disk] = [scalar('cpus', 1), scalar('disk', 10)] as NonNullable<Offer['resources']>;
  assert(cpus !== undefined && disk !== undefined);
  const runSpec = { kind: 'app', spec: { ...app({}), role: 'g' } } as const;
  const { match } = request([]);
  const operations = reserveOperations(runSpec, {
    match: { ...match, resources: [cpus, disk], newVolumes: [{ name: 'data', disk }] },
    instanceID,
    frameworkID: 'f',
    settings,
    volumes: [{ runSpecID: '/g/a', containerPath: 'data', uuid: 'u', persistenceID: 'g_a#data#u' }],
  });
  assert.deepEqual(
    operations.map(({ type }) => type),
    ['RESERVE', 'CREATE'],
  );
  let held = [cpus, disk] as readonly (typeof cpus)[];
  for (const operation of operations) {
    const applied = applyOperation(held, operation);
    assert(applied.ok, JSON.stringify(applied));
    held = applied.resources;
  }
  assert(held.every(({ reservations }) => reservations?.[0]?.principal === 'marathon'));
  const released = releaseOperations(
    { ...offer, resources: held },
    { frameworkID: 'f', known: new Set() },
  );
  assert.deepEqual(
    released.map(({ type }) => type),
    ['DESTROY', 'UNRESERVE'],
  );
  assert.deepEqual(held.map(releasedResource), [cpus, disk]);
  for (const operation of released) {
    const applied = applyOperation(held, operation);
    assert(applied.ok, JSON.stringify(applied));
    held = applied.resources;
  }
  assert.deepEqual(held, [cpus, disk]);
  const known = new Set([instanceID]);
  assert.deepEqual(
    releaseOperations({ ...offer, resources: held }, { frameworkID: 'f', known }),
    [],
  );
});
