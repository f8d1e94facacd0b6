import type { Clock, Logger } from '#base';
import { limits, silentLogger } from '#base';
import {
  isStatus,
  type Api,
  type KubeObject,
  type OwnerReference,
  type ResourceName,
} from '#machinery';
import { micros } from './recorder.ts';

/** coordination.k8s.io/v1 Lease, as far as holders care. */
export interface LeaseObject extends KubeObject {
  readonly spec: {
    readonly holderIdentity?: string | undefined;
    readonly leaseDurationSeconds?: number | undefined;
    readonly acquireTime?: string | undefined;
    readonly renewTime?: string | undefined;
    readonly leaseTransitions?: number | undefined;
  };
}
export const leaseResource: ResourceName<LeaseObject> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

export interface NodeLeaseOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly nodeName: string;
  /** The Node as owner, once it is known. */
  readonly owner?: () => OwnerReference | undefined;
  readonly logger?: Logger | undefined;
}

/** Renews a node's lease in kube-node-lease every 10 s until the signal aborts: its sign of life. */
export async function runNodeLease(options: NodeLeaseOptions, signal: AbortSignal): Promise<void> {
  const { api, clock, nodeName, owner } = options;
  const logger = options.logger ?? silentLogger;
  let lease: LeaseObject | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      lease = await renewNodeLease({ api, clock, nodeName, owner: owner?.() }, lease);
      failures = 0;
    } catch (error) {
      lease = undefined;
      failures++;
      // After a restart of the server the first calls may fail; the log need not say so each time.
      if (failures === 3) logger.warn('Cannot renew the node lease', { error });
    }
    const waitMs =
      failures === 0
        ? limits.nodeHeartbeatMs
        : Math.min(7_000, 200 * 2 ** Math.min(failures - 1, 6));
    await pause(clock, waitMs, signal);
  }
}

interface Renewal {
  readonly api: Api;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly owner: OwnerReference | undefined;
}

async function renewNodeLease(
  renewal: Renewal,
  known: LeaseObject | undefined,
): Promise<LeaseObject> {
  const { api, clock, nodeName } = renewal;
  const target = { namespace: 'kube-node-lease', name: nodeName };
  let lease = known;
  if (lease === undefined) {
    try {
      lease = await api.get(leaseResource, target);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      return api.create(leaseResource, nodeLease(renewal, target));
    }
  }
  const fresh = nodeLease(renewal, target);
  return api.update(leaseResource, {
    ...lease,
    metadata: {
      ...lease.metadata,
      ownerReferences: lease.metadata.ownerReferences ?? fresh.metadata.ownerReferences,
    },
    spec: { ...lease.spec, ...fresh.spec, renewTime: micros(clock.nowMs()) },
  });
}

function nodeLease(renewal: Renewal, target: { namespace: string; name: string }) {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...target,
      ownerReferences: renewal.owner === undefined ? undefined : [renewal.owner],
    },
    spec: {
      holderIdentity: renewal.nodeName,
      leaseDurationSeconds: limits.nodeLeaseSeconds,
      renewTime: micros(renewal.clock.nowMs()),
    },
  };
}

export interface ElectionOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  /** client-go's defaults: 15 s, 10 s, 2 s. */
  readonly leaseMs?: number | undefined;
  readonly renewMsMax?: number | undefined;
  readonly retryMs?: number | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Waits for the lease, runs `lead` while it is held, and ends when it is lost, `lead` returns or the
 * signal aborts. Another's time is judged by when its renewal was seen, never by its clock.
 */
export async function runElected(
  options: ElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = options;
  const retryMs = options.retryMs ?? 2_000;
  const candidate = new Candidate(options);
  while (!signal.aborted && !(await candidate.tryHold())) await pause(clock, retryMs, signal);
  if (signal.aborted) return;
  const lost = new AbortController();
  const stop = (): void => lost.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const leading = lead(lost.signal).finally(() => lost.abort());
  let heldMs = clock.monotonicMs();
  while (!lost.signal.aborted) {
    await pause(clock, retryMs, lost.signal);
    if (lost.signal.aborted) break;
    if (await candidate.tryHold()) heldMs = clock.monotonicMs();
    else if (clock.monotonicMs() - heldMs > (options.renewMsMax ?? 10_000))
      lost.abort(new Error('The lease was lost'));
  }
  signal.removeEventListener('abort', stop);
  await leading;
  await candidate.letGo();
}

class Candidate {
  readonly #options: ElectionOptions;
  readonly #leaseMs: number;
  #seen: { readonly text: string; readonly atMs: number } | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 15_000;
  }

  async tryHold(): Promise<boolean> {
    try {
      return await this.#hold();
    } catch (error) {
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'AlreadyExists'))
        (this.#options.logger ?? silentLogger).warn('Cannot take the lease', { error });
      return false;
    }
  }

  /** Gives the lease up, so that the next holder need not wait it out. */
  async letGo(): Promise<void> {
    const { api, namespace, name, identity } = this.#options;
    try {
      const lease = await api.get(leaseResource, { namespace, name });
      if (lease.spec.holderIdentity !== identity) return;
      await api.update(leaseResource, {
        ...lease,
        spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 },
      });
    } catch (error) {
      (this.#options.logger ?? silentLogger).debug('Cannot give the lease up', { error });
    }
  }

  async #hold(): Promise<boolean> {
    const { api, clock, namespace, name, identity } = this.#options;
    const now = micros(clock.nowMs());
    const own = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseMs / 1000),
      renewTime: now,
    };
    let lease: LeaseObject;
    try {
      lease = await api.get(leaseResource, { namespace, name });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      await api.create(leaseResource, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace, name },
        spec: { ...own, acquireTime: now, leaseTransitions: 0 },
      });
      return true;
    }
    const mine = lease.spec.holderIdentity === identity;
    if (!mine && !this.#expired(lease)) return false;
    const transitions = (lease.spec.leaseTransitions ?? 0) + (mine ? 0 : 1);
    const acquireTime = mine ? lease.spec.acquireTime : now;
    await api.update(leaseResource, {
      ...lease,
      spec: { ...lease.spec, ...own, acquireTime, leaseTransitions: transitions },
    });
    return true;
  }

  #expired(lease: LeaseObject): boolean {
    const { holderIdentity, renewTime, leaseDurationSeconds } = lease.spec;
    if (holderIdentity === undefined || holderIdentity === '') return true;
    const nowMs = this.#options.clock.monotonicMs();
    const text = `${holderIdentity}|${renewTime}`;
    if (this.#seen?.text !== text) this.#seen = { text, atMs: nowMs };
    const leaseMs = (leaseDurationSeconds ?? 0) * 1000 || this.#leaseMs;
    return nowMs - this.#seen.atMs > leaseMs;
  }
}

async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(delayMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
