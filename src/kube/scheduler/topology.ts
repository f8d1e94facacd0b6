import type { TopologySpreadConstraint } from '#kube/kinds';
import { untoleratedTaint } from '#kube/kinds';
import { wantsNode } from './node-match.ts';
import type { Domains, NodeTable } from './nodes.ts';
import type { PodIndex, RowCounts } from './pod-index.ts';
import { scoreWeights } from './scores.ts';
import type { Shape } from './shape.ts';
import { matcherOf, matches, type NamespaceLabels, type Term } from './terms.ts';

/** Why a row is refused by what runs elsewhere. Codes follow those of node and room filters. */
export const topologyReasons = [
  { plugin: 'PodTopologySpread', reason: "node(s) didn't match pod topology spread constraints" },
  {
    plugin: 'PodTopologySpread',
    reason: "node(s) didn't match pod topology spread constraints (missing required label)",
  },
  { plugin: 'InterPodAffinity', reason: "node(s) didn't match pod affinity rules" },
  { plugin: 'InterPodAffinity', reason: "node(s) didn't match pod anti-affinity rules" },
  {
    plugin: 'InterPodAffinity',
    reason: "node(s) didn't satisfy existing pods anti-affinity rules",
  },
] as const;
const spreadSkew = 1;
const spreadLabel = 2;
const affinityMissing = 3;
const antiAffinity = 4;
const existingAntiAffinity = 5;

/** What a placement must look at, resolved once for a batch of one shape. */
export interface TopologyPlan {
  readonly spread: readonly SpreadRule[];
  readonly affinity: readonly CountedTerm[];
  readonly antiAffinity: readonly CountedTerm[];
  readonly existing: readonly CountedTerm[];
  readonly scored: readonly CountedTerm[];
  /** A first Pod of a group may go anywhere although its affinity names its own group. */
  readonly selfAffinity: boolean;
}
interface CountedTerm {
  readonly weight: number;
  readonly domains: Domains;
  readonly counts: RowCounts;
}
interface SpreadRule {
  readonly constraint: TopologySpreadConstraint;
  readonly domains: Domains;
  readonly counts: RowCounts;
  readonly self: number;
  /** 1 where the row's Pods and domain count. */
  readonly eligible: Uint8Array;
  /** Room to reckon in, by domain: a batch asks thousands of times. */
  readonly sums: Float64Array;
  readonly seen: Uint8Array;
}

export interface TopologyWorld {
  readonly table: NodeTable;
  readonly index: PodIndex;
  readonly namespaceLabels: NamespaceLabels;
}

/** Undefined when nothing that runs elsewhere matters to the shape. */
export function planTopology(shape: Shape, world: TopologyWorld): TopologyPlan | undefined {
  const { table, index, namespaceLabels } = world;
  const { terms, example } = shape;
  const counted = (term: Term): CountedTerm => ({
    weight: term.weight,
    domains: table.domains(term.topologyKey),
    counts: index.counts(term.matcher),
  });
  const about = index.termsAbout(example);
  const ofExisting = (kind: string): readonly CountedTerm[] =>
    about
      .filter((owners) => owners.kind === kind)
      .map(({ term, counts, total }) => ({
        weight: kind === 'affinity' ? 1 : term.weight,
        domains: table.domains(term.topologyKey),
        counts: { counts, total },
      }));
  const plan: TopologyPlan = {
    spread: shape.constraints.map((constraint) => spreadRule(constraint, shape, world)),
    affinity: terms.affinity.map(counted),
    antiAffinity: terms.antiAffinity.map(counted),
    existing: ofExisting('anti'),
    scored: [
      ...[...terms.preferred, ...terms.preferredAnti].map(counted),
      ...ofExisting('preferred'),
      ...ofExisting('affinity'),
    ],
    selfAffinity: terms.affinity.every(({ matcher }) => matches(matcher, example, namespaceLabels)),
  };
  const rules =
    plan.spread.length +
    plan.affinity.length +
    plan.antiAffinity.length +
    plan.existing.length +
    plan.scored.length;
  return rules === 0 ? undefined : plan;
}

