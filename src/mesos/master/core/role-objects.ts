import { creation, deletion, updating, type KubeObject, type SystemWrite } from '#machinery';
import { objectName, resourceRoles, type ResourceRole } from '#mesos/kinds';
import type { OperatorHost } from './operator-host.ts';

export type RoleSpec = ResourceRole['spec'];

/** What this master wrote and the cache may not show yet. */
interface Written {
  /** Undefined: deleted. */
  readonly spec: RoleSpec | undefined;
  readonly name: string;
  readonly version: string | undefined;
  /** Of the object that was deleted. */
  readonly uid: string | undefined;
}

/** The ResourceRole objects, one per role with a weight or a quota; own writes are seen at once. */
export class RoleObjects {
  readonly #host: OperatorHost;
  readonly #written = new Map<string, Written>();

  constructor(host: OperatorHost) {
    this.#host = host;
  }

  list(): readonly RoleSpec[] {
    const specs = new Map<string, RoleSpec>();
    for (const object of this.#host.storedRoles()) {
      const { role } = object.spec;
      const written = this.#written.get(role);
      if (written !== undefined && !supersedes(object, written)) continue;
      this.#written.delete(role);
      specs.set(role, object.spec);
    }
    for (const [role, { spec }] of this.#written) if (spec !== undefined) specs.set(role, spec);
    return [...specs.values()];
  }

  /** All or nothing. Fields that are not named stay; a role with nothing set has no object. */
  async write(changes: readonly RoleSpec[]): Promise<void> {
    const known = new Map(this.list().map((spec) => [spec.role, spec]));
    const byRole = new Map(changes.map((change) => [change.role, change]));
    const writes: SystemWrite[] = [];
    /** Of each write, in order. */
    const pending: (Omit<Written, 'version'> & { readonly role: string })[] = [];
    for (const [role, change] of byRole) {
      const before = known.get(role);
      const spec = withoutNothing({ ...before, ...change });
      const object = this.#host.storedRoles().find((stored) => stored.spec.role === role);
      const name = this.#written.get(role)?.name ?? object?.metadata.name ?? objectName(role);
      const empty = Object.keys(spec).length === 1;
      if (before === undefined && empty) continue;
      writes.push(writeOf({ name, before, spec: empty ? undefined : spec }));
      pending.push({ role, name, spec: empty ? undefined : spec, uid: object?.metadata.uid });
    }
    if (writes.length === 0) return;
    const objects = await this.#host.write(writes);
    // Without versions nobody could tell an older object from a newer one.
    if (objects === undefined) return;
    for (const [at, { role, ...one }] of pending.entries())
      this.#written.set(role, { ...one, version: objects[at]?.metadata.resourceVersion });
  }
}

function writeOf(options: {
  readonly name: string;
  readonly before: RoleSpec | undefined;
  readonly spec: RoleSpec | undefined;
}): SystemWrite {
  const { name, before, spec } = options;
  if (spec === undefined) return deletion(resourceRoles, { name });
  if (before !== undefined)
    return updating(resourceRoles, { name }, (draft) => {
      draft.spec = { ...spec };
    });
  return creation<ResourceRole>({
    apiVersion: 'mesos.tandem.dev/v1',
    kind: 'ResourceRole',
    metadata: { name },
    spec,
  });
}

function supersedes(object: ResourceRole, written: Written): boolean {
  if (written.spec === undefined) return object.metadata.uid !== written.uid;
  return !isOlder(object, written.version);
}

/** Is it from before `version`? Versions are numbers in one order. */
export function isOlder(object: KubeObject, version: string | undefined): boolean {
  const own = object.metadata.resourceVersion;
  if (version === undefined || own === undefined) return false;
  return BigInt(own) < BigInt(version);
}

function withoutNothing({ role, weight, guarantees, limits }: RoleSpec): RoleSpec {
  return {
    role,
    ...(weight !== undefined && { weight }),
    ...(guarantees !== undefined && { guarantees }),
    ...(limits !== undefined && { limits }),
  };
}
