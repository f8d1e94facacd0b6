import type { Random } from '#base';
import type { Pool } from '#pool';

/**
 * Scalar amounts by Mesos' names, in thousandths of Mesos' units (`cpus: 1500` is 1.5 CPUs, `mem:
 * 32_000` is 32 MB), whole numbers, so that sums are exact.
 */
export type Quantities = Readonly<Record<string, number>>;

/** Non-scalar amounts by name: `ports: [[31000, 31999]]`, both ends included, ascending. */
export type Ranges = Readonly<Record<string, readonly (readonly [number, number])[]>>;

/** Something of an agent that is offered whole or not at all: a reserved part, a volume. */
export interface Parcel {
  /** Names it to the caller; unique on its agent. */
  readonly id: string;
  /** The innermost reservation's role; '*' for what is unreserved: revocable, or a disk of its own. */
  readonly role: string;
  readonly quantities: Quantities;
  /** More than one reservation in its stack: only for frameworks that know refinement. */
  readonly refined: boolean;
  readonly revocable: boolean;
  /** Stays offerable while in use, but goes to one framework per cycle. */
  readonly shared: boolean;
}

/** What somebody holds on one agent, offered or used. Several with equal names are added up. */
export interface Holding {
  /** `kube` for Pods that no framework launched. */
  readonly framework: string;
  readonly role: string;
  /** Everything: reserved and revocable amounts too, shared volumes not. */
  readonly quantities: Quantities;
  /** The part of `quantities` that is reserved; it was counted to quota when it was reserved. */
  readonly reserved?: Quantities | undefined;
  /** The part of `quantities` that is revocable. */
  readonly revocable?: Quantities | undefined;
  /** Shared volumes: counted once per agent for each framework, role and role above it. */
  readonly shared?: readonly Pick<Parcel, 'id' | 'quantities'>[] | undefined;
}

/** One agent at one moment, whole: what is not said here is not there. */
export interface AllocatorAgent {
  readonly id: string;
  /** Its name in the pool. */
  readonly node: string;
  /** What it has in all: scalars by name, reserved and revocable ones included. */
  readonly total: Quantities;
  /** Of `total`, what is reserved, by the innermost reservation's role, in use or not. */
  readonly reserved?: Readonly<Record<string, Quantities>> | undefined;
  /** Unreserved, not revocable scalars that nobody holds and that are in no offer. */
  readonly free: Quantities;
  /** Unreserved ranges that nobody holds; they go whole with any offer of the agent. */
  readonly ranges?: Ranges | undefined;
  /** Reserved parts, revocable parts and volumes that nobody holds; shared ones always. */
  readonly parcels?: readonly Parcel[] | undefined;
  /** Everything that is offered or used here, Pods included. */
  readonly holdings?: readonly Holding[] | undefined;
  /** Connected, not deactivated, not draining. */
  readonly active: boolean;
  /** It has `gpus` in its total. */
  readonly hasGpus: boolean;
  /** Capabilities of the agent; every agent of ours has both. */
  readonly multiRole: boolean;
  readonly hierarchicalRole: boolean;
  /** Its machine is under maintenance: inverse offers go to who holds something here. */
  readonly unavailable: boolean;
  /** Of its fault domain, when it has one. */
  readonly region?: string | undefined;
}

export interface AllocatorFramework {
  readonly id: string;
  /** All roles it is subscribed to. */
  readonly roles: readonly string[];
  readonly suppressedRoles?: ReadonlySet<string> | undefined;
  /** Connected and not deactivated: gets offers. Going inactive clears its filters. */
  readonly active: boolean;
  /** `FrameworkInfo.Capability.Type` names. */
  readonly capabilities: ReadonlySet<string>;
  /** By role: alternatives of which one must be reached; an empty list: anything. Default: options. */
  readonly minAllocatable?: Readonly<Record<string, readonly Quantities[]>> | undefined;
  /**
   * Offer constraints: may this agent be offered to it under this role? Remembered per agent until
   * a function that is another one is given, or the agent's attributes change.
   */
  readonly accepts?: ((role: string, agent: string) => boolean) | undefined;
}

