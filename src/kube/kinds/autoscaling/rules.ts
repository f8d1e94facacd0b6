import { compareQuantities } from '#base';
import { dns1123Label, pathSegmentName } from '#machinery';
import type { Problem } from '#machinery';
import { checkContainerResourceName } from '../pod-spec/resources.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import type {
  CrossVersionObjectReference,
  HPAScalingRules,
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricTarget,
} from '../types/autoscaling-v2.ts';

const sources = ['object', 'external', 'pods', 'resource', 'containerResource'] as const;
type Source = (typeof sources)[number];
/** The source that each type of metric reads. */
const types: Readonly<Record<string, Source>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};
const windowSecondsMax = 3600;
const periodSecondsMax = 1800;

/** ValidateHorizontalPodAutoscaler and its update. */
export function validateAutoscaler(
  { spec }: HorizontalPodAutoscaler,
  old?: HorizontalPodAutoscaler,
): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior } = spec;
  const least = old?.spec.minReplicas === 0 ? 0 : 1;
  if (minReplicas !== undefined && minReplicas < least)
    field.at('minReplicas').invalid(minReplicas, `must be greater than or equal to ${least}`);
  if (maxReplicas === 0) field.at('maxReplicas').required('must be set and greater than 0');
  else if (maxReplicas < 0)
    field.at('maxReplicas').invalid(maxReplicas, 'must be greater than or equal to 1');
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    field.at('maxReplicas').invalid(maxReplicas, 'must be greater than or equal to `minReplicas`');
  const before = old?.spec.scaleTargetRef;
  const isKept =
    before?.apiVersion === scaleTargetRef.apiVersion && before?.kind === scaleTargetRef.kind;
  checkReference(scaleTargetRef, field.at('scaleTargetRef'), !isKept);
  for (const [index, metric] of metrics.entries())
    checkMetric(metric, field.at('metrics').at(index));
  const scalesFromZero = metrics.some(
    ({ object, external }) => object !== undefined || external !== undefined,
  );
  if (minReplicas === 0 && !scalesFromZero)
    field
      .at('metrics')
      .forbidden(
        'must specify at least one Object or External metric to support scaling to zero replicas',
      );
  for (const name of ['scaleUp', 'scaleDown'] as const) {
    const rules = behavior?.[name];
    if (rules !== undefined) checkScaling(rules, field.at('behavior').at(name));
  }
  return root.found;
}

function checkReference(
  { kind, name, apiVersion = '' }: CrossVersionObjectReference,
  field: Field,
  mustHaveGroup: boolean,
): void {
  for (const [key, value] of Object.entries({ kind, name }))
    if (value === '') field.at(key).required();
    else field.at(key).invalidAll(value, pathSegmentName(value));
  const at = field.at('apiVersion');
  if (apiVersion.split('/').length > 2)
    at.invalid(apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  else if (mustHaveGroup && kind !== 'ReplicationController' && !/^[^/]+\/./.test(apiVersion))
    at.invalid(apiVersion, 'apiVersion must specify API group');
}

function checkMetric(metric: MetricSpec, field: Field): void {
  const at = field.at('type');
  const wanted = Object.hasOwn(types, metric.type) ? types[metric.type] : undefined;
  if (metric.type === '') at.required('must specify a metric source type');
  // The reference says it twice.
  for (let twice = 0; twice < 2 && wanted === undefined; twice++)
    at.notSupported(metric.type, Object.keys(types));
  const given = sources.filter((source) => metric[source] !== undefined);
  if (wanted !== undefined && metric[wanted] === undefined)
    field.at(wanted).required('must populate information for the given metric source');
  if (wanted !== undefined && given.length !== 1)
    for (const source of given)
      if (source !== wanted)
        field.at(source).forbidden('must populate the given metric source only');
  const [first] = given;
  if (first !== undefined) checkSource(metric, first, field.at(first));
}

function checkSource(metric: MetricSpec, source: Source, field: Field): void {
  const { object, external, pods, resource, containerResource } = metric;
  if (source === 'object' && object !== undefined) {
    checkReference(object.describedObject, field.at('describedObject'), false);
    checkMetricName(object.metric.name, field);
    checkTarget(object.target, field.at('target'));
    if (object.target.value === undefined && object.target.averageValue === undefined)
      field.at('target.averageValue').required('must set either a target value or averageValue');
  } else if (source === 'external' && external !== undefined) {
    checkMetricName(external.metric.name, field);
    checkTarget(external.target, field.at('target'));
    const { value, averageValue } = external.target;
    if (value === undefined && averageValue === undefined)
      field
        .at('target.averageValue')
        .required('must set either a target value for metric or a per-pod target');
    if (value !== undefined && averageValue !== undefined)
      field
        .at('target.value')
        .forbidden('may not set both a target value for metric and a per-pod target');
  } else if (source === 'pods' && pods !== undefined) {
    checkMetricName(pods.metric.name, field);
    checkTarget(pods.target, field.at('target'));
    if (pods.target.averageValue === undefined)
      field.at('target.averageValue').required('must specify a positive target averageValue');
  } else if (resource !== undefined) checkResource(resource, field);
  else if (containerResource !== undefined) {
    checkResource(containerResource, field);
    if (containerResource.name !== '')
      checkContainerResourceName(containerResource.name, field.at('name'));
    const { container } = containerResource;
    if (container === '') field.at('container').required('must specify a container');
    else field.at('container').invalidAll(container, dns1123Label(container));
  }
}

function checkMetricName(name: string, field: Field): void {
  const at = field.at('metric.name');
  if (name === '') at.required('must specify a metric name');
  else at.invalidAll(name, pathSegmentName(name));
}

function checkResource(
  { name, target }: { readonly name: string; readonly target: MetricTarget },
  field: Field,
): void {
  if (name === '') field.at('name').required('must specify a resource name');
  checkTarget(target, field.at('target'));
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined)
    field
      .at('target.averageUtilization')
      .required('must set either a target raw value or a target utilization');
  if (averageUtilization !== undefined && averageValue !== undefined)
    field
      .at('target.averageValue')
      .forbidden('may not set both a target raw value and a target utilization');
}

