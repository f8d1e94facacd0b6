import type { KubeObject } from '#machinery';
import { declareKind } from '../declare.ts';
import { age, column } from '../shared/columns.ts';
import { tableWith } from '../shared/tables.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';
import type { DeviceTaintRule as DeviceTaintRuleV1alpha3 } from '../types/resource-v1alpha3.ts';

type Any = KubeObject & Pick<DeviceTaintRule, 'spec'>;
const table = tableWith<Any>(
  column('Key', ({ spec }) => spec.taint.key),
  column('Value', ({ spec }) => spec.taint.value ?? ''),
  column('Effect', ({ spec }) => spec.taint.effect),
  column('TimeAdded', ({ spec: { taint } }, nowMs) =>
    taint.timeAdded ? age(taint.timeAdded, nowMs) : '',
  ),
);

export const deviceTaintRules = declareKind<DeviceTaintRule>(
  'resource.k8s.io/v1beta2/DeviceTaintRule',
  { table },
);
export const deviceTaintRulesV1alpha3 = declareKind<DeviceTaintRuleV1alpha3>(
  'resource.k8s.io/v1alpha3/DeviceTaintRule',
  { table },
);
