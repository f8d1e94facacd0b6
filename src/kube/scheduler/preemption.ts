import { isPodTerminal, podPriority, podRequests, type Pod } from '#kube/kinds';
import type { NodeTable } from './nodes.ts';
import type { PodIndex } from './pod-index.ts';
import type { Refusal } from './placer.ts';
import type { Shape } from './shape.ts';

/** A node and the Pods that would have to go. */
export interface Candidate {
  readonly row: number;
  readonly victims: readonly Pod[];
}

/** Nodes looked at: a tenth, but at least this many (PreemptionArgs minCandidateNodes). */
const candidatesMin = 100;

/**
 * The node where the least important Pods must go so that a Pod of `shape` has room, or undefined.
 * Only room is won this way: a row that topology or a host port refuses is not a candidate.
 */
export function findVictims(
  shape: Shape,
  refusal: Refusal,
  { table, index }: { readonly table: NodeTable; readonly index: PodIndex },
): Candidate | undefined {
  const enough = Math.max(candidatesMin, Math.ceil(table.count / 10));
  const found: Candidate[] = [];
  for (const row of refusal.helpable) {
    if (found.length >= enough) break;
    const victims = victimsOn(row, shape, { table, index });
    if (victims !== undefined) found.push({ row, victims });
  }
  return found.toSorted(compareCandidates)[0];
}

function victimsOn(
  row: number,
  shape: Shape,
  { table, index }: { readonly table: NodeTable; readonly index: PodIndex },
): readonly Pod[] | undefined {
  if (shape.ports.length > 0) return undefined;
  const lower = [...index.on(table.names[row] ?? '').values()].filter(
    (pod) => podPriority(pod) < shape.priority && !isPodTerminal(pod),
  );
  if (lower.length === 0) return undefined;
  const short: Record<string, number> = {};
  for (const name in shape.amounts)
    short[name] = (shape.amounts[name] ?? 0) - (table.free(name)[row] ?? 0);
  const requests = new Map(lower.map((pod) => [pod, podRequests(pod)]));
  for (const amounts of requests.values()) shift(short, amounts, -1);
  if (!enoughRoom(short)) return undefined;
  const victims: Pod[] = [];
  // The most important, then the oldest, is spared first.
  for (const pod of lower.toSorted(compareImportance)) {
    const amounts = requests.get(pod) ?? {};
    shift(short, amounts, 1);
    if (enoughRoom(short)) continue;
    shift(short, amounts, -1);
    victims.push(pod);
  }
  return victims.length === 0 ? undefined : victims;
}

function shift(
  short: Record<string, number>,
  amounts: Readonly<Record<string, number>>,
  by: 1 | -1,
): void {
  for (const name in short) short[name] = (short[name] ?? 0) + by * (amounts[name] ?? 0);
}

function enoughRoom(short: Readonly<Record<string, number>>): boolean {
  return Object.values(short).every((missing) => missing <= 0);
}

function startOf(pod: Pod): string {
  return pod.status.startTime ?? pod.metadata.creationTimestamp;
}

function compareImportance(a: Pod, b: Pod): number {
  return podPriority(b) - podPriority(a) || compareText(startOf(a), startOf(b));
}

/** The order of pickOneNodeForPreemption, without disruption budgets. */
function compareCandidates(a: Candidate, b: Candidate): number {
  const highest = ({ victims }: Candidate): number => Math.max(...victims.map(podPriority));
  const sum = ({ victims }: Candidate): number =>
    victims.reduce((total, pod) => total + podPriority(pod) + 2 ** 31, 0);
  const earliest = (one: Candidate): string => {
    const top = highest(one);
    return (
      one.victims
        .filter((pod) => podPriority(pod) === top)
        .map(startOf)
        .toSorted()[0] ?? ''
    );
  };
  return (
    highest(a) - highest(b) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    compareText(earliest(b), earliest(a))
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
