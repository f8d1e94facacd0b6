import { selectorMatches } from '#client';
import type { LabelSelector, Pod, PodAffinityTerm } from '#kube/kinds';

/** An affinity term, resolved for the Pod that has it: which Pods it speaks of, and where. */
export interface Term {
  /** Equal for equal terms, whichever Pod they come from. */
  readonly key: string;
  readonly topologyKey: string;
  readonly weight: number;
  readonly matcher: Matcher;
}
/** Which Pods are meant. */
export interface Matcher {
  readonly key: string;
  /** Undefined together with a selector: only what the selector picks. */
  readonly namespaces: readonly string[];
  readonly namespaceSelector: LabelSelector | undefined;
  readonly selector: LabelSelector | undefined;
  /** Spreading does not count Pods that are on their way out. */
  readonly skipTerminating: boolean;
}
export interface PodTerms {
  readonly affinity: readonly Term[];
  readonly antiAffinity: readonly Term[];
  readonly preferred: readonly Term[];
  /** Weights below zero. */
  readonly preferredAnti: readonly Term[];
}

const none: PodTerms = { affinity: [], antiAffinity: [], preferred: [], preferredAnti: [] };

export function podTerms(pod: Pod): PodTerms {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (podAffinity === undefined && podAntiAffinity === undefined) return none;
  const resolve = (weight: number, term: PodAffinityTerm): Term => resolveTerm(term, weight, pod);
  return {
    affinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) =>
      resolve(1, term),
    ),
    antiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(
      (term) => resolve(1, term),
    ),
    preferred: (podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, podAffinityTerm }) => resolve(weight, podAffinityTerm),
    ),
    preferredAnti: (podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, podAffinityTerm }) => resolve(-weight, podAffinityTerm),
    ),
  };
}

function resolveTerm(term: PodAffinityTerm, weight: number, pod: Pod): Term {
  const named = term.namespaces ?? [];
  const own = named.length === 0 && term.namespaceSelector === undefined;
  const matcher = matcherOf({
    namespaces: own ? [pod.metadata.namespace ?? ''] : named,
    namespaceSelector: term.namespaceSelector,
    selector: withLabelKeys(term, pod),
    skipTerminating: false,
  });
  const key = `${term.topologyKey}|${weight}|${matcher.key}`;
  return { key, topologyKey: term.topologyKey, weight, matcher };
}

export function matcherOf(parts: Omit<Matcher, 'key'>): Matcher {
  return { ...parts, key: JSON.stringify(parts) };
}

function withLabelKeys(term: PodAffinityTerm, pod: Pod): LabelSelector | undefined {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  if (matchLabelKeys.length + mismatchLabelKeys.length === 0) return labelSelector;
  const labels = pod.metadata.labels ?? {};
  const pick = (operator: string) => (key: string) => ({
    key,
    operator,
    values: [labels[key] ?? ''],
  });
  const known = (key: string): boolean => labels[key] !== undefined;
  const matchExpressions = [
    ...(labelSelector?.matchExpressions ?? []),
    ...matchLabelKeys.filter(known).map(pick('In')),
    ...mismatchLabelKeys.filter(known).map(pick('NotIn')),
  ];
  return { ...labelSelector, matchExpressions };
}

/** Labels of a namespace; for namespace selectors. */
export type NamespaceLabels = (name: string) => Readonly<Record<string, string>> | undefined;

export function matches(matcher: Matcher, pod: Pod, namespaceLabels: NamespaceLabels): boolean {
  const namespace = pod.metadata.namespace ?? '';
  if (matcher.skipTerminating && pod.metadata.deletionTimestamp !== undefined) return false;
  if (!matcher.namespaces.includes(namespace)) {
    if (matcher.namespaceSelector === undefined) return false;
    const labels = namespaceLabels(namespace) ?? {};
    if (!selectorMatches(matcher.namespaceSelector, labels)) return false;
  }
  return selectorMatches(matcher.selector, pod.metadata.labels);
}
