import { timeOr } from '#base';
import type { Problem } from '#machinery';
import { isConditionTrue } from '../shared/conditions.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { Job } from '../types/batch-v1.ts';
import { overlap, parseIndexes } from './indexes.ts';

type Type = 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet' | 'Suspended';

/** One side of a status write: what its conditions and counters say. */
class Side {
  readonly job: Job;
  constructor(job: Job) {
    this.job = job;
  }
  is(type: Type): boolean {
    return isConditionTrue(this.job.status.conditions, type);
  }
  get finished(): boolean {
    return this.is('Complete') || this.is('Failed');
  }
}

/** ValidateJobUpdateStatus: a status that contradicts itself or takes back what was final. */
export function validateJobStatus(job: Job, old: Job): readonly Problem[] {
  const root = rootField();
  const field = root.at('status');
  const now = new Side(job);
  const then = new Side(old);
  checkCounters(now, then, field);
  checkPairs(now, then, field.at('conditions'));
  checkTimes(now, then, field);
  checkIndexes(now, then, field);
  checkEnd(now, then, field);
  checkFinal(now, then, field.at('conditions'));
  return root.found;
}

function checkCounters(now: Side, then: Side, field: Field): void {
  const { status, spec } = now.job;
  const before = then.job.status;
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const)
    field.at(name).notNegative(status[name]);
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const)
    for (const [index, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const at = field.at('uncountedTerminatedPods').at(list).at(index);
      if (uid === '') at.invalid(uid, 'must not be empty');
      else if (seen.has(uid)) at.duplicate(uid);
      seen.add(uid);
    }
  if ((status.failed ?? 0) < (before.failed ?? 0))
    field.at('failed').invalid(status.failed ?? 0, 'cannot decrease the failed counter');
  const isElastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if ((status.succeeded ?? 0) < (before.succeeded ?? 0) && !isElastic)
    field.at('succeeded').invalid(status.succeeded ?? 0, 'cannot decrease the succeeded counter');
  if ((status.ready ?? 0) > (status.active ?? 0) && (status.ready ?? 0) > 0)
    field.at('ready').invalid(status.ready, 'cannot set more ready pods than active');
}

const pairs: readonly (readonly [Type, Type, string])[] = [
  ['Complete', 'Failed', 'cannot set Complete=True and Failed=true conditions'],
  ['Complete', 'FailureTarget', 'cannot set Complete=True and FailureTarget=true conditions'],
  ['SuccessCriteriaMet', 'Failed', 'cannot set SuccessCriteriaMet=True and Failed=true conditions'],
  [
    'SuccessCriteriaMet',
    'FailureTarget',
    'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
  ],
];

function checkPairs(now: Side, then: Side, field: Field): void {
  const changed = (type: Type): boolean => now.is(type) !== then.is(type);
  for (const [a, b, text] of pairs)
    if (now.is(a) && now.is(b) && (changed(a) || changed(b))) field.omitted(text);
  if (now.is('Failed') && !now.is('FailureTarget') && changed('Failed'))
    field.omitted('cannot set Failed=True condition without the FailureTarget=true condition');
  if (now.is('Complete') && !now.is('SuccessCriteriaMet') && changed('Complete'))
    field.omitted(
      'cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
    );
}

function checkTimes(now: Side, then: Side, field: Field): void {
  const { startTime, completionTime, conditions: _all } = now.job.status;
  const before = then.job.status;
  if (completionTime !== undefined && !now.is('Complete'))
    field
      .at('completionTime')
      .invalid(
        completionTime,
        'cannot set completionTime when there is no Complete=True condition',
      );
  if (completionTime === undefined && now.is('Complete'))
    field.at('completionTime').required('completionTime is required for Complete jobs');
  if (timeOr(completionTime, Infinity) < timeOr(startTime, -Infinity))
    field.at('completionTime').invalid(completionTime, 'must be equal to or after `startTime`');
  if (
    completionTime !== undefined &&
    before.completionTime !== undefined &&
    completionTime !== before.completionTime
  )
    field.at('completionTime').immutable(completionTime);
  const resumes = then.is('Suspended') && !now.is('Suspended');
  const isSuspended = now.job.spec.suspend === true;
  if (before.startTime !== undefined && startTime !== before.startTime && !isSuspended && !resumes)
    field
      .at('startTime')
      .invalid(startTime ?? null, 'field is immutable for unsuspended job once set');
}

function checkIndexes(now: Side, then: Side, field: Field): void {
  const { status, spec } = now.job;
  const { completedIndexes = '', failedIndexes } = status;
  const before = then.job.status;
  if (
    sameValue(completedIndexes, before.completedIndexes ?? '') &&
    failedIndexes === before.failedIndexes
  )
    return;
  if (spec.completionMode !== 'Indexed') {
    if (completedIndexes !== '')
      field
        .at('completedIndexes')
        .invalid(
          completedIndexes,
          'cannot set non-empty completedIndexes when non-indexed completion mode',
        );
    return;
  }
  const done = parseIndexes(completedIndexes, spec.completions ?? 0);
  if (typeof done === 'string')
    field
      .at('completedIndexes')
      .invalid(completedIndexes, `error parsing completedIndexes: ${done}`);
  if (failedIndexes === undefined) return;
  const at = field.at('failedIndexes');
  if (spec.backoffLimitPerIndex === undefined)
    return at.invalid(
      failedIndexes,
      'cannot set non-null failedIndexes when backoffLimitPerIndex is null',
    );
  const failed = parseIndexes(failedIndexes, spec.completions ?? 0);
  if (typeof failed === 'string')
    return at.invalid(failedIndexes, `error parsing failedIndexes: ${failed}`);
  const both = typeof done === 'string' ? undefined : overlap(failed, done);
  if (both !== undefined)
    at.invalid(failedIndexes, `failedIndexes and completedIndexes overlap at index: ${both}`);
}

function checkEnd(now: Side, then: Side, field: Field): void {
  if (!now.finished) return;
  const { status, spec } = now.job;
  const { active = 0, terminating = 0, uncountedTerminatedPods } = status;
  if (active > 0) field.at('active').invalid(active, 'active>0 is invalid for finished job');
  const ranNothing = spec.suspend === true && spec.completions === 0;
  if (status.startTime === undefined && !ranNothing && !then.finished)
    field.at('startTime').required('startTime is required for finished job');
  const uncounted =
    (uncountedTerminatedPods?.succeeded ?? []).length +
    (uncountedTerminatedPods?.failed ?? []).length;
  if (uncounted > 0)
    field
      .at('uncountedTerminatedPods')
      .invalid(uncountedTerminatedPods, 'must be empty for finished job');
  if (terminating > 0)
    field.at('terminating').invalid(terminating, 'terminating>0 is invalid for finished job');
}

/** What was final stays. */
function checkFinal(now: Side, then: Side, field: Field): void {
  if (
    now.job.spec.successPolicy !== undefined &&
    now.is('Complete') &&
    !now.is('SuccessCriteriaMet')
  )
    field.omitted(
      'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True',
    );
  for (const type of ['Failed', 'Complete', 'FailureTarget'] as const)
    if (then.is(type) && !now.is(type))
      field.omitted(`cannot disable the terminal ${type}=True condition`);
  if (then.is('SuccessCriteriaMet') && !now.is('SuccessCriteriaMet'))
    field.omitted('cannot disable the SuccessCriteriaMet=True condition');
  if (then.is('Complete') && !then.is('SuccessCriteriaMet') && now.is('SuccessCriteriaMet'))
    field.omitted(
      'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
    );
}
