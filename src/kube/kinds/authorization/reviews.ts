import { declareKind } from '../declare.ts';
import type { LocalSubjectAccessReview } from '../types/authorization-v1.ts';
import type { SelfSubjectAccessReview } from '../types/authorization-v1.ts';
import type { SelfSubjectRulesReview } from '../types/authorization-v1.ts';
import type { SubjectAccessReview } from '../types/authorization-v1.ts';

export const localSubjectAccessReviews = declareKind<LocalSubjectAccessReview>(
  'authorization.k8s.io/v1/LocalSubjectAccessReview',
);
export const selfSubjectAccessReviews = declareKind<SelfSubjectAccessReview>(
  'authorization.k8s.io/v1/SelfSubjectAccessReview',
);
export const selfSubjectRulesReviews = declareKind<SelfSubjectRulesReview>(
  'authorization.k8s.io/v1/SelfSubjectRulesReview',
);
export const subjectAccessReviews = declareKind<SubjectAccessReview>(
  'authorization.k8s.io/v1/SubjectAccessReview',
);
