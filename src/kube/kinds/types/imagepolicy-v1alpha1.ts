// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.
import type { ObjectMeta } from '#machinery';

export interface ImageReview {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly spec: ImageReviewSpec;
  readonly status: ImageReviewStatus;
}

export interface ImageReviewContainerSpec {
  readonly image?: string | undefined;
}

export interface ImageReviewSpec {
  readonly containers?: readonly ImageReviewContainerSpec[] | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly namespace?: string | undefined;
}

export interface ImageReviewStatus {
  readonly allowed: boolean;
  readonly reason?: string | undefined;
  readonly auditAnnotations?: Readonly<Record<string, string>> | undefined;
}
