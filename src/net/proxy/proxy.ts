import type { Clock, Logger } from '#base';
import type { Informer } from '#client';
import type { EndpointSlice, Pod, Service } from '#kube/kinds';
import type { Place } from './endpoints.ts';
import { tableFrame } from './frame.ts';
import type { FrameOptions } from './frame.ts';
import { rulesOf } from './rules.ts';
import { renderAll, renderChange } from './ruleset.ts';
import type { RuleSet } from './ruleset.ts';

export interface ProxyOptions {
  readonly services: Informer<Service>;
  /** Must have the index `service` ("namespace/name" of the Service a slice belongs to). */
  readonly slices: Informer<EndpointSlice>;
  /** Pods of this node; absent on a host that is no node. */
  readonly localPods?: Informer<Pod> | undefined;
  readonly place: Place;
  readonly frame: FrameOptions;
  /** "ip/protocol/port" of Services that this machine answers by itself, like the cluster's DNS. */
  readonly fixed: ReadonlyMap<string, { readonly ip: string; readonly port: number }>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Applies one script as one transaction; rejects when nothing of it was applied. */
  readonly apply: (script: string) => Promise<void>;
  /** Takes ports on 127.0.0.1 for LoadBalancer Services; absent where localhost is not served. */
  readonly loopback?: LoopbackPorts | undefined;
  /**
   * Makes connection tracking forget what still leads to an address that is no endpoint any more:
   * flows of UDP, and connections of TCP that were never answered, so that the repeated SYN finds
   * another endpoint.
   */
  readonly forget?: ((ip: string) => Promise<void>) | undefined;
}

/** Who holds which port on 127.0.0.1 for which Service. */
export interface LoopbackPorts {
  /** Holds exactly these ports from now on, as far as they are free; gives those that are held. */
  hold(wanted: ReadonlyMap<string, Service>): Promise<ReadonlySet<string>>;
}

/** Label of an EndpointSlice that names its Service (discovery.k8s.io/v1 LabelServiceName). */
export const serviceNameLabel = 'kubernetes.io/service-name';

/** Index function for the informer of EndpointSlices. */
export function serviceOfSlice(slice: EndpointSlice): readonly string[] {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined ? [] : [`${slice.metadata.namespace ?? ''}/${name}`];
}

const retryMs = 1000;
/** How long an endpoint that was dropped may still take what was on its way: a full accept queue. */
const settleMs = 100;

/**
 * Keeps the machine's nftables at what Services, EndpointSlices and local Pods say.
 *
 * Level-triggered: any change marks it dirty, one pass reads everything and applies the difference
 * in one transaction. A refused script is followed by a whole new table, then by a retry.
 */
export class ServiceProxy {
  readonly #options: ProxyOptions;
  #applied: RuleSet | undefined;
  #dirty = true;
  #wake: (() => void) | undefined;
  #passes = 0;
  readonly #waiters = new Set<() => void>();
  /** Addresses that were dropped in the last moments, and when. */
  readonly #droppedMs = new Map<string, number>();
  #forgetting = Promise.resolve();

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts. The rules stay: connections must outlive a restart of the agent. */
  async run(signal: AbortSignal): Promise<void> {
    const { services, slices, localPods, clock, logger } = this.#options;
    const mark = (): void => this.#mark();
    const stops = [services.onChange(mark), slices.onChange(mark)];
    if (localPods !== undefined) stops.push(localPods.onChange(mark));
    signal.addEventListener('abort', mark, { once: true });
    try {
      await Promise.all([services.synced, slices.synced, localPods?.synced]);
      while (!signal.aborted) {
        if (!this.#dirty) await new Promise<void>((resolve) => (this.#wake = resolve));
        if (signal.aborted) break;
        try {
          await this.#pass();
        } catch (error) {
          logger.error('Cannot apply service rules, will try again', { error });
          this.#applied = undefined;
          this.#dirty = true;
          await clock.sleep(retryMs, signal).catch(() => undefined);
        }
      }
    } finally {
      for (const stop of stops) stop();
      signal.removeEventListener('abort', mark);
      await this.#forgetting;
    }
  }

  /**
   * Resolves when no applied rule leads to the address any more and what was on its way has arrived,
   * or when `signal` aborts: whoever ends a Pod waits here before SIGTERM, so that no connection is
   * lost by luck.
   */
  async withoutDestination(ip: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted && (this.#dirty || this.#leadsTo(ip))) await this.#nextPass(signal);
    const droppedMs = this.#droppedMs.get(ip);
    if (droppedMs === undefined || signal.aborted) return;
    const leftMs = droppedMs + settleMs - clock.monotonicMs();
    if (leftMs > 0) await clock.sleep(leftMs, signal).catch(() => undefined);
  }

  /** Resolves when rules that satisfy `wanted` are in force; rejects when `signal` aborts. */
  async settled(wanted: (rules: RuleSet) => boolean, signal: AbortSignal): Promise<void> {
    while (this.#dirty || this.#applied === undefined || !wanted(this.#applied)) {
      signal.throwIfAborted();
      await this.#nextPass(signal);
    }
  }

  /** How many times rules were brought up to date; for metrics. */
  get passes(): number {
    return this.#passes;
  }

  async #nextPass(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#waiters.delete(resolve);
  }

  #mark(): void {
    this.#dirty = true;
    this.#wake?.();
    this.#wake = undefined;
  }

