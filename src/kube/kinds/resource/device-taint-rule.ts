import { declareKind } from '../declare.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';
import type { DeviceTaintRule as DeviceTaintRuleV1alpha3 } from '../types/resource-v1alpha3.ts';

export const deviceTaintRules = declareKind<DeviceTaintRule>(
  'resource.k8s.io/v1beta2/DeviceTaintRule',
);
export const deviceTaintRulesV1alpha3 = declareKind<DeviceTaintRuleV1alpha3>(
  'resource.k8s.io/v1alpha3/DeviceTaintRule',
);
