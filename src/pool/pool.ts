/** Amounts by resource name in base units: cpu in millicores, memory in bytes, pods in pieces. */
export type Amounts = Readonly<Record<string, number>>;

export interface HostPort {
  readonly protocol: string;
  /** '0.0.0.0' or '' is every address. */
  readonly address: string;
  readonly port: number;
}

/** What a scheduler wants. `epoch` is the node's state it was decided on. */
export interface Claim {
  /** "pod/default/web-0": the pool does not care what it means. */
  readonly owner: string;
  readonly node: string;
  readonly epoch: number;
  readonly amounts: Amounts;
  readonly ports: readonly HostPort[];
  /** The role that pays; '*' when nobody said. `eng/dev` is under `eng` and may use what `eng` reserved. */
  readonly role: string;
  /** Takes the place of the owner's earlier claim on the same node instead of `OwnerTaken`. */
  readonly resize?: boolean | undefined;
  /**
   * Refused as `FairShare` when it would give its role more than a fair share while another role
   * waits for room that it could use here. Claims that follow from offers were weighed before.
   */
  readonly fair?: boolean | undefined;
}

/** Somebody wants more than it has. Told by the schedulers; the pool only weighs it. */
export interface Demand {
  readonly role: string;
  /** The smallest amounts that are of use: a Pod's requests, a task's; empty: anything. */
  readonly piece: Amounts;
  /** How many of them; absent: nobody knows. */
  readonly count?: number | undefined;
  /** Would it take `room` on this node? Absent: wherever the piece fits. */
  readonly usable?: ((node: string, room: Amounts) => boolean) | undefined;
}

export type Verdict =
  | { readonly ok: true; readonly repeated: boolean }
  | {
      readonly ok: false;
      readonly reason:
        | 'NodeChanged'
        | 'NodeGone'
        | 'NoRoom'
        | 'PortTaken'
        | 'OwnerTaken'
        | 'QuotaExceeded'
        | 'FairShare';
      /** What is short, in words: `node "n1" has 200m cpu free, claim asks 500m`. */
      readonly message: string;
      /** The resources that do not fit, for `OutOfcpu` and the like. */
      readonly resources: readonly string[];
    };

export interface NodeCapacity {
  readonly name: string;
  /** Allocatable. */
  readonly amounts: Amounts;
}

/** Columns over all nodes at one moment; row `i` of each belongs to `names[i]`. Read-only views. */
export interface PoolColumns {
  readonly size: number;
  /** Moves when rows or columns came, went or changed places: look every column and row up again. */
  readonly layout: number;
  /** Epochs come from one counter: a row whose epoch is larger than this was, has changed since. */
  readonly newestEpoch: number;
  readonly names: readonly string[];
  readonly row: ReadonlyMap<string, number>;
  readonly epoch: Uint32Array;
  /** Resource name to column; 'cpu', 'memory', 'ephemeral-storage' and 'pods' always exist. */
  readonly allocatable: ReadonlyMap<string, Float64Array>;
  /** What role '*' may still take: reservations are off. Below zero where more is held than there is. */
  readonly free: ReadonlyMap<string, Float64Array>;
  /** Ports taken on row `i`. */
  ports(row: number): readonly HostPort[];
}

/** The one account of machines. Deterministic; does no I/O. Implemented in `ledger.ts`. */
export interface Pool {
  /** Adds a node or changes its allocatable amounts; claims stay. */
  setNode(node: NodeCapacity): void;
  /** Claims on it stay recorded until they are released, but no more room is given. */
  removeNode(name: string): void;
  /** Live columns: they change with every commit. Copy what must stand still. */
  readonly columns: PoolColumns;
  /** Each claim is decided by itself, in order; room granted is gone when this returns. */
  commit(claims: readonly Claim[]): readonly Verdict[];
  /** Records what already is so, at start or for Pods bound by others, even past capacity. */
  adopt(claim: Claim): void;
  release(owner: string): void;
  claim(owner: string): Claim | undefined;
  claimsOn(node: string): readonly Claim[];
  /** All claims, in no order. */
  claims(): Iterable<Claim>;
  /** What a claim of `role` could still get there: free, and what is reserved for it and not used. */
  roomFor(node: string, role: string): Amounts;
  /** Roles, reservations, quota as data: what they hold and what they are given. */
  /**
   * `limit` counts claims of the role and those under it, and what is reserved for them. Room for
   * `guarantee` (of a top-level role) is kept from claims of others, as far as it does not hold it.
   */
  setQuota(role: string, limit: Amounts | undefined, guarantee?: Amounts): void;
  /** Default 1. */
  setWeight(role: string, weight: number): void;
  /** Who wants more, as `source` knows it now; replaces what it said before. */
  setDemand(source: string, demands: readonly Demand[]): void;
  demands(source: string): readonly Demand[];
  /** Called when who wants more has changed, or weights: what was refused as unfair may be fair. */
  onDemand(listener: (source: string) => void): Disposable;
  /** The largest part of any resource of the cluster that claims of the role and under it hold. */
  share(role: string): number;
  setReservation(id: string, reservation: Reservation | undefined): void;
  /** What claims of the role and those under it hold. */
  usage(role: string): Amounts;
  /** Called once for each node whose row changed, after a commit or any other call changed it. */
  onChange(listener: (node: string) => void): Disposable;
  /** Recomputes everything from the claims; throws at the first difference. */
  check(): void;
}
export interface Reservation {
  readonly node: string;
  readonly role: string;
  readonly amounts: Amounts;
}
