import { declareKind } from '../declare.ts';
import { countColumn, tableWith } from '../shared/tables.ts';
import type { MutatingWebhookConfiguration } from '../types/admissionregistration-v1.ts';
import type { ValidatingWebhookConfiguration } from '../types/admissionregistration-v1.ts';

export const mutatingWebhookConfigurations = declareKind<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration',
  {
    table: tableWith<MutatingWebhookConfiguration>(
      countColumn('Webhooks', ({ webhooks }) => (webhooks ?? []).length),
    ),
  },
);
export const validatingWebhookConfigurations = declareKind<ValidatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration',
  {
    table: tableWith<ValidatingWebhookConfiguration>(
      countColumn('Webhooks', ({ webhooks }) => (webhooks ?? []).length),
    ),
  },
);
