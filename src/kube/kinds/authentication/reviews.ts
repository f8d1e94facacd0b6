import { declareKind } from '../declare.ts';
import type { SelfSubjectReview } from '../types/authentication-v1.ts';
import type { TokenReview } from '../types/authentication-v1.ts';

export const selfSubjectReviews = declareKind<SelfSubjectReview>(
  'authentication.k8s.io/v1/SelfSubjectReview',
);
export const tokenReviews = declareKind<TokenReview>('authentication.k8s.io/v1/TokenReview');
