import { declareKind } from '../declare.ts';
import type { MutatingAdmissionPolicy } from '../types/admissionregistration-v1.ts';
import type { ValidatingAdmissionPolicy } from '../types/admissionregistration-v1.ts';
import type { MutatingAdmissionPolicy as MutatingAdmissionPolicyV1beta1 } from '../types/admissionregistration-v1beta1.ts';
import type { MutatingAdmissionPolicy as MutatingAdmissionPolicyV1alpha1 } from '../types/admissionregistration-v1alpha1.ts';

export const mutatingAdmissionPolicies = declareKind<MutatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy',
);
export const validatingAdmissionPolicies = declareKind<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy',
);
export const mutatingAdmissionPoliciesV1beta1 = declareKind<MutatingAdmissionPolicyV1beta1>(
  'admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy',
);
export const mutatingAdmissionPoliciesV1alpha1 = declareKind<MutatingAdmissionPolicyV1alpha1>(
  'admissionregistration.k8s.io/v1alpha1/MutatingAdmissionPolicy',
);
