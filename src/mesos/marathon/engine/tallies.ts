import type { SchedulerCall, SchedulerEvent } from '#mesos/protocol';

/** Counts since this process began, by the names that `/metrics` gives them (docs/metrics.md). */
export interface Tallies {
  readonly counts: ReadonlyMap<string, number>;
  add(name: string, by?: number): void;
  /** What Marathon asks of the master. */
  called(call: SchedulerCall): void;
  /** What the master tells. */
  heard(event: SchedulerEvent): void;
}

/** They are there from the beginning, so that rates can be made of them. */
const names = [
  'deployments',
  'deployments.dismissed',
  'mesos.calls.revive',
  'mesos.calls.suppress',
  'mesos.offer-operations.launch',
  'mesos.offer-operations.launch-group',
  'mesos.offer-operations.reserve',
  'mesos.offers.declined',
  'mesos.offers.incoming',
  'mesos.offers.used',
  'mesos.task.oom.memory-limit-exceeded',
  'mesos.task.oom.memory-limit-unfulfillable',
  'tasks.launched',
];

/** Operations of offers that are counted, with what each launches. */
const operations = new Map([
  ['LAUNCH', 'mesos.offer-operations.launch'],
  ['LAUNCH_GROUP', 'mesos.offer-operations.launch-group'],
  ['RESERVE', 'mesos.offer-operations.reserve'],
]);

const outOfMemory = new Map([
  ['REASON_CONTAINER_LIMITATION_MEMORY', 'mesos.task.oom.memory-limit-exceeded'],
  ['REASON_CONTAINER_MEMORY_REQUEST_EXCEEDED', 'mesos.task.oom.memory-limit-unfulfillable'],
]);

export function createTallies(): Tallies {
  const counts = new Map<string, number>(names.map((name) => [name, 0]));
  const add = (name: string, by = 1): void => {
    counts.set(name, (counts.get(name) ?? 0) + by);
  };
  const accepted = ({ accept }: SchedulerCall): void => {
    const made = accept?.operations ?? [];
    const offers = accept?.offer_ids?.length ?? 0;
    add(made.length === 0 ? 'mesos.offers.declined' : 'mesos.offers.used', offers);
    for (const { type = '', launch, launch_group: group } of made) {
      const name = operations.get(type);
      if (name !== undefined) add(name);
      add('tasks.launched', launch?.task_infos?.length ?? group?.task_group.tasks?.length ?? 0);
    }
  };
  return {
    counts,
    add,
    called(call) {
      if (call.type === 'REVIVE') add('mesos.calls.revive');
      else if (call.type === 'SUPPRESS') add('mesos.calls.suppress');
      else if (call.type === 'DECLINE')
        add('mesos.offers.declined', call.decline?.offer_ids?.length ?? 0);
      else if (call.type === 'ACCEPT') accepted(call);
    },
    heard({ type, offers, update }) {
      if (type === 'OFFERS') add('mesos.offers.incoming', offers?.offers?.length ?? 0);
      if (type !== 'UPDATE' || update === undefined) return;
      const { state, reason } = update.status;
      add(`mesos.task-updates.${state.toLowerCase().replaceAll('_', '-')}`);
      const memory = outOfMemory.get(reason ?? '');
      if (memory !== undefined) add(memory);
    },
  };
}
