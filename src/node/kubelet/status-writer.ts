import { isDeepStrictEqual } from 'node:util';
import type { Clock, Logger } from '#base';
import type { Pod, PodStatus } from '#kube/kinds';
import { isStatus } from '#machinery';
import type { Api } from '#machinery';
import { pods } from './resources.ts';

type Fields = Record<string, unknown>;
interface Entry {
  pod: Pod;
  wanted: PodStatus;
  /** The version that the wish was made from, when it holds for no other. */
  basis: string | undefined;
  running: Promise<void> | undefined;
  retryMs: number;
}

/**
 * Brings each Pod's status to the server: one write at a time per Pod, only what differs, the newest
 * wish wins. Patches carry the uid, so a successor of the same name is never touched; fields and
 * conditions of others are never named, so nobody's write is lost.
 */
export class StatusWriter {
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #entries = new Map<string, Entry>();

  constructor(options: { api: Api; clock: Clock; logger: Logger }, signal: AbortSignal) {
    this.#api = options.api;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#signal = signal;
  }

  /** The newest object this node has seen or written. */
  observed(pod: Pod): Pod {
    const entry = this.#entries.get(pod.metadata.uid);
    if (entry === undefined) return pod;
    if (isNewer(pod, entry.pod)) entry.pod = pod;
    return { ...pod, status: entry.pod.status };
  }

  /** `unchanged`: only if the Pod is still as it was seen; else the wish is dropped. */
  set(pod: Pod, wanted: PodStatus, options: { readonly unchanged?: boolean } = {}): void {
    const { uid, resourceVersion } = pod.metadata;
    const basis = options.unchanged === true ? resourceVersion : undefined;
    const entry = this.#entries.get(uid);
    if (entry === undefined)
      this.#entries.set(uid, { pod, wanted, basis, running: undefined, retryMs: 0 });
    else {
      entry.wanted = wanted;
      entry.basis = basis;
      if (isNewer(pod, entry.pod)) entry.pod = pod;
    }
    this.#start(uid);
  }

  /** Resolves when what was set last is on the server, or the Pod is gone. */
  async flush(uid: string): Promise<void> {
    for (;;) {
      const running = this.#entries.get(uid)?.running;
      if (running === undefined) return;
      await running;
    }
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  #start(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined || entry.running !== undefined) return;
    if (statusPatch(entry.pod.status, entry.wanted) === undefined) return;
    entry.running = this.#write(uid, entry).finally(() => {
      entry.running = undefined;
    });
  }

  async #write(uid: string, entry: Entry): Promise<void> {
    while (!this.#signal.aborted && this.#entries.get(uid) === entry) {
      const status = statusPatch(entry.pod.status, entry.wanted);
      if (status === undefined) return;
      const { name, namespace } = entry.pod.metadata;
      const { basis } = entry;
      const metadata = basis === undefined ? { uid } : { uid, resourceVersion: basis };
      try {
        const result = await this.#api.patch(
          pods,
          { name, namespace, subresource: 'status' },
          { type: 'strategic', body: { metadata, status } },
        );
        entry.retryMs = 0;
        entry.pod = result;
        // A server that keeps other words than ours (rounded, defaulted) must not be asked for ever.
        if (isDeepStrictEqual(statusPatch(result.status, entry.wanted), status)) return;
      } catch (error) {
        if (this.#signal.aborted) return;
        if (isStatus(error, 'NotFound')) return;
        if (isStatus(error, 'Conflict')) {
          if (entry.basis === basis) return;
          // Meanwhile the Pod was seen as it is now: that wish still holds.
          continue;
        }
        entry.retryMs = Math.min(entry.retryMs === 0 ? 200 : entry.retryMs * 2, 10_000);
        this.#logger.warn('Cannot write the status of a Pod', {
          pod: `${namespace}/${name}`,
          error,
        });
        await this.#clock.sleep(entry.retryMs, this.#signal).catch(() => undefined);
      }
    }
  }
}

function isNewer(a: Pod, b: Pod): boolean {
  // Ours are numbers; the reference promises the same since v1.35.
  return Number(a.metadata.resourceVersion) >= Number(b.metadata.resourceVersion);
}

const plainFields = [
  'observedGeneration',
  'phase',
  'reason',
  'message',
  'hostIP',
  'podIP',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
];

/** A strategic merge patch from one status to the other; undefined when nothing differs. Pure. */
export function statusPatch(from: PodStatus | undefined, to: PodStatus): Fields | undefined {
  const old: Fields = { ...from };
  const wanted: Fields = { ...to };
  const patch: Fields = {};
  for (const key of plainFields) {
    if (same(old[key], wanted[key])) continue;
    // A Pod keeps the address it had and the words of its containers when the node knows no new ones.
    if (wanted[key] === undefined && key !== 'reason' && key !== 'message') continue;
    patch[key] = wanted[key] ?? null;
  }
  for (const key of ['hostIPs', 'podIPs'] as const) {
    const ips = to[key] ?? [];
    const stale = (from?.[key] ?? []).filter(({ ip }) => !ips.some((other) => other.ip === ip));
    const fresh = ips.some(({ ip }) => !(from?.[key] ?? []).some((other) => other.ip === ip));
    if (ips.length === 0 || (stale.length === 0 && !fresh)) continue;
    patch[key] = [...ips, ...stale.map(({ ip }) => ({ ip, $patch: 'delete' }))];
  }
  const conditions = (to.conditions ?? []).flatMap((condition) => {
    const before = from?.conditions?.find(({ type }) => type === condition.type);
    if (before !== undefined && sameCondition({ ...before }, { ...condition })) return [];
    // Merging keeps what is not named: a reason that is over must be taken back.
    return [{ ...condition, reason: condition.reason ?? null, message: condition.message ?? null }];
  });
  const over = ['PodResizePending', 'PodResizeInProgress']
    .filter((type) => from?.conditions?.some((condition) => condition.type === type) === true)
    .filter((type) => to.conditions?.some((condition) => condition.type === type) !== true)
    .map((type) => ({ type, $patch: 'delete' }));
  if (conditions.length + over.length > 0) patch['conditions'] = [...conditions, ...over];
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function sameCondition(a: Fields, b: Fields): boolean {
  return ['status', 'reason', 'message', 'observedGeneration'].every(
    (key) => (a[key] ?? '') === (b[key] ?? ''),
  );
}

/** Equal as JSON: absent, undefined and null are one. */
function same(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

function plain(value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value)
    .map(([key, inner]) => [key, plain(inner)] as const)
    .filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries);
}
