import type { Core } from './core.ts';

const prefix = 'allocator/mesos/';

/** Runs, filters, shares and quotas; amounts of resources are with the agents' own. */
export function* allocatorMetrics(core: Core): IterableIterator<readonly [string, number]> {
  const { cycle } = core;
  yield [`${prefix}allocation_runs`, cycle.runs];
  yield* cycle.runTimes.entries(`${prefix}allocation_run_ms`);
  yield* cycle.latencies.entries(`${prefix}allocation_run_latency_ms`);
  // Nothing is queued: who tells the allocator something waits for it.
  yield [`${prefix}event_queue_dispatches`, 0];
  yield ['allocator/event_queue_dispatches', 0];
  yield* roleMetrics(core);
  yield* quotaMetrics(core);
}

/** Of roles that somebody is subscribed to. */
function* roleMetrics({ books, cycle }: Core): IterableIterator<readonly [string, number]> {
  const filters = cycle.filtersByRole();
  const roles = new Set<string>();
  for (const framework of books.frameworks.values())
    for (const role of framework.roles) roles.add(role);
  for (const role of roles) {
    yield [`${prefix}offer_filters/roles/${role}/active`, filters.get(role) ?? 0];
    yield [`${prefix}roles/${role}/shares/dominant`, cycle.share(role)];
  }
}

function* quotaMetrics({ books, operator }: Core): IterableIterator<readonly [string, number]> {
  for (const { role, guarantees = {}, limits = {} } of operator.roles) {
    const names = new Set([...Object.keys(guarantees), ...Object.keys(limits)]);
    if (names.size === 0) continue;
    const ofRole = `${prefix}quota/roles/${role}/resources`;
    for (const [name, value] of Object.entries(guarantees))
      yield [`${ofRole}/${name}/guarantee`, value];
    for (const [name, value] of Object.entries(limits)) yield [`${ofRole}/${name}/limit`, value];
    for (const [name, fixed] of operator.consumed(role))
      yield [`${ofRole}/${name}/consumed`, fixed / 1000];
    const record = books.roles.get(role);
    const held = [...(record?.allocatedResources() ?? []), ...(record?.offeredResources() ?? [])];
    for (const name of names) {
      const sum = held.reduce(
        (total, one) => total + (one.name === name ? (one.scalar?.value ?? 0) : 0),
        0,
      );
      yield [`${ofRole}/${name}/offered_or_allocated`, Math.round(sum * 1000) / 1000];
    }
  }
}
