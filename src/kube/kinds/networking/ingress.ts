import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Ingress } from '../types/networking-v1.ts';

const hostsShown = 3;

export const ingresses = declareKind<Ingress>('networking.k8s.io/v1/Ingress', {
  validateCreate: validate,
  validateUpdate: validate,
  table: {
    columns: [
      nameColumn,
      column('Class', ({ spec }) => spec.ingressClassName ?? '<none>'),
      column('Hosts', hostsCell),
      column('Address', ({ status }) => {
        const all = (status.loadBalancer.ingress ?? []).map(
          ({ ip, hostname }) => ip || hostname || '',
        );
        return [...new Set(all.filter((one) => one !== ''))].toSorted().join(',');
      }),
      column('Ports', ({ spec }) => ((spec.tls ?? []).length > 0 ? '80, 443' : '80')),
      ageColumn,
    ],
  },
});

function hostsCell({ spec }: Ingress): string {
  const rules = spec.rules ?? [];
  const hosts: string[] = [];
  for (const { host } of rules) {
    if (hosts.length === hostsShown)
      return `${hosts.join(',')} + ${rules.length - hostsShown} more...`;
    if (host) hosts.push(host);
  }
  return hosts.join(',') || '*';
}

function validate({ spec }: Ingress) {
  const root = rootField();
  if ((spec.rules ?? []).length === 0 && spec.defaultBackend === undefined)
    root
      .at('spec')
      .invalid(spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified');
  for (const [index, { http }] of (spec.rules ?? []).entries())
    if (http !== undefined && (http.paths ?? []).length === 0)
      root.at('spec.rules').at(index).at('http.paths').required();
  return root.found;
}
