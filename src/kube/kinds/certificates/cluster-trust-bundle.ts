import { pathSegmentName } from '#machinery';
import { declareKind } from '../declare.ts';
import { column, nameColumn } from '../shared/columns.ts';
import type { ClusterTrustBundle } from '../types/certificates-v1beta1.ts';
import type { ClusterTrustBundle as ClusterTrustBundleV1alpha1 } from '../types/certificates-v1alpha1.ts';

// Names of bundles with a signer hold colons.
const rules = {
  nameProblems: pathSegmentName,
  table: {
    columns: [
      nameColumn,
      column<ClusterTrustBundle>('SignerName', ({ spec }) => spec.signerName || '<none>'),
    ],
  },
};

export const clusterTrustBundles = declareKind<ClusterTrustBundle>(
  'certificates.k8s.io/v1beta1/ClusterTrustBundle',
  rules,
);
export const clusterTrustBundlesV1alpha1 = declareKind<ClusterTrustBundleV1alpha1>(
  'certificates.k8s.io/v1alpha1/ClusterTrustBundle',
  rules,
);
