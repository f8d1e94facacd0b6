import { declareKind } from '../declare.ts';
import type { StorageVersion } from '../types/apiserverinternal-v1alpha1.ts';

export const storageVersions = declareKind<StorageVersion>(
  'internal.apiserver.k8s.io/v1alpha1/StorageVersion',
);
