import { declareKind } from '../declare.ts';
import { column, labelsCell, nameColumn } from '../shared/columns.ts';
import type { PodCertificateRequest } from '../types/certificates-v1beta1.ts';

export const podCertificateRequests = declareKind<PodCertificateRequest>(
  'certificates.k8s.io/v1beta1/PodCertificateRequest',
  {
    table: {
      columns: [
        nameColumn,
        column('PodName', ({ spec }) => spec.podName),
        column('ServiceAccountName', ({ spec }) => spec.serviceAccountName),
        column('NodeName', ({ spec }) => spec.nodeName),
        column('SignerName', ({ spec }) => spec.signerName),
        column('State', ({ status }) => {
          const last = (status.conditions ?? []).findLast(({ type }) =>
            ['Issued', 'Denied', 'Failed'].includes(type),
          );
          return last?.type ?? 'Pending';
        }),
        column('UnverifiedUserAnnotations', ({ spec }) =>
          labelsCell(spec.unverifiedUserAnnotations),
        ),
      ],
    },
  },
);
