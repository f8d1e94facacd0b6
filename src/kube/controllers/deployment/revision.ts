import type { Deployment, PodTemplateSpec, ReplicaSet } from '#kube/kinds';
import { sameValue } from '../context.ts';

export const hashLabel = 'pod-template-hash';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const historyAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
]);

const safeLetters = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a over the template in an order of keys of its own, spelled with letters that form no words. */
export function templateHash(
  template: PodTemplateSpec,
  collisionCount: number | undefined,
): string {
  const text = `${ordered(template)}${collisionCount ?? ''}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return Array.from(String(hash), (digit) => safeLetters[digit.charCodeAt(0) % 27] ?? 'x').join('');
}

function ordered(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** Equal but for the hash that the controller itself puts on a ReplicaSet's template. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec): boolean {
  if (a === undefined) return false;
  return sameValue(withoutHash(a), withoutHash(b));
}

function withoutHash(template: PodTemplateSpec): unknown {
  const { [hashLabel]: _hash, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** The set of the current template: the oldest, should there be several. */
export function findNewSet(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  return sets
    .filter((set) => sameTemplate(set.spec.template, deployment.spec.template))
    .toSorted(byAge)[0];
}

export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const [x, y] = [a.metadata, b.metadata];
  if (x.creationTimestamp !== y.creationTimestamp)
    return x.creationTimestamp < y.creationTimestamp ? -1 : 1;
  return x.name < y.name ? -1 : 1;
}

export function revisionOf(set: ReplicaSet): number {
  const revision = Number(set.metadata.annotations?.[revisionAnnotation] ?? 0);
  return Number.isInteger(revision) ? revision : 0;
}

/** The annotations a ReplicaSet of this deployment should have at `revision`. */
export function setAnnotations(
  deployment: Deployment,
  set: ReplicaSet | undefined,
  numbers: { readonly revision: number; readonly desired: number; readonly max: number },
): Readonly<Record<string, string>> {
  const old = set?.metadata.annotations ?? {};
  const copied = Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name)),
  );
  const before = old[revisionAnnotation];
  const raised = before === undefined || Number(before) < numbers.revision;
  const history =
    raised && before !== undefined
      ? { [historyAnnotation]: [old[historyAnnotation], before].filter(Boolean).join(',') }
      : {};
  return {
    ...old,
    ...copied,
    ...history,
    [revisionAnnotation]: raised ? String(numbers.revision) : (before ?? ''),
    [desiredAnnotation]: String(numbers.desired),
    [maxAnnotation]: String(numbers.max),
  };
}
