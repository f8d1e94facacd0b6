import { dns1123Subdomain, domainPrefixedPath, qualifiedName } from '#machinery';
import { checkTemplate } from '../pod-spec/template.ts';
import type { Field } from '../shared/field.ts';
import type {
  JobSpec,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from '../types/batch-v1.ts';
import type { PodTemplateSpec } from '../types/core-v1.ts';
import { parseIndexes } from './indexes.ts';

const parallelMax = 100_000;
const parallelManyMax = 10_000;
const rulesMax = 20;
const valuesMax = 255;

/** What Jobs and the Jobs of a CronJob are held to (validateJobSpec), in its order. */
export function checkJobSpec(spec: JobSpec, field: Field, old?: PodTemplateSpec): void {
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
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    field.at('backoffLimitPerIndex').required('when maxFailedIndexes is specified');
  if (spec.managedBy !== undefined) checkManager(spec.managedBy, field.at('managedBy'));
  const { completionMode } = spec;
  if (completionMode !== undefined && !['NonIndexed', 'Indexed'].includes(completionMode))
    field.at('completionMode').notSupported(completionMode, ['NonIndexed', 'Indexed']);
  if (completionMode === 'Indexed') checkIndexed(spec, field);
  else
    for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      if (spec[name] !== undefined)
        field.at(name).invalid(spec[name], 'requires indexed completion mode');
  if (spec.podFailurePolicy !== undefined) checkFailurePolicy(spec, field.at('podFailurePolicy'));
  if (spec.successPolicy !== undefined)
    checkSuccessPolicy(spec.successPolicy, field.at('successPolicy'), spec);
  checkReplacement(spec, field.at('podReplacementPolicy'));
  checkTemplate(spec.template, field.at('template'), old);
  checkRestart(spec, field.at('template.spec.restartPolicy'));
}

function checkManager(name: string, field: Field): void {
  if (name === '') field.required();
  else if (dns1123Subdomain(name.split('/')[0] ?? '').length > 0 && name.includes('/'))
    field.invalidAll(name.split('/')[0], dns1123Subdomain(name.split('/')[0] ?? ''));
  else field.invalidAll(name, domainPrefixedPath(name));
  if (name.length > 63) field.tooLong(63);
}

function checkIndexed(spec: JobSpec, field: Field): void {
  const { completions, parallelism, maxFailedIndexes } = spec;
  if (completions === undefined)
    field.at('completions').required('when completion mode is Indexed');
  if (parallelism !== undefined && parallelism > parallelMax)
    field
      .at('parallelism')
      .invalid(
        parallelism,
        `must be less than or equal to ${parallelMax} when completion mode is Indexed`,
      );
  const at = field.at('maxFailedIndexes');
  if (maxFailedIndexes !== undefined) {
    if (completions !== undefined && maxFailedIndexes > completions)
      at.invalid(maxFailedIndexes, 'must be less than or equal to completions');
    if (maxFailedIndexes > parallelMax)
      at.invalid(maxFailedIndexes, `must be less than or equal to ${parallelMax}`);
  }
  if ((completions ?? 0) <= parallelMax || spec.backoffLimitPerIndex === undefined) return;
  const many = `must be less than or equal to ${parallelManyMax} when completions are above ${parallelMax} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined)
    at.required(`must be specified when completions is above ${parallelMax}`);
  if ((parallelism ?? 0) > parallelManyMax) field.at('parallelism').invalid(parallelism, many);
  if ((maxFailedIndexes ?? 0) > parallelManyMax) at.invalid(maxFailedIndexes, many);
}

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];

function checkFailurePolicy(spec: JobSpec, field: Field): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > rulesMax) field.at('rules').tooMany(rules.length, rulesMax);
  const pod = spec.template.spec;
  const names = [...(pod.containers ?? []), ...(pod.initContainers ?? [])].map(({ name }) => name);
  for (const [index, rule] of rules.entries()) {
    const at = field.at('rules').at(index);
    if (rule.action === '') at.at('action').required(validValues(actions));
    else if (rule.action === 'FailIndex') {
      if (spec.backoffLimitPerIndex === undefined)
        at.at('action').invalid(rule.action, 'requires the backoffLimitPerIndex to be set');
    } else if (!actions.includes(rule.action)) at.at('action').notSupported(rule.action, actions);
    checkExitCodes(rule, at.at('onExitCodes'), names);
    checkConditions(rule, at.at('onPodConditions'));
    const hasConditions = (rule.onPodConditions ?? []).length > 0;
    if (rule.onExitCodes !== undefined && hasConditions)
      at.omitted('specifying both OnExitCodes and OnPodConditions is not supported');
    if (rule.onExitCodes === undefined && !hasConditions)
      at.omitted('specifying one of OnExitCodes and OnPodConditions is required');
  }
}

function validValues(values: readonly string[]): string {
  return `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}

function checkExitCodes(
  { onExitCodes }: PodFailurePolicyRule,
  field: Field,
  names: readonly string[],
): void {
  if (onExitCodes === undefined) return;
  const { operator, containerName } = onExitCodes;
  // A client may have left the list out, which is written as null.
  const values: readonly number[] = onExitCodes.values ?? [];
  if (operator === '') field.at('operator').required(validValues(['In', 'NotIn']));
  else if (operator !== 'In' && operator !== 'NotIn')
    field.at('operator').notSupported(operator, ['In', 'NotIn']);
  if (containerName !== undefined && !names.includes(containerName))
    field
      .at('containerName')
      .invalid(
        containerName,
        'must be one of the container or initContainer names in the pod template',
      );
  const at = field.at('values');
  if (values.length === 0) at.invalid(values, 'at least one value is required');
  else if (values.length > valuesMax) at.tooMany(values.length, valuesMax);
  const seen = new Set<number>();
  let isOrdered = true;
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0)
      at.at(index).invalid(value, 'must not be 0 for the In operator');
    if (seen.has(value)) at.at(index).duplicate(value);
    if (value < (values[index - 1] ?? value)) isOrdered = false;
    seen.add(value);
  }
  if (!isOrdered) at.invalid(values, 'must be ordered');
}

