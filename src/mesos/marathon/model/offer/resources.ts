import {
  type Offer,
  type Resource,
  downgradeResource,
  fromFixed,
  subtractResources,
  toFixed,
  upgradeResource,
} from '#mesos/protocol';

/** Labels on what Marathon reserved: its framework and the instance it is for. */
export const reservationLabels = {
  framework: 'marathon_framework_id',
  instance: 'marathon_task_id',
} as const;

/** The role a resource is reserved for; `*` when it is not. */
export function roleOf({ role, reservations = [] }: Resource): string {
  return reservations.at(-1)?.role ?? role ?? '*';
}

/** The instance that Marathon reserved a resource for. */
export function reservedFor({
  reservation,
  reservations = [],
}: Resource): { readonly frameworkID: string; readonly instanceID: string } | undefined {
  const labels = (reservations.at(-1) ?? reservation)?.labels?.labels ?? [];
  const valueOf = (key: string): string | undefined =>
    labels.find((label) => label.key === key)?.value;
  const frameworkID = valueOf(reservationLabels.framework);
  const instanceID = valueOf(reservationLabels.instance);
  if (frameworkID === undefined || instanceID === undefined) return undefined;
  return { frameworkID, instanceID };
}

export function persistenceIDOf({ disk }: Resource): string | undefined {
  return disk?.persistence?.id;
}

/** Frameworks that know no refined reservations are offered resources in the old form. */
export function isOldForm(resource: Resource): boolean {
  return resource.role !== undefined || resource.reservation !== undefined;
}

/** `resource` (in the new form) in the form that `like` has. */
export function inFormOf(like: Resource, resource: Resource): Resource {
  return isOldForm(like) ? downgradeResource(resource) : resource;
}

/** `offer` without what was taken, for further launches on it. */
export function remainingOffer(offer: Offer, taken: readonly Resource[]): Offer {
  const offered = offer.resources ?? [];
  const [like] = offered;
  if (like === undefined || taken.length === 0) return offer;
  const rest = subtractResources(offered.map(upgradeResource), taken.map(upgradeResource));
  return { ...offer, resources: rest.map((resource) => inFormOf(like, resource)) };
}

/** Amounts of scalars that can be taken bit by bit. */
export class ScalarStock {
  readonly #resources: readonly Resource[];
  /** In thousandths. */
  readonly #left: number[];

  constructor(resources: readonly Resource[]) {
    this.#resources = resources;
    this.#left = resources.map(({ scalar }) => toFixed(scalar?.value ?? 0));
  }

  /** Takes from the resources in order; undefined (and nothing taken) when there is too little. */
  take(amount: number): Resource[] | undefined {
    let missing = toFixed(amount);
    if (missing > this.#left.reduce((sum, left) => sum + left, 0)) return undefined;
    const taken: Resource[] = [];
    for (const [index, resource] of this.#resources.entries()) {
      const part = Math.min(missing, this.#left[index] ?? 0);
      if (part <= 0) continue;
      missing -= part;
      this.#left[index] = (this.#left[index] ?? 0) - part;
      taken.push({ ...resource, scalar: { value: fromFixed(part) } });
    }
    return taken;
  }
}
