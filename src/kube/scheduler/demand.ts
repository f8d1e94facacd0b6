import type { Clock } from '#base';
import type { Demand, Pool } from '#pool';
import type { NodeTable } from './nodes.ts';
import type { QueuedPod, SchedulingQueue } from './queue.ts';
import type { Shape } from './shape.ts';

/** Pods held back for fairness are tried again this often at most, when anything changed. */
export const heldRetryMs = 200;
/** So many at first; twice as many, and at once, when none of those was held back again. */
const retriesMin = 64;

interface Waiting {
  readonly role: string;
  readonly shape: Shape;
  count: number;
}

export interface DemandOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly table: NodeTable;
  readonly role: (entry: QueuedPod) => string;
  readonly shape: (entry: QueuedPod) => Shape;
}

/** Tells the pool which Pods wait for room, so that every role gets its fair share of what is free. */
export class RoomDemand {
  readonly #options: DemandOptions;
  /** Rows that had too little room when a shape was refused last, by its key. */
  readonly #short = new Map<string, readonly number[]>();
  #triedMs = 0;
  #epoch = -1;
  #moved = false;
  #retries = retriesMin;
  #heldAgain = true;
  #told = -1;

  constructor(options: DemandOptions) {
    this.#options = options;
  }

  /** Wakes the scheduler when somebody else wants more, or less, than before. */
  follow(wake: () => void): Disposable {
    return this.#options.pool.onDemand((source) => {
      if (source === 'kube') return;
      this.#moved = true;
      wake();
    });
  }

  /** Where a shape found too little room. */
  refused(shape: Shape, rows: readonly number[]): void {
    if (rows.length === 0) this.#short.delete(shape.key);
    else this.#short.set(shape.key, rows);
  }

  /** A Pod was held back for fairness. */
  held(): void {
    this.#heldAgain = true;
  }

  /** How many Pods to try again: what was unfair may be fair when shares have moved since. */
  retries(): number {
    const { pool, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#heldAgain) {
      if (!this.#moved && this.#epoch === pool.columns.newestEpoch) return 0;
      if (nowMs - this.#triedMs < heldRetryMs) return 0;
      this.#retries = retriesMin;
    } else this.#retries *= 2;
    this.#heldAgain = false;
    this.#moved = false;
    this.#triedMs = nowMs;
    this.#epoch = pool.columns.newestEpoch;
    return this.#retries;
  }

  /**
   * Says whose Pods wait, when the queue is another than before. Where Pods are on several roles,
   * those that were not looked at yet wait as well: who is first in the queue must not take it all.
   */
  tell({ waiting, version }: SchedulingQueue, severalRoles: boolean): void {
    if (version === this.#told) return;
    this.#told = version;
    const { role, shape, pool } = this.#options;
    const groups = new Map<string, Waiting>();
    const shapes = new Set<string>();
    for (const entry of waiting) {
      const refused = entry.plugins.has('NodeResourcesFit') || entry.plugins.has('FairShare');
      if (!refused && !(severalRoles && entry.plugins.size === 0)) continue;
      const payer = role(entry);
      const key = `${payer} ${entry.shapeKey}`;
      const group = groups.get(key);
      if (group !== undefined) group.count += 1;
      else groups.set(key, { role: payer, shape: shape(entry), count: 1 });
      shapes.add(entry.shapeKey);
    }
    for (const key of this.#short.keys()) if (!shapes.has(key)) this.#short.delete(key);
    pool.setDemand(
      'kube',
      [...groups.values()].map((group) => this.#demand(group)),
    );
  }

  stop(): void {
    this.#options.pool.setDemand('kube', []);
  }

  #demand({ role, shape, count }: Waiting): Demand {
    return {
      role,
      piece: shape.amounts,
      count,
      usable: (node) => {
        const rows = this.#short.get(shape.key);
        const row = this.#options.table.row.get(node);
        return rows === undefined || (row !== undefined && rows.includes(row));
      },
    };
  }
}
