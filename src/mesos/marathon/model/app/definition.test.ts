import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Root } from '../root.ts';
import { textOf } from '../write.ts';
import { appFromJson, appUpdateFromJson, appUpdatesFromJson } from './definition.ts';

import { base, context, failureOf } from './definition-kit.test.ts';

test('appFromJson() gives what the original answers for a mere command', () => {
  const app = appFromJson({ id: '/foo', cmd: 'sleep 1000' }, context);
  const version = '2021-07-27T20:40:33.123Z';
  const versionInfo = { lastScalingAt: version, lastConfigChangeAt: version };
  assert.equal(
    textOf('App', { ...app, version, versionInfo }),
    '{"id":"/foo","backoffFactor":1.15,"backoffSeconds":1,"cmd":"sleep 1000","cpus":1.0,"disk":0.0,' +
      '"executor":"","instances":1,"labels":{},"maxLaunchDelaySeconds":300,"mem":128.0,"gpus":0,' +
      '"networks":[{"mode":"host"}],"portDefinitions":[{"port":0,"name":"default",' +
      '"protocol":"tcp"}],"requirePorts":false,"upgradeStrategy":{"maximumOverCapacity":1.0,' +
      '"minimumHealthCapacity":1.0},"version":"2021-07-27T20:40:33.123Z","versionInfo":{' +
      '"lastScalingAt":"2021-07-27T20:40:33.123Z","lastConfigChangeAt":"2021-07-27T20:40:33.123Z"},' +
      '"killSelection":"YOUNGEST_FIRST","unreachableStrategy":{"inactiveAfterSeconds":0,' +
      '"expungeAfterSeconds":0},"role":"*"}',
  );
});

test('appFromJson() takes the demo of the tutorial', () => {
  const app = appFromJson(
    {
      id: 'marathon-demo-application',
      cpus: 1,
      mem: 128,
      disk: 0,
      instances: 1,
      container: {
        type: 'DOCKER',
        docker: {
          image: 'hello_world:latest',
          portMappings: [{ containerPort: 9001, hostPort: 0 }],
        },
      },
      networks: [{ mode: 'host' }],
    },
    context,
  );
  assert.equal(app.id, '/marathon-demo-application');
  assert.equal(
    textOf('Container', app.container ?? { type: 'MESOS', volumes: [] }),
    '{"type":"DOCKER","docker":{"forcePullImage":false,"image":"hello_world:latest","parameters":[],' +
      '"privileged":false},"volumes":[]}',
  );
  assert.deepEqual(app.portDefinitions, [{ port: 0, name: 'default', protocol: 'tcp' }]);
});

const docker = { type: 'DOCKER', docker: { image: 'i' } };
const mapping = { containerPort: 0, labels: {}, protocol: 'tcp', servicePort: 0 };
const http = { gracePeriodSeconds: 300, intervalSeconds: 60, maxConsecutiveFailures: 3 };

