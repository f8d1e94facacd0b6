import type { Refusal } from './placer.ts';

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` (framework FitError) */
export function refusalMessage(refusal: Refusal, after: string): string {
  if (refusal.nodes === 0) return 'no nodes available to schedule pods';
  const why = refusal.before ?? sortedReasons(refusal.reasons);
  const message = `${available(refusal.nodes)}: ${why}.`;
  return after === '' ? message : `${message} ${after}`;
}

/** What the preemption step has to say when it could not help. */
export function noVictimsMessage(refusal: Refusal): string {
  const reasons = new Map<string, number>();
  const hopeless = refusal.nodes - refusal.helpable.length;
  if (refusal.helpable.length > 0)
    reasons.set('No preemption victims found for incoming pod', refusal.helpable.length);
  if (hopeless > 0) reasons.set('Preemption is not helpful for scheduling', hopeless);
  return `preemption: ${available(refusal.nodes)}: ${sortedReasons(reasons)}.`;
}

function available(nodes: number): string {
  return `0/${nodes} nodes are available`;
}

function sortedReasons(reasons: ReadonlyMap<string, number>): string {
  return [...reasons]
    .map(([reason, count]) => `${count} ${reason}`)
    .toSorted()
    .join(', ');
}
