import type { Clock, Random } from '#base';
import type { AdmissionPlugin, Authorizer, Reader } from '#apiserver';
import type { Scheme } from '#machinery';
import { escalationCheck } from '../authorizer/escalation.ts';
import type { Rbac } from '../authorizer/rbac.ts';
import type { ServiceAllocation } from '../service/allocation.ts';
import {
  certificateApproval,
  certificateRequester,
  certificateSigning,
  certificateSubjectRestriction,
} from './certificates.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import {
  defaultIngressClass,
  defaultStorageClass,
  defaultTolerationSeconds,
  priority,
  taintNodesByCondition,
} from './pod-defaults.ts';
import { podSecurity } from './pod-security.ts';
import { resourceQuota } from './resource-quota.ts';
import { namespaceRole, reservedPodKeys } from './roles.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';

export interface AdmissionParts {
  readonly reader: Reader;
  readonly authorizer: Authorizer;
  readonly rbac: Rbac;
  readonly allocation: ServiceAllocation;
  readonly scheme: Scheme;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Every rule on what may be written, in the order of the reference (kubeapiserver options/plugins.go):
 * all change in this order, then all judge in this order. Service addresses come last of the changes,
 * as they are taken from a pool; quota is the last judge.
 */
export function admissionPlugins(parts: AdmissionParts): readonly AdmissionPlugin[] {
  const { reader, authorizer } = parts;
  return [
    namespaceLifecycle(reader),
    limitRanger(reader),
    serviceAccount(reader, parts),
    nodeRestriction(reader),
    taintNodesByCondition,
    podSecurity(reader),
    reservedPodKeys,
    namespaceRole(authorizer),
    priority(reader),
    defaultTolerationSeconds,
    defaultStorageClass(reader),
    runtimeClass(reader, authorizer),
    certificateRequester,
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(reader),
    escalationCheck(parts.rbac, authorizer),
    parts.allocation,
    resourceQuota(reader, parts),
  ];
}
