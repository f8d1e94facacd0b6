import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn, selectorCell } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { checkSelector } from '../shared/meta.ts';
import type { NetworkPolicy } from '../types/networking-v1.ts';

export const networkPolicies = declareKind<NetworkPolicy>('networking.k8s.io/v1/NetworkPolicy', {
  defaults: ({ spec }) => {
    if ((spec.policyTypes ?? []).length === 0)
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
  },
  validateCreate: validate,
  validateUpdate: validate,
  table: {
    columns: [
      nameColumn,
      column('Pod-Selector', ({ spec }) => selectorCell(spec.podSelector)),
      ageColumn,
    ],
  },
});

function validate({ spec }: NetworkPolicy) {
  const root = rootField();
  const field = root.at('spec');
  checkSelector(spec.podSelector, field.at('podSelector'));
  const types = spec.policyTypes ?? [];
  if (types.length > 2)
    field.at('policyTypes').invalid(types, 'may not specify more than two policyTypes');
  for (const [index, type] of types.entries())
    if (type !== 'Ingress' && type !== 'Egress')
      field.at('policyTypes').at(index).notSupported(type, ['Ingress', 'Egress']);
  return root.found;
}
