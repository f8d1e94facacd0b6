import type { Draft } from '#machinery';
import { declareKind } from '../declare.ts';
import { defaultPodSpec } from '../pod-spec/defaults.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
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
import { nameWarnings } from '../shared/warnings.ts';
import type { Job, JobSpec } from '../types/batch-v1.ts';
import { validateJobStatus } from './job-status.ts';
import { uidLabel, validateJob, validateJobUpdate } from './job-validation.ts';

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
  validateCreate: (job) => validateJob(job),
  validateUpdate: validateJobUpdate,
  validateStatusUpdate: validateJobStatus,
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
