import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import {
  age,
  ageColumn,
  column,
  containerColumns,
  nameColumn,
  selectorCell,
} from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { nameWarnings } from '../shared/warnings.ts';
import type { CronJob, CronJobSpec } from '../types/batch-v1.ts';
import { CronError, isTimeZone, parseCron } from './cron.ts';
import { checkJobSpec } from './job-rules.ts';
import { defaultJobTemplate } from './job.ts';

const zoneWarning =
  'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';

export const cronJobs = declareKind<CronJob>('batch/v1/CronJob', {
  defaults: ({ spec }) => {
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    defaultJobTemplate(spec.jobTemplate.spec);
  },
  prepareForCreate: ({ spec }) =>
    dropDisabledFields(spec.jobTemplate.spec.template.spec, undefined),
  prepareForUpdate: ({ spec }, old) =>
    dropDisabledFields(
      spec.jobTemplate.spec.template.spec,
      old.spec.jobTemplate.spec.template.spec,
    ),
  validateCreate: (job) => validate(job, undefined),
  validateUpdate: validate,
  warnings: (job, old) => {
    const template = podSpecWarnings(
      job.spec.jobTemplate.spec.template,
      'spec.jobTemplate.spec.template.',
    );
    if (old === undefined) return [...nameWarnings(job.metadata.name), ...template];
    const zone = job.spec.schedule.includes('TZ') ? [zoneWarning] : [];
    return job.metadata.generation === old.metadata.generation ? zone : [...zone, ...template];
  },
  table: {
    columns: [
      nameColumn,
      column('Schedule', ({ spec }) => spec.schedule),
      column('Timezone', ({ spec }) => spec.timeZone ?? '<none>'),
      column(
        'Suspend',
        ({ spec: { suspend } }) => (suspend === undefined ? '<unset>' : suspend ? 'True' : 'False'),
        { type: 'boolean' },
      ),
      column('Active', ({ status }) => status.active?.length ?? 0, { type: 'integer' }),
      column('Last Schedule', ({ status }, nowMs) =>
        status.lastScheduleTime ? age(status.lastScheduleTime, nowMs) : '<none>',
      ),
      ageColumn,
      ...containerColumns<CronJob>(({ spec }) => spec.jobTemplate.spec.template.spec),
      column('Selector', ({ spec }) => selectorCell(spec.jobTemplate.spec.selector), {
        wide: true,
      }),
    ],
  },
});

const noZoneText = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';

function validate(job: CronJob, old: CronJob | undefined): readonly Problem[] {
  const root = rootField();
  const { spec } = job;
  const field = root.at('spec');
  if (spec.schedule === '') field.at('schedule').required();
  else checkSchedule(spec, field.at('schedule'), old?.spec.schedule);
  field.at('startingDeadlineSeconds').notNegative(spec.startingDeadlineSeconds);
  if (spec.timeZone !== undefined && spec.timeZone !== old?.spec.timeZone)
    checkZone(spec.timeZone, field.at('timeZone'));
  field.at('concurrencyPolicy').oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
  const template = field.at('jobTemplate.spec');
  const { selector, manualSelector } = spec.jobTemplate.spec;
  checkJobSpec(spec.jobTemplate.spec, template, old?.spec.jobTemplate.spec.template);
  if (selector !== undefined)
    template.at('selector').invalid(selector, '`selector` will be auto-generated');
  if (manualSelector === true) template.at('manualSelector').notSupported(true, ['nil', 'false']);
  field.at('successfulJobsHistoryLimit').notNegative(spec.successfulJobsHistoryLimit);
  field.at('failedJobsHistoryLimit').notNegative(spec.failedJobsHistoryLimit);
  // The controller adds eleven characters to make the name of a Job.
  const { name } = job.metadata;
  if (old === undefined && name.length > 52)
    root.at('metadata.name').invalid(name, 'must be no more than 52 characters');
  return root.found;
}

function checkSchedule(
  { schedule, timeZone }: CronJobSpec,
  field: Field,
  old: string | undefined,
): void {
  try {
    parseCron(schedule);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    field.invalid(schedule, error.message);
  }
  if (!schedule.includes('TZ')) return;
  if (old?.includes('TZ') !== true) field.invalid(schedule, noZoneText);
  else if (timeZone !== undefined)
    field.invalid(schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule');
}

function checkZone(zone: string, field: Field): void {
  if (zone === '') return field.invalid(zone, 'timeZone must be nil or non-empty string');
  const isName = zone
    .split('/')
    .every(
      (part) =>
        part !== '.' &&
        part !== '..' &&
        !part.startsWith('-') &&
        /^[A-Za-z.\-_0-9+]{1,14}$/.test(part),
    );
  if (!isName) return field.invalid(zone, `unknown time zone ${zone}`);
  if (zone.toLowerCase() === 'local')
    field.invalid(
      zone,
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    );
  if (!isTimeZone(zone)) field.invalid(zone, `unknown time zone ${zone}`);
}
