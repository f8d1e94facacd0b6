import type { Draft, Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { defaultPodSpec } from '../pod-spec/defaults.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import { checkTemplate } from '../pod-spec/template.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import {
  ageColumn,
  column,
  containerColumns,
  humanDuration,
  nameColumn,
  selectorCell,
} from '../shared/columns.ts';
import { timeOr } from '#base';
import { isConditionTrue } from '../shared/conditions.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkSelector, selectorMatches } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import { nameWarnings } from '../shared/warnings.ts';
import type { Job, JobSpec } from '../types/batch-v1.ts';

const uidLabel = 'batch.kubernetes.io/controller-uid';

export const jobs = declareKind<Job>('batch/v1/Job', {
  defaults: (job) => {
    const { spec } = job;
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2_147_483_647;
    const { labels } = spec.template.metadata;
    if (labels !== undefined && Object.keys(job.metadata.labels ?? {}).length === 0)
      job.metadata.labels = { ...labels };
    spec.completionMode ??= 'NonIndexed';
    spec.suspend ??= false;
    spec.podReplacementPolicy ??=
      spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
    spec.manualSelector ??= false;
    defaultJobTemplate(spec);
  },
  prepareForCreate: (job) => {
    if (job.spec.manualSelector !== true) labelPods(job);
    dropDisabledFields(job.spec.template.spec, undefined);
  },
  prepareForUpdate: ({ spec }, old) =>
    dropDisabledFields(spec.template.spec, old.spec.template.spec),
  validateCreate: (job) => validate(job),
  validateUpdate: (job, old) => {
    const root = rootField();
    root.found.push(...validate(job));
    for (const name of [
      'selector',
      'completionMode',
      'podFailurePolicy',
      'backoffLimitPerIndex',
      'managedBy',
      'successPolicy',
    ] as const)
      if (!sameValue(job.spec[name], old.spec[name]))
        root
          .at('spec')
          .at(name)
          .immutable(job.spec[name] ?? null);
    const { completions, parallelism, completionMode } = job.spec;
    if (completions !== old.spec.completions) {
      if (completionMode !== 'Indexed') root.at('spec.completions').immutable(completions ?? null);
      else if (completions !== undefined && completions !== parallelism)
        root
          .at('spec.completions')
          .invalid(completions, 'can only be modified in tandem with spec.parallelism');
    }
    if (old.spec.suspend !== true && !sameValue(job.spec.template, old.spec.template))
      root.at('spec.template').immutable(job.spec.template);
    return root.found;
  },
  warnings: (job, old) => {
    const template = podSpecWarnings(job.spec.template, 'spec.template.');
    if (old === undefined) return [...nameWarnings(job.metadata.name), ...template];
    return job.metadata.generation === old.metadata.generation ? [] : template;
  },
  selectableFields: { 'status.successful': ({ status }) => `${status.succeeded ?? 0}` },
  table: {
    columns: [
      nameColumn,
      column('Status', statusCell),
      column('Completions', completionsCell),
      column('Duration', ({ status }, nowMs) => {
        if (!status.startTime) return '';
        const start = timeOr(status.startTime, nowMs);
        return humanDuration(timeOr(status.completionTime, nowMs) - start);
      }),
      ageColumn,
      ...containerColumns<Job>(({ spec }) => spec.template.spec),
      column('Selector', ({ spec }) => selectorCell(spec.selector), { wide: true }),
    ],
  },
});

/** What a Job and the Jobs of a CronJob have in common. */
export function defaultJobTemplate(spec: Draft<JobSpec>): void {
  for (const rule of spec.podFailurePolicy?.rules ?? [])
    for (const condition of rule.onPodConditions ?? []) condition.status ||= 'True';
  defaultPodSpec(spec.template.spec);
}

function labelPods({ metadata, spec }: Draft<Job>): void {
  const { name, uid } = metadata;
  spec.template.metadata.labels = {
    'job-name': name,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    [uidLabel]: uid,
    ...spec.template.metadata.labels,
  };
  spec.selector = {
    ...spec.selector,
    matchLabels: { [uidLabel]: uid, ...spec.selector?.matchLabels },
  };
}

function statusCell({ metadata, status: { conditions } }: Job): string {
  if (isConditionTrue(conditions, 'Complete')) return 'Complete';
  if (isConditionTrue(conditions, 'Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  const found = ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find((type) =>
    isConditionTrue(conditions, type),
  );
  return found ?? 'Running';
}
function completionsCell({ spec, status }: Job): string {
  const done = status.succeeded ?? 0;
  if (spec.completions !== undefined) return `${done}/${spec.completions}`;
  const parallel = spec.parallelism ?? 0;
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`;
}

function validate({ spec }: Job): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  checkJobSpec(spec, field);
  if (spec.selector === undefined) field.at('selector').required();
  checkSelector(spec.selector, field.at('selector'));
  const { labels } = spec.template.metadata;
  if (spec.selector !== undefined && !selectorMatches(spec.selector, labels))
    field
      .at('template.metadata.labels')
      .invalid(labels ?? null, '`selector` does not match template `labels`');
  return root.found;
}

export function checkJobSpec(spec: JobSpec, field: Field): void {
  for (const name of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ] as const)
    field.at(name).notNegative(spec[name]);
  const { completionMode } = spec;
  if (completionMode !== undefined && !['NonIndexed', 'Indexed'].includes(completionMode))
    field.at('completionMode').notSupported(completionMode, ['NonIndexed', 'Indexed']);
  if (completionMode === 'Indexed' && spec.completions === undefined)
    field.at('completions').required('when completion mode is Indexed');
  checkTemplate(spec.template, field.at('template'));
  const restart = spec.template.spec.restartPolicy ?? '';
  const at = field.at('template.spec.restartPolicy');
  if (restart === '' || restart === 'Always') at.required('valid values: "OnFailure", "Never"');
  else if (restart !== 'OnFailure' && restart !== 'Never')
    at.notSupported(restart, ['OnFailure', 'Never']);
  else if (spec.podFailurePolicy !== undefined && restart !== 'Never')
    at.invalid(restart, 'only "Never" is supported when podFailurePolicy is specified');
}