function checkTarget(target: MetricTarget, field: Field): void {
  if (target.type === '') field.at('type').required('must specify a metric target type');
  if (!['Utilization', 'Value', 'AverageValue'].includes(target.type))
    field.at('type').invalid(target.type, 'must be either Utilization, Value, or AverageValue');
  for (const name of ['value', 'averageValue'] as const) {
    const value = target[name];
    if (value !== undefined && compareQuantities(value, '0') <= 0)
      field.at(name).invalid(value, 'must be positive');
  }
  const { averageUtilization } = target;
  if (averageUtilization !== undefined && averageUtilization < 1)
    field.at('averageUtilization').invalid(averageUtilization, 'must be greater than 0');
}

function checkScaling(rules: HPAScalingRules, field: Field): void {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  const at = field.at('stabilizationWindowSeconds');
  if (window !== undefined && window < 0)
    at.invalid(window, 'must be greater than or equal to zero');
  if (window !== undefined && window > windowSecondsMax)
    at.invalid(window, `must be less than or equal to ${windowSecondsMax}`);
  const choices = ['Disabled', 'Max', 'Min'];
  if (selectPolicy !== undefined && !choices.includes(selectPolicy))
    field.at('selectPolicy').notSupported(selectPolicy, choices);
  if (policies.length === 0) field.at('policies').required('must specify at least one Policy');
  for (const [index, { type, value, periodSeconds }] of policies.entries()) {
    const one = field.at('policies').at(index);
    if (type !== 'Percent' && type !== 'Pods')
      one.at('type').notSupported(type, ['Percent', 'Pods']);
    if (value <= 0) one.at('value').invalid(value, 'must be greater than zero');
    if (periodSeconds <= 0)
      one.at('periodSeconds').invalid(periodSeconds, 'must be greater than zero');
    if (periodSeconds > periodSecondsMax)
      one
        .at('periodSeconds')
        .invalid(periodSeconds, `must be less than or equal to ${periodSecondsMax}`);
  }
  if (tolerance !== undefined && compareQuantities(tolerance, '0') < 0)
    field.at('tolerance').invalid(tolerance, 'must be greater than or equal to 0');
}

/** ValidateHorizontalPodAutoscalerStatusUpdate. */
export function validateAutoscalerStatus({ status }: HorizontalPodAutoscaler): readonly Problem[] {
  const root = rootField();
  for (const name of ['currentReplicas', 'desiredReplicas'] as const)
    root.at('status').at(name).notNegative(status[name]);
  return root.found;
}
