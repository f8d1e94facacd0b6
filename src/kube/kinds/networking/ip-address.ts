import { canonicalIpAddress, dns1123Subdomain, pathSegmentName } from '#machinery';
import type { KubeObject, Problem, TableDeclaration } from '#machinery';
import { declareKind } from '../declare.ts';
import { column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { IPAddress } from '../types/networking-v1.ts';
import type { IPAddress as IPAddressV1beta1 } from '../types/networking-v1beta1.ts';

type Any = KubeObject & Pick<IPAddress, 'spec'>;

const table: TableDeclaration<Any> = {
  columns: [
    nameColumn,
    column('ParentRef', ({ spec: { parentRef } }) => {
      if (parentRef === undefined) return '<none>';
      const { group, resource = '', namespace, name = '' } = parentRef;
      const type = (group ? `${resource}.${group}` : resource).toLowerCase();
      return namespace ? `${type}/${namespace}/${name}` : `${type}/${name}`;
    }),
  ],
};
const behaviour = {
  nameProblems: (name: string) => canonicalIpAddress(name),
  validateCreate: validate,
  validateUpdate: (object: Any, old: Any) => {
    const root = rootField();
    if (!sameValue(object.spec.parentRef, old.spec.parentRef))
      root.at('spec.parentRef').immutable(object.spec.parentRef ?? null);
    return [...validate(object), ...root.found];
  },
  table,
};

export const ipAddresses = declareKind<IPAddress>('networking.k8s.io/v1/IPAddress', behaviour);
export const ipAddressesV1beta1 = declareKind<IPAddressV1beta1>(
  'networking.k8s.io/v1beta1/IPAddress',
  behaviour,
);

function validate({ spec: { parentRef } }: Any): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec.parentRef');
  if (parentRef === undefined) {
    field.required();
    return root.found;
  }
  const { group, resource = '', name = '', namespace } = parentRef;
  if (group) field.at('group').invalidAll(group, dns1123Subdomain(group));
  for (const [key, value] of Object.entries({ resource, name }))
    if (value === '') field.at(key).required();
    else field.at(key).invalidAll(value, pathSegmentName(value));
  if (namespace) field.at('namespace').invalidAll(namespace, pathSegmentName(namespace));
  return root.found;
}
