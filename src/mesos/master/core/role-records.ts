import type { QuotaQuotaConfig, Resource } from '#mesos/protocol';
import { sumOf } from './books.ts';
import type { Core } from './core.ts';
import type { RoleRecord } from './records.ts';

/**
 * Roles as people see them: subscribed to, weighted, with a quota or a reservation, and all above
 * those. Computed when asked for: nothing in the master itself needs them.
 */
export function roleRecords(core: Core): ReadonlyMap<string, RoleRecord> {
  const { books, operator } = core;
  const frameworks = new Map<string, Set<string>>();
  const see = (role: string, frameworkID?: string): void => {
    for (let at = role.length; at > 0; at = role.lastIndexOf('/', at - 1)) {
      const name = role.slice(0, at);
      const known = frameworks.get(name) ?? new Set<string>();
      frameworks.set(name, known);
      if (frameworkID !== undefined && name === role) known.add(frameworkID);
    }
  };
  for (const framework of books.frameworks.values()) {
    for (const role of framework.roles) see(role, framework.id);
    for (const task of framework.tasks.values()) see(task.role, framework.id);
  }
  const settings = new Map(operator.roles.map((spec) => [spec.role, spec]));
  for (const role of settings.keys()) see(role);
  for (const agent of books.agents.values())
    for (const { reservations } of agent.kept) see(reservations?.at(-1)?.role ?? '*');
  const records = [...frameworks.keys()].toSorted().map((name): [string, RoleRecord] => {
    const spec = settings.get(name);
    return [
      name,
      {
        name,
        weight: spec?.weight ?? 1,
        quota: quotaOf(name, spec),
        frameworks: frameworks.get(name) ?? new Set(),
        allocatedResources: () => allocatedTo(core, name),
        offeredResources: () => offeredTo(core, name),
        reservedResources: () => reservedFor(core, name),
        consumed: () => operator.consumed(name),
      },
    ];
  });
  return new Map(records);
}

function quotaOf(
  role: string,
  spec:
    | {
        readonly guarantees?: Readonly<Record<string, number>> | undefined;
        readonly limits?: Readonly<Record<string, number>> | undefined;
      }
    | undefined,
): QuotaQuotaConfig | undefined {
  if (spec?.guarantees === undefined && spec?.limits === undefined) return undefined;
  const scalars = (amounts: Readonly<Record<string, number>> | undefined) =>
    Object.fromEntries(Object.entries(amounts ?? {}).map(([name, value]) => [name, { value }]));
  return { role, guarantees: scalars(spec.guarantees), limits: scalars(spec.limits) };
}

function isWithin(role: string | undefined, top: string): boolean {
  return role === top || role?.startsWith(`${top}/`) === true;
}

function ofRole(resources: readonly Resource[], role: string): readonly Resource[] {
  return resources.filter(({ allocation_info: info }) => isWithin(info?.role, role));
}

function allocatedTo({ books }: Core, role: string): readonly Resource[] {
  return sumOf([...books.agents.values()].map((agent) => ofRole(sumOf(agent.usedLists()), role)));
}

function offeredTo({ books }: Core, role: string): readonly Resource[] {
  return sumOf([...books.offers.values()].map(({ resources }) => ofRole(resources, role)));
}

function reservedFor({ books }: Core, role: string): readonly Resource[] {
  return sumOf(
    [...books.agents.values()].map(({ kept }) =>
      kept.filter(({ reservations }) => isWithin(reservations?.at(-1)?.role, role)),
    ),
  );
}
