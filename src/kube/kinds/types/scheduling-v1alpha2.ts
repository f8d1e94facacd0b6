// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.
import type { ObjectMeta } from '#machinery';
import type { Condition, ListMeta } from './meta-v1.ts';

export interface BasicSchedulingPolicy {

}

export interface GangSchedulingPolicy {
  readonly minCount: number;
}

export interface PodGroup {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: PodGroupSpec;
  readonly status: PodGroupStatus;
}

export interface PodGroupList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly PodGroup[];
}

export interface PodGroupResourceClaim {
  readonly name: string;
  readonly resourceClaimName?: string | undefined;
  readonly resourceClaimTemplateName?: string | undefined;
}

export interface PodGroupResourceClaimStatus {
  readonly name: string;
  readonly resourceClaimName?: string | undefined;
}

export interface PodGroupSchedulingConstraints {
  readonly topology?: readonly TopologyConstraint[] | undefined;
}

export interface PodGroupSchedulingPolicy {
  readonly basic?: BasicSchedulingPolicy | undefined;
  readonly gang?: GangSchedulingPolicy | undefined;
}

export interface PodGroupSpec {
  readonly podGroupTemplateRef?: PodGroupTemplateReference | undefined;
  readonly schedulingPolicy: PodGroupSchedulingPolicy;
  readonly schedulingConstraints?: PodGroupSchedulingConstraints | undefined;
  readonly resourceClaims?: readonly PodGroupResourceClaim[] | undefined;
  readonly disruptionMode?: string | undefined;
  readonly priorityClassName?: string | undefined;
  readonly priority?: number | undefined;
}

export interface PodGroupStatus {
  readonly conditions?: readonly Condition[] | undefined;
  readonly resourceClaimStatuses?: readonly PodGroupResourceClaimStatus[] | undefined;
}

export interface PodGroupTemplate {
  readonly name: string;
  readonly schedulingPolicy: PodGroupSchedulingPolicy;
  readonly schedulingConstraints?: PodGroupSchedulingConstraints | undefined;
  readonly resourceClaims?: readonly PodGroupResourceClaim[] | undefined;
  readonly disruptionMode?: string | undefined;
  readonly priorityClassName?: string | undefined;
  readonly priority?: number | undefined;
}

export interface PodGroupTemplateReference {
  readonly workload?: WorkloadPodGroupTemplateReference | undefined;
}

export interface TopologyConstraint {
  readonly key: string;
}

export interface TypedLocalObjectReference {
  readonly apiGroup?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

export interface Workload {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: WorkloadSpec;
}

export interface WorkloadList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly Workload[];
}

export interface WorkloadPodGroupTemplateReference {
  readonly workloadName: string;
  readonly podGroupTemplateName: string;
}

export interface WorkloadSpec {
  readonly controllerRef?: TypedLocalObjectReference | undefined;
  readonly podGroupTemplates: readonly PodGroupTemplate[];
}
