import { dns1123Label } from '#machinery';
import type { Problem } from '#machinery';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkSelector, selectorMatches } from '../shared/meta.ts';
import { isConditionTrue } from '../shared/conditions.ts';
import { sameValue } from '../shared/same.ts';
import type { Job } from '../types/batch-v1.ts';
import type { Container, PodTemplateSpec } from '../types/core-v1.ts';
import { checkJobSpec } from './job-rules.ts';

export const uidLabel = 'batch.kubernetes.io/controller-uid';
const nameLabel = 'batch.kubernetes.io/job-name';

/** ValidateJob. */
export function validateJob(job: Job, old?: Job): readonly Problem[] {
  const { metadata, spec } = job;
  const root = rootField();
  const field = root.at('spec');
  if (spec.manualSelector !== true && spec.selector !== undefined) checkGenerated(job, root, old);
  checkJobSpec(spec, field, old?.spec.template);
  if (spec.selector === undefined) field.at('selector').required();
  checkSelector(spec.selector, field.at('selector'));
  const { labels } = spec.template.metadata;
  if (spec.selector !== undefined && !selectorMatches(spec.selector, labels))
    field
      .at('template.metadata.labels')
      .invalid(labels ?? null, '`selector` does not match template `labels`');
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const last = `${metadata.name}-${(spec.completions ?? 0) - 1}`;
    if (dns1123Label(last).length > 0)
      root
        .at('metadata.name')
        .invalid(metadata.name, `will not able to create pod with invalid DNS label: ${last}`);
  }
  return root.found;
}

/** Labels and selector that the server made, so that no two Jobs count the same Pods. */
function checkGenerated({ metadata, spec }: Job, root: Field, old: Job | undefined): void {
  const { uid, name } = metadata;
  if (uid === '') root.at('metadata.uid').required();
  const labels = spec.template.metadata.labels ?? {};
  const field = root.at('spec.template.metadata.labels');
  const before = old?.spec.template.metadata.labels;
  // Jobs from before these labels had a domain need not get them.
  const isNew =
    old === undefined || (before?.[uidLabel] !== undefined && before?.[nameLabel] !== undefined);
  const wanted: readonly (readonly [string, string])[] = [
    ['controller-uid', uid],
    ['job-name', name],
    ...(isNew
      ? ([
          [uidLabel, uid],
          [nameLabel, name],
        ] as const)
      : []),
  ];
  for (const [key, value] of wanted) {
    const text = `must be '${value}'`;
    if (labels[key] === undefined) field.key(key).required(text);
    if (labels[key] !== value) field.key(key).invalid(labels, text);
  }
  const generated = Object.fromEntries(wanted);
  if (!selectorMatches(spec.selector, generated))
    root.at('spec.selector').invalid(spec.selector, '`selector` not auto-generated');
}

const fixed = [
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const;

/** ValidateJobUpdate. */
export function validateJobUpdate(job: Job, old: Job): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  root.found.push(...validateJob(job, old));
  const { completions, parallelism, completionMode, selector } = job.spec;
  if (completions !== old.spec.completions) {
    if (completionMode !== 'Indexed') field.at('completions').immutable(completions ?? null);
    else if (completions !== undefined && completions !== parallelism)
      field
        .at('completions')
        .invalid(completions, 'can only be modified in tandem with spec.parallelism');
  }
  if (!sameValue(selector, old.spec.selector)) field.at('selector').immutable(selector ?? null);
  checkTemplateChange(job, old, field);
  for (const name of fixed)
    if (!sameValue(job.spec[name], old.spec[name]))
      field.at(name).immutable(job.spec[name] ?? null);
  return root.found;
}

/** While nothing of a suspended Job runs, queueing controllers may still say where it should. */
function isOpen({ spec, status }: Job): boolean {
  const isSuspended =
    status.startTime === undefined || isConditionTrue(status.conditions, 'Suspended');
  return spec.suspend === true && isSuspended && (status.active ?? 0) === 0;
}

function checkTemplateChange(job: Job, old: Job, field: Field): void {
  const now = job.spec.template;
  const then = old.spec.template;
  if (sameValue(now, then)) return;
  if (!isOpen(old)) return field.at('template').immutable(now);
  const undone = withOldPlacement(now, then);
  if (!sameValue(undone, then.spec)) field.at('template.spec').immutable(undone);
}

function withOldPlacement(
  { spec }: PodTemplateSpec,
  old: PodTemplateSpec,
): PodTemplateSpec['spec'] {
  const restored = (
    now: readonly Container[] | undefined,
    then: readonly Container[] | undefined,
  ) =>
    now?.length === then?.length && now?.every(({ name }, index) => name === then?.[index]?.name)
      ? now?.map((one, index) => ({ ...one, resources: then?.[index]?.resources ?? {} }))
      : now;
  const { nodeAffinity: _now, ...others } = spec.affinity ?? {};
  const affinity = { ...others, nodeAffinity: old.spec.affinity?.nodeAffinity };
  return {
    ...spec,
    affinity: spec.affinity === undefined && old.spec.affinity === undefined ? undefined : affinity,
    nodeSelector: old.spec.nodeSelector,
    tolerations: old.spec.tolerations,
    schedulingGates: old.spec.schedulingGates,
    containers: restored(spec.containers, old.spec.containers) ?? [],
    initContainers: restored(spec.initContainers, old.spec.initContainers),
  };
}
