import type { Clock, Logger } from '#base';
import type { TaskStatus } from '#mesos/protocol';
import type { Condition, Instance, InstanceTask, Root } from '../model/index.ts';
import {
  conditionOf,
  isTerminal,
  lastConfigChangeOf,
  parseTaskID,
  runSpecOf,
} from '../model/index.ts';
import type { Backoff } from './backoff.ts';
import type { EventBus } from './events.ts';
import type { Framework } from './framework.ts';
import { isOurs } from './health.ts';
import type { Killer } from './killer.ts';
import { unreachableOf } from './run-spec.ts';
import type { Tracker } from './tracker.ts';
import { hasLiveTasks, unreachableFor, updatedTask, withTask } from './transitions.ts';

export interface StatusUpdates {
  /** Stores what it means, then acknowledges it. */
  take(status: TaskStatus): void;
}

export interface StatusUpdateOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly framework: Framework;
  readonly tracker: Tracker;
  readonly killer: Killer;
  readonly backoff: Backoff;
  root(): Root;
  /** A task got this update: `lastTaskFailure` may tell of it. */
  noted(instance: Instance, task: InstanceTask): void;
}

const delaying: ReadonlySet<Condition> = new Set([
  'Dropped',
  'Error',
  'Failed',
  'Gone',
  'Finished',
]);
const advancing: ReadonlySet<Condition> = new Set([
  'Staging',
  'Starting',
  'Running',
  'Provisioned',
]);

export function createStatusUpdates(options: StatusUpdateOptions): StatusUpdates {
  return {
    take(status) {
      const stored = apply(options, status);
      void acknowledge(options, status, stored);
    },
  };
}

async function acknowledge(
  { framework, logger }: StatusUpdateOptions,
  status: TaskStatus,
  stored: Promise<void>,
): Promise<void> {
  const { uuid, agent_id: agentID, task_id: taskID } = status;
  try {
    await stored;
    if (uuid === undefined || uuid === '' || agentID === undefined) return;
    await framework.call({
      type: 'ACKNOWLEDGE',
      acknowledge: { agent_id: agentID, task_id: taskID, uuid },
    });
  } catch (error) {
    // It will be sent again.
    logger.info('Cannot acknowledge an update', { task: taskID.value, error });
  }
}

function apply(options: StatusUpdateOptions, status: TaskStatus): Promise<void> {
  const { tracker, clock } = options;
  const taskID = status.task_id.value;
  const instance = tracker.ofTask(taskID);
  const task = instance?.tasks.find((one) => one.taskID === taskID);
  if (instance === undefined || task === undefined) return unknown(options, status);
  const runSpec = runSpecOf(options.root(), instance.runSpecID);
  const unreachable = unreachableOf(runSpec);
  const nowMs = clock.nowMs();
  const updated = updatedTask(task, status, nowMs);
  if (updated === undefined) return inactiveNow(options, instance, task);
  const ownChecks = runSpec?.kind === 'app' && (runSpec.spec.healthChecks ?? []).some(isOurs);
  const next = withTask(instance, updated, { unreachable, nowMs, ownChecks });
  noteOutcome(options, next, updated);
  if (
    unreachable !== 'disabled' &&
    next.condition.startsWith('Unreachable') &&
    unreachableFor(next.tasks, nowMs, unreachable.expungeAfterSeconds)
  )
    return tracker.expunge(next, updated);
  if (next.goal === 'Decommissioned' && !hasLiveTasks(next)) return tracker.expunge(next, updated);
  if (status.state === 'TASK_GONE_BY_OPERATOR' && !hasLiveTasks(next) && next.reservation)
    return tracker.put(
      { ...next, reservation: undefined, agent: undefined, condition: 'Scheduled' },
      updated,
    );
  // A launch on its way says so twice or more; what is stored of it, that it was launched, stays true.
  if (next.condition === 'Staging' || next.condition === 'Starting') {
    tracker.note(next, updated);
    return Promise.resolve();
  }
  const stored = tracker.put(next, updated);
  // One container of a pod failed: the others go with it before all start anew.
  if (isTerminal(next.condition) && hasLiveTasks(next)) options.killer.kill(next);
  return stored;
}

/** An update that says nothing new may still be the moment when an instance counts no more. */
function inactiveNow(
  { tracker, clock, root }: StatusUpdateOptions,
  instance: Instance,
  task: InstanceTask,
): Promise<void> {
  if (instance.condition !== 'Unreachable') return Promise.resolve();
  const unreachable = unreachableOf(runSpecOf(root(), instance.runSpecID));
  const next = withTask(instance, task, { unreachable, nowMs: clock.nowMs() });
  return next.condition === instance.condition ? Promise.resolve() : tracker.put(next);
}

function unknown(
  { events, killer, logger }: StatusUpdateOptions,
  status: TaskStatus,
): Promise<void> {
  const condition = conditionOf(status);
  const taskID = status.task_id.value;
  const parsed = parseTaskID(taskID);
  if (isTerminal(condition) || condition === 'Unreachable') {
    events.publish('unknown_instance_terminated_event', () => ({
      instanceId: parsed?.instanceID ?? taskID,
      runSpecId: parsed?.runSpecID ?? '',
      condition,
    }));
  } else if (condition !== 'Killing') {
    logger.info('Killing a task of no instance', { task: taskID });
    killer.killTask(taskID, status.agent_id?.value);
  }
  return Promise.resolve();
}

function noteOutcome(options: StatusUpdateOptions, instance: Instance, task: InstanceTask): void {
  const { backoff, root } = options;
  const { condition, status } = task;
  options.noted(instance, task);
  const runSpec = runSpecOf(root(), instance.runSpecID);
  // An older definition's failures say nothing of the newest.
  if (runSpec === undefined || instance.runSpecVersion < lastConfigChangeOf(runSpec)) return;
  const { reason } = status ?? {};
  if (reason === 'REASON_AGENT_DRAINING') backoff.reset(instance.runSpecID);
  // The offer was gone: that is nobody's failure (docs/decisions/marathon.md).
  else if (reason === 'REASON_INVALID_OFFERS') return;
  else if (delaying.has(condition)) backoff.failed(runSpec);
  else if (advancing.has(condition)) backoff.advanced(runSpec);
}
