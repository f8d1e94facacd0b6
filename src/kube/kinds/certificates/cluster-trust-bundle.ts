import { declareKind } from '../declare.ts';
import type { ClusterTrustBundle } from '../types/certificates-v1beta1.ts';
import type { ClusterTrustBundle as ClusterTrustBundleV1alpha1 } from '../types/certificates-v1alpha1.ts';

export const clusterTrustBundles = declareKind<ClusterTrustBundle>(
  'certificates.k8s.io/v1beta1/ClusterTrustBundle',
);
export const clusterTrustBundlesV1alpha1 = declareKind<ClusterTrustBundleV1alpha1>(
  'certificates.k8s.io/v1alpha1/ClusterTrustBundle',
);
