import { declareKind } from '../declare.ts';
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
import type { CronJob } from '../types/batch-v1.ts';
import { checkJobSpec, defaultJobTemplate } from './job.ts';

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
  validateCreate: validate,
  validateUpdate: validate,
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

function validate({ spec }: CronJob) {
  const root = rootField();
  const field = root.at('spec');
  if (spec.schedule === '') field.at('schedule').required();
  field.at('startingDeadlineSeconds').notNegative(spec.startingDeadlineSeconds);
  field.at('concurrencyPolicy').oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace']);
  checkJobSpec(spec.jobTemplate.spec, field.at('jobTemplate.spec'));
  field.at('successfulJobsHistoryLimit').notNegative(spec.successfulJobsHistoryLimit);
  field.at('failedJobsHistoryLimit').notNegative(spec.failedJobsHistoryLimit);
  return root.found;
}
