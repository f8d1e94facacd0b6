import type { HttpApi } from '#client';
import type { KubeObject, ResourceName } from '#machinery';

interface TokenReview extends KubeObject {
  readonly spec: { readonly token: string };
  readonly status: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username: string; readonly groups?: readonly string[] };
    readonly error?: string;
  };
}
interface SubjectAccessReview extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: { readonly allowed?: boolean };
}
const tokenReviews: ResourceName<TokenReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
};
const subjectAccessReviews: ResourceName<SubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
};

export interface ReviewedUser {
  readonly username: string;
  readonly groups: readonly string[];
}

/** Questions to the server about somebody's credentials and rights. */
export const reviews = {
  /** A token, or `Basic ` and what follows it: whose it is, or what is wrong with it. */
  async credentials(
    api: HttpApi,
    token: string,
  ): Promise<ReviewedUser | { readonly error: string }> {
    const { status } = await api.create(tokenReviews, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
    if (status.authenticated !== true || status.user === undefined)
      return { error: status.error ?? '' };
    return { username: status.user.username, groups: status.user.groups ?? [] };
  },

  async allows(
    api: HttpApi,
    user: ReviewedUser,
    wanted: { readonly verb: string; readonly group: string; readonly resource: string },
  ): Promise<boolean> {
    const { status } = await api.create(subjectAccessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: { user: user.username, groups: user.groups, resourceAttributes: wanted },
    });
    return status.allowed === true;
  },
};
