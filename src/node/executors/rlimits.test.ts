import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerInfo } from '#mesos/protocol';
import { processLimits } from './rlimits.ts';

const mesos = (...rlimits: NonNullable<ContainerInfo['rlimit_info']>['rlimits'] & object[]) =>
  ({ type: 'MESOS', rlimit_info: { rlimits } }) as const;

test('processLimits() takes limits of either containerizer', () => {
  const given = mesos({ type: 'RLMT_NOFILE', soft: 1, hard: 2 }, { type: 'RLMT_CORE' });
  assert.deepEqual(processLimits(given), [
    { type: 'RLIMIT_NOFILE', soft: 1, hard: 2 },
    { type: 'RLIMIT_CORE', soft: undefined, hard: undefined },
  ]);
  const parameters = [
    { key: 'ulimit', value: 'nofile=7' },
    { key: 'ulimit', value: 'core=5:-1' },
    { key: 'ulimit', value: 'nofile=8:9' },
  ];
  const docker = { type: 'DOCKER', docker: { image: 'i', parameters } } as const;
  assert.deepEqual(processLimits(docker), [
    { type: 'RLIMIT_NOFILE', soft: 8, hard: 9 },
    { type: 'RLIMIT_CORE', soft: 5, hard: undefined },
  ]);
  assert.deepEqual(processLimits(undefined), []);
});

const refused = [
  [{ type: 'RLMT_CPU', soft: 1 }, 'Failed to set RLMT_CPU limit: Invalid rlimit values'],
  [{ type: 'RLMT_CPU', soft: 2, hard: 1 }, 'Failed to set RLMT_CPU limit: Invalid argument'],
  [
    { type: 'UNKNOWN', soft: 1, hard: 1 },
    'Failed to set UNKNOWN limit: Could not convert rlimit: Unknown rlimit type',
  ],
] as const;
for (const [limit, text] of refused)
  test(`processLimits() says "${text}"`, () => {
    assert.throws(() => processLimits(mesos(limit)), { message: text });
  });
