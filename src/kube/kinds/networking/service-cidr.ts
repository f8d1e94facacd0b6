import { canonicalCidr, parseCidr } from '#machinery';
import type { KubeObject, Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { tableWith } from '../shared/tables.ts';
import type { ServiceCIDR } from '../types/networking-v1.ts';
import type { ServiceCIDR as ServiceCIDRV1beta1 } from '../types/networking-v1beta1.ts';

type Any = KubeObject & Pick<ServiceCIDR, 'spec'>;

const behaviour = {
  validateCreate: validate,
  validateUpdate,
  table: tableWith<Any>(column('CIDRs', ({ spec }) => (spec.cidrs ?? []).join(','))),
};

export const serviceCidrs = declareKind<ServiceCIDR>('networking.k8s.io/v1/ServiceCIDR', behaviour);
export const serviceCidrsV1beta1 = declareKind<ServiceCIDRV1beta1>(
  'networking.k8s.io/v1beta1/ServiceCIDR',
  behaviour,
);

function validate({ spec: { cidrs = [] } }: Any): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec.cidrs');
  if (cidrs.length === 0) field.required('at least one CIDR required');
  if (cidrs.length > 2) {
    root.at('spec').invalid({ CIDRs: cidrs }, 'may only hold up to 2 values');
    return root.found;
  }
  for (const [index, cidr] of cidrs.entries())
    field.at(index).invalidAll(cidr, canonicalCidr(cidr));
  const [first, second] = cidrs.map((cidr) => parseCidr(cidr)?.ip.family);
  if (first !== undefined && first === second)
    field.invalid(
      cidrs,
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    );
  return root.found;
}

/** A second family may be added; nothing else changes. */
function validateUpdate(object: Any, old: Any): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec.cidrs');
  const now = object.spec.cidrs ?? [];
  const then = old.spec.cidrs ?? [];
  const grows = then.length === 1 && now.length === 2;
  if (!grows && now.length !== then.length) field.immutable(now);
  else
    for (const [index, cidr] of then.entries())
      if (now[index] !== cidr) field.at(index).immutable(now[index]);
  return grows ? [...root.found, ...validate(object)] : root.found;
}
