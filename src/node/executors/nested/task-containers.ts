import type { Pod } from '#kube/kinds';
import type { Task } from '#mesos/kinds';
import type { ContainerID } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import { nestedIDOf } from '../paths.ts';
import type { World } from '../world.ts';
import { rootOf } from './ids.ts';

/** An executor's run: its Pod and a task of it. */
export interface ExecutorRun {
  readonly pod: Pod;
  readonly task: Task;
}

/** The executor that a container belongs to, by the root of its id. */
export function executorRun(world: World, id: ContainerID): ExecutorRun | undefined {
  const pod = world.pods.by('uid', rootOf(id).value)[0];
  const task = pod === undefined ? undefined : world.tasksOfPod(pod)[0];
  return pod === undefined || task === undefined ? undefined : { pod, task };
}

/** The runtime's container of an executor or of a task of a group. */
export function taskContainer(world: World, id: ContainerID): Container | undefined {
  const pod = world.pods.by('uid', rootOf(id).value)[0];
  if (pod === undefined) return undefined;
  const { uid } = pod.metadata;
  if (id.parent === undefined) return executorContainer(world, pod);
  if (id.parent.parent !== undefined) return undefined;
  const task = world
    .tasksOfPod(pod)
    .find((one) => one.spec.execution === 'Group' && nestedIDOf(one) === id.value);
  const name = task?.spec.container;
  return name === undefined ? undefined : world.containers.newest(uid, name);
}

/** A default executor has no process: whichever of its tasks' containers runs stands for it. */
function executorContainer(world: World, { metadata, spec }: Pod): Container | undefined {
  const all = spec.containers.flatMap(
    ({ name }) => world.containers.newest(metadata.uid, name) ?? [],
  );
  return all.find(({ state }) => state === 'running') ?? all[0];
}
