import { declareKind } from '../declare.ts';
import { ageColumn, column } from '../shared/columns.ts';
import type { IngressClass } from '../types/networking-v1.ts';

export const ingressClasses = declareKind<IngressClass>('networking.k8s.io/v1/IngressClass', {
  defaults: ({ spec }) => {
    if (spec.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  table: {
    columns: [
      column(
        'Name',
        ({ metadata }) =>
          metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'
            ? `${metadata.name} (default)`
            : metadata.name,
        { format: 'name' },
      ),
      column('Controller', ({ spec }) => spec.controller ?? ''),
      column('Parameters', ({ spec: { parameters } }) => {
        if (parameters === undefined) return '<none>';
        const group = parameters.apiGroup ? `.${parameters.apiGroup}` : '';
        return `${parameters.kind}${group}/${parameters.name}`;
      }),
      ageColumn,
    ],
  },
});
