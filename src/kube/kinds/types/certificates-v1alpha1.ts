// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.
import type { ObjectMeta } from '#machinery';
import type { ListMeta } from './meta-v1.ts';

export interface ClusterTrustBundle {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: ClusterTrustBundleSpec;
}

export interface ClusterTrustBundleList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly ClusterTrustBundle[];
}

export interface ClusterTrustBundleSpec {
  readonly signerName?: string | undefined;
  readonly trustBundle: string;
}
