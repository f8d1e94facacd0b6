import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MarathonFailure } from '../problem.ts';
import { type Root, emptyRoot } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { textOf } from '../write.ts';
import {
  type DefinitionContext,
  appFromJson,
  appUpdateFromJson,
  appUpdatesFromJson,
} from './definition.ts';

const context: DefinitionContext = {
  root: emptyRoot('2020-01-01T00:00:00.000Z'),
  settings: { ...defaultSettings, defaultNetworkName: 'dcos' },
  forceRole: false,
};

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

const base = { id: '/a', cmd: 'sleep 1' };
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

const persistent = (fields: object, info: object = {}): object => ({
  id: '/g/a',
  role: 'g',
  container: {
    type: 'MESOS',
    volumes: [{ containerPath: 'data', mode: 'RW', ...fields, persistent: { size: 1, ...info } }],
  },
});
const constrained = (...constraint: string[]): object => ({ constraints: [constraint] });
const v = '/container/volumes(0)';
const single = { labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' } };
const strategy = { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };
const needsCommand =
  "422 / AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";
const portIndexText =
  '422 /healthChecks(0) Health check port indices must address an element of the ports array or ' +
  'container port mappings.';

const refused: { json: object; want: string }[] = [
  // The old form.
  { json: { uris: ['http://x y'] }, want: '422 /uris(0) URI has invalid syntax.' },
  {
    json: { uris: ['a'], fetch: [{ uri: 'b' }] },
    want: '422 /uris may not be set in conjunction with fetch',
  },
  { json: { ports: [1, 1] }, want: '422 / ports must be unique' },
  {
    json: { ports: [1], portDefinitions: [{ port: 2 }] },
    want: '422 / cannot specify both ports and port definitions',
  },
  {
    json: { ipAddress: {}, ports: [1] },
    want: '422 / cannot specify both an IP address and port',
  },
  {
    json: { ipAddress: {}, networks: [{ mode: 'host' }] },
    want: '422 / must not specify both networks and ipAddress',
  },
  {
    json: {
      networks: [{ mode: 'host' }],
      container: { type: 'DOCKER', docker: { image: 'i', network: 'HOST' } },
    },
    want: '422 / must not specify both container.docker.network and networks',
  },
  {
    json: { container: docker, ipAddress: { discovery: {} } },
    want: '422 /ipAddress ipAddress/discovery is not allowed for Docker containers',
  },
  {
    json: {
      container: {
        type: 'MESOS',
        docker: {
          image: 'i',
          network: 'HOST',
          parameters: [{ key: 'a', value: 'b' }],
          portMappings: [],
        },
      },
    },
    want:
      '422 /container/docker/network must be empty; /container/docker/parameters must be empty; ' +
      '/container/docker/portMappings must be empty',
  },
  {
    json: { container: { type: 'DOCKER', docker: { image: 'i', credential: { principal: 'p' } } } },
    want: '422 /container/docker/credential must be empty',
  },
  // Normalisation.
  {
    json: { container: { type: 'DOCKER', docker: { image: 'i', network: 'NONE' } } },
    want: '500 unsupported docker network type NONE',
  },
  {
    json: {
      container: { type: 'DOCKER', docker: { image: 'i', portMappings: [{}] }, portMappings: [{}] },
    },
    want: '500 cannot specify both portMappings and docker.portMappings',
  },
  // The canonical form.
  { json: { cmd: undefined }, want: needsCommand },
  { json: { args: ['a'] }, want: needsCommand },
  { json: { cmd: 'a' }, want: '422 / must not be an empty string' },
  { json: { container: { type: 'DOCKER' } }, want: '422 /container/docker not defined' },
  {
    json: {
      networks: [
        { mode: 'container', name: 'a' },
        { mode: 'container', name: 'b' },
      ],
      container: { type: 'MESOS', portMappings: [{ hostPort: 0 }] },
    },
    want:
      '422 /container/portMappings(0) networkNames must be a single item list when hostPort is ' +
      'specified and more than 1 container network is defined',
  },
  {
    json: {
      networks: [{ mode: 'container', name: 'a' }],
      container: {
        type: 'MESOS',
        portMappings: [{ networkNames: ['b'] }, { name: 'p' }, { name: 'p' }],
      },
    },
    want:
      '422 /container/portMappings Port names must be unique.; ' +
      '/container/portMappings(0)/networkNames(0) is not one of (a)',
  },
  {
    json: {
      portDefinitions: [
        { port: 1, name: 'a' },
        { port: 1, name: 'a' },
      ],
    },
    want: '422 /portDefinitions Port names must be unique.; /portDefinitions Ports must be unique.',
  },
  {
    json: { ports: [0, -1] },
    want: '422 /portDefinitions(1)/port got -1, expected 0 or more',
  },
  { json: { healthChecks: [{ portIndex: 1 }] }, want: portIndexText },
  {
    json: { healthChecks: [{ protocol: 'TCP', ipProtocol: 'IPv6', port: 1 }] },
    want:
      '422 /healthChecks(0) IPv6 can only be used for container type DOCKER and Mesos http/https/tcp ' +
      'health checks',
  },
  {
    json: { healthChecks: [{ protocol: 'MESOS_TCP' }, { protocol: 'MESOS_HTTP' }] },
    want: '422 / AppDefinition can contain at most one Mesos health check',
  },
  {
    json: { resourceLimits: { cpus: 0.5, mem: 'much' } },
    want:
      '422 /resourceLimits/cpus resource limit must be greater than or equal to requested resource ' +
      "(1.0); /resourceLimits/mem 'much' is an invalid resource limit. It must be 'unlimited' or a " +
      'number',
  },
  {
    json: { env: { A: { secret: 's' } } },
    want: '422 /env/A/secret references an undefined secret',
  },
  { json: { env: { '': 'a' } }, want: '422 /env/keys(0) must not be empty' },
  { json: { acceptedResourceRoles: [] }, want: '422 /acceptedResourceRoles must not be empty' },
  {
    json: { acceptedResourceRoles: ['b'] },
    want: '422 /acceptedResourceRoles acceptedResourceRoles can only contain *',
  },
  {
    json: { id: '/g/a', role: 'g', acceptedResourceRoles: ['b'] },
    want: '422 /acceptedResourceRoles acceptedResourceRoles can only contain * and g',
  },
  {
    json: { acceptedResourceRoles: ['-'] },
    want:
      "422 /acceptedResourceRoles(0) A role name must not start with a '-'.; " +
      '/acceptedResourceRoles acceptedResourceRoles can only contain *',
  },
  { json: { role: 'x' }, want: '422 /role got x, expected one of: [*]' },
  { json: { id: '/g/a', role: 'x' }, want: '422 /role got x, expected one of: [*, g]' },
  {
    json: { gpus: 1, container: docker },
    want: '422 / GPU resources only work with the Mesos containerizer',
  },
  {
    json: { labels: { DCOS_MIGRATION_API_VERSION: 'v2' } },
    want:
      '422 / DCOS_PACKAGE_FRAMEWORK_NAME and DCOS_MIGRATION_API_PATH must be defined when using ' +
      'DCOS_MIGRATION_API_VERSION',
  },
  {
    json: { readinessChecks: [{ timeoutSeconds: 30 }] },
    want:
      '422 /readinessChecks(0)/portName No port definition reference for portName http-api; ' +
      '/readinessChecks(0)/timeoutSeconds got 30, expected less than 30',
  },
  {
    json: { ...single, instances: 2 },
    want: '422 / Single instance app may only have one instance',
  },
  {
    json: { ...single, upgradeStrategy: strategy },
    want: '422 /upgradeStrategy/minimumHealthCapacity got 0.5, expected 0.0',
  },
  {
    json: single,
    want:
      '422 /upgradeStrategy/minimumHealthCapacity got 1.0, expected 0.0; ' +
      '/upgradeStrategy/maximumOverCapacity got 1.0, expected 0.0',
  },
  {
    json: {
      ...persistent({}),
      upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.1 },
    },
    want: '422 /upgradeStrategy/maximumOverCapacity got 0.1, expected 0.0',
  },
  {
    json: { ...persistent({}), unreachableStrategy: {} },
    want: '422 / unreachableStrategy must be disabled for resident tasks',
  },
  {
    json: { ...persistent({}), role: '*' },
    want: '422 /role Resident apps cannot have the role *',
  },
  {
    json: { ...persistent({}), acceptedResourceRoles: ['g'] },
    want: '422 /acceptedResourceRoles A resident app must have `acceptedResourceRoles = ["*"]`.',
  },
  { json: persistent({ mode: 'RO' }), want: `422 ${v}/mode does not equal RW` },
  {
    json: persistent({ containerPath: '..' }),
    want: `422 ${v}/containerPath can not be one of (.,..)`,
  },
  {
    json: persistent({ containerPath: 'a/b' }),
    want: `422 ${v}/containerPath value must not contain "/"`,
  },
  {
    json: persistent({}, { size: 0 }),
    want: `422 ${v}/persistent/size got 0, expected more than 0`,
  },
  {
    json: persistent({}, { constraints: [['path', 'LIKE', 'x']] }),
    want: `422 ${v}/persistent Constraints on root volumes are not supported`,
  },
  {
    json: persistent({}, { maxSize: 5 }),
    want: `422 ${v}/persistent Only mount volumes can have maxSize`,
  },
  {
    json: persistent({}, { type: 'mount', maxSize: 1 }),
    want: `422 ${v}/persistent Max size must be larger than size`,
  },
  {
    json: persistent(
      {},
      { type: 'mount', constraints: [['path', 'UNIQUE', 'x'], ['path', 'NO', 'x'], ['a']] },
    ),
    want:
      `422 ${v}/persistent/constraints(0) Operator must be one of LIKE, UNLIKE; ` +
      `${v}/persistent/constraints(1) unknown constraint operator NO; ` +
      `${v}/persistent/constraints(2) Unsupported constraint a`,
  },
  {
    json: { container: { type: 'MESOS', volumes: [{ containerPath: 'x', secret: 's' }] } },
    want: `422 ${v} volume.secret must refer to an existing secret`,
  },
  {
    json: { container: { type: 'DOCKER', docker: { image: 'i', pullConfig: { secret: 's' } } } },
    want: '422 /container/docker/pullConfig pullConfig is not supported with Docker containerizer',
  },
  {
    json: { container: { type: 'MESOS', docker: { image: 'i', pullConfig: { secret: 's' } } } },
    want: '422 /container/docker/pullConfig pullConfig.secret must refer to an existing secret',
  },
  {
    json: {
      container: docker,
      networks: [
        { mode: 'container', name: 'a' },
        { mode: 'container', name: 'b' },
      ],
    },
    want: '422 / may only specify a single container network when using the Docker container engine',
  },
  {
    json: constrained('a'),
    want: '422 /constraints(0) Each constraint must have either 2 or 3 fields',
  },
  { json: constrained('', 'UNIQUE'), want: '422 /constraints(0) illegal constraint specification' },
  {
    json: constrained('a', 'NEAR'),
    want:
      '422 /constraints(0) operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, ' +
      'MAX_PER, UNLIKE or IS',
  },
  {
    json: constrained('a', 'unique', '1'),
    want: '422 /constraints(0) UNIQUE does not accept a value',
  },
  {
    json: constrained('a', 'GROUP_BY', 'x'),
    want: '422 /constraints(0) GROUP BY must define an integer value or else no value at all',
  },
  {
    json: constrained('a', 'MAX_PER'),
    want: '422 /constraints(0) MAX_PER requires an integer value',
  },
  {
    json: constrained('a', 'LIKE'),
    want: '422 /constraints(0) LIKE and UNLIKE require a non-empty, regular expression value',
  },
  {
    json: constrained('a', 'UNLIKE', '('),
    want: '422 /constraints(0) is not a valid regular expression',
  },
  {
    json: constrained('a', 'IS', '{}'),
    want:
      '422 /constraints(0) IS only supports Mesos text and float values ' +
      '(see http://mesos.apache.org/documentation/latest/attributes-resources/)',
  },
  {
    json: { networks: [{ mode: 'host', name: 'a' }] },
    want: '422 /networks Host networks may not have names or labels',
  },
  {
    json: { networks: [{ mode: 'container/bridge', name: 'a' }] },
    want: '422 /networks Bridge networks may not have names',
  },
  {
    json: {
      networks: [
        { mode: 'container', name: 'a' },
        { mode: 'container', name: 'a' },
      ],
    },
    want: '422 /networks Duplicate networks are not allowed',
  },
  {
    json: { networks: [{ mode: 'container/bridge' }, { mode: 'container/bridge' }] },
    want:
      '422 /networks May specify a single host network, single bridge network, or else 1-to-n ' +
      'container networks',
  },
  {
    json: { id: '/a/restart' },
    want: '422 /id must not end with any of the following reserved keywords: restart, tasks, versions, ., ..',
  },
  {
    json: { id: '/' },
    want: '422 / must not be root; /id Path must contain at least one path element',
  },
  {
    json: {
      container: {
        type: 'MESOS',
        linuxInfo: { seccomp: {}, ipcInfo: { mode: 'SHARE_PARENT', shmSize: 5 } },
      },
    },
    want:
      '422 /container/linuxInfo/seccomp Seccomp unconfined must be true when Profile is NOT defined; ' +
      '/container/linuxInfo/ipcInfo ipcInfo shmSize can NOT be set when mode is SHARE_PARENT',
  },
  {
    json: {
      container: { type: 'MESOS', linuxInfo: { seccomp: { profileName: 'p', unconfined: true } } },
    },
    want: '422 /container/linuxInfo/seccomp Seccomp unconfined can NOT be true when Profile is defined',
  },
  // The model.
  {
    json: { container: docker, check: { tcp: { portIndex: 0 } }, cmd: undefined },
    want: "422 / AppDefinition must not use 'checks' if using docker",
  },
  {
    json: { check: { http: { portIndex: 3 } } },
    want:
      '422 /check check port index must address an element of the ports array or container port ' +
      'mappings.',
  },
  {
    json: { unreachableStrategy: { inactiveAfterSeconds: 5, expungeAfterSeconds: 3 } },
    want:
      '422 /unreachableStrategy/inactiveAfterSeconds inactiveAfterSeconds (5) must be less or equal ' +
      'to expungeAfterSeconds, which is 3',
  },
];
for (const { json, want } of refused) {
  test(`appFromJson() answers ${JSON.stringify(json)} with ${want}`, () => {
    assert.equal(
      failureOf(() => appFromJson({ ...base, ...json }, context)),
      want,
    );
  });
}

test('appFromJson() refuses a container network that nobody names', () => {
  const unnamed = { ...context, settings: defaultSettings };
  assert.equal(
    failureOf(() => appFromJson({ ...base, networks: [{ mode: 'container' }] }, unnamed)),
    '422 /networks Network name must be specified when container network is selected.',
  );
});

test('appFromJson() refuses what needs a feature that is off', () => {
  const bare = { ...context, settings: { ...context.settings, features: [] } };
  const json = { ...base, gpus: 1, secrets: { s: { source: 'x' } }, env: { A: { secret: 's' } } };
  assert.equal(
    failureOf(() => appFromJson(json, bare)),
    '422 /secrets Feature secrets is not enabled. Enable with --enable_features secrets); ' +
      '/env use of secret-references in the environment requires the secrets feature to be enabled; ' +
      '/ Feature gpu_resources is not enabled. Enable with --enable_features gpu_resources)',
  );
});

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
