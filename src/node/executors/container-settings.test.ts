import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Task } from '#mesos/kinds';
import type { ContainerSpec } from '#node/runtime';
import type { SettingsFacts } from './container-settings.ts';
import { taskContainer } from './container-settings.ts';

test('Secrets of a sandbox are mounted where the sandbox is', () => {
  const mount = { hostPath: '/volumes/v0/pw', readOnly: true, propagation: 'private' } as const;
  const spec = {
    env: [],
    command: ['/bin/true'],
    args: [],
    workingDir: '',
    security: {},
    mounts: [
      { ...mount, containerPath: '/mnt/mesos/sandbox/a/pw' },
      { ...mount, containerPath: '/etc/pw' },
    ],
  } as unknown as ContainerSpec;
  const task = { spec: { task: { task_id: { value: 't' } } } } as unknown as Task;
  const facts = {
    task,
    pod: { spec: { hostPID: true } },
    directory: '/sandboxes/run',
    volumes: [],
    imageDirectory: '',
  } as unknown as SettingsFacts;
  const pathsOf = ({ mounts }: ContainerSpec): string[] => mounts.map((one) => one.containerPath);
  assert.deepEqual(pathsOf(taskContainer(spec, facts)), ['/sandboxes/run/a/pw', '/etc/pw']);
  assert.deepEqual(pathsOf(taskContainer({ ...spec, imageId: 'i' }, facts)), [
    '/mnt/mesos/sandbox/a/pw',
    '/etc/pw',
    '/mnt/mesos/sandbox',
  ]);
});
