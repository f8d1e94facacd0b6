// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.
import type { ObjectMeta } from '#machinery';
import type { Condition, ListMeta } from './meta-v1.ts';

export interface DeviceTaint {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: string;
  readonly timeAdded?: string | undefined;
}

export interface DeviceTaintRule {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: DeviceTaintRuleSpec;
  readonly status: DeviceTaintRuleStatus;
}

export interface DeviceTaintRuleList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly DeviceTaintRule[];
}

export interface DeviceTaintRuleSpec {
  readonly deviceSelector?: DeviceTaintSelector | undefined;
  readonly taint: DeviceTaint;
}

export interface DeviceTaintRuleStatus {
  readonly conditions?: readonly Condition[] | undefined;
}

export interface DeviceTaintSelector {
  readonly driver?: string | undefined;
  readonly pool?: string | undefined;
  readonly device?: string | undefined;
}

export interface PoolStatus {
  readonly driver?: string | undefined;
  readonly poolName?: string | undefined;
  readonly generation: number;
  readonly resourceSliceCount?: number | undefined;
  readonly totalDevices?: number | undefined;
  readonly allocatedDevices?: number | undefined;
  readonly availableDevices?: number | undefined;
  readonly unavailableDevices?: number | undefined;
  readonly nodeName?: string | undefined;
  readonly validationError?: string | undefined;
}

export interface ResourcePoolStatusRequest {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: ResourcePoolStatusRequestSpec;
  readonly status?: ResourcePoolStatusRequestStatus | undefined;
}

export interface ResourcePoolStatusRequestList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly ResourcePoolStatusRequest[];
}

export interface ResourcePoolStatusRequestSpec {
  readonly driver: string;
  readonly poolName?: string | undefined;
  readonly limit?: number | undefined;
}

export interface ResourcePoolStatusRequestStatus {
  readonly poolCount?: number | undefined;
  readonly pools?: readonly PoolStatus[] | undefined;
  readonly conditions?: readonly Condition[] | undefined;
}
