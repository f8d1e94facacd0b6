import type { KubeObject } from '#machinery';
import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import { countColumn, tableWith } from '../shared/tables.ts';
import type { MutatingAdmissionPolicy } from '../types/admissionregistration-v1.ts';
import type { ValidatingAdmissionPolicy } from '../types/admissionregistration-v1.ts';
import type { MutatingAdmissionPolicy as MutatingAdmissionPolicyV1beta1 } from '../types/admissionregistration-v1beta1.ts';
import type { MutatingAdmissionPolicy as MutatingAdmissionPolicyV1alpha1 } from '../types/admissionregistration-v1alpha1.ts';

interface Kind {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
}
type Policy = KubeObject & { readonly spec: { readonly paramKind?: Kind | undefined } };
type Mutating = Policy & { readonly spec: { readonly mutations?: readonly unknown[] | undefined } };

const paramKind = column<Policy>('ParamKind', ({ spec: { paramKind: kind } }) =>
  kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`,
);
const mutating = tableWith<Mutating>(
  countColumn('Mutations', ({ spec }) => (spec.mutations ?? []).length),
  paramKind,
);
const validating = tableWith<ValidatingAdmissionPolicy>(
  countColumn('Validations', ({ spec }) => (spec.validations ?? []).length),
  paramKind,
);

export const mutatingAdmissionPolicies = declareKind<MutatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy',
  { table: mutating },
);
export const validatingAdmissionPolicies = declareKind<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy',
  { table: validating },
);
export const mutatingAdmissionPoliciesV1beta1 = declareKind<MutatingAdmissionPolicyV1beta1>(
  'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy',
  { table: mutating },
);
export const mutatingAdmissionPoliciesV1alpha1 = declareKind<MutatingAdmissionPolicyV1alpha1>(
  'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicy',
  { table: mutating },
);
