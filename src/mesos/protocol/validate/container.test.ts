import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CheckInfo,
  CheckStatusInfo,
  ContainerInfo,
  EnvironmentVariable,
  HealthCheck,
  Volume,
  VolumeSource,
} from '../types.ts';
import { validateCheck, validateCheckStatus, validateHealthCheck } from './checks.ts';
import { validateContainer, validateEnvironment, validateVolume } from './container.ts';

const reference = { type: 'REFERENCE', reference: { name: 's' } } as const;
const variables: readonly (readonly [EnvironmentVariable, string | undefined])[] = [
  [{ name: 'n', value: 'v' }, undefined],
  [{ name: 'n', type: 'SECRET', secret: reference }, undefined],
  [{ name: 'n' }, "Environment variable 'n' of type 'VALUE' must have a value set"],
  [
    { name: 'n', value: 'v', secret: reference },
    "Environment variable 'n' of type 'VALUE' must not have a secret set",
  ],
  [{ name: 'n', type: 'UNKNOWN' }, "Environment variable of type 'UNKNOWN' is not allowed"],
  [
    { name: 'n', type: 'SECRET' },
    "Environment variable 'n' of type 'SECRET' must have a secret set",
  ],
  [
    { name: 'n', type: 'SECRET', secret: reference, value: 'v' },
    "Environment variable 'n' of type 'SECRET' must not have a value set",
  ],
  [
    { name: 'n', type: 'SECRET', secret: { type: 'REFERENCE' } },
    "Environment variable 'n' specifies an invalid secret: Secret of type REFERENCE must have the 'reference' field set",
  ],
  [
    { name: 'n', type: 'SECRET', secret: { ...reference, value: { data: '' } } },
    "Environment variable 'n' specifies an invalid secret: Secret 's' of type REFERENCE must not have the 'value' field set",
  ],
  [
    { name: 'n', type: 'SECRET', secret: { type: 'VALUE' } },
    "Environment variable 'n' specifies an invalid secret: Secret of type VALUE must have the 'value' field set",
  ],
  [
    {
      name: 'n',
      type: 'SECRET',
      secret: { type: 'VALUE', value: { data: 'YQ==' }, reference: { name: 's' } },
    },
    "Environment variable 'n' specifies an invalid secret: Secret of type VALUE must not have the 'reference' field set",
  ],
  [
    { name: 'n', type: 'SECRET', secret: { type: 'VALUE', value: { data: 'YQBi' } } },
    "Environment variable 'n' specifies a secret containing null bytes, which is not allowed in the environment",
  ],
];
for (const [variable, want] of variables) {
  test(`variable ${JSON.stringify(variable)} is judged`, () => {
    assert.equal(validateEnvironment({ variables: [variable] }), want);
  });
}

const volume: Volume = { mode: 'RW', container_path: 'p' };
const one = "Only one of them should be set: 'host_path', 'image' and 'source'";
const sources: readonly (readonly [VolumeSource, string | undefined])[] = [
  [{ type: 'SANDBOX_PATH', sandbox_path: { path: 'x' } }, undefined],
  [{ type: 'DOCKER_VOLUME' }, "'source.docker_volume' is not set for DOCKER_VOLUME volume"],
  [{ type: 'HOST_PATH' }, "'source.host_path' is not set for HOST_PATH volume"],
  [{ type: 'SANDBOX_PATH' }, "'source.sandbox_path' is not set for SANDBOX_PATH volume"],
  [{ type: 'SECRET' }, "'source.secret' is not set for SECRET volume"],
  [{ type: 'CSI_VOLUME' }, "'source.csi_volume' is not set for CSI volume"],
  [
    { type: 'CSI_VOLUME', csi_volume: { plugin_name: 'p' } },
    "'source.csi_volume.static_provisioning' is not set for CSI volume",
  ],
  [{}, "'source.type' is unknown"],
];
test('a volume comes from exactly one place', () => {
  assert.equal(validateVolume(volume), one);
  assert.equal(validateVolume({ ...volume, host_path: '/a', image: { type: 'DOCKER' } }), one);
  assert.equal(validateVolume({ ...volume, host_path: '/a' }), undefined);
});
for (const [source, want] of sources) {
  test(`volume source ${JSON.stringify(source)} is judged`, () => {
    assert.equal(validateVolume({ ...volume, source }), want);
  });
}

const containers: readonly (readonly [ContainerInfo, string | undefined])[] = [
  [{ type: 'MESOS' }, undefined],
  [{ type: 'MESOS', volumes: [volume] }, `Invalid volume: ${one}`],
  [{ type: 'DOCKER' }, "DockerInfo 'docker' is not set for DOCKER typed ContainerInfo"],
  [
    { type: 'DOCKER', docker: { image: 'i', parameters: [{ key: 'name', value: 'x' }] } },
    "Parameter in DockerInfo must not be 'name'",
  ],
  [{ type: 'DOCKER', docker: { image: 'i' } }, undefined],
];
for (const [container, want] of containers) {
  test(`container ${JSON.stringify(container)} is judged`, () => {
    assert.equal(validateContainer(container), want);
  });
}

