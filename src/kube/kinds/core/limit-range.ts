import { compareQuantities, quantityToMillis } from '#base';
import { qualifiedName } from '#machinery';
import type { Draft, Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkContainerResourceName, checkResourceName } from '../pod-spec/resources.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import { isHugePages, isNativeResource, roundResources } from '../shared/resources.ts';
import type { LimitRange, LimitRangeItem } from '../types/core-v1.ts';

const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
const standardTypes = ['Pod', 'Container', 'PersistentVolumeClaim'];

export const limitRanges = declareKind<LimitRange>('v1/LimitRange', {
  defaults: ({ spec }) => {
    for (const item of spec.limits ?? []) {
      if (item.type === 'Container') defaultItem(item);
      for (const list of lists) roundResources(item[list]);
    }
  },
  validateCreate: validate,
  validateUpdate: validate,
});

function defaultItem(item: Draft<LimitRangeItem>): void {
  item.default = { ...item.max, ...item.default };
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
}

/** ValidateLimitRange. */
function validate({ metadata, spec }: LimitRange): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(metadata, root);
  const seen = new Set<string>();
  for (const [index, item] of (spec.limits ?? []).entries()) {
    const at = root.at('spec.limits').at(index);
    checkType(item.type, at.at('type'));
    if (seen.has(item.type)) at.at('type').duplicate(item.type);
    seen.add(item.type);
    checkItem(item, at);
  }
  return root.found;
}

function checkType(type: string, field: Field): void {
  const problems = qualifiedName(type);
  if (problems.length > 0) return field.invalidAll(type, problems);
  if (!type.includes('/') && !standardTypes.includes(type))
    field.invalid(type, 'must be a standard limit type or fully qualified');
}

function checkItem(item: LimitRangeItem, field: Field): void {
  const isPod = item.type === 'Pod';
  const names = new Set<string>();
  for (const list of lists) {
    if (isPod && (list === 'default' || list === 'defaultRequest')) {
      if (Object.keys(item[list] ?? {}).length > 0)
        field.at(list).forbidden("may not be specified when `type` is 'Pod'");
      continue;
    }
    for (const name of Object.keys(item[list] ?? {})) {
      const at = field.at(list).key(name);
      if (isPod || item.type === 'Container') checkContainerResourceName(name, at);
      else checkResourceName(name, at);
      names.add(name);
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage'])
    field
      .at('limits')
      .required('either minimum or maximum storage value is required, but neither was provided');
  for (const name of names) checkOrder(item, name, field);
}

function checkOrder(item: LimitRangeItem, name: string, field: Field): void {
  const { min, max, default: limit, defaultRequest, maxLimitRequestRatio } = item;
  const [low, high, asked, given] = [
    min?.[name],
    max?.[name],
    defaultRequest?.[name],
    limit?.[name],
  ];
  const above = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
  const at = (list: (typeof lists)[number]) => field.at(list).key(name);
  if (above(low, high))
    at('min').invalid(low, `min value ${low} is greater than max value ${high}`);
  const request = at('defaultRequest');
  if (above(low, asked))
    request.invalid(asked, `min value ${low} is greater than default request value ${asked}`);
  if (above(asked, high))
    request.invalid(asked, `default request value ${asked} is greater than max value ${high}`);
  if (above(asked, given))
    request.invalid(
      asked,
      `default request value ${asked} is greater than default limit value ${given}`,
    );
  if (above(low, given))
    at('default').invalid(low, `min value ${low} is greater than default value ${given}`);
  if (above(given, high))
    at('default').invalid(high, `default value ${given} is greater than max value ${high}`);
  const ratio = maxLimitRequestRatio?.[name];
  if (ratio !== undefined) checkRatio({ ratio, low, high }, at('maxLimitRequestRatio'));
  const mayOvercommit = isNativeResource(name) && !isHugePages(name);
  if (mayOvercommit || asked === undefined || given === undefined) return;
  if (compareQuantities(asked, given) !== 0)
    request.invalid(
      asked,
      `default value ${given} must equal to defaultRequest value ${asked} in ${name}`,
    );
}

interface Ratio {
  readonly ratio: string;
  readonly low: string | undefined;
  readonly high: string | undefined;
}
function checkRatio({ ratio, low, high }: Ratio, field: Field): void {
  if (compareQuantities(ratio, '1') < 0) field.invalid(ratio, `ratio ${ratio} is less than 1`);
  if (low === undefined || high === undefined || quantityToMillis(low) === 0) return;
  const most = quantityToMillis(high) / quantityToMillis(low);
  if (quantityToMillis(ratio) / 1000 > most)
    field.invalid(ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`);
}
