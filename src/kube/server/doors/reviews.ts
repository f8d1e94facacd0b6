import type { Clock, FaceReply } from '#base';
import { formatTime } from '#base';
import type {
  Attributes,
  Authorizer,
  Door,
  DoorRequest,
  TokenVerifier,
  UserInfo,
} from '#apiserver';
import { verifyToken } from '#apiserver';
import type { PolicyRule, authenticationV1, authorizationV1 } from '#kube/kinds';
import { type Draft, type KubeObject, badRequest, invalid, problem } from '#machinery';
import type { Rbac } from '../authorizer/rbac.ts';

export interface ReviewParts {
  readonly authorizer: Authorizer;
  readonly rbac: Rbac;
  readonly verifiers: readonly TokenVerifier[];
  readonly audiences: readonly string[];
  readonly clock: Clock;
}
const authentication = 'authentication.k8s.io';
const authorization = 'authorization.k8s.io';

/** The kinds that are questions: created, answered, never stored. */
export function reviewDoors(parts: ReviewParts): readonly Door[] {
  const door = (
    group: string,
    resource: string,
    handle: (request: DoorRequest, parts: ReviewParts) => Promise<FaceReply>,
  ): Door => ({ group, resource, subresource: '', handle: (request) => handle(request, parts) });
  return [
    door(authentication, 'tokenreviews', tokenReview),
    door(authentication, 'selfsubjectreviews', selfSubjectReview),
    door(authorization, 'subjectaccessreviews', subjectAccessReview),
    door(authorization, 'localsubjectaccessreviews', subjectAccessReview),
    door(authorization, 'selfsubjectaccessreviews', selfSubjectAccessReview),
    door(authorization, 'selfsubjectrulesreviews', selfSubjectRulesReview),
  ];
}

async function read<T>(door: DoorRequest): Promise<Draft<T>> {
  const object = (await door.body(door.kind.type)) as unknown as Draft<KubeObject>;
  await door.admit('CREATE', object);
  return object as unknown as Draft<T>;
}

function answer(door: DoorRequest, object: object): FaceReply {
  return door.reply(201, object as KubeObject);
}

async function tokenReview(door: DoorRequest, parts: ReviewParts): Promise<FaceReply> {
  const review = await read<authenticationV1.TokenReview>(door);
  const token = review.spec.token ?? '';
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const asked = review.spec.audiences ?? [];
  const result = verifyToken(parts.verifiers, token, asked.length === 0 ? parts.audiences : asked);
  review.status = result.ok
    ? {
        authenticated: true,
        user: userInfoOf(result.user),
        audiences: [...result.audiences],
      }
    : { user: {}, error: result.error };
  return answer(door, review);
}

async function selfSubjectReview(door: DoorRequest, parts: ReviewParts): Promise<FaceReply> {
  const review = await read<authenticationV1.SelfSubjectReview>(door);
  review.metadata.creationTimestamp = formatTime(parts.clock.nowMs());
  review.status = { userInfo: userInfoOf(door.attributes.user) };
  return answer(door, review);
}

