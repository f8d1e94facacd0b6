import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ContainerInfo,
  ExecutorInfo,
  FrameworkInfo,
  TaskInfo,
  LinuxInfo,
} from '#mesos/protocol';
import { ExecutorBook, FrameworkBook, TaskBook } from '../core/books.ts';
import { annotations, labels } from '../doors.ts';
import { literal } from './command.ts';
import { groupParts, podOf } from './pod.ts';
import { podProblem } from './problems.ts';

function frameworkOf(info: Partial<FrameworkInfo> = {}): FrameworkBook {
  return new FrameworkBook({
    id: 'f-0000',
    info: { user: 'nobody', name: 'Shop', ...info },
    namespace: 'mesos-shop',
    objectName: 'shop-abc',
  });
}

const resources = [
  { name: 'cpus', type: 'SCALAR', scalar: { value: 0.25 }, allocation_info: { role: 'eng' } },
  { name: 'mem', type: 'SCALAR', scalar: { value: 64 }, allocation_info: { role: 'eng' } },
  {
    name: 'ports',
    type: 'RANGES',
    ranges: {
      range: [
        { begin: 31_000, end: 31_001 },
        { begin: 31_005, end: 31_005 },
      ],
    },
    allocation_info: { role: 'eng' },
  },
] as const;

function infoOf(more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    name: 'web',
    task_id: { value: 'web.1' },
    agent_id: { value: 'm-S0' },
    command: { value: 'exec ./web' },
    resources,
    ...more,
  };
}

function commandPod(more: Partial<TaskInfo> = {}, framework = frameworkOf()) {
  const task = new TaskBook(framework, {
    agentID: 'm-S0',
    nodeName: 'n1',
    executorID: 'web.1',
    execution: 'Command',
    info: infoOf(more),
    podName: 'web-xyz',
    container: 'task',
    group: undefined,
    key: 'mesos-shop/web-xyz',
  });
  return podOf({ framework }, { tasks: [task], executor: undefined });
}

test('A command task is a Pod of one plain process on its node', () => {
  const pod = commandPod({
    labels: {
      labels: [
        { key: 'app', value: 'web' },
        { key: 'a b', value: 'x' },
      ],
    },
  });
  assert.deepEqual(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web-xyz',
      namespace: 'mesos-shop',
      labels: {
        app: 'web',
        [labels.frameworkID]: 'f-0000',
        [labels.taskID]: 'web.1',
        [labels.executorID]: 'web.1',
      },
      annotations: {
        'mesos.tandem.dev/agent-id': 'm-S0',
        [annotations.role]: 'eng',
        [annotations.user]: 'nobody',
        [annotations.heldPorts]: '31000-31001,31005-31005',
      },
    },
    spec: {
      nodeName: 'n1',
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 3,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      dnsPolicy: 'ClusterFirstWithHostNet',
      tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
      hostNetwork: true,
      runtimeClassName: 'process',
      containers: [
        {
          name: 'task',
          command: ['/bin/sh', '-c', 'exec ./web'],
          resources: {
            requests: { cpu: '250m', memory: '64Mi' },
            limits: { memory: '64Mi' },
          },
        },
      ],
    },
  });
});

test('A process of root is of the class that says so', () => {
  assert.equal(
    commandPod({}, frameworkOf({ user: 'root' })).spec?.runtimeClassName,
    'process-root',
  );
  const own = commandPod({ command: { value: 'id', user: 'root' } });
  assert.equal(own.spec?.runtimeClassName, 'process-root');
  assert.equal(own.metadata.annotations?.[annotations.user], 'root');
});

const docker = (more: Partial<ContainerInfo['docker'] & object> = {}): ContainerInfo => ({
  type: 'DOCKER',
  docker: { image: 'nginx', ...more },
});

test('Bridged Docker containers have their ports mapped', () => {
  const pod = commandPod({
    container: docker({
      network: 'BRIDGE',
      port_mappings: [
        { host_port: 31_000, container_port: 80 },
        { host_port: 31_001, container_port: 53, protocol: 'udp' },
      ],
    }),
  });
  assert.equal(pod.spec?.hostNetwork, undefined);
  assert.equal(pod.spec?.dnsPolicy, 'ClusterFirst');
  assert.deepEqual(pod.spec?.containers?.[0]?.ports, [
    { containerPort: 80, hostPort: 31_000, protocol: 'TCP' },
    { containerPort: 53, hostPort: 31_001, protocol: 'UDP' },
  ]);
});

