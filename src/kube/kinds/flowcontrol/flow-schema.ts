import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { validateFlowSchema } from './rules.ts';
import type { FlowSchema } from '../types/flowcontrol-v1.ts';

export const flowSchemas = declareKind<FlowSchema>('flowcontrol.apiserver.k8s.io/v1/FlowSchema', {
  defaults: ({ spec }) => {
    spec.matchingPrecedence ||= 1000;
  },
  validateCreate: validateFlowSchema,
  validateUpdate: validateFlowSchema,
  table: {
    columns: [
      nameColumn,
      column('PriorityLevel', ({ spec }) => spec.priorityLevelConfiguration.name),
      column('MatchingPrecedence', ({ spec }) => spec.matchingPrecedence),
      column('DistinguisherMethod', ({ spec }) => spec.distinguisherMethod?.type ?? '<none>'),
      ageColumn,
      column('MissingPL', ({ status }) => {
        const dangling = (status.conditions ?? []).find(({ type }) => type === 'Dangling');
        return dangling?.status ?? '?';
      }),
    ],
  },
});
