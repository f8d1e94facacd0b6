/**
 * The question of one allocation cycle and its answer. Pure data: the same question gives the same
 * answer. Amounts are in Mesos' units (cpus, MB) as integers of a thousandth, so that sums are exact.
 */
export type Quantities = Readonly<Record<string, number>>;

/** Something of an agent that is offered whole or not at all: a reserved part, a volume. */
export interface Parcel {
  /** Names it to the caller; unique on its agent. */
  readonly id: string;
  /** The innermost reservation's role; '*' for unreserved revocable or shared parcels. */
  readonly role: string;
  readonly quantities: Quantities;
  /** More than one reservation in its stack: only for frameworks that know refinement. */
  readonly refined: boolean;
  readonly revocable: boolean;
  /** Stays offerable while in use, but goes to one framework per cycle. */
  readonly shared: boolean;
}

export interface AllocatorAgent {
  readonly id: string;
  /** What it has in all: scalars by name, reserved and revocable ones included. */
  readonly total: Quantities;
  /** Unreserved scalars that nobody holds and that are in no offer. */
  readonly free: Quantities;
  /** Reserved parts and volumes that nobody holds and that are in no offer. */
  readonly parcels: readonly Parcel[];
  /** It has non-scalar resources free (ports), which go whole with any offer of it. */
  readonly hasOther: boolean;
  readonly hasGpus: boolean;
  /** Not deactivated, not draining, connected. */
  readonly active: boolean;
  readonly multiRole: boolean;
  readonly hierarchicalRole: boolean;
  /** Its machine is under maintenance: inverse offers go to who holds something here. */
  readonly unavailable: boolean;
  readonly region: string | undefined;
}

export interface AllocatorFramework {
  readonly id: string;
  /** Subscribed, not suppressed, connected. A framework without roles here gets nothing. */
  readonly roles: readonly string[];
  readonly capabilities: ReadonlySet<string>;
  /** By role: alternatives of quantities of which one must be reached; default: the master's flag. */
  readonly minAllocatable?: Readonly<Record<string, readonly Quantities[]>> | undefined;
  /** Offer constraints: may this agent be offered to it under this role? */
  accepts?(role: string, agent: string): boolean;
}

/** What is held or offered already, for shares: by role and framework (or 'kube' for Pods). */
export interface Holding {
  readonly role: string;
  readonly framework: string;
  readonly agent: string;
  readonly quantities: Quantities;
}

export interface RoleSettings {
  readonly weight?: number | undefined;
  readonly guarantees?: Quantities | undefined;
  readonly limits?: Quantities | undefined;
}

/** One offer to be: unreserved amounts, whole parcels, and the non-scalar rest when it is free. */
export interface Allocation {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  readonly quantities: Quantities;
  readonly parcels: readonly string[];
}