function spreadRule(
  constraint: TopologySpreadConstraint,
  shape: Shape,
  { table, index, namespaceLabels }: TopologyWorld,
): SpreadRule {
  const matcher = matcherOf({
    namespaces: [shape.example.metadata.namespace ?? ''],
    namespaceSelector: undefined,
    selector: constraint.labelSelector,
    skipTerminating: true,
  });
  const eligible = new Uint8Array(table.version.length);
  const { tolerations } = shape.example.spec;
  for (const row of table.row.values()) {
    const node = table.nodes[row];
    if (node === undefined) continue;
    if (constraint.nodeAffinityPolicy !== 'Ignore' && !wantsNode(shape.wishes, node)) continue;
    if (
      constraint.nodeTaintsPolicy === 'Honor' &&
      untoleratedTaint(node.spec.taints, tolerations, ['NoSchedule', 'NoExecute']) !== undefined
    )
      continue;
    eligible[row] = 1;
  }
  const domains = table.domains(constraint.topologyKey);
  return {
    constraint,
    domains,
    sums: new Float64Array(domains.ids.size),
    seen: new Uint8Array(domains.ids.size),
    counts: index.counts(matcher),
    self: matches(matcher, shape.example, namespaceLabels) ? 1 : 0,
    eligible,
  };
}

/** Marks the rows that topology refuses with 1-based codes of `topologyReasons`; 0 is free to use. */
export function judgeTopology(plan: TopologyPlan, rows: number, refused: Uint8Array): void {
  refused.fill(0, 0, rows);
  for (const rule of plan.spread)
    if (rule.constraint.whenUnsatisfiable === 'DoNotSchedule') judgeSpread(rule, rows, refused);
  const anyMatch = plan.affinity.some(({ counts }) => counts.total > 0);
  for (const { domains, counts } of plan.affinity) {
    const sums = sumByDomain(domains, counts.counts, rows);
    for (let row = 0; row < rows; row++) {
      if (refused[row] !== 0) continue;
      const domain = domains.of[row] ?? -1;
      const there = domain >= 0 && (sums[domain] ?? 0) > 0;
      if (!there && (domain < 0 || anyMatch || !plan.selfAffinity)) refused[row] = affinityMissing;
    }
  }
  for (const [list, code] of [
    [plan.antiAffinity, antiAffinity],
    [plan.existing, existingAntiAffinity],
  ] as const)
    for (const { domains, counts } of list) {
      if (counts.total === 0) continue;
      const sums = sumByDomain(domains, counts.counts, rows);
      for (let row = 0; row < rows; row++) {
        const domain = domains.of[row] ?? -1;
        if (refused[row] === 0 && domain >= 0 && (sums[domain] ?? 0) > 0) refused[row] = code;
      }
    }
}

function judgeSpread(rule: SpreadRule, rows: number, refused: Uint8Array): void {
  const { constraint, domains, eligible, self, sums, seen } = rule;
  const { of } = domains;
  sumEligible(rule, rows);
  seen.fill(0);
  for (let row = 0; row < rows; row++) {
    const domain = of[row] ?? -1;
    if (domain >= 0 && eligible[row] === 1) seen[domain] = 1;
  }
  let least = Number.POSITIVE_INFINITY;
  let found = 0;
  for (let domain = 0; domain < sums.length; domain++) {
    if (seen[domain] !== 1) continue;
    found++;
    least = Math.min(least, sums[domain] ?? 0);
  }
  if (found < (constraint.minDomains ?? 1) || found === 0) least = 0;
  for (let row = 0; row < rows; row++) {
    if (refused[row] !== 0) continue;
    const domain = of[row] ?? -1;
    if (domain < 0) refused[row] = spreadLabel;
    else if ((sums[domain] ?? 0) + self - least > constraint.maxSkew) refused[row] = spreadSkew;
  }
}

/** Brings `rule.sums` up to date: matching Pods by domain, on rows that count. */
function sumEligible({ domains, counts, eligible, sums }: SpreadRule, rows: number): void {
  const { of } = domains;
  const onRow = counts.counts;
  sums.fill(0);
  if (counts.total === 0) return;
  for (let row = 0; row < rows; row++) {
    const here = onRow[row] ?? 0;
    if (here === 0 || eligible[row] !== 1) continue;
    const domain = of[row] ?? -1;
    if (domain >= 0) sums[domain] = (sums[domain] ?? 0) + here;
  }
}

