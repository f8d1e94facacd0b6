import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../settings.ts';
import { appFromJson } from './definition.ts';

import { base, context, failureOf } from './definition-kit.test.ts';

const docker = { type: 'DOCKER', docker: { image: 'i' } };

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
