import type { Cancel, Clock } from '#base';
import type { Pod } from '#kube/kinds';

/** A Pod that waits for a node. */
export interface QueuedPod {
  readonly key: string;
  pod: Pod;
  shapeKey: string;
  readonly priority: number;
  attempts: number;
  /** When its back-off ends; on the monotonic clock. */
  readyMs: number;
  /** Plugins that refused it last. */
  plugins: ReadonlySet<string>;
  place: 'active' | 'backoff' | 'unschedulable' | 'taken';
}

/** What happened in the cluster that may help a Pod which found no place. */
export type ClusterEvent =
  | 'nodeAdded'
  | 'nodeChanged'
  | 'roomFreed'
  | 'podPlaced'
  | 'podRemoved'
  | 'claimChanged';

/** Which refusals an event may lift (the queueing hints of the reference's plugins). */
const helps: Readonly<Record<ClusterEvent, ReadonlySet<string> | 'all'>> = {
  nodeAdded: 'all',
  nodeChanged: new Set([
    'NodeUnschedulable',
    'NodeName',
    'TaintToleration',
    'NodeAffinity',
    'PodTopologySpread',
    'InterPodAffinity',
    'NodeResourcesFit',
  ]),
  roomFreed: new Set(['NodeResourcesFit', 'NodePorts']),
  podPlaced: new Set(['InterPodAffinity', 'PodTopologySpread']),
  podRemoved: new Set(['InterPodAffinity', 'PodTopologySpread']),
  claimChanged: new Set(['VolumeBinding']),
};

const fairShare: ReadonlySet<string> = new Set(['FairShare']);

// pkg/scheduler/backend/queue: 1 s doubled per attempt, at most 10 s; leftovers after 5 minutes.
const backoffMsMin = 1_000;
const backoffMsMax = 10_000;
export const leftoverMs = 300_000;

