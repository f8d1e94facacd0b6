import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from '#mesos/protocol';
import { seededRandom } from '#sim';
import type { Instance, InstanceTask } from '../instance.ts';
import { podTaskGroup } from '../launch/pod-group.ts';
import { MarathonFailure } from '../problem.ts';
import { emptyRoot } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { textOf } from '../write.ts';
import { podFromJson, podUpdateFromJson } from './definition.ts';
import { podInstanceStatus, podStatus } from './status.ts';

const settings = { ...defaultSettings, defaultNetworkName: 'dcos' };
const context = { root: emptyRoot(''), settings, forceRole: false };
const container = { name: 'c', resources: {} };
const base = { id: '/p', containers: [container] };
const since = '2020-01-01T00:00:00.000Z';

function failureOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert(error instanceof MarathonFailure, String(error));
    const { details } = error.body;
    const lines = Array.isArray(details)
      ? details.flatMap(({ path, errors }) => errors.map((text: string) => `${path} ${text}`))
      : [error.body.message];
    return `${error.status} ${lines.join('; ')}`;
  }
  return 'accepted';
}

test('podFromJson() fills in what the original answers', () => {
  const pod = podFromJson({ ...base, networks: [{ mode: 'host' }] }, context);
  assert.equal(
    textOf('Pod', { ...pod, version: since }),
    '{"id":"/p","version":"2020-01-01T00:00:00.000Z","containers":[{"name":"c","resources":{' +
      '"cpus":1.0,"mem":128.0,"disk":0.0,"gpus":0}}],"networks":[{"mode":"host"}],"scaling":{' +
      '"kind":"fixed","instances":1},"scheduling":{"backoff":{"backoff":1.0,"backoffFactor":1.15,' +
      '"maxLaunchDelay":300.0},"upgrade":{"minimumHealthCapacity":1.0,"maximumOverCapacity":1.0},' +
      '"placement":{},"killSelection":"YOUNGEST_FIRST","unreachableStrategy":{' +
      '"inactiveAfterSeconds":0,"expungeAfterSeconds":0}},"executorResources":{"cpus":0.1,' +
      '"mem":32.0,"disk":10.0},"role":"*"}',
  );
});

test('podFromJson() asks for host ports outside of container networks', () => {
  const endpoints = [{ name: 'e', containerPort: 80 }];
  const containers = [{ ...container, endpoints }];
  const bridged = podFromJson(
    { ...base, containers, networks: [{ mode: 'container/bridge' }] },
    context,
  );
  assert.equal(bridged.containers[0]?.endpoints?.[0]?.hostPort, 0);
  const own = podFromJson({ ...base, containers, networks: [{ mode: 'container' }] }, context);
  assert.deepEqual(own.networks, [{ mode: 'container', name: 'dcos' }]);
  assert.equal(own.containers[0]?.endpoints?.[0]?.hostPort, undefined);
});