test('Docker runs a shell in place of the entrypoint, or hands arguments to it', () => {
  const shell = commandPod({ container: docker() }).spec?.containers?.[0];
  assert.deepEqual([shell?.command, shell?.args], [['/bin/sh', '-c', 'exec ./web'], undefined]);
  const bare = commandPod({
    container: docker(),
    command: { shell: false, arguments: ['--port', '80'] },
  }).spec?.containers?.[0];
  assert.deepEqual([bare?.command, bare?.args], [undefined, ['--port', '80']]);
});

test('A Mesos command without shell is a whole argv', () => {
  const container = commandPod({
    command: { shell: false, value: '/bin/echo', arguments: ['echo', 'a b'] },
  }).spec?.containers?.[0];
  assert.deepEqual(container?.command, ['/bin/echo', 'a b']);
});

test('Dollars that Kubernetes would take for its own come out as they were', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['echo $HOME', 'echo $HOME'],
    ['echo $(date)', 'echo $$(date)'],
    ['echo $$', 'echo $$$'],
    ['a$$(b)', 'a$$$$(b)'],
  ];
  for (const [given, want] of cases) assert.equal(literal(given), want, given);
});

test('docker.parameters become what Kubernetes calls them', () => {
  const parameter = (key: string, value: string) => ({ key, value });
  const pod = commandPod({
    container: docker({
      parameters: [
        parameter('env', 'A=1'),
        parameter('volume', '/srv:/data:ro'),
        parameter('hostname', 'web'),
        parameter('user', '1000:1001'),
        parameter('workdir', '/app'),
        parameter('cap-add', 'NET_ADMIN'),
        parameter('privileged', 'true'),
        parameter('shm-size', '64m'),
        parameter('add-host', 'db:10.1.1.1'),
        parameter('label', 'tier=front'),
      ],
    }),
  });
  const [container] = pod.spec?.containers ?? [];
  assert.deepEqual(container?.env, [{ name: 'A', value: '1' }]);
  assert.equal(container?.workingDir, '/app');
  assert.deepEqual(container?.securityContext, {
    runAsUser: 1000,
    runAsGroup: 1001,
    capabilities: { add: ['NET_ADMIN'] },
    privileged: true,
  });
  assert.deepEqual(pod.spec?.volumes, [
    { name: 'v0', hostPath: { path: '/srv' } },
    { name: 'v1', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
  ]);
  assert.deepEqual(container?.volumeMounts, [
    { name: 'v0', mountPath: '/data', readOnly: true },
    { name: 'v1', mountPath: '/dev/shm' },
  ]);
  assert.equal(pod.spec?.hostname, 'web');
  assert.deepEqual(pod.spec?.hostAliases, [{ ip: '10.1.1.1', hostnames: ['db'] }]);
  assert.equal(pod.metadata.labels?.['tier'], 'front');
});

test('Limits of a task raise what its requests would allow', () => {
  const pod = commandPod({ limits: { cpus: { value: 2 }, mem: { value: Infinity } } });
  assert.deepEqual(pod.spec?.containers?.[0]?.resources, {
    requests: { cpu: '250m', memory: '64Mi' },
    limits: { cpu: '2' },
  });
});

test('A secret by value is an environment variable, or a file from an annotation', () => {
  const data = Buffer.from('s3cret').toString('base64');
  const secret = { type: 'VALUE', value: { data } } as const;
  const pod = commandPod({
    command: {
      value: 'x',
      environment: { variables: [{ name: 'PW', type: 'SECRET', secret }] },
    },
    container: {
      type: 'MESOS',
      volumes: [
        { mode: 'RO', container_path: 'keys/pw', source: { type: 'SECRET', secret } },
        { mode: 'RW', container_path: '/data', host_path: '/srv/data' },
      ],
    },
  });
  const [container] = pod.spec?.containers ?? [];
  assert.deepEqual(container?.env, [{ name: 'PW', value: 's3cret' }]);
  assert.equal(pod.metadata.annotations?.['mesos.tandem.dev/secret-0'], 's3cret');
  assert.deepEqual(
    container?.volumeMounts?.map((mount) => mount?.mountPath),
    ['/mnt/mesos/sandbox/keys/pw', '/data'],
  );
});

test('Tasks of a group share namespaces with their executor, which may share the machine’s', () => {
  const framework = frameworkOf();
  const podWith = (executorLinux: LinuxInfo, taskLinux: LinuxInfo) => {
    const container = { type: 'MESOS', linux_info: executorLinux } as const;
    const info = { type: 'DEFAULT', executor_id: { value: 'e1' }, container } as const;
    const names = { agentID: 'm-S0', podName: 'e1-abc' };
    const executor = new ExecutorBook(framework, { info, ...names, podKey: 'mesos-shop/e1-abc' });
    const task = new TaskBook(framework, {
      ...names,
      nodeName: 'n1',
      executorID: 'e1',
      execution: 'Group',
      info: infoOf({ container: { type: 'MESOS', linux_info: taskLinux } }),
      container: 'c',
      group: 0,
      key: 'mesos-shop/c',
    });
    const { spec } = podOf({ framework }, { tasks: [task], executor });
    return [spec?.hostPID, spec?.hostIPC, spec?.shareProcessNamespace];
  };
  const shares = { share_pid_namespace: true, ipc_mode: 'SHARE_PARENT' } as const;
  assert.deepEqual(podWith({}, shares), [undefined, undefined, true]);
  assert.deepEqual(podWith(shares, shares), [true, true, undefined]);
  assert.deepEqual(podWith({}, {}), [undefined, undefined, undefined]);
});

test('A further group brings volumes of its own, under names of its own', () => {
  const framework = frameworkOf();
  const volumes = [
    { mode: 'RO', container_path: '/x', host_path: '/srv' },
    {
      mode: 'RO',
      container_path: '/pw',
      source: { type: 'SECRET', secret: { type: 'VALUE', value: { data: 'cHc=' } } },
    },
  ] as const;
  const task = new TaskBook(framework, {
    agentID: 'm-S0',
    nodeName: 'n1',
    executorID: 'e1',
    execution: 'Group',
    info: infoOf({ container: { type: 'MESOS', volumes } }),
    podName: 'e1-abc',
    container: 'c',
    group: 2,
    key: 'mesos-shop/c',
  });
  const parts = groupParts({ framework }, [task]);
  assert.deepEqual(
    parts.volumes?.map(({ name }) => name),
    ['v2-0', 'v2-1'],
  );
  assert.deepEqual(
    parts.containers[0]?.volumeMounts?.map(({ name }) => name),
    ['v2-0', 'v2-1'],
  );
  assert.deepEqual(parts.annotations, { 'mesos.tandem.dev/secret-2-1': 'pw' });
});

test('A container without a network says so to the agent', () => {
  const asked = [
    docker({ network: 'NONE' }),
    docker({ parameters: [{ key: 'net', value: 'none' }] }),
  ];
  for (const container of asked) {
    const { spec, metadata } = commandPod({ container });
    assert.equal(metadata.annotations?.['mesos.tandem.dev/network'], 'none');
    assert.notEqual(spec?.hostNetwork, true);
  }
});

test('A default executor’s share belongs to its Pod as a whole', () => {
  const framework = frameworkOf();
  const container: ContainerInfo = {
    type: 'MESOS',
    network_infos: [{ name: 'net', port_mappings: [{ host_port: 31_000, container_port: 80 }] }],
  };
  const info: ExecutorInfo = {
    type: 'DEFAULT',
    executor_id: { value: 'e1' },
    resources,
    container,
  };
  const executor = new ExecutorBook(framework, {
    info,
    agentID: 'm-S0',
    podName: 'e1-abc',
    podKey: 'mesos-shop/e1-abc',
  });
  const tasks = ['a', 'b'].map(
    (id) =>
      new TaskBook(framework, {
        agentID: 'm-S0',
        nodeName: 'n1',
        executorID: 'e1',
        execution: 'Group',
        info: infoOf({ task_id: { value: id } }),
        podName: 'e1-abc',
        container: `c-${id}`,
        group: 0,
        key: `mesos-shop/c-${id}`,
      }),
  );
  const pod = podOf({ framework }, { tasks, executor });
  assert.equal(pod.spec?.hostNetwork, undefined);
  assert.deepEqual(
    pod.spec?.containers?.map((one) => one?.ports),
    [[{ containerPort: 80, hostPort: 31_000, protocol: 'TCP' }], undefined],
  );
  assert.deepEqual(
    pod.spec?.containers?.map((one) => [one?.name, one?.resources?.requests?.['cpu']]),
    [
      ['c-a', '250m'],
      ['c-b', '250m'],
    ],
  );
  assert.equal(pod.spec?.overhead?.['cpu'], '250m');
  assert.deepEqual(JSON.parse(pod.metadata.annotations?.[annotations.executor] ?? ''), info);
});

const refused: readonly (readonly [string, Partial<TaskInfo>, string])[] = [
  [
    'a limit of processes that is none',
    {
      container: {
        type: 'DOCKER',
        docker: { image: 'i', parameters: [{ key: 'ulimit', value: 'nofile=2:1' }] },
      },
    },
    "Docker parameter 'ulimit=nofile=2:1' is not supported: the soft limit is above the hard one",
  ],
  [
    'CSI volumes',
    {
      container: {
        type: 'MESOS',
        volumes: [{ mode: 'RW', container_path: 'x', source: { type: 'CSI_VOLUME' } }],
      },
    },
    'CSI volumes are not supported',
  ],
  [
    'a network that nobody made',
    { container: docker({ parameters: [{ key: 'net', value: 'weave' }] }) },
    "Docker parameter 'net=weave' is not supported: network weave not found",
  ],
  [
    'a protocol of a port',
    {
      container: docker({
        network: 'BRIDGE',
        port_mappings: [{ host_port: 1, container_port: 1, protocol: 'sctp' }],
      }),
    },
    "Unsupported protocol 'sctp' of a port mapping",
  ],
  ['nothing to run', { command: {} }, 'Task has neither a command nor an image'],
];
const unserved: readonly (readonly [string, ContainerInfo, string])[] = [
  [
    'a volume of a driver',
    volumeOf({ source: { type: 'DOCKER_VOLUME', docker_volume: { name: 'x' } } }),
    'Volumes of Docker volume drivers are not supported',
  ],
  ['a CSI volume', volumeOf({ source: { type: 'CSI_VOLUME' } }), 'CSI volumes are not supported'],
  [
    'a volume of an image',
    volumeOf({ image: { type: 'DOCKER', docker: { name: 'i' } } }),
    'Volumes of images are not supported',
  ],
  [
    'an Appc image',
    { type: 'MESOS', mesos: { image: { type: 'APPC', appc: { name: 'i' } } } },
    'Appc images are not supported',
  ],
];
for (const [what, container, want] of unserved)
  test(`Whoever is given ${what}, it is refused in words`, () => {
    const executor_id = { value: 'e' };
    const custom = { type: 'CUSTOM', executor_id, command: { value: 'x' }, container } as const;
    const pod = { type: 'DEFAULT', executor_id, container } as const;
    assert.equal(podProblem(infoOf({ container })), want);
    assert.equal(podProblem(infoOf({ executor: custom })), want);
    assert.equal(podProblem(infoOf({ executor: pod })), want);
  });

test('The volume driver of a Docker container is refused in words', () => {
  const want = 'Volumes of Docker volume drivers are not supported';
  assert.equal(podProblem(infoOf({ container: docker({ volume_driver: 'rexray' }) })), want);
  const parameters = [{ key: 'volume-driver', value: 'rexray' }];
  assert.match(
    podProblem(infoOf({ container: docker({ parameters }) })) ?? '',
    /^Docker parameter/,
  );
});

function volumeOf(more: object): ContainerInfo {
  return { type: 'MESOS', volumes: [{ mode: 'RW', container_path: 'x', ...more }] };
}

for (const [what, more, want] of refused)
  test(`A task is refused for ${what}`, () => {
    assert.equal(podProblem(infoOf(more)), want);
  });
