import { formatTime } from '#base';
import type { ObjectUpdate, UpdateResult } from '#apiserver';
import { pods, yieldsToRoles, type Pod } from '#kube/kinds';
import { type Draft, StatusError, conflict, notFound } from '#machinery';
import type { Claim, Verdict } from '#pool';
import { type Growth, type Launch, type LaunchResult, Launcher } from './launcher.ts';
import type { LauncherParts } from './launcher.ts';
import { type ClaimParts, PodClaims } from './pod-claims.ts';
import { ownerOf, placeOf } from './pods.ts';

/** One decision of a scheduler: this Pod onto that node. */
export interface Binding {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** When set, the Pod must still be this one. */
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  /** The node's state the decision was made on; absent: whatever it is. */
  readonly epoch?: number | undefined;
  /** Copied over the Pod's own (`POST binding`). */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}
export type BindResult =
  | { readonly ok: true; readonly pod: Pod }
  /** The pool refused: look again, or wait for room. */
  | { readonly ok: false; readonly verdict: Verdict & { readonly ok: false } }
  /** The Pod is gone, bound, deleted or gated: nothing to decide any more. */
  | { readonly ok: false; readonly error: StatusError };

export type LedgerParts = ClaimParts & LauncherParts;

/**
 * Keeps the pool's claims in step with Pods, and is the one door through which Pods are bound.
 *
 * A Pod holds its claim from the binding (or from the moment it appears with a node) until it is gone
 * or has ended. Pods that came with a node and found no room fail, as a kubelet would fail them.
 */
