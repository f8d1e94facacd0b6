import type { AgentResponseWaitContainer, Resource } from '#mesos/protocol';
import type { Container } from '#node/runtime';
import { succeeded, waitNumber, waitStatusOf } from '../wait-status.ts';

/** What WAIT_CONTAINER tells of a container that has ended. */
export function terminationOf(container: Container): AgentResponseWaitContainer {
  const status = waitStatusOf(container);
  const exit = { exit_status: waitNumber(status) };
  if (!container.oomKilled || succeeded(status)) return exit;
  const megabytes = Math.round((container.spec.resources.memoryBytes ?? 0) / 2 ** 20);
  const mem: Resource = { name: 'mem', type: 'SCALAR', scalar: { value: megabytes }, role: '*' };
  return {
    ...exit,
    state: 'TASK_FAILED',
    reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    limitation: { resources: [mem] },
    message: `Memory limit exceeded: Requested: ${megabytes}MB Maximum Used: ${megabytes}MB\n`,
  };
}
