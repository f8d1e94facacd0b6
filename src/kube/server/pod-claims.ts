import type { Logger } from '#base';
import type { ApiServer, Reader } from '#apiserver';
import { namespaces, nodes, pods, type Node, type Pod } from '#kube/kinds';
import type { Draft } from '#machinery';
import type { Claim, Pool, Verdict } from '#pool';
import {
  baseUnits,
  claimAmounts,
  hostPortsOf,
  isActive,
  ownerOf,
  reservedKeys,
  roleLabel,
  roleOf,
} from './pods.ts';

export interface ClaimParts {
  readonly pool: Pool;
  readonly reader: Reader;
  readonly server: Pick<ApiServer, 'updateMany'>;
  readonly logger: Logger;
}

/**
 * The pool's claims as Pods and nodes have them. A Pod holds its claim from the moment it has a node
 * until it is gone or has ended; one whose claim a door is changing right now is left alone until
 * that is through.
 */
export class PodClaims {
  readonly #parts: ClaimParts;
  /**
   * Owners whose Pod is being written: their claim must outlive what the cache says meanwhile. With
   * the Pod as it is being written, where the claim was made from that.
   */
  readonly #busy = new Map<string, Pod | undefined>();
  /** Uids by owner of Pods that found no room: it is not made for them by what their kubelet began. */
  readonly #refused = new Map<string, string>();
  #waiters: (() => void)[] = [];
  #rebuilt = false;

  constructor(parts: ClaimParts) {
    this.#parts = parts;
  }

