import type { Clock, Logger, Random } from '#base';
import { silentLogger } from '#base';
import { createInformer, keyOf, labelsInclude, type EventRecorder, type Informer } from '#client';
import {
  isPodTerminal,
  namespaces as namespaceKind,
  nodes as nodeKind,
  persistentVolumeClaims as claimKind,
  podPriority,
  pods as podKind,
  replicaSets as replicaSetKind,
  services as serviceKind,
  yieldsToRoles,
  type LabelSelector,
  type Namespace,
  type Node,
  type PersistentVolumeClaim,
  type Pod,
  type ReplicaSet,
  type Service,
} from '#kube/kinds';
import type { Api } from '#machinery';
import type { Claim, Pool, Verdict } from '#pool';
import { claimProblem } from './claims.ts';
import { heldRetryMs, RoomDemand } from './demand.ts';
import { FailureHandler } from './failures.ts';
import { NodeTable } from './nodes.ts';
import { Placer, type Refusal } from './placer.ts';
import { PodIndex } from './pod-index.ts';
import { leftoverMs, SchedulingQueue, type ClusterEvent, type QueuedPod } from './queue.ts';
import { shapeKey, shapeOf, type Shape } from './shape.ts';

export interface BindRequest {
  readonly pod: Pod;
  readonly node: string;
  readonly claim: Claim;
}
/** A verdict of the pool, or why the binding could not be written although there was room. */
export type BindResult =
  | Verdict
  | {
      readonly ok: false;
      readonly reason: 'PodGone' | 'AlreadyBound' | 'Failed';
      readonly message: string;
    };
/** Commits the claims and writes the bindings, all in one go; one result for each, in order. */
export type BindMany = (bindings: readonly BindRequest[]) => Promise<readonly BindResult[]>;

export interface SchedulerOptions {
  readonly api: Api;
  readonly pool: Pool;
  readonly bindMany: BindMany;
  readonly clock: Clock;
  readonly random: Random;
  readonly recorder: EventRecorder;
  readonly logger?: Logger | undefined;
  /** Pods with this `spec.schedulerName` are ours. */
  readonly name?: string | undefined;
}
export interface Scheduler {
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  readonly counts: {
    readonly active: number;
    readonly backoff: number;
    readonly unschedulable: number;
  };
}

const batchPodsMax = 512;
/** Of a namespace, and an annotation of Pods: the role that pays. */
const roleLabel = 'tandem.dev/role';
/** A batch is cut when deciding has taken this long, so that reads and watches are not kept waiting. */
const decideMsMax = 4;

export function createScheduler(options: SchedulerOptions): Scheduler {
  return new PodScheduler(options);
}