const statuses = ['False', 'True', 'Unknown'];

function checkConditions({ onPodConditions = [] }: PodFailurePolicyRule, field: Field): void {
  if (onPodConditions.length > rulesMax) field.tooMany(onPodConditions.length, rulesMax);
  for (const [index, { type, status }] of onPodConditions.entries()) {
    const at = field.at(index);
    at.at('type').invalidAll(type, qualifiedName(type));
    if (status === '') at.at('status').required(validValues(statuses));
    else if (!statuses.includes(status)) at.at('status').notSupported(status, statuses);
  }
}

function checkSuccessPolicy({ rules }: SuccessPolicy, field: Field, spec: JobSpec): void {
  if (spec.completionMode !== 'Indexed') {
    field.invalid({ Rules: rules ?? [] }, 'requires indexed completion mode');
    return;
  }
  if ((rules ?? []).length === 0)
    field
      .at('rules')
      .required('at least one rules must be specified when the successPolicy is specified');
  if ((rules ?? []).length > rulesMax) field.at('rules').tooMany(rules.length, rulesMax);
  for (const [index, rule] of (rules ?? []).entries())
    checkSuccessRule(rule, field.at('rules').at(index), spec.completions);
}

function checkSuccessRule(
  { succeededCount, succeededIndexes }: SuccessPolicyRule,
  field: Field,
  completions: number | undefined,
): void {
  if (succeededCount === undefined && succeededIndexes === undefined)
    return field.required('at least one of succeededCount or succeededIndexes must be specified');
  let listed: number | undefined;
  if (succeededIndexes !== undefined) {
    const at = field.at('succeededIndexes');
    if (succeededIndexes.length > 65_536) at.tooLong(65_536);
    const parsed = parseIndexes(succeededIndexes, completions ?? 0);
    if (typeof parsed === 'string')
      at.invalid(succeededIndexes, `error parsing succeededIndexes: ${parsed}`);
    else listed = parsed.total;
  }
  if (succeededCount === undefined) return;
  const at = field.at('succeededCount');
  at.notNegative(succeededCount);
  if (completions !== undefined && succeededCount > completions)
    at.invalid(
      succeededCount,
      `must be less than or equal to ${completions} (the number of specified completions)`,
    );
  if (listed !== undefined && succeededCount > listed)
    at.invalid(
      succeededCount,
      `must be less than or equal to ${listed} (the number of indexes in the specified succeededIndexes field)`,
    );
}

function checkReplacement({ podReplacementPolicy, podFailurePolicy }: JobSpec, field: Field): void {
  if (podReplacementPolicy === undefined) return;
  const allowed = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  if (!allowed.includes(podReplacementPolicy)) field.notSupported(podReplacementPolicy, allowed);
}

function checkRestart({ template, podFailurePolicy }: JobSpec, field: Field): void {
  const restart = template.spec.restartPolicy ?? '';
  if (restart === '' || restart === 'Always') field.required('valid values: "OnFailure", "Never"');
  else if (restart !== 'OnFailure' && restart !== 'Never')
    field.notSupported(restart, ['OnFailure', 'Never']);
  else if (podFailurePolicy !== undefined && restart !== 'Never')
    field.invalid(restart, 'only "Never" is supported when podFailurePolicy is specified');
}
