import { keyOf } from '#client';
import type { Pod } from '#kube/kinds';
import type { NodeTable } from './nodes.ts';
import { nonZeroExtra } from './shape.ts';
import { matches, podTerms, type Matcher, type NamespaceLabels, type Term } from './terms.ts';

/** How many Pods of a kind are on each row. */
export interface RowCounts {
  counts: Int32Array;
  total: number;
}
interface MatcherCounts extends RowCounts {
  readonly matcher: Matcher;
}
export interface TermOwners extends RowCounts {
  readonly term: Term;
  /** `anti` is required anti-affinity; the others only score. */
  readonly kind: 'anti' | 'affinity' | 'preferred';
}
interface Placed {
  readonly pod: Pod;
  readonly node: string;
}

/** More remembered matchers than this, and the one that was not asked for longest is forgotten. */
const matchersMax = 512;

/**
 * Which Pods are where, counted by row for whatever selectors were asked about. A count is made
 * once by looking at all Pods of its namespaces and then kept up by each Pod that comes or goes.
 */
export class PodIndex {
  readonly #table: NodeTable;
  readonly #namespaceLabels: NamespaceLabels;
  readonly #placed = new Map<string, Placed>();
  readonly #byNode = new Map<string, Map<string, Pod>>();
  readonly #matchers = new Map<string, MatcherCounts>();
  readonly #owners = new Map<string, TermOwners>();

  constructor(table: NodeTable, namespaceLabels: NamespaceLabels) {
    this.#table = table;
    this.#namespaceLabels = namespaceLabels;
  }

  /** Records that `pod` is on `node`; a Pod already known is moved or renewed. */
  put(pod: Pod, node: string): void {
    const key = keyOf(pod);
    const old = this.#placed.get(key);
    if (old !== undefined) {
      if (old.node === node && sameToCounts(old.pod, pod)) {
        this.#placed.set(key, { pod, node });
        this.#byNode.get(node)?.set(key, pod);
        return;
      }
      this.remove(key);
    }
    this.#placed.set(key, { pod, node });
    const there = this.#byNode.get(node) ?? new Map<string, Pod>();
    there.set(key, pod);
    this.#byNode.set(node, there);
    this.#count(pod, node, 1);
  }

  remove(key: string): void {
    const old = this.#placed.get(key);
    if (old === undefined) return;
    this.#placed.delete(key);
    const there = this.#byNode.get(old.node);
    there?.delete(key);
    if (there?.size === 0) this.#byNode.delete(old.node);
    this.#count(old.pod, old.node, -1);
  }

  get(key: string): Placed | undefined {
    return this.#placed.get(key);
  }

  on(node: string): ReadonlyMap<string, Pod> {
    return this.#byNode.get(node) ?? new Map();
  }

  /** Takes the node's Pods out of all counts before its row goes, and in again when it is back. */
  nodeLeaves(node: string): void {
    for (const pod of this.on(node).values()) this.#count(pod, node, -1);
  }
  nodeComes(node: string): void {
    for (const pod of this.on(node).values()) this.#count(pod, node, 1);
  }

  /** Forgets all counts; for changes that any of them may depend on (labels of namespaces). */
  forget(): void {
    this.#matchers.clear();
  }

  counts(matcher: Matcher): RowCounts {
    const known = this.#matchers.get(matcher.key);
    if (known !== undefined) {
      this.#matchers.delete(matcher.key);
      this.#matchers.set(matcher.key, known);
      return this.#fit(known);
    }
    const made: MatcherCounts = { matcher, counts: this.#column(), total: 0 };
    for (const { pod, node } of this.#placed.values())
      if (matches(matcher, pod, this.#namespaceLabels)) this.#add(made, node, 1);
    if (this.#matchers.size >= matchersMax)
      for (const oldest of this.#matchers.keys()) {
        this.#matchers.delete(oldest);
        break;
      }
    this.#matchers.set(matcher.key, made);
    return made;
  }

  /** Terms of placed Pods that speak of `pod`. */
  termsAbout(pod: Pod): readonly TermOwners[] {
    const found: TermOwners[] = [];
    for (const owners of this.#owners.values())
      if (matches(owners.term.matcher, pod, this.#namespaceLabels)) found.push(this.#fit(owners));
    return found;
  }

  #count(pod: Pod, node: string, by: 1 | -1): void {
    const row = this.#table.row.get(node);
    if (row === undefined) return;
    const extra = nonZeroExtra(pod);
    if (extra.cpu + extra.memory > 0) this.#table.addExtra(row, by * extra.cpu, by * extra.memory);
    for (const known of this.#matchers.values())
      if (matches(known.matcher, pod, this.#namespaceLabels)) this.#add(known, node, by);
    if (pod.spec.affinity === undefined) return;
    const terms = podTerms(pod);
    for (const term of terms.antiAffinity) this.#own('anti', term, { node, by });
    // hardPodAffinityWeight is 1: required affinity of placed Pods attracts a little.
    for (const term of terms.affinity) this.#own('affinity', term, { node, by });
    for (const term of [...terms.preferred, ...terms.preferredAnti])
      this.#own('preferred', term, { node, by });
  }

  #own(kind: TermOwners['kind'], term: Term, change: { node: string; by: 1 | -1 }): void {
    const key = `${kind}|${term.key}`;
    let owners = this.#owners.get(key);
    if (owners === undefined) {
      owners = { term, kind, counts: this.#column(), total: 0 };
      this.#owners.set(key, owners);
    }
    this.#add(owners, change.node, change.by);
    if (owners.total === 0) this.#owners.delete(key);
  }

  #add(to: RowCounts, node: string, by: number): void {
    const row = this.#table.row.get(node);
    if (row === undefined) return;
    this.#fit(to);
    to.counts[row] = (to.counts[row] ?? 0) + by;
    to.total += by;
  }

  #column(): Int32Array {
    return new Int32Array(this.#table.version.length);
  }

  #fit<T extends RowCounts>(counts: T): T {
    if (counts.counts.length < this.#table.version.length) {
      const wider = this.#column();
      wider.set(counts.counts);
      counts.counts = wider;
    }
    return counts;
  }
}

/** Most updates of a placed Pod are status: nothing that is counted changes. */
function sameToCounts(a: Pod, b: Pod): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    (a.metadata.deletionTimestamp === undefined) === (b.metadata.deletionTimestamp === undefined) &&
    JSON.stringify(a.metadata.labels) === JSON.stringify(b.metadata.labels)
  );
}
