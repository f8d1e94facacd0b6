import type { KubeObject } from '#machinery';
import { declareKind } from '../declare.ts';
import { column, selectorCell } from '../shared/columns.ts';
import type { LabelSelector } from '../types/meta-v1.ts';
import { tableWith } from '../shared/tables.ts';
import type { MutatingAdmissionPolicyBinding } from '../types/admissionregistration-v1.ts';
import type { ValidatingAdmissionPolicyBinding } from '../types/admissionregistration-v1.ts';
import type { MutatingAdmissionPolicyBinding as MutatingAdmissionPolicyBindingV1beta1 } from '../types/admissionregistration-v1beta1.ts';
import type { MutatingAdmissionPolicyBinding as MutatingAdmissionPolicyBindingV1alpha1 } from '../types/admissionregistration-v1alpha1.ts';

interface Reference {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly selector?: LabelSelector | undefined;
}
type Any = KubeObject & {
  readonly spec: {
    readonly policyName?: string | undefined;
    readonly paramRef?: Reference | undefined;
  };
};
const table = tableWith<Any>(
  column('PolicyName', ({ spec }) => spec.policyName ?? ''),
  column('ParamRef', ({ spec: { paramRef } }) => {
    if (paramRef?.name) return `${paramRef.namespace || '*'}/${paramRef.name}`;
    return paramRef?.selector === undefined ? '<unset>' : selectorCell(paramRef.selector);
  }),
);

export const mutatingAdmissionPolicyBindings = declareKind<MutatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding',
  { table },
);
export const validatingAdmissionPolicyBindings = declareKind<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding',
  { table },
);
export const mutatingAdmissionPolicyBindingsV1beta1 =
  declareKind<MutatingAdmissionPolicyBindingV1beta1>(
    'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBinding',
    { table },
  );
export const mutatingAdmissionPolicyBindingsV1alpha1 =
  declareKind<MutatingAdmissionPolicyBindingV1alpha1>(
    'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyBinding',
    { table },
  );