class PodScheduler implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #logger: Logger;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #namespaces: Informer<Namespace>;
  readonly #services: Informer<Service>;
  readonly #replicaSets: Informer<ReplicaSet>;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #table: NodeTable;
  readonly #index: PodIndex;
  readonly #placer: Placer;
  readonly #queue: SchedulingQueue;
  readonly #failures: FailureHandler;
  readonly #demand: RoomDemand;
  readonly #shapes = new Map<string, Shape>();
  /** Bound by us, but the cache does not show it yet. */
  readonly #assumed = new Map<string, { readonly uid: string; readonly node: string }>();
  readonly #events = new Set<ClusterEvent>();
  /** Namespaces on a role of their own. */
  readonly #onRoles = new Set<string>();
  #wake: () => void = () => undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { api, clock, pool } = options;
    this.#logger = options.logger ?? silentLogger;
    const follow = { clock, logger: this.#logger };
    this.#pods = createInformer<Pod>(api, podKind, follow);
    this.#nodes = createInformer<Node>(api, nodeKind, follow);
    this.#namespaces = createInformer<Namespace>(api, namespaceKind, follow);
    const spaced = { ...follow, indexes: { namespace: namespaceOf } };
    this.#services = createInformer<Service>(api, serviceKind, spaced);
    this.#replicaSets = createInformer<ReplicaSet>(api, replicaSetKind, follow);
    this.#claims = createInformer<PersistentVolumeClaim>(api, claimKind, follow);
    const namespaceLabels = (name: string) => this.#namespaces.get(name)?.metadata.labels;
    this.#table = new NodeTable(pool);
    this.#index = new PodIndex(this.#table, namespaceLabels);
    const world = { table: this.#table, index: this.#index, namespaceLabels };
    this.#placer = new Placer(world, options.random);
    this.#queue = new SchedulingQueue(clock, () => this.#wake());
    this.#failures = new FailureHandler({ ...options, name: this.#name }, world);
    this.#demand = new RoomDemand({
      pool,
      clock,
      table: this.#table,
      role: ({ pod }) => this.#role(pod),
      shape: (entry) => this.#shape(entry),
    });
    this.#listen();
  }

  get counts() {
    return this.#queue.counts;
  }

  get #name(): string {
    return this.#options.name ?? 'default-scheduler';
  }

  async run(signal: AbortSignal): Promise<void> {
    using _following = this.#table.follow(() => this.#wake());
    using _demanding = this.#demand.follow(() => this.#wake());
    const informers = [
      this.#nodes,
      this.#namespaces,
      this.#services,
      this.#replicaSets,
      this.#claims,
      this.#pods,
    ];
    const running = informers.map((informer) => informer.run(signal));
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([Promise.all(informers.map(({ synced }) => synced)), stopped]);
    let leftoversMs = this.#options.clock.monotonicMs();
    while (!signal.aborted) {
      this.#digest();
      const batch = this.#queue.take(batchPodsMax);
      if (batch.length > 0) {
        await this.#schedule(batch);
        // Others get their turn even when nothing was bound.
        await new Promise<void>((resolve) => setImmediate(resolve));
        continue;
      }
      this.#demand.tell(this.#queue, this.#severalRoles);
      const waiting = this.#queue.counts.unschedulable > 0;
      const waitMs = this.#queue.holds ? heldRetryMs : leftoverMs / 5;
      await this.#idle(signal, waiting ? waitMs : undefined);
      const nowMs = this.#options.clock.monotonicMs();
      if (nowMs - leftoversMs < leftoverMs / 5) continue;
      leftoversMs = nowMs;
      this.#queue.releaseLeftovers();
    }
    this.#queue.stop();
    this.#demand.stop();
    await Promise.all(running);
  }

  async #idle(signal: AbortSignal, waitMs: number | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel =
        waitMs === undefined ? undefined : this.#options.clock.after(waitMs, () => this.#wake());
      const done = (): void => {
        cancel?.();
        signal.removeEventListener('abort', done);
        this.#wake = () => undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Takes in what happened since the last batch. */
  #digest(): void {
    this.#table.refresh();
    if (this.#table.roomFreed) this.#events.add('roomFreed');
    this.#table.roomFreed = false;
    for (const event of this.#events) this.#queue.happened(event);
    this.#events.clear();
    if (this.#queue.holds && this.#queue.counts.active === 0)
      this.#queue.releaseHeld(this.#demand.retries());
  }

  async #schedule(batch: readonly QueuedPod[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    try {
      if (this.#severalRoles) this.#demand.tell(this.#queue, true);
      const before = claimProblem(first.pod, (key) => this.#claims.get(key));
      if (before !== undefined) {
        await this.#refuse(batch, this.#shape(first), before);
        return;
      }
      const { bindings, refused } = this.#decide(batch, this.#shape(first));
      await this.#bind(bindings);
      if (refused.length > 0) await this.#refuse(refused, this.#shape(first));
    } catch (error) {
      this.#logger.error('Cannot schedule a batch', { error, pods: batch.length });
      for (const entry of batch) if (entry.place === 'taken') this.#queue.retry(entry);
    }
  }

  /** Chooses for one Pod after the other, each on the table as the ones before leave it. */
  #decide(batch: readonly QueuedPod[], shape: Shape) {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    const bindings: { entry: QueuedPod; request: BindRequest }[] = [];
    const refused: QueuedPod[] = [];
    const plan = this.#placer.plan(shape);
    for (const [at, entry] of batch.entries()) {
      if (this.#queue.get(entry.key) !== entry) continue;
      if (refused.length > 0) {
        // Nothing got better within a batch of equals.
        refused.push(entry);
        continue;
      }
      if (at > 0 && at % 8 === 0 && clock.monotonicMs() - startMs > decideMsMax) {
        for (const late of batch.slice(at)) this.#queue.giveBack(late);
        break;
      }
      const row = this.#placer.choose(shape, plan);
      if (row < 0) {
        refused.push(entry);
        continue;
      }
      const node = this.#table.names[row] ?? '';
      const claim = this.#claim(entry.pod, node, shape);
      this.#table.take(row, shape);
      this.#index.put(entry.pod, node);
      this.#assumed.set(entry.key, { uid: entry.pod.metadata.uid, node });
      bindings.push({ entry, request: { pod: entry.pod, node, claim } });
    }
    return { bindings, refused };
  }

  async #bind(bindings: readonly { entry: QueuedPod; request: BindRequest }[]): Promise<void> {
    if (bindings.length === 0) return;
    let results: readonly BindResult[];
    try {
      results = await this.#options.bindMany(bindings.map(({ request }) => request));
    } catch (error) {
      this.#logger.error('Cannot bind a batch', { error, pods: bindings.length });
      results = [];
    }
    const held: { pod: Pod; reason: string }[] = [];
    for (const [at, { entry, request }] of bindings.entries()) {
      const result = results[at] ?? { ok: false, reason: 'Failed', message: 'no answer' };
      if (result.ok) this.#bound(entry, request);
      else this.#lost(entry, request, result.reason);
      if (!result.ok && result.reason === 'FairShare')
        held.push({ pod: entry.pod, reason: result.message });
    }
    if (held.length > 0) await this.#failures.held(held);
  }

  #bound(entry: QueuedPod, { pod, node }: BindRequest): void {
    this.#queue.remove(entry.key);
    this.#options.recorder.event(pod, 'Normal', {
      reason: 'Scheduled',
      action: 'Binding',
      message: `Successfully assigned ${keyOf(pod)} to ${node}`,
    });
    this.#events.add('podPlaced');
  }

  /** The view was wrong, or the Pod is not ours any more: what was assumed is taken back. */
  #lost(entry: QueuedPod, { node }: BindRequest, reason: string): void {
    const seen = this.#pods.get(entry.key);
    this.#assumed.delete(entry.key);
    this.#table.reread(node);
    if (seen?.spec.nodeName) this.#index.put(seen, seen.spec.nodeName);
    else this.#index.remove(entry.key);
    if (reason === 'PodGone' || reason === 'AlreadyBound') this.#queue.remove(entry.key);
    else if (reason === 'FairShare') {
      this.#queue.hold(entry);
      this.#demand.held();
    } else if (reason === 'Failed' || reason === 'QuotaExceeded') this.#queue.retry(entry);
    else this.#queue.giveBack(entry); // lost a race: look again at once
  }

  /** `before`: what keeps these Pods from every node alike. */
  async #refuse(refused: readonly QueuedPod[], shape: Shape, before?: string): Promise<void> {
    const refusal: Refusal =
      before === undefined
        ? this.#placer.explain(shape, this.#placer.plan(shape))
        : {
            before,
            reasons: new Map(),
            plugins: new Set(['VolumeBinding']),
            nodes: this.#table.count,
            helpable: [],
            short: [],
          };
    this.#demand.refused(shape, refusal.short);
    const live = refused.filter((entry) => this.#queue.get(entry.key) === entry);
    for (const entry of live) this.#queue.park(entry, refusal.plugins);
    await this.#failures.handle(live, shape, refusal);
  }

  #claim(pod: Pod, node: string, shape: Shape): Claim {
    return {
      owner: `pod/${keyOf(pod)}`,
      node,
      epoch: this.#table.epoch(node),
      amounts: shape.amounts,
      ports: shape.ports,
      role: this.#role(pod),
      fair: yieldsToRoles(pod),
    };
  }

  /** Who pays: what the Mesos master wrote on the Pod, else its namespace's label, else everybody. */
  #role(pod: Pod): string {
    const space = this.#namespaces.get(pod.metadata.namespace ?? '');
    return pod.metadata.annotations?.[roleLabel] ?? space?.metadata.labels?.[roleLabel] ?? '*';
  }

  get #severalRoles(): boolean {
    return this.#onRoles.size > 0;
  }

  #shape(entry: QueuedPod): Shape {
    let shape = this.#shapes.get(entry.shapeKey);
    if (shape === undefined) {
      if (this.#shapes.size > 4096) this.#forgetShapes();
      shape = shapeOf(entry.pod, entry.shapeKey, this.#defaultSpread(entry.pod));
      this.#shapes.set(entry.shapeKey, shape);
    }
    return shape;
  }

  #forgetShapes(): void {
    this.#shapes.clear();
    this.#placer.forget();
  }

  /** The selector of the Pod's Services and its ReplicaSet: the group that spreads by default. */
  #defaultSpread(pod: Pod): LabelSelector | undefined {
    const matchLabels: Record<string, string> = {};
    const namespace = pod.metadata.namespace ?? '';
    for (const { spec } of this.#services.by('namespace', namespace)) {
      const { selector } = spec;
      if (selector === undefined || Object.keys(selector).length === 0) continue;
      if (labelsInclude(selector, pod.metadata.labels)) Object.assign(matchLabels, selector);
    }
    const owner = pod.metadata.ownerReferences?.find((one) => one.controller === true);
    const set =
      owner?.kind === 'ReplicaSet'
        ? this.#replicaSets.get(`${namespace}/${owner.name}`)
        : undefined;
    Object.assign(matchLabels, set?.spec.selector?.matchLabels);
    const matchExpressions = set?.spec.selector?.matchExpressions ?? [];
    if (Object.keys(matchLabels).length + matchExpressions.length === 0) return undefined;
    return { matchLabels, matchExpressions };
  }

  #listen(): void {
    this.#nodes.onChange(({ key, object, old }) => {
      this.#wake();
      if (object === undefined) {
        this.#index.nodeLeaves(key);
        this.#table.remove(key);
        return;
      }
      if (old !== undefined && sameToFilters(old, object)) return;
      this.#table.put(object);
      if (old === undefined) this.#index.nodeComes(key);
      this.#events.add(old === undefined ? 'nodeAdded' : 'nodeChanged');
    });
    this.#pods.onChange(({ key, object, old }) => this.#podChanged(key, object, old));
    this.#namespaces.onChange(({ key, object, old }) => {
      if (object?.metadata.labels?.[roleLabel] === undefined) this.#onRoles.delete(key);
      else this.#onRoles.add(key);
      if (old === undefined || object === undefined) return;
      if (JSON.stringify(old.metadata.labels) === JSON.stringify(object.metadata.labels)) return;
      this.#index.forget();
      this.#events.add('nodeChanged');
      this.#wake();
    });
    this.#claims.onChange(() => {
      this.#events.add('claimChanged');
      this.#wake();
    });
    // Which Pods spread together depends on Services.
    this.#services.onChange(({ object, old }) => {
      if (JSON.stringify(old?.spec.selector) !== JSON.stringify(object?.spec.selector))
        this.#forgetShapes();
    });
  }

  #podChanged(key: string, object: Pod | undefined, old: Pod | undefined): void {
    const gone = object === undefined || isPodTerminal(object);
    if (gone || (old !== undefined && old.metadata.uid !== object.metadata.uid)) {
      this.#assumed.delete(key);
      this.#queue.remove(key);
      if (this.#index.get(key) !== undefined) {
        this.#index.remove(key);
        this.#events.add('podRemoved');
        this.#wake();
      }
      if (gone) return;
    }
    if (object.spec.nodeName) {
      this.#assumed.delete(key);
      this.#queue.remove(key);
      const known = this.#index.get(key)?.node;
      this.#index.put(object, object.spec.nodeName);
      if (known !== undefined) return;
      this.#events.add('podPlaced');
      this.#wake();
      return;
    }
    this.#enqueue(key, object);
  }

  #enqueue(key: string, pod: Pod): void {
    if (this.#assumed.get(key)?.uid === pod.metadata.uid && this.#queue.get(key) === undefined)
      return; // bound already, the cache is behind
    const waits =
      (pod.spec.schedulerName || 'default-scheduler') !== this.#name ||
      pod.metadata.deletionTimestamp !== undefined ||
      (pod.spec.schedulingGates ?? []).length > 0;
    if (waits) {
      this.#queue.remove(key);
      return;
    }
    const shape = shapeKey(pod);
    const entry = this.#queue.get(key);
    if (entry !== undefined) {
      this.#queue.update(entry, pod, shape);
      return;
    }
    this.#queue.add({
      key,
      pod,
      shapeKey: shape,
      priority: podPriority(pod),
      attempts: 0,
      readyMs: 0,
      plugins: new Set(),
      place: 'active',
    });
  }
}

function namespaceOf(object: Service): readonly string[] {
  return [object.metadata.namespace ?? ''];
}

/** Heartbeats change a node's status all the time; filters and scores read little of it. */
function sameToFilters(a: Node, b: Node): boolean {
  const facts = ({ metadata, spec, status }: Node): string =>
    JSON.stringify([metadata.uid, metadata.labels, spec.unschedulable, spec.taints, status.images]);
  return facts(a) === facts(b);
}
