import type { Clock, Logger } from '#base';
import { formatTime } from '#base';
import type { ApiServer, ObjectUpdate, Reader, UpdateResult } from '#apiserver';
import { namespaces, nodes, pods, type Node, type Pod } from '#kube/kinds';
import { type Draft, StatusError, conflict, notFound } from '#machinery';
import type { Claim, Pool, Verdict } from '#pool';
import { baseUnits, claimAmounts, hostPortsOf, isActive, ownerOf, roleOf } from './pods.ts';

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

export interface LedgerParts {
  readonly pool: Pool;
  readonly reader: Reader;
  readonly server: Pick<ApiServer, 'updateMany'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Keeps the pool's claims in step with Pods, and is the one door through which Pods are bound.
 *
 * A Pod holds its claim from the binding (or from the moment it appears with a node) until it is gone
 * or has ended. Pods that came with a node and found no room fail, as a kubelet would fail them.
 */
export class PodLedger implements Disposable {
  readonly #parts: LedgerParts;
  readonly #watches: Disposable[] = [];
  /** Owners whose binding is being written: their claim must outlive what the cache says meanwhile. */
  readonly #binding = new Set<string>();
  #rebuilt = false;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** Follows the cache from now on; call it before the server loads. */
  open(): void {
    const { reader } = this.#parts;
    this.#watches.push(
      reader.onChange(nodes, ({ key, object }) => this.#setNode(key, object)),
      reader.onChange(pods, ({ key, object }) => {
        if (this.#rebuilt) this.#setPod(key, object);
      }),
    );
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.splice(0)) watch[Symbol.dispose]();
  }

  /** Takes over everything that is stored, before the first write is served; then checks the account. */
  rebuild(): void {
    const { reader, pool } = this.#parts;
    for (const node of reader.list(nodes)) this.#setNode(node.metadata.name, node);
    for (const pod of reader.list(pods)) {
      if ((pod.spec.nodeName ?? '') === '' || !isActive(pod)) continue;
      pool.adopt(this.#claimOf(pod, pod.spec.nodeName ?? '', undefined));
    }
    this.#rebuilt = true;
    this.check();
  }

  /** The pool's own check, and that it holds a claim for exactly the Pods that sit on nodes. */
  check(): void {
    const { reader, pool } = this.#parts;
    pool.check();
    for (const pod of reader.list(pods)) {
      const owner = ownerOf(pod);
      if (this.#binding.has(owner)) continue;
      const node = pod.spec.nodeName ?? '';
      const claim = pool.claim(owner);
      const holds = node !== '' && isActive(pod);
      if (holds && claim !== undefined && claim.node !== node)
        throw new Error(
          `Ledger differs: ${owner} sits on "${node}", its claim is on "${claim.node}"`,
        );
      if (!holds && claim !== undefined)
        throw new Error(`Ledger differs: ${owner} holds a claim on "${claim.node}" but no room`);
    }
  }

  #setNode(name: string, node: Node | undefined): void {
    if (node === undefined) {
      this.#parts.pool.removeNode(name);
      return;
    }
    const amounts = node.status?.allocatable ?? node.status?.capacity ?? {};
    this.#parts.pool.setNode({ name, amounts: baseUnits(amounts) });
  }

  #setPod(key: string, pod: Pod | undefined): void {
    const { pool } = this.#parts;
    const owner = `pod/${key}`;
    if (this.#binding.has(owner)) return;
    const node = pod?.spec.nodeName ?? '';
    if (pod === undefined || node === '' || !isActive(pod)) {
      if (pool.claim(owner) !== undefined) pool.release(owner);
      return;
    }
    const claim = this.#claimOf(pod, node, undefined);
    const held = pool.claim(owner);
    if (held !== undefined) {
      if (!sameClaim(held, claim)) {
        // A resize or another Pod of the same name: what runs is recorded as it is.
        pool.release(owner);
        pool.adopt(claim);
      }
      return;
    }
    const [verdict] = pool.commit([claim]);
    if (verdict === undefined || verdict.ok) return;
    // The node is not known yet, or the Pod already runs there: record it, whatever the account says.
    if (verdict.reason === 'NodeGone' || pod.status?.startTime !== undefined) pool.adopt(claim);
    else void this.#fail(pod, verdict);
  }

  /** As a kubelet refuses a Pod it has no room for (pkg/kubelet/lifecycle/predicate.go). */
  async #fail(pod: Pod, verdict: Verdict & { readonly ok: false }): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const reason =
      verdict.reason === 'PortTaken' ? 'NodePorts' : `OutOf${verdict.resources[0] ?? 'cpu'}`;
    const message =
      verdict.reason === 'PortTaken'
        ? "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
        : `Pod was rejected: Node didn't have enough resource: ${verdict.message}`;
    const [result] = await this.#parts.server.updateMany<Pod>([
      {
        resource: pods,
        name,
        namespace,
        change(draft) {
          if (draft.metadata.uid !== uid || draft.status.phase === 'Failed') return;
          draft.status.phase = 'Failed';
          draft.status.reason = reason;
          draft.status.message = message;
        },
      },
    ]);
    if (result?.ok === false)
      this.#parts.logger.warn('Pod without room could not be failed', {
        pod: `${namespace}/${name}`,
        error: result.error,
      });
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
      if (this.#binding.has(ownerOf(pod))) {
        results[index] = {
          ok: false,
          error: bindConflict(binding, `pod ${binding.name} is being assigned to a node`),
        };
        continue;
      }
      this.#binding.add(ownerOf(pod));
      claims.push(this.#claimOf(pod, binding.node, binding.epoch));
      wanted.push(index);
    }
    try {
      await this.#commit(bindings, { claims, wanted, results });
    } finally {
      for (const claim of claims) this.#binding.delete(claim.owner);
    }
    for (const claim of claims) this.#settle(claim.owner);
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

  /** A Pod learns from its node which zone and region it runs in (admission plugin PodTopologyLabels). */
  #placed(binding: Binding | undefined): Binding | undefined {
    if (binding === undefined) return undefined;
    const own = this.#parts.reader.get(nodes, binding.node)?.metadata.labels ?? {};
    const place = topologyKeys.flatMap((key) => {
      const value = own[key];
      return value === undefined ? [] : [[key, value] as const];
    });
    if (place.length === 0) return binding;
    return { ...binding, labels: { ...binding.labels, ...Object.fromEntries(place) } };
  }

  /** What the cache said while the binding was being written is looked at now. */
  #settle(owner: string): void {
    const key = owner.slice('pod/'.length);
    const [namespace = '', name = ''] = key.split('/');
    this.#setPod(key, this.#parts.reader.get(pods, name, namespace));
  }

  #claimOf(pod: Pod, node: string, epoch: number | undefined): Claim {
    const { pool, reader } = this.#parts;
    const row = pool.columns.row.get(node);
    return {
      owner: ownerOf(pod),
      node,
      epoch: epoch ?? (row === undefined ? 0 : (pool.columns.epoch[row] ?? 0)),
      amounts: claimAmounts(pod),
      ports: hostPortsOf(pod),
      role: roleOf(pod, reader.get(namespaces, pod.metadata.namespace ?? '')),
    };
  }
}

const topologyKeys = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

function sameClaim(a: Claim, b: Claim): boolean {
  const names = new Set([...Object.keys(a.amounts), ...Object.keys(b.amounts)]);
  return (
    a.node === b.node &&
    [...names].every((name) => (a.amounts[name] ?? 0) === (b.amounts[name] ?? 0)) &&
    JSON.stringify(a.ports) === JSON.stringify(b.ports)
  );
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
