/**
 * The Mesos side of hollow nodes: tasks are said to run as soon as they are there, and to be killed
 * when they are to be; their Pods end with them. Many nodes share a connection and a watch.
 */
import { randomBytes } from 'node:crypto';
import { createInformer } from '#client';
import type { Api } from '#machinery';
import { StatusError } from '#machinery';
import { pods } from '#kube/kinds';
import { tasks, type Task } from '#mesos/kinds';
import type { TaskState, TaskStatus } from '#mesos/protocol';
import { systemClock } from '#io';

export interface HollowTasks {
  readonly running: number;
  readonly failures: number;
  readonly lastFailure: string;
}

/** Tasks whose answer is being written at once; a machine of this size gains nothing from more. */
const parallel = 64;

/** Follows the tasks of every node that `owns` knows until the signal aborts. */
export function runHollowTasks(
  api: Api,
  owns: (node: string) => boolean,
  signal: AbortSignal,
): HollowTasks {
  const told = { running: 0, failures: 0, lastFailure: '' };
  const waiting = new Map<string, Task>();
  let busy = 0;
  const cache = createInformer(api, tasks, { clock: systemClock });
  const turn = async (): Promise<void> => {
    busy++;
    for (const [key, task] of waiting) {
      waiting.delete(key);
      try {
        if (await answer(api, task)) told.running++;
      } catch (error) {
        // Somebody acknowledged meanwhile: the newer task is on its way to us.
        if (error instanceof StatusError && error.code < 500) continue;
        told.failures++;
        told.lastFailure = error instanceof Error ? error.message : String(error);
      }
    }
    busy--;
  };
  cache.onChange(({ key, object }) => {
    if (object === undefined || !owns(object.spec.nodeName)) return;
    if (nextState(object) === undefined) return;
    waiting.set(key, object);
    if (busy < parallel) void turn();
  });
  void cache.run(signal);
  return told;
}

function nextState(task: Task): TaskState | undefined {
  const { state } = task.status;
  if (task.spec.kill !== undefined && state !== 'TASK_KILLED') return 'TASK_KILLED';
  return state === 'TASK_STAGING' ? 'TASK_RUNNING' : undefined;
}

/** True when the task was told to run. */
async function answer(api: Api, task: Task): Promise<boolean> {
  const state = nextState(task);
  if (state === undefined) return false;
  const update: TaskStatus = {
    task_id: { value: task.spec.taskID },
    state,
    source: 'SOURCE_EXECUTOR',
    agent_id: { value: task.spec.agentID },
    executor_id: { value: task.spec.executorID },
    timestamp: Date.now() / 1000,
    uuid: uuid(),
    container_status: {
      network_infos: [{ ip_addresses: [{ ip_address: '192.0.2.1', protocol: 'IPv4' }] }],
    },
  };
  const status = { ...task.status, state, updates: [...(task.status.updates ?? []), update] };
  await api.update(tasks, { ...task, status }, { subresource: 'status' });
  if (state === 'TASK_KILLED') await endPod(api, task);
  return state === 'TASK_RUNNING';
}

async function endPod(api: Api, task: Task): Promise<void> {
  const target = { name: task.spec.podName, namespace: task.metadata.namespace };
  const body = { status: { phase: 'Succeeded' } };
  await api.patch(pods, { ...target, subresource: 'status' }, { type: 'merge', body });
}

/** Version 4, as base64 of its 16 bytes. */
function uuid(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('base64');
}