  async #pass(): Promise<void> {
    const { frame, apply } = this.#options;
    this.#dirty = false;
    const wanted = rulesOf(await this.#state());
    const before = this.#applied;
    const script =
      before === undefined
        ? renderAll(tableFrame(frame), wanted)
        : renderChange(frame.table, before, wanted);
    if (script !== '') {
      // Until nft has answered nobody knows which rules are in force.
      this.#applied = undefined;
      await apply(script);
    }
    this.#applied = wanted;
    this.#passes++;
    if (before !== undefined) this.#drop(before, wanted);
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }

  async #state(): Promise<Parameters<typeof rulesOf>[0]> {
    const { services, slices, localPods, place, frame, fixed, loopback } = this.#options;
    const inOrder = services
      .list()
      .toSorted((a, b) =>
        a.metadata.creationTimestamp === b.metadata.creationTimestamp
          ? a.metadata.uid < b.metadata.uid
            ? -1
            : 1
          : a.metadata.creationTimestamp < b.metadata.creationTimestamp
            ? -1
            : 1,
      );
    const loopbackPorts = (await loopback?.hold(loopbackWishes(inOrder))) ?? new Set<string>();
    return {
      services: inOrder,
      slicesOf: (key) => slices.by('service', key),
      localPods: localPods?.list() ?? [],
      place,
      podRange: frame.podRange,
      fixed,
      loopbackPorts,
    };
  }

  #leadsTo(ip: string): boolean {
    return (
      this.#applied === undefined ||
      (this.#applied.elements.get('hairpin')?.has(`${ip} . ${ip}`) ?? false)
    );
  }

  /** Tracked connections follow their old translation, not the rules: dropped endpoints are cut out. */
  #drop(before: RuleSet, wanted: RuleSet): void {
    const { clock, forget, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const [ip, droppedMs] of this.#droppedMs)
      if (droppedMs + settleMs < nowMs) this.#droppedMs.delete(ip);
    for (const key of before.elements.get('hairpin')?.keys() ?? []) {
      if (wanted.elements.get('hairpin')?.has(key) === true) continue;
      const ip = key.split(' ')[0] ?? '';
      this.#droppedMs.set(ip, nowMs);
      if (forget === undefined) continue;
      this.#forgetting = this.#forgetting
        .then(() => forget(ip))
        .catch((error: unknown) => logger.warn('Cannot forget connections', { ip, error }));
    }
  }
}

/** "protocol/port" to the oldest LoadBalancer Service that wants it. */
function loopbackWishes(services: readonly Service[]): ReadonlyMap<string, Service> {
  const wishes = new Map<string, Service>();
  for (const service of services) {
    if (service.spec.type !== 'LoadBalancer') continue;
    if ((service.status.loadBalancer.ingress ?? []).length === 0) continue;
    for (const port of service.spec.ports ?? []) {
      const key = `${(port.protocol ?? 'TCP').toLowerCase()}/${port.port}`;
      if (!wishes.has(key)) wishes.set(key, service);
    }
  }
  return wishes;
}