  /** Follows the cache from now on; Pods only after `rebuild()`. */
  open(): readonly Disposable[] {
    const { reader } = this.#parts;
    return [
      reader.onChange(nodes, ({ key, object }) => this.setNode(key, object)),
      reader.onChange(pods, ({ key, object, old }) => {
        // It had ended: what its kubelet says late of its beginning makes no room for it.
        if (object !== undefined && old !== undefined && !isActive(old) && isActive(object))
          this.#refused.set(ownerOf(object), object.metadata.uid);
        if (this.#rebuilt) this.#set(key, object);
      }),
      reader.onChange(namespaces, ({ key, object, old }) => {
        const role = object?.metadata.labels?.[roleLabel];
        if (!this.#rebuilt || old === undefined || role === old.metadata.labels?.[roleLabel])
          return;
        // Its Pods are on another role from now on, those that are being written too.
        for (const owner of this.#busy.keys()) this.#busy.set(owner, undefined);
        for (const pod of reader.list(pods, key)) this.#set(`${key}/${pod.metadata.name}`, pod);
      }),
    ];
  }

  rebuild(): void {
    const { reader, pool } = this.#parts;
    for (const node of reader.list(nodes)) this.setNode(node.metadata.name, node);
    const undecided: Pod[] = [];
    for (const pod of reader.list(pods)) {
      if ((pod.spec.nodeName ?? '') === '' || !isActive(pod)) continue;
      if (hasRoom(pod)) pool.adopt(this.claimOf(pod));
      else undecided.push(pod);
    }
    this.#rebuilt = true;
    // Stored with their node: whether there was room for them may not have been said any more.
    for (const pod of undecided) this.#set(ownerOf(pod).slice('pod/'.length), pod);
  }

  isBusy(owner: string): boolean {
    return this.#busy.has(owner);
  }
  begin(owner: string, written?: Pod): void {
    this.#busy.set(owner, written);
  }
  /** What the cache said meanwhile is looked at now. */
  end(owners: readonly string[]): void {
    const written = owners.map((owner) => this.#busy.get(owner));
    for (const owner of owners) this.#busy.delete(owner);
    for (const [at, owner] of owners.entries()) this.#settle(owner, written[at]);
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const wake of waiting) wake();
  }
  /** Resolves when none of them is being written. */
  async free(owners: readonly string[]): Promise<void> {
    while (owners.some((owner) => this.#busy.has(owner)))
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
      });
  }

  setNode(name: string, node: Node | undefined): void {
    if (node === undefined) {
      this.#parts.pool.removeNode(name);
      return;
    }
    const amounts = node.status?.allocatable ?? node.status?.capacity ?? {};
    this.#parts.pool.setNode({ name, amounts: baseUnits(amounts) });
  }

  /** What the Pod holds, on its own node unless another is named. */
  claimOf(pod: Pod, on?: { readonly node: string; readonly epoch: number | undefined }): Claim {
    const { pool, reader } = this.#parts;
    const node = on?.node ?? pod.spec.nodeName ?? '';
    const row = pool.columns.row.get(node);
    return {
      owner: ownerOf(pod),
      node,
      epoch: on?.epoch ?? (row === undefined ? 0 : (pool.columns.epoch[row] ?? 0)),
      amounts: claimAmounts(pod),
      ports: hostPortsOf(pod),
      role: roleOf(pod, ({ metadata }) => reader.get(namespaces, metadata.namespace ?? '')),
    };
  }

  /** The pool holds a claim for exactly the Pods that sit on nodes. */
  check(): void {
    const { reader, pool } = this.#parts;
    for (const pod of reader.list(pods)) {
      const owner = ownerOf(pod);
      if (this.#busy.has(owner)) continue;
      const node = pod.spec.nodeName ?? '';
      const claim = pool.claim(owner);
      const holds = node !== '' && isActive(pod);
      if (!holds && claim !== undefined)
        throw new Error(`Ledger differs: ${owner} holds a claim on "${claim.node}" but no room`);
      if (!holds || claim === undefined) continue;
      if (claim.node !== node)
        throw new Error(
          `Ledger differs: ${owner} sits on "${node}", its claim is on "${claim.node}"`,
        );
      if (!sameClaim(claim, this.claimOf(pod)))
        throw new Error(`Ledger differs: ${owner} holds another claim than its Pod asks for`);
    }
  }

  #settle(owner: string, written: Pod | undefined): void {
    const { pool, reader } = this.#parts;
    const key = owner.slice('pod/'.length);
    const [namespace = '', name = ''] = key.split('/');
    const pod = reader.get(pods, name, namespace);
    // The usual end: the Pod is there as its claim was made from it, and the claim stands.
    if (pod !== undefined && pod === written && pool.claim(owner) !== undefined) return;
    this.#set(key, pod);
  }

  #set(key: string, pod: Pod | undefined): void {
    const { pool } = this.#parts;
    const owner = `pod/${key}`;
    if (this.#busy.has(owner)) return;
    const node = pod?.spec.nodeName ?? '';
    if (pod === undefined || node === '' || !isActive(pod)) {
      if (pool.claim(owner) !== undefined) pool.release(owner);
      if (pod === undefined) this.#refused.delete(owner);
      return;
    }
    const claim = this.claimOf(pod);
    const held = pool.claim(owner);
    if (held !== undefined) {
      // A resize or another Pod of the same name: what runs is recorded as it is.
      if (!sameClaim(held, claim)) pool.adopt(claim);
      return;
    }
    const [verdict] = pool.commit([claim]);
    if (verdict === undefined || verdict.ok) return;
    const { uid } = pod.metadata;
    const runs = pod.status?.startTime !== undefined && this.#refused.get(owner) !== uid;
    // The node is not known yet, or the Pod already runs there: record it, whatever the account says.
    if (verdict.reason === 'NodeGone' || runs) {
      pool.adopt(claim);
      return;
    }
    this.#refused.set(owner, uid);
    void this.#fail(pod, verdict);
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
    const change = (draft: Draft<Pod>): void => {
      if (draft.metadata.uid !== uid || draft.status.phase === 'Failed') return;
      draft.status.phase = 'Failed';
      draft.status.reason = reason;
      draft.status.message = message;
    };
    // Whatever hinders it: when its kubelet says something of it, it is looked at again.
    let problem: unknown;
    try {
      const updates = [{ resource: pods, name, namespace, change }];
      const [result] = await this.#parts.server.updateMany<Pod>(updates);
      if (result?.ok === false) problem = result.error;
    } catch (error) {
      problem = error;
    }
    if (problem !== undefined)
      this.#parts.logger.warn('Pod without room could not be failed', {
        pod: `${namespace}/${name}`,
        error: problem,
      });
  }
}

/** It was given room: by a binding, by a launch of Mesos, or so long ago that its kubelet began. */
function hasRoom({ metadata, status }: Pod): boolean {
  return (
    status?.startTime !== undefined ||
    Object.keys(metadata.annotations ?? {}).some(reservedKeys) ||
    status?.conditions?.some(({ type, status: is }) => type === 'PodScheduled' && is === 'True') ===
      true
  );
}

function sameClaim(a: Claim, b: Claim): boolean {
  if (a.node !== b.node || a.role !== b.role) return false;
  for (const name in a.amounts) if ((a.amounts[name] ?? 0) !== (b.amounts[name] ?? 0)) return false;
  for (const name in b.amounts) if ((a.amounts[name] ?? 0) !== (b.amounts[name] ?? 0)) return false;
  if (a.ports.length !== b.ports.length) return false;
  // Both are made by the same walk over a Pod, so the order counts.
  return a.ports.every((port, at) => {
    const other = b.ports[at];
    return (
      other !== undefined &&
      port.port === other.port &&
      port.protocol === other.protocol &&
      port.address === other.address
    );
  });
}