/** Pods by priority and, within one, by shape, so that equal ones are taken together. */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #entries = new Map<string, QueuedPod>();
  /** Priority to shape to Pods, each in the order of arrival. */
  readonly #active = new Map<number, Map<string, Map<string, QueuedPod>>>();
  readonly #backoff = new Set<QueuedPod>();
  readonly #unschedulable = new Set<QueuedPod>();
  /** Of those, the ones held back for fairness. */
  readonly #held = new Set<QueuedPod>();
  /** Moves when Pods came, were refused, or left. */
  version = 0;
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  get counts(): {
    readonly active: number;
    readonly backoff: number;
    readonly unschedulable: number;
  } {
    const backoff = this.#backoff.size;
    const unschedulable = this.#unschedulable.size;
    let active = 0;
    for (const shapes of this.#active.values())
      for (const pods of shapes.values()) active += pods.size;
    return { active, backoff, unschedulable };
  }

  get(key: string): QueuedPod | undefined {
    return this.#entries.get(key);
  }

  add(entry: QueuedPod): void {
    this.#entries.set(entry.key, entry);
    this.#activate(entry);
    this.version += 1;
  }

  /** The Pod itself was changed: it may fit now. */
  update(entry: QueuedPod, pod: Pod, shapeKey: string): void {
    const changed = entry.shapeKey !== shapeKey;
    entry.pod = pod;
    if (!changed) return;
    const { place } = entry;
    if (place === 'active') this.#leave(entry);
    entry.shapeKey = shapeKey;
    if (place === 'active') this.#activate(entry);
    else if (place === 'unschedulable') this.#release(entry);
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#leave(entry);
    this.#entries.delete(key);
    this.version += 1;
    this.#wake();
  }

  /** Up to `max` Pods of one shape: the highest priority first, then who has waited longest. */
  take(max: number): readonly QueuedPod[] {
    let highest: number | undefined;
    for (const priority of this.#active.keys())
      if (highest === undefined || priority > highest) highest = priority;
    if (highest === undefined) return [];
    const shapes = this.#active.get(highest);
    for (const [shapeKey, pods] of shapes ?? []) {
      const taken: QueuedPod[] = [];
      for (const entry of pods.values()) {
        if (taken.length === max) break;
        taken.push(entry);
      }
      for (const entry of taken) {
        this.#leave(entry);
        entry.place = 'taken';
      }
      if (pods.size > 0) {
        // What is left of this shape lets the others go first.
        shapes?.delete(shapeKey);
        shapes?.set(shapeKey, pods);
      }
      return taken;
    }
    return [];
  }

  /** Back to the front: it was taken, but its turn did not come. */
  giveBack(entry: QueuedPod): void {
    if (this.#entries.get(entry.key) === entry) this.#activate(entry);
  }

  /** Found no place: waits until something happens that may help. */
  park(entry: QueuedPod, plugins: ReadonlySet<string>): void {
    if (this.#entries.get(entry.key) !== entry) return;
    this.#fail(entry, plugins);
    entry.place = 'unschedulable';
    this.#unschedulable.add(entry);
    this.version += 1;
  }

  /** Its role has its fair share: waits, without a back-off, until shares have moved. */
  hold(entry: QueuedPod): void {
    if (this.#entries.get(entry.key) !== entry) return;
    entry.readyMs = this.#clock.monotonicMs();
    entry.plugins = fairShare;
    entry.place = 'unschedulable';
    this.#unschedulable.add(entry);
    this.#held.add(entry);
    this.version += 1;
  }

  /** Some are held back for fairness. */
  get holds(): boolean {
    return this.#held.size > 0;
  }

  /** Tries the first `count` of them again. */
  releaseHeld(count: number): void {
    let left = count;
    for (const entry of this.#held) {
      if (left-- <= 0) return;
      this.#release(entry);
    }
  }

  /** All that wait for a node. */
  get waiting(): Iterable<QueuedPod> {
    return this.#entries.values();
  }

  /** Lost a race or met an error: again after its back-off. */
  retry(entry: QueuedPod): void {
    if (this.#entries.get(entry.key) !== entry) return;
    this.#fail(entry, new Set());
    this.#delay(entry);
  }

  happened(event: ClusterEvent): void {
    const useful = helps[event];
    for (const entry of this.#unschedulable) {
      const may =
        useful === 'all' ||
        entry.plugins.size === 0 ||
        [...entry.plugins].some((plugin) => useful.has(plugin));
      if (may) this.#release(entry);
    }
  }

  /** Whatever was missed: Pods that have waited for 5 minutes are tried again. */
  releaseLeftovers(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#unschedulable)
      if (nowMs - entry.readyMs >= leftoverMs - backoffMsMax) this.#release(entry);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #fail(entry: QueuedPod, plugins: ReadonlySet<string>): void {
    const waitMs = Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(entry.attempts, 10));
    entry.attempts++;
    entry.readyMs = this.#clock.monotonicMs() + waitMs;
    entry.plugins = plugins;
  }

  #release(entry: QueuedPod): void {
    this.#unschedulable.delete(entry);
    this.#held.delete(entry);
    if (entry.readyMs <= this.#clock.monotonicMs()) this.#activate(entry);
    else this.#delay(entry);
  }

  #delay(entry: QueuedPod): void {
    entry.place = 'backoff';
    this.#backoff.add(entry);
    if (this.#timer !== undefined && this.#timer.atMs <= entry.readyMs) return;
    this.#timer?.cancel();
    this.#arm(entry.readyMs);
  }

  /** One timer for all who wait, at the earliest end of a back-off. */
  #arm(atMs: number): void {
    const cancel = this.#clock.after(atMs - this.#clock.monotonicMs(), () => {
      this.#timer = undefined;
      const nowMs = this.#clock.monotonicMs();
      let next = Number.POSITIVE_INFINITY;
      for (const entry of this.#backoff)
        if (entry.readyMs <= nowMs) {
          this.#backoff.delete(entry);
          this.#activate(entry);
        } else next = Math.min(next, entry.readyMs);
      if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    });
    this.#timer = { atMs, cancel };
  }

  #activate(entry: QueuedPod): void {
    entry.place = 'active';
    const shapes = this.#active.get(entry.priority) ?? new Map<string, Map<string, QueuedPod>>();
    const pods = shapes.get(entry.shapeKey) ?? new Map<string, QueuedPod>();
    pods.set(entry.key, entry);
    shapes.set(entry.shapeKey, pods);
    this.#active.set(entry.priority, shapes);
    this.#wake();
  }

  #leave(entry: QueuedPod): void {
    this.#backoff.delete(entry);
    this.#unschedulable.delete(entry);
    this.#held.delete(entry);
    const shapes = this.#active.get(entry.priority);
    const pods = shapes?.get(entry.shapeKey);
    if (shapes === undefined || pods === undefined || pods.get(entry.key) !== entry) return;
    pods.delete(entry.key);
    if (pods.size === 0) shapes.delete(entry.shapeKey);
    if (shapes.size === 0) this.#active.delete(entry.priority);
  }
}
