import { declareKind } from '../declare.ts';
import type { PodCertificateRequest } from '../types/certificates-v1beta1.ts';

export const podCertificateRequests = declareKind<PodCertificateRequest>(
  'certificates.k8s.io/v1beta1/PodCertificateRequest',
);