const secret = { variables: [{ name: 'n' }] };
const missing = "Environment variable 'n' of type 'VALUE' must have a value set";
const healthChecks: readonly (readonly [HealthCheck, string | undefined])[] = [
  [{ type: 'COMMAND', command: { value: 'true' } }, undefined],
  [{ type: 'HTTP', http: { port: 1, scheme: 'https', path: '/p' } }, undefined],
  [{}, "HealthCheck must specify 'type'"],
  [{ type: 'COMMAND' }, "Expecting 'command' to be set for COMMAND health check"],
  [{ type: 'COMMAND', command: {} }, "Command health check must contain 'shell command'"],
  [
    { type: 'COMMAND', command: { shell: false } },
    "Command health check must contain 'executable path'",
  ],
  [
    { type: 'COMMAND', command: { value: 'x', environment: secret } },
    `Health check's \`CommandInfo\` is invalid: ${missing}`,
  ],
  [{ type: 'HTTP' }, "Expecting 'http' to be set for HTTP health check"],
  [
    { type: 'HTTP', http: { port: 1, scheme: 'ftp' } },
    "Unsupported HTTP health check scheme: 'ftp'",
  ],
  [
    { type: 'HTTP', http: { port: 1, path: 'p' } },
    "The path 'p' of HTTP health check must start with '/'",
  ],
  [{ type: 'TCP' }, "Expecting 'tcp' to be set for TCP health check"],
  [{ type: 'UNKNOWN' }, "'UNKNOWN' is not a valid health check type"],
  ...(
    ['delay_seconds', 'grace_period_seconds', 'interval_seconds', 'timeout_seconds'] as const
  ).map(
    (field) =>
      [
        { type: 'TCP', tcp: { port: 1 }, [field]: -1 },
        `Expecting '${field}' to be non-negative`,
      ] as const,
  ),
];
for (const [check, want] of healthChecks) {
  test(`health check ${JSON.stringify(check)} is judged`, () => {
    assert.equal(validateHealthCheck(check), want);
  });
}

const checks: readonly (readonly [CheckInfo, string | undefined])[] = [
  [{ type: 'TCP', tcp: { port: 1 } }, undefined],
  [{}, "CheckInfo must specify 'type'"],
  [{ type: 'COMMAND' }, "Expecting 'command' to be set for COMMAND check"],
  [{ type: 'COMMAND', command: { command: {} } }, "Command check must contain 'shell command'"],
  [
    { type: 'COMMAND', command: { command: { value: 'x', environment: secret } } },
    `Check's \`CommandInfo\` is invalid: ${missing}`,
  ],
  [{ type: 'HTTP' }, "Expecting 'http' to be set for HTTP check"],
  [
    { type: 'HTTP', http: { port: 1, path: 'p' } },
    "The path 'p' of HTTP check must start with '/'",
  ],
  [{ type: 'TCP' }, "Expecting 'tcp' to be set for TCP check"],
  [{ type: 'UNKNOWN' }, "'UNKNOWN' is not a valid check type"],
  [
    { type: 'TCP', tcp: { port: 1 }, delay_seconds: -0.5 },
    "Expecting 'delay_seconds' to be non-negative",
  ],
  [
    { type: 'TCP', tcp: { port: 1 }, interval_seconds: -1 },
    "Expecting 'interval_seconds' to be non-negative",
  ],
  [
    { type: 'TCP', tcp: { port: 1 }, timeout_seconds: -1 },
    "Expecting 'timeout_seconds' to be non-negative",
  ],
];
for (const [check, want] of checks) {
  test(`check ${JSON.stringify(check)} is judged`, () => {
    assert.equal(validateCheck(check), want);
  });
}

const statuses: readonly (readonly [CheckStatusInfo, string | undefined])[] = [
  [{ type: 'COMMAND', command: {} }, undefined],
  [{}, "CheckStatusInfo must specify 'type'"],
  [{ type: 'COMMAND' }, "Expecting 'command' to be set for COMMAND check's status"],
  [{ type: 'HTTP' }, "Expecting 'http' to be set for HTTP check's status"],
  [{ type: 'TCP' }, "Expecting 'tcp' to be set for TCP check's status"],
  [{ type: 'UNKNOWN' }, "'UNKNOWN' is not a valid check's status type"],
];
for (const [status, want] of statuses) {
  test(`check status ${JSON.stringify(status)} is judged`, () => {
    assert.equal(validateCheckStatus(status), want);
  });
}
