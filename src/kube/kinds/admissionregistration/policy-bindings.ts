import { declareKind } from '../declare.ts';
import type { MutatingAdmissionPolicyBinding } from '../types/admissionregistration-v1.ts';
import type { ValidatingAdmissionPolicyBinding } from '../types/admissionregistration-v1.ts';
import type { MutatingAdmissionPolicyBinding as MutatingAdmissionPolicyBindingV1beta1 } from '../types/admissionregistration-v1beta1.ts';
import type { MutatingAdmissionPolicyBinding as MutatingAdmissionPolicyBindingV1alpha1 } from '../types/admissionregistration-v1alpha1.ts';

export const mutatingAdmissionPolicyBindings = declareKind<MutatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding',
);
export const validatingAdmissionPolicyBindings = declareKind<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding',
);
export const mutatingAdmissionPolicyBindingsV1beta1 =
  declareKind<MutatingAdmissionPolicyBindingV1beta1>(
    'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicyBinding',
  );
export const mutatingAdmissionPolicyBindingsV1alpha1 =
  declareKind<MutatingAdmissionPolicyBindingV1alpha1>(
    'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicyBinding',
  );
