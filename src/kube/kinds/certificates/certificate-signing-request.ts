import { declareKind } from '../declare.ts';
import type { CertificateSigningRequest } from '../types/certificates-v1.ts';

export const certificateSigningRequests = declareKind<CertificateSigningRequest>(
  'certificates.k8s.io/v1/CertificateSigningRequest',
);