function sumByDomain(domains: Domains, counts: Int32Array, rows: number): Int32Array {
  const sums = new Int32Array(domains.ids.size);
  const { of } = domains;
  for (let row = 0; row < rows; row++) {
    const domain = of[row] ?? -1;
    if (domain >= 0) sums[domain] = (sums[domain] ?? 0) + (counts[row] ?? 0);
  }
  return sums;
}

interface ScoreOptions {
  readonly rows: number;
  readonly into: Float64Array;
  /** As long as `into`; its content is of no interest before and after. */
  readonly raw: Float64Array;
  readonly defaulted: boolean;
}

/** Adds the weighted scores of affinity and spreading for the rows that are still possible. */
export function scoreTopology(
  plan: TopologyPlan,
  possible: Uint8Array,
  options: ScoreOptions,
): void {
  if (plan.scored.length > 0) scoreTerms(plan.scored, possible, options);
  const soft = plan.spread.filter(
    ({ constraint }) => constraint.whenUnsatisfiable === 'ScheduleAnyway',
  );
  if (soft.length > 0) scoreSpread(soft, possible, options);
}

function scoreTerms(
  terms: readonly CountedTerm[],
  possible: Uint8Array,
  { rows, into, raw }: ScoreOptions,
): void {
  raw.fill(0, 0, rows);
  for (const { weight, domains, counts } of terms) {
    if (counts.total === 0) continue;
    const sums = sumByDomain(domains, counts.counts, rows);
    for (let row = 0; row < rows; row++) {
      const domain = domains.of[row] ?? -1;
      if (domain >= 0) raw[row] = (raw[row] ?? 0) + weight * (sums[domain] ?? 0);
    }
  }
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    if (possible[row] !== 1) continue;
    min = Math.min(min, raw[row] ?? 0);
    max = Math.max(max, raw[row] ?? 0);
  }
  if (max <= min) return;
  for (let row = 0; row < rows; row++)
    if (possible[row] === 1)
      into[row] =
        (into[row] ?? 0) +
        scoreWeights.interPodAffinity * Math.floor((100 * ((raw[row] ?? 0) - min)) / (max - min));
}

/** Few Pods in a row's domains score high; as PodTopologySpread's Score and NormalizeScore have it. */
function scoreSpread(
  rules: readonly SpreadRule[],
  possible: Uint8Array,
  { rows, into, raw, defaulted }: ScoreOptions,
): void {
  raw.fill(0, 0, rows);
  for (const rule of rules) {
    const { of } = rule.domains;
    const { sums } = rule;
    sumEligible(rule, rows);
    const weight = Math.log(domainsAmong(rule, possible, rows) + 2);
    const base = rule.constraint.maxSkew - 1;
    for (let domain = 0; domain < sums.length; domain++)
      sums[domain] = (sums[domain] ?? 0) * weight + base;
    for (let row = 0; row < rows; row++) {
      const domain = of[row] ?? -1;
      if (domain >= 0) raw[row] = (raw[row] ?? 0) + (sums[domain] ?? 0);
      // System defaults count what they can; a declared constraint ignores such nodes.
      else if (!defaulted) raw[row] = Number.NaN;
    }
  }
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (let row = 0; row < rows; row++) {
    if (possible[row] !== 1) continue;
    const value = Math.floor((raw[row] ?? 0) + 0.5);
    raw[row] = value;
    // Neither holds of NaN: an ignored row.
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const { podTopologySpread } = scoreWeights;
  for (let row = 0; row < rows; row++) {
    const value = raw[row] ?? 0;
    if (possible[row] !== 1 || Number.isNaN(value)) continue;
    const score = max === 0 ? 100 : Math.floor((100 * (max + min - value)) / max);
    into[row] = (into[row] ?? 0) + podTopologySpread * score;
  }
}

/** How many domains the possible rows are in. */
function domainsAmong({ domains, seen }: SpreadRule, possible: Uint8Array, rows: number): number {
  const { of } = domains;
  seen.fill(0);
  let found = 0;
  for (let row = 0; row < rows && found < seen.length; row++) {
    const domain = of[row] ?? -1;
    if (domain < 0 || possible[row] !== 1 || seen[domain] === 1) continue;
    seen[domain] = 1;
    found++;
  }
  return found;
}