export class PodLedger implements Disposable {
  readonly #parts: LedgerParts;
  readonly #claims: PodClaims;
  readonly #launcher: Launcher;
  readonly #watches: Disposable[] = [];

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#claims = new PodClaims(parts);
    this.#launcher = new Launcher(parts, this.#claims);
  }

  /** Follows the cache from now on; call it before the server loads. */
  open(): void {
    this.#watches.push(...this.#claims.open());
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.splice(0)) watch[Symbol.dispose]();
  }

  /** Takes over everything that is stored, before the first write is served; then checks the account. */
  rebuild(): void {
    this.#claims.rebuild();
    this.check();
  }

  /** The pool's own check, and that it holds a claim for exactly the Pods that sit on nodes. */
  check(): void {
    this.#parts.pool.check();
    this.#claims.check();
  }

  /** New Pods that come with their node, and what is written with them; see `Launcher`. */
  launch(launches: readonly Launch[]): Promise<readonly LaunchResult[]> {
    return this.#launcher.launch(launches);
  }
  /** More containers, amounts or ports for Pods that run; see `Launcher`. */
  grow(growths: readonly Growth[]): Promise<readonly LaunchResult[]> {
    return this.#launcher.grow(growths);
  }

  /**
   * Binds many Pods: first the pool decides on every claim, then all that were granted are written in
   * one commit; a write that fails gives its room back. Results are in the order of `bindings`.
   */
  async bindMany(bindings: readonly Binding[]): Promise<readonly BindResult[]> {
    const results: (BindResult | undefined)[] = bindings.map(() => undefined);
    const claims: Claim[] = [];
    const wanted: number[] = [];
    for (const [index, binding] of bindings.entries()) {
      const pod = this.#parts.reader.get(pods, binding.name, binding.namespace);
      const error = bindProblem(pod, binding);
      if (pod === undefined || error !== undefined) {
        results[index] = { ok: false, error: error ?? notFound(pods, binding.name) };
        continue;
      }
      if (this.#claims.isBusy(ownerOf(pod))) {
        results[index] = {
          ok: false,
          error: bindConflict(binding, `pod ${binding.name} is being assigned to a node`),
        };
        continue;
      }
      this.#claims.begin(ownerOf(pod));
      const claim = this.#claims.claimOf(pod, { node: binding.node, epoch: binding.epoch });
      claims.push({ ...claim, fair: yieldsToRoles(pod) });
      wanted.push(index);
    }
    try {
      await this.#commit(bindings, { claims, wanted, results });
    } finally {
      this.#claims.end(claims.map(({ owner }) => owner));
    }
    return results.map((result, index) => result ?? unknownResult(bindings[index]));
  }

  async #commit(
    bindings: readonly Binding[],
    work: {
      readonly claims: readonly Claim[];
      readonly wanted: readonly number[];
      readonly results: (BindResult | undefined)[];
    },
  ): Promise<void> {
    const { pool, server, clock } = this.#parts;
    const verdicts = pool.commit(work.claims);
    const granted: number[] = [];
    for (const [at, verdict] of verdicts.entries()) {
      const index = work.wanted[at] ?? 0;
      if (verdict.ok) granted.push(index);
      else work.results[index] = { ok: false, verdict };
    }
    if (granted.length === 0) return;
    const now = formatTime(clock.nowMs());
    const updates = granted.map((index) => bindUpdate(this.#placed(bindings[index]), now));
    let outcomes: readonly UpdateResult<Pod>[];
    try {
      outcomes = await server.updateMany<Pod>(updates);
    } catch (error) {
      outcomes = granted.map(() => ({ ok: false, error }));
    }
    for (const [at, outcome] of outcomes.entries()) {
      const index = granted[at] ?? 0;
      if (outcome.ok) {
        work.results[index] = { ok: true, pod: outcome.object };
        continue;
      }
      const binding = bindings[index];
      if (binding !== undefined) pool.release(`pod/${binding.namespace}/${binding.name}`);
      work.results[index] = { ok: false, error: statusOf(outcome.error) };
    }
  }

  #placed(binding: Binding | undefined): Binding | undefined {
    if (binding === undefined) return undefined;
    const place = placeOf(this.#parts.reader, binding.node);
    if (place === undefined) return binding;
    return { ...binding, labels: { ...binding.labels, ...place } };
  }
}

function bindConflict(binding: Binding, text: string): StatusError {
  return conflict({ group: '', plural: 'pods/binding' }, binding.name, text);
}

/** Why a Pod cannot be bound any more (registry/core/pod/storage assignPod). */
function bindProblem(pod: Pod | Draft<Pod> | undefined, binding: Binding): StatusError | undefined {
  if (pod === undefined) return notFound(pods, binding.name);
  const { uid, resourceVersion, deletionTimestamp } = pod.metadata;
  if (binding.uid !== undefined && binding.uid !== uid)
    return bindConflict(
      binding,
      `Precondition failed: UID in precondition: ${binding.uid}, UID in object meta: ${uid}`,
    );
  if (binding.resourceVersion !== undefined && binding.resourceVersion !== resourceVersion)
    return bindConflict(
      binding,
      `Precondition failed: ResourceVersion in precondition: ${binding.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
    );
  if (deletionTimestamp !== undefined)
    return bindConflict(
      binding,
      `pod ${binding.name} is being deleted, cannot be assigned to a host`,
    );
  const node = pod.spec.nodeName ?? '';
  if (node !== '')
    return bindConflict(
      binding,
      `pod ${binding.name} is already assigned to node ${JSON.stringify(node)}`,
    );
  if ((pod.spec.schedulingGates ?? []).length > 0)
    return bindConflict(binding, `pod ${binding.name} has non-empty .spec.schedulingGates`);
  return undefined;
}

function bindUpdate(binding: Binding | undefined, now: string): ObjectUpdate<Pod> {
  if (binding === undefined) throw new Error('Cannot bind: the binding is gone');
  return {
    resource: pods,
    name: binding.name,
    namespace: binding.namespace,
    change(draft) {
      const problem = bindProblem(draft, binding);
      if (problem !== undefined) throw problem;
      draft.spec.nodeName = binding.node;
      delete draft.status.nominatedNodeName;
      if (binding.annotations !== undefined)
        draft.metadata.annotations = { ...draft.metadata.annotations, ...binding.annotations };
      if (binding.labels !== undefined)
        draft.metadata.labels = { ...draft.metadata.labels, ...binding.labels };
      const conditions = draft.status.conditions ?? [];
      const earlier = conditions.find((one) => one.type === 'PodScheduled');
      const unchanged = earlier?.status === 'True';
      draft.status.conditions = [
        ...conditions.filter((one) => one !== earlier),
        {
          type: 'PodScheduled',
          status: 'True',
          lastTransitionTime: unchanged ? earlier.lastTransitionTime : now,
          observedGeneration: draft.metadata.generation,
        },
      ];
    },
  };
}

function statusOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  return new StatusError('InternalError', `Internal error occurred: ${String(error)}`, {
    cause: error,
  });
}

function unknownResult(binding: Binding | undefined): BindResult {
  const error = new StatusError(
    'InternalError',
    `Internal error occurred: ${binding?.name} was not decided`,
  );
  return { ok: false, error };
}