const normalised: { name: string; json: object; want: object }[] = [
  {
    name: 'ports are port definitions',
    json: { ports: [1, 2] },
    want: {
      portDefinitions: [
        { port: 1, protocol: 'tcp' },
        { port: 2, protocol: 'tcp' },
      ],
      ports: undefined,
    },
  },
  {
    name: 'no ports at all stay none',
    json: { portDefinitions: [] },
    want: { portDefinitions: [] },
  },
  {
    name: 'uris are fetched and archives extracted',
    json: { uris: ['http://x/a.tgz?b', 'http://x/a.sh', 'http://x/a.tar.gz'] },
    want: {
      fetch: [
        { uri: 'http://x/a.tgz?b', extract: true, executable: false, cache: false },
        { uri: 'http://x/a.sh', extract: false, executable: false, cache: false },
        { uri: 'http://x/a.tar.gz', extract: true, executable: false, cache: false },
      ],
      uris: undefined,
    },
  },
  {
    name: 'docker.network HOST drops mappings',
    json: { container: { ...docker, docker: { image: 'i', network: 'HOST' }, portMappings: [{}] } },
    want: { networks: [{ mode: 'host' }] },
  },
  {
    name: 'docker.network BRIDGE with mappings under docker',
    json: {
      container: {
        type: 'DOCKER',
        docker: { image: 'i', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] },
      },
    },
    want: {
      networks: [{ mode: 'container/bridge' }],
      portDefinitions: undefined,
      container: {
        type: 'DOCKER',
        docker: { forcePullImage: false, image: 'i', parameters: [], privileged: false },
        volumes: [],
        portMappings: [{ ...mapping, containerPort: 80, hostPort: 0 }],
      },
    },
  },
  {
    name: 'docker.network USER takes the default network name',
    json: { container: { ...docker, docker: { image: 'i', network: 'USER' } } },
    want: { networks: [{ mode: 'container', name: 'dcos' }] },
  },
  {
    name: 'ipAddress names a network and makes a container',
    json: {
      ipAddress: {
        networkName: 'n',
        labels: { a: 'b' },
        discovery: { ports: [{ number: 5, name: 'p' }] },
      },
    },
    want: {
      networks: [{ name: 'n', mode: 'container', labels: { a: 'b' } }],
      container: {
        type: 'MESOS',
        volumes: [],
        portMappings: [{ ...mapping, containerPort: 5, name: 'p' }],
      },
    },
  },
  {
    name: 'ipAddress with the name of the bridge',
    json: { ipAddress: { networkName: 'mesos-bridge' } },
    want: {
      networks: [{ mode: 'container/bridge' }],
      container: {
        type: 'MESOS',
        volumes: [],
        portMappings: [{ ...mapping, name: 'default', hostPort: 0 }],
      },
    },
  },
  {
    name: 'ipAddress with docker.network BRIDGE',
    json: {
      ipAddress: { labels: { a: 'b' } },
      container: { ...docker, docker: { image: 'i', network: 'BRIDGE' } },
    },
    want: { networks: [{ mode: 'container/bridge', labels: { a: 'b' } }] },
  },
  {
    name: 'container networking without a container',
    json: { networks: [{ mode: 'container', name: 'n' }], requirePorts: true },
    want: {
      container: {
        type: 'MESOS',
        volumes: [],
        portMappings: [{ ...mapping, name: 'default' }],
      },
      requirePorts: false,
      portDefinitions: undefined,
    },
  },
  {
    name: 'deprecated ports make mappings',
    json: {
      ports: [1, 2],
      networks: [{ mode: 'container/bridge' }],
      container: { ...docker, portMappings: [{ containerPort: 80 }] },
    },
    want: {
      container: {
        type: 'DOCKER',
        docker: { forcePullImage: false, image: 'i', parameters: [], privileged: false },
        volumes: [],
        portMappings: [
          { ...mapping, containerPort: 80, hostPort: 0 },
          { ...mapping, hostPort: 0 },
        ],
      },
    },
  },
  {
    name: 'explicit empty mappings stay',
    json: { networks: [{ mode: 'container/bridge' }], container: { ...docker, portMappings: [] } },
    want: {
      container: {
        type: 'DOCKER',
        docker: { forcePullImage: false, image: 'i', parameters: [], privileged: false },
        volumes: [],
        portMappings: [],
      },
    },
  },
  {
    name: 'health checks point at the first port when ports are named',
    json: { portDefinitions: [{ port: 0 }], healthChecks: [{}] },
    want: {
      healthChecks: [
        {
          ...http,
          timeoutSeconds: 20,
          ignoreHttp1xx: false,
          portIndex: 0,
          protocol: 'HTTP',
          ipProtocol: 'IPv4',
          delaySeconds: 15,
        },
      ],
    },
  },
  {
    name: 'health checks by commands keep their delay',
    json: { healthChecks: [{ protocol: 'command', command: { value: 'true' }, delaySeconds: 3 }] },
    want: {
      healthChecks: [
        {
          ...http,
          timeoutSeconds: 20,
          command: { value: 'true' },
          protocol: 'COMMAND',
          ipProtocol: 'IPv4',
          delaySeconds: 3,
        },
      ],
    },
  },
  {
    name: 'readiness is code 200',
    json: { portDefinitions: [{ name: 'http-api' }], readinessChecks: [{}] },
    want: {
      readinessChecks: [
        {
          name: 'readinessCheck',
          protocol: 'HTTP',
          path: '/',
          portName: 'http-api',
          intervalSeconds: 30,
          timeoutSeconds: 10,
          httpStatusCodesForReady: [200],
          preserveLastResponse: false,
        },
      ],
    },
  },
  {
    name: 'constraints in upper case',
    json: { constraints: [['hostname', 'like', 'a.*']] },
    want: { constraints: [['hostname', 'LIKE', 'a.*']] },
  },
  {
    name: 'persistent volumes change the defaults',
    json: {
      id: '/g/a',
      role: 'g',
      container: {
        type: 'MESOS',
        volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 10 } }],
      },
    },
    want: {
      upgradeStrategy: { maximumOverCapacity: 0, minimumHealthCapacity: 0.5 },
      unreachableStrategy: 'disabled',
      residency: { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: 'WAIT_FOREVER' },
      container: {
        type: 'MESOS',
        volumes: [
          {
            containerPath: 'data',
            mode: 'RW',
            persistent: { type: 'root', size: 10, constraints: [] },
          },
        ],
      },
    },
  },
  {
    name: 'relative ids and dependencies',
    json: { id: 'x/../g/b', dependencies: ['../c', '/d/'] },
    want: { id: '/g/b', dependencies: ['/c', '/d'] },
  },
];
for (const { name, json, want } of normalised) {
  test(`appFromJson() normalises: ${name}`, () => {
    const app = appFromJson({ ...base, ...json }, context);
    const got = Object.fromEntries(
      Object.keys(want).map((key) => [key, Reflect.get(app, key) as unknown]),
    );
    assert.deepEqual(got, want);
  });
}

