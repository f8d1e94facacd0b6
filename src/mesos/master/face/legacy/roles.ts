import type { QuotaQuotaConfig, Resource } from '#mesos/protocol';
import type { MasterState, RoleRecord } from '../../core/records.ts';
import { arrayOf, double, mapped, objectOf } from './json.ts';
import type { Document, Json } from './json.ts';
import { addScalars } from './resources.ts';
import type { View } from './view.ts';

/** `/roles`, sorted by name. */
export function rolesDocument(state: MasterState, view: View): Document {
  const seen = [...state.roles.values()].filter(({ name }) => view.role(name));
  const roles = seen.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return objectOf([['roles', arrayOf(mapped(roles, roleJson))]]);
}

function roleJson(role: RoleRecord): Json {
  const allocated = role.allocatedResources();
  const offered = role.offeredResources();
  const reserved = role.reservedResources();
  return {
    name: role.name,
    weight: double(role.weight),
    quota: {
      role: role.name,
      guarantee: quantities(role.quota?.guarantees),
      limit: quantities(role.quota?.limits),
      consumed: Object.fromEntries(
        [...role.consumed()].flatMap(([name, fixed]) =>
          fixed > 0 ? [[name, double(fixed / 1000)]] : [],
        ),
      ),
    },
    resources: sumsJson([...allocated, ...offered]),
    allocated: sumsJson(allocated),
    offered: sumsJson(offered),
    reserved: sumsJson(reserved),
    frameworks: [...role.frameworks],
  };
}

function quantities(map: QuotaQuotaConfig['limits']): Json {
  return Object.fromEntries(
    Object.entries(map ?? {}).map(([name, { value }]) => [name, double(value)]),
  );
}

/** Only names with something of them. */
function sumsJson(resources: readonly Resource[]): Json {
  const sums: Record<string, number> = {};
  for (const { name, scalar, revocable } of resources)
    if (scalar !== undefined && revocable === undefined)
      sums[name] = addScalars(sums[name] ?? 0, scalar.value);
  return Object.fromEntries(
    Object.entries(sums)
      .filter(([, value]) => value > 0)
      .map(([name, value]) => [name, double(value)]),
  );
}

/** GET `/weights`. */
export function weightsDocument(state: MasterState, view: View): Document {
  const weighted = [...state.roles.values()].filter(
    ({ name, weight }) => weight !== 1 && view.role(name),
  );
  return arrayOf(mapped(weighted, ({ name, weight }) => ({ weight: double(weight), role: name })));
}
