import type { Pod } from '#kube/kinds';
import type { Task } from '#mesos/kinds';
import type { TaskState, TaskStatusReason } from '#mesos/protocol';

/** Why a task's container cannot be had. `reason` is what the Pod's status shows. */
export interface LaunchFailure {
  readonly reason: string;
  readonly message: string;
  /** When it is no CONTAINER_LAUNCH_FAILED: the state and reason to tell. */
  readonly taskReason?: TaskStatusReason | undefined;
  readonly state?: TaskState | undefined;
}

/** What the kubelet writes of a container that it cannot start; all of it ends a Mesos task. */
const hopeless: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
  'ImageInspectError',
  'SignatureValidationFailed',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CreatePodSandboxError',
]);

/** What the Pod's status says about a container that never was. Mesos knows no second try. */
export function launchFailureOf(task: Task, pod: Pod): LaunchFailure | undefined {
  const { phase, reason, message, containerStatuses } = pod.status;
  const status = containerStatuses?.find(({ name }) => name === task.spec.container);
  const waiting = status?.state.waiting;
  if (waiting?.reason !== undefined && hopeless.has(waiting.reason))
    return { reason: waiting.reason, message: waiting.message ?? waiting.reason };
  if (phase === 'Failed' && status?.state.running === undefined) {
    const ended = status?.state.terminated;
    return {
      reason: reason ?? ended?.reason ?? 'Failed',
      message: message ?? ended?.message ?? reason ?? 'The Pod could not be started',
    };
  }
  return undefined;
}