export interface RoleSettings {
  /** Default 1. */
  readonly weight?: number | undefined;
  /** Top-level roles only. */
  readonly guarantees?: Quantities | undefined;
  readonly limits?: Quantities | undefined;
}

/** An offer that was declined, or what an ACCEPT left of it. */
export interface Refusal {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  readonly quantities: Quantities;
  readonly ranges?: Ranges | undefined;
  readonly parcels?: readonly Pick<Parcel, 'id' | 'quantities'>[] | undefined;
  /** `Filters.refuse_seconds`; undefined is the default of 5 s. */
  readonly seconds?: number | undefined;
  readonly nowMs: number;
}

/** One offer to be: unreserved scalars, whole parcels, and all free ranges when `ranges` says so. */
export interface Allocation {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  readonly quantities: Quantities;
  readonly parcels: readonly string[];
  readonly ranges: boolean;
}

export interface Cycle {
  /** At most one for each framework, role and agent. Already counted as held by the framework. */
  readonly allocations: readonly Allocation[];
  /** Who is asked to leave which agent; the caller skips those with one outstanding already. */
  readonly inverse: readonly { readonly framework: string; readonly agent: string }[];
}

export interface AllocatorOptions {
  /** Order of agents within a cycle. */
  readonly random: Random;
  /** Pods' unmet demand is read from it, that of frameworks is told to it. */
  readonly pool?: Pool | undefined;
  /** Default: a CPU hundredth or 32 MB. */
  readonly minAllocatable?: readonly Quantities[] | undefined;
  /** The master's own; agents elsewhere are only for REGION_AWARE frameworks. */
  readonly region?: string | undefined;
  readonly allocationIntervalMs?: number | undefined;
  readonly fairSharingExcluded?: ReadonlySet<string> | undefined;
  readonly filterGpuResources?: boolean | undefined;
}

/**
 * Who is offered what. It keeps columns between cycles: tell it of an agent, framework or role when
 * (or any time after) it changed and before the next `run()`. Knows nothing of offers: an allocation
 * stays held until `setAgent()` says otherwise.
 */
export interface Allocator {
  /** Adds or replaces. */
  setAgent(agent: AllocatorAgent): void;
  /** Its filters go too. */
  removeAgent(id: string): void;
  /** Clears all filters on it and asks offer constraints again. */
  attributesChanged(agent: string): void;
  /** Adds or replaces. Filters of roles that are left, or not suppressed any more, are cleared. */
  setFramework(framework: AllocatorFramework): void;
  removeFramework(id: string): void;
  /** Undefined is the default again. */
  setRole(role: string, settings: RoleSettings | undefined): void;
  /** Installs a filter (none for 0 seconds), and learns that the framework did not want this. */
  refuse(refusal: Refusal): void;
  /** Answered an inverse offer: not asked again for `seconds` (default 5, 0: at once). */
  refuseInverse(inverse: {
    readonly framework: string;
    readonly agent: string;
    readonly seconds?: number | undefined;
    readonly nowMs: number;
  }): void;
  /** REVIVE: clears offer filters of these roles (all without) and all inverse filters. */
  revive(framework: string, roles?: readonly string[]): void;
  /** The framework used part of an offer: it is known to want more of such pieces. */
  launched(use: {
    readonly framework: string;
    readonly role: string;
    /** The smallest task launched. */
    readonly piece: Quantities;
    readonly nowMs: number;
  }): void;
  /** An offer is no longer out: answered or rescinded. Until then its framework may be thinking. */
  settled(offer: { readonly framework: string; readonly role: string }): void;
  /** One cycle over `candidates` (agent ids; default: all). */
  run(cycle: { readonly candidates?: Iterable<string> | undefined; readonly nowMs: number }): Cycle;
  /**
   * Some framework is known to want more: what comes free is worth a cycle over its agents at once,
   * where the reference waits for the next batch.
   */
  readonly hungry: boolean;
  /** Dominant share by weight: `share('eng')` of a role, `share('eng', id)` of a framework in it. */
  share(role: string, framework?: string): number;
  /** Refused offers that keep offers away, by role; roles without are left out. */
  filtersByRole(): ReadonlyMap<string, number>;
  /** Recomputes every sum the slow way; throws at the first difference. */
  check(): void;
}