const persistent = {
  id: '/g/p',
  role: 'g',
  volumes: [{ name: 'data', persistent: { size: 5 } }],
  containers: [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
};

test('podFromJson() with persistent volumes has other defaults', () => {
  const { scheduling, volumes } = podFromJson(persistent, context);
  assert.deepEqual(scheduling?.upgrade, { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 });
  assert.equal(scheduling?.unreachableStrategy, 'disabled');
  assert.deepEqual(volumes, [
    { name: 'data', persistent: { size: 5, constraints: [], type: 'root' } },
  ]);
});

const endpoint = (name: string, more: object = {}): object => ({ name, ...more });
const withContainer = (more: object): object => ({ containers: [{ ...container, ...more }] });
const host = { networks: [{ mode: 'host' }] };
const two = {
  networks: [
    { mode: 'container', name: 'a' },
    { mode: 'container', name: 'b' },
  ],
};
const inFirst = '/containers(0)';

const refused: { json: object; want: string }[] = [
  {
    json: withContainer({ endpoints: [endpoint('e'), endpoint('e')] }),
    want: '422 / endpoint names nust be unique across all containers',
  },
  {
    json: withContainer({
      endpoints: [
        endpoint('e', { containerPort: 1, hostPort: 5 }),
        endpoint('f', { containerPort: 1, hostPort: 5 }),
      ],
    }),
    want:
      '422 / container ports must be unique across all containers; ' +
      '/ host ports must be unique across all containers',
  },
  {
    json: { containers: [container, container] },
    want: '422 /containers container names must be unique',
  },
  {
    json: { volumes: [{ name: 'v' }, { name: 'v' }] },
    want:
      '422 /volumes(0) volume must be referenced by at least one container; /volumes(1) volume must ' +
      'be referenced by at least one container; /volumes volume names must be unique',
  },
  {
    json: withContainer({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    want: `422 ${inFirst}/volumeMounts(0)/name Referenced Volume in VolumeMount should exist`,
  },
  {
    json: { ...host, ...withContainer({ endpoints: [endpoint('e', { containerPort: 1 })] }) },
    want: `422 ${inFirst}/endpoints(0)/containerPort is not allowed when using host-mode networking`,
  },
  {
    json: { networks: [{ mode: 'container' }], ...withContainer({ endpoints: [endpoint('e')] }) },
    want: `422 ${inFirst}/endpoints(0)/containerPort is required when using container-mode networking`,
  },
  {
    json: {
      ...two,
      ...withContainer({ endpoints: [endpoint('e', { containerPort: 1, hostPort: 0 })] }),
    },
    want:
      `422 ${inFirst}/endpoints(0) networkNames must be a single item list when hostPort is ` +
      'specified and more than 1 container network is defined',
  },
  {
    json: withContainer({ endpoints: [endpoint('e', { protocol: ['tcp', 'tcp'] })] }),
    want: `422 ${inFirst}/endpoints(0)/protocol Duplicate protocols within the same endpoint are not allowed`,
  },
  {
    json: withContainer({ healthCheck: { timeoutSeconds: 60, http: { endpoint: 'e' } } }),
    want:
      `422 ${inFirst}/healthCheck/timeoutSeconds got 60, expected less than 60; ` +
      `${inFirst}/healthCheck/http/endpoint contained in the container endpoints`,
  },
  {
    json: withContainer({ healthCheck: {} }),
    want: `422 ${inFirst}/healthCheck Only one of http, tcp, or command may be specified`,
  },
  {
    json: { legacySharedCgroups: true, ...withContainer({ resourceLimits: { cpus: 2 } }) },
    want: `422 ${inFirst}/resourceLimits resourceLimits cannot be defined if legacySharedCgroups is enabled`,
  },
  {
    json: { ...persistent, scheduling: { unreachableStrategy: {} } },
    want: '422 / unreachableStrategy must be disabled for pods with persistent volumes',
  },
  {
    json: { ...persistent, role: '*' },
    want: '422 /role Resident pods cannot have the role *',
  },
  { json: { id: 'p' }, want: '422 /id Path needs to be absolute' },
  {
    json: { linuxInfo: { seccomp: { unconfined: true } } },
    want: '422 /linuxInfo/seccomp Seccomp configuration on executor level is not supported',
  },
  {
    json: { environment: { A: { secret: 's' } } },
    want: '422 /environment/A/secret references an undefined secret',
  },
  {
    json: {
      scheduling: {
        placement: { constraints: [{ fieldName: 'a', operator: 'UNIQUE', value: '1' }] },
      },
    },
    want: '422 /scheduling/placement/constraints(0) UNIQUE does not accept a value',
  },
];
for (const { json, want } of refused) {
  test(`podFromJson() answers ${JSON.stringify(json)} with ${want}`, () => {
    assert.equal(
      failureOf(() => podFromJson({ ...base, ...json }, context)),
      want,
    );
  });
}

test('podUpdateFromJson() refuses another id', () => {
  assert.equal(
    failureOf(() =>
      podUpdateFromJson({ ...base, id: '/q' }, { id: '/p', existing: undefined, context }),
    ),
    "400 '/p' does not match definition's id ('/q')",
  );
});

const offer: Offer = {
  id: { value: 'o' },
  framework_id: { value: 'f' },
  agent_id: { value: 's' },
  hostname: 'h1',
};

test('podTaskGroup() makes an executor and a task for each container', () => {
  const pod = podFromJson(
    {
      id: '/g/p',
      user: 'u',
      labels: { a: 'b' },
      environment: { E: 'pod', F: 'pod' },
      networks: [{ mode: 'container/bridge' }],
      volumes: [{ name: 'tmp' }, { name: 'h', host: '/h' }],
      containers: [
        {
          name: 'web',
          resources: {},
          environment: { E: 'own' },
          exec: { command: { shell: 'run' } },
          image: { kind: 'DOCKER', id: 'img', forcePull: true },
          endpoints: [{ name: 'my-http', containerPort: 80, protocol: ['tcp'] }],
          healthCheck: { http: { endpoint: 'my-http', path: '/h' } },
          lifecycle: { killGracePeriodSeconds: 1.5 },
          volumeMounts: [
            { name: 'tmp', mountPath: '/tmp/x' },
            { name: 'h', mountPath: '/hh', readOnly: true },
          ],
        },
        { name: 'side', resources: {}, exec: { command: { argv: ['a', 'b'] } }, user: 'v' },
      ],
    },
    context,
  );
  const match = {
    ok: true,
    resources: [],
    taskResources: [[], []],
    executorResources: [],
    hostPorts: [31_000],
    newVolumes: [],
    toReserve: false,
  } as const;
  const { executor, taskGroup } = podTaskGroup(
    { ...pod, version: since },
    {
      offer,
      match,
      instanceID: 'g_p.instance-u',
      incarnation: 1,
      settings,
      enforceRole: false,
      random: seededRandom(1),
    },
  );
  assert.deepEqual(executor, {
    type: 'DEFAULT',
    executor_id: { value: 'instance-g_p.u' },
    framework_id: { value: 'f' },
    resources: [],
    container: {
      type: 'MESOS',
      network_infos: [
        {
          name: 'mesos-bridge',
          port_mappings: [{ host_port: 31_000, container_port: 80, protocol: 'tcp' }],
        },
      ],
      linux_info: { share_cgroups: false },
    },
    labels: { labels: [{ key: 'a', value: 'b' }] },
  });
  const [web, side] = taskGroup.tasks ?? [];
  assert.equal(web?.task_id.value, 'g_p.instance-u.web.1');
  assert.deepEqual(web?.container?.volumes, [
    {
      mode: 'RW',
      container_path: '/tmp/x',
      source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path: 'volumes/tmp' } },
    },
    { mode: 'RO', container_path: '/hh', host_path: '/h' },
  ]);
  assert.deepEqual(web?.container?.mesos?.image, {
    type: 'DOCKER',
    docker: { name: 'img' },
    cached: false,
  });
  assert.deepEqual(web?.health_check?.http, { scheme: 'http', port: 80, path: '/h' });
  assert.deepEqual(web?.kill_policy, { grace_period: { nanoseconds: 1_500_000_000 } });
  const { environment, ...command } = side?.command ?? {};
  assert.deepEqual(command, { user: 'v', shell: false, value: 'a', arguments: ['a', 'b'] });
  const variables = Object.fromEntries(
    (environment?.variables ?? []).map(({ name, value }) => [name, value]),
  );
  assert.deepEqual(variables, {
    E: 'pod',
    F: 'pod',
    HOST: 'h1',
    MESOS_TASK_ID: 'g_p.instance-u.side.1',
    MESOS_EXECUTOR_ID: 'instance-g_p.u',
    MARATHON_APP_ID: '/g/p',
    MARATHON_APP_VERSION: since,
    MARATHON_CONTAINER_ID: 'side',
    MARATHON_APP_ENFORCE_GROUP_ROLE: 'FALSE',
    MARATHON_CONTAINER_RESOURCE_CPUS: '1.0',
    MARATHON_CONTAINER_RESOURCE_MEM: '128.0',
    MARATHON_CONTAINER_RESOURCE_DISK: '0.0',
    MARATHON_CONTAINER_RESOURCE_GPUS: '0',
    MARATHON_APP_LABELS: 'A',
    MARATHON_APP_LABEL_A: 'b',
    ENDPOINT_MY_HTTP: '80',
    EP_HOST_MY_HTTP: '31000',
    EP_CONTAINER_MY_HTTP: '80',
  });
});

const checked = podFromJson(
  {
    ...base,
    containers: [
      {
        ...container,
        endpoints: [{ name: 'e', containerPort: 80 }],
        healthCheck: { tcp: { endpoint: 'e' } },
      },
    ],
    networks: [{ mode: 'container/bridge' }],
  },
  context,
);

function instance(more: Partial<Instance>, task: Partial<InstanceTask> = {}): Instance {
  const condition = more.condition ?? 'Running';
  return {
    instanceID: 'p.instance-1',
    runSpecID: '/p',
    role: '*',
    runSpecVersion: since,
    goal: 'Running',
    condition,
    since,
    agent: { host: 'h1', agentID: 's', attributes: [] },
    tasks: [
      {
        taskID: 'p.instance-1.c.1',
        container: 'c',
        condition,
        stagedAt: since,
        runSpecVersion: since,
        hostPorts: [31_000],
        ipAddresses: [],
        ...task,
      },
    ],
    ...more,
  };
}

const status = (healthy: boolean): Partial<InstanceTask> => ({
  status: { task_id: { value: 't' }, state: 'TASK_RUNNING', healthy },
});
const states: { name: string; instance: Instance; want: (string | undefined)[] }[] = [
  {
    name: 'waiting',
    instance: instance({ condition: 'Provisioned' }),
    want: ['PENDING', undefined],
  },
  { name: 'starting', instance: instance({ condition: 'Starting' }), want: ['STAGING', undefined] },
  { name: 'healthy', instance: instance({}, status(true)), want: ['STABLE', undefined] },
  {
    name: 'unhealthy',
    instance: instance({}, status(false)),
    want: ['DEGRADED', 'at least one container is not healthy'],
  },
  {
    name: 'unreachable',
    instance: instance({ condition: 'UnreachableInactive' }),
    want: ['DEGRADED', 'pod instance has become unreachable'],
  },
  { name: 'killed', instance: instance({ condition: 'Killing' }), want: ['TERMINAL', undefined] },
];
for (const { name, instance: one, want } of states) {
  test(`podInstanceStatus() of an instance that is ${name}`, () => {
    const got = podInstanceStatus(checked, one);
    assert.deepEqual([got.status, got.message], want);
  });
}

test('podInstanceStatus() tells ports, health and resources', () => {
  const got = podInstanceStatus(checked, instance({}, status(true)));
  const [first] = got.containers;
  assert.deepEqual(first?.endpoints, [{ name: 'e', allocatedHostPort: 31_000, healthy: true }]);
  assert.equal(first?.conditions[0]?.reason, 'health-reported-by-mesos');
  assert.equal(first?.status, 'TASK_RUNNING');
  assert.deepEqual(got.resources, { cpus: 1.1, mem: 160, disk: 10, gpus: 0 });
  assert.equal(got.specReference, `/v2/pods/p::versions/${since}`);
});

test('podStatus() is stable when as many as wanted are', () => {
  const of = (instances: readonly Instance[], isDeleted = false): string =>
    podStatus(checked, { instances, definitionOf: () => checked, isDeleted, now: since }).status;
  assert.equal(of([instance({}, status(true))]), 'STABLE');
  assert.equal(of([instance({}, status(false))]), 'DEGRADED');
  assert.equal(of([]), 'DEGRADED');
  assert.equal(of([instance({}, status(true))], true), 'TERMINAL');
});