function userInfoOf(user: UserInfo): Draft<authenticationV1.UserInfo> {
  const extra: Record<string, string[]> = {};
  for (const [key, values] of Object.entries(user.extra ?? {})) extra[key] = [...values];
  return {
    username: user.name,
    ...((user.uid ?? '') === '' ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

async function subjectAccessReview(door: DoorRequest, parts: ReviewParts): Promise<FaceReply> {
  const review = await read<authorizationV1.SubjectAccessReview>(door);
  const { spec } = review;
  if (door.kind.namespaced && spec.resourceAttributes?.namespace !== door.attributes.namespace)
    throw badRequest(
      `spec.resourceAttributes.namespace must match namespace: ${door.attributes.namespace}`,
    );
  const problems = attributeProblems(spec);
  if ((spec.user ?? '') === '' && (spec.groups ?? []).length === 0)
    problems.push(
      problem.invalid(
        'spec.user',
        spec.user ?? '',
        'at least one of user or group must be specified',
      ),
    );
  if (problems.length > 0) throw invalid(door.kind, review.metadata.name ?? '', problems);
  const user: UserInfo = {
    name: spec.user ?? '',
    uid: spec.uid,
    groups: spec.groups ?? [],
    extra: spec.extra,
  };
  review.status = decide(attributesOf(user, spec), parts.authorizer);
  return answer(door, review);
}

async function selfSubjectAccessReview(door: DoorRequest, parts: ReviewParts): Promise<FaceReply> {
  const review = await read<authorizationV1.SelfSubjectAccessReview>(door);
  const problems = attributeProblems(review.spec);
  if (problems.length > 0) throw invalid(door.kind, review.metadata.name ?? '', problems);
  review.status = decide(attributesOf(door.attributes.user, review.spec), parts.authorizer);
  return answer(door, review);
}

type Asked = Pick<
  authorizationV1.SubjectAccessReviewSpec,
  'resourceAttributes' | 'nonResourceAttributes'
>;

function attributeProblems(spec: Asked): ReturnType<typeof problem.invalid>[] {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined)
    return [
      problem.invalid(
        'spec.nonResourceAttributes',
        nonResourceAttributes,
        'cannot be specified in combination with resourceAttributes',
      ),
    ];
  if (resourceAttributes === undefined && nonResourceAttributes === undefined)
    return [
      problem.invalid(
        'spec.resourceAttributes',
        null,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    ];
  const selectors = [resourceAttributes?.fieldSelector, resourceAttributes?.labelSelector];
  const both = selectors.some(
    (one) =>
      one?.rawSelector !== undefined &&
      one.rawSelector !== '' &&
      (one.requirements ?? []).length > 0,
  );
  return both
    ? [
        problem.invalid(
          'spec.resourceAttributes.fieldSelector.rawSelector',
          resourceAttributes?.fieldSelector?.rawSelector ?? '',
          'may not specified at the same time as requirements',
        ),
      ]
    : [];
}

function attributesOf(user: UserInfo, spec: Asked): Attributes {
  const resource = spec.resourceAttributes;
  const path = spec.nonResourceAttributes;
  return {
    user,
    verb: resource?.verb ?? path?.verb ?? '',
    isResource: resource !== undefined,
    group: resource?.group ?? '',
    version: resource?.version ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    path: path?.path ?? '',
  };
}

function decide(
  attributes: Attributes,
  authorizer: Authorizer,
): Draft<authorizationV1.SubjectAccessReviewStatus> {
  const { decision, reason } = authorizer.authorize(attributes);
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
  };
}

async function selfSubjectRulesReview(door: DoorRequest, parts: ReviewParts): Promise<FaceReply> {
  const review = await read<authorizationV1.SelfSubjectRulesReview>(door);
  const namespace = review.spec.namespace ?? '';
  if (namespace === '') throw badRequest('no namespace on request');
  const { user } = door.attributes;
  const { rules, errors } = parts.rbac.rulesFor(user, namespace);
  const all: readonly PolicyRule[] = user.groups.includes('system:masters')
    ? [
        { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
        { verbs: ['*'], nonResourceURLs: ['*'] },
        ...rules,
      ]
    : rules;
  const copy = (list: readonly string[] | undefined): string[] => [...(list ?? [])];
  review.spec = {};
  review.status = {
    resourceRules: all
      .filter((rule) => (rule.resources ?? []).length > 0)
      .map((rule) => ({
        verbs: copy(rule.verbs),
        apiGroups: copy(rule.apiGroups),
        resources: copy(rule.resources),
        ...(rule.resourceNames === undefined ? {} : { resourceNames: copy(rule.resourceNames) }),
      })),
    nonResourceRules: all
      .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
      .map((rule) => ({ verbs: copy(rule.verbs), nonResourceURLs: copy(rule.nonResourceURLs) })),
    incomplete: errors.length > 0,
    ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
  };
  return answer(door, review);
}
