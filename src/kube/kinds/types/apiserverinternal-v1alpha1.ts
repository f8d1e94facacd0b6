// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.
import type { ObjectMeta } from '#machinery';
import type { ListMeta } from './meta-v1.ts';

export interface ServerStorageVersion {
  readonly apiServerID?: string | undefined;
  readonly encodingVersion?: string | undefined;
  readonly decodableVersions?: readonly string[] | undefined;
  readonly servedVersions?: readonly string[] | undefined;
}

export interface StorageVersion {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: StorageVersionSpec;
  readonly status: StorageVersionStatus;
}

export interface StorageVersionCondition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number | undefined;
  readonly lastTransitionTime?: string | undefined;
  readonly reason: string;
  readonly message?: string | undefined;
}

export interface StorageVersionList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly StorageVersion[];
}

export interface StorageVersionSpec {

}

export interface StorageVersionStatus {
  readonly storageVersions?: readonly ServerStorageVersion[] | undefined;
  readonly commonEncodingVersion?: string | undefined;
  readonly conditions?: readonly StorageVersionCondition[] | undefined;
}