const version = '2020-02-02T00:00:00.000Z';
const existing = {
  ...appFromJson(
    { ...base, labels: { a: 'b' }, env: { A: '1' }, resourceLimits: { cpus: 2 } },
    context,
  ),
  version,
};
const rooted = (): Root => ({ ...context.root, apps: new Map([['/a', existing]]) });
const versionOf = (): undefined => undefined;

test('appUpdateFromJson() replaces what is given and keeps the rest', () => {
  const app = appUpdateFromJson(
    { labels: { c: 'd' }, instances: 3 },
    { id: '/a', existing, partial: true, context, versionOf },
  );
  const { resourceLimits: _dropped, ...kept } = existing;
  assert.deepEqual(app, { ...kept, labels: { c: 'd' }, instances: 3 });
});

test('appUpdateFromJson() without partial replaces the app but its id', () => {
  const app = appUpdateFromJson(
    { id: '/other', cmd: 'true' },
    { id: '/a', existing, partial: false, context, versionOf },
  );
  assert.deepEqual(app, { ...appFromJson({ id: '/a', cmd: 'true' }, context), version });
});

test('appUpdateFromJson() rolls back to a version, which stands alone', () => {
  const old = appFromJson({ ...base, cmd: 'old one' }, context);
  const options = { id: '/a', existing, partial: true, context, versionOf: () => old };
  assert.equal(appUpdateFromJson({ version }, options), old);
  assert.equal(
    failureOf(() => appUpdateFromJson({ version, cmd: 'x y' }, options)),
    "422 / The 'version' field may only be combined with the 'id' field.",
  );
  assert.equal(
    failureOf(() => appUpdateFromJson({ version }, { ...options, versionOf })),
    "404 App '/a' does not exist",
  );
});

test('appUpdateFromJson() changes host networking to a bridge and back', () => {
  const options = { id: '/a', partial: true, context, versionOf };
  const bridged = appUpdateFromJson(
    { networks: [{ mode: 'container/bridge' }] },
    { ...options, existing },
  );
  assert.equal(bridged.portDefinitions, undefined);
  assert.deepEqual(bridged.container?.portMappings, [{ ...mapping, name: 'default', hostPort: 0 }]);
  const host = appUpdateFromJson(
    { networks: [{ mode: 'host' }] },
    { ...options, existing: bridged },
  );
  assert.equal(host.container?.portMappings, undefined);
  assert.deepEqual(host.portDefinitions, [{ port: 0, name: 'default', protocol: 'tcp' }]);
});

test('appUpdatesFromJson() wants ids and takes new apps whole', () => {
  const options = {
    partial: true,
    context: { ...context, root: rooted() },
    versionOf,
  };
  const apps = appUpdatesFromJson(
    [
      { id: 'a', instances: 9 },
      { id: '/n', cmd: 'true' },
    ],
    options,
  );
  assert.deepEqual(
    apps.map(({ id, instances, cmd }) => ({ id, instances, cmd })),
    [
      { id: '/a', instances: 9, cmd: 'sleep 1' },
      { id: '/n', instances: 1, cmd: 'true' },
    ],
  );
  assert.equal(
    failureOf(() => appUpdatesFromJson([{ cmd: 'true' }], options)),
    '422 requirement failed: App Update must have app id set',
  );
});
