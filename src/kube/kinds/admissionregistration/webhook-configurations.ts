import { declareKind } from '../declare.ts';
import type { MutatingWebhookConfiguration } from '../types/admissionregistration-v1.ts';
import type { ValidatingWebhookConfiguration } from '../types/admissionregistration-v1.ts';

export const mutatingWebhookConfigurations = declareKind<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration',
);
export const validatingWebhookConfigurations = declareKind<ValidatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration',
);
