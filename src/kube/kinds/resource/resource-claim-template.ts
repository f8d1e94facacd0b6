import { declareKind } from '../declare.ts';
import { nameAndAge } from '../shared/tables.ts';
import type { ResourceClaimTemplate } from '../types/resource-v1.ts';
import type { ResourceClaimTemplate as ResourceClaimTemplateV1beta2 } from '../types/resource-v1beta2.ts';
import type { ResourceClaimTemplate as ResourceClaimTemplateV1beta1 } from '../types/resource-v1beta1.ts';

export const resourceClaimTemplates = declareKind<ResourceClaimTemplate>(
  'resource.k8s.io/v1/ResourceClaimTemplate',
  { table: nameAndAge },
);
export const resourceClaimTemplatesV1beta2 = declareKind<ResourceClaimTemplateV1beta2>(
  'resource.k8s.io/v1beta2/ResourceClaimTemplate',
  { table: nameAndAge },
);
export const resourceClaimTemplatesV1beta1 = declareKind<ResourceClaimTemplateV1beta1>(
  'resource.k8s.io/v1beta1/ResourceClaimTemplate',
  { table: nameAndAge },
);
