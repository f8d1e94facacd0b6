import { declareKind } from '../declare.ts';
import type { CustomResourceDefinition } from '../types/apiextensions-v1.ts';

export const customResourceDefinitions = declareKind<CustomResourceDefinition>(
  'apiextensions.k8s.io/v1/CustomResourceDefinition',
);
