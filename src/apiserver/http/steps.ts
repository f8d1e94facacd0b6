import type { Clock, FaceReply, Logger, Random } from '#base';
import {
  StatusError,
  forbidden,
  timeout,
  tooManyRequests,
  unauthorized,
  badRequest,
} from '#machinery';
import type { Attributes, Authenticator, Decision, UserInfo } from '../seams.ts';
import { type Context, type Step, attributesOf } from './context.ts';
import type { Deadlines } from './deadlines.ts';
import type { Metrics } from './metrics.ts';
import { isLongRunning, parseRequestInfo } from './request-info.ts';
import { failureReply } from './status-reply.ts';

export interface StepParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authenticators: readonly Authenticator[];
  readonly authorize: (attributes: Attributes) => Decision;
  readonly deadlines: Deadlines;
  readonly metrics: Metrics;
  readonly inFlightMax: number;
  readonly isReady: () => boolean;
}

/**
 * The order IS the security model: read it top to bottom. A step knows nothing of the others.
 * (kube-apiserver: DefaultBuildHandlerChain.)
 */
export function stepsOf(parts: StepParts): readonly Step[] {
  return [
    recover(parts),
    requestInfo(),
    measure(parts),
    audit(parts),
    started(parts),
    deadline(parts),
    authenticate(parts),
    impersonate(parts),
    limitInFlight(parts),
    authorize(parts),
  ];
}

/** Whatever goes wrong is answered, and what nobody foresaw is logged. */
function recover({ logger }: StepParts): Step {
  return async (context, next) => {
    try {
      return await next(context);
    } catch (error) {
      if (
        !(error instanceof StatusError) &&
        !(error instanceof Error && error.name === 'BodyTooLargeError')
      )
        logger.error('Request failed', { path: context.request.path, error });
      return withHeaders(context, failureReply(error));
    }
  };
}

function requestInfo(): Step {
  return async (context, next) => {
    context.info = parseRequestInfo(context.request);
    return await next(context);
  };
}

function measure({ metrics, clock }: StepParts): Step {
  return async (context, next) => {
    const beginMs = clock.monotonicMs();
    try {
      const reply = await next(context);
      metrics.observe(context, reply.status, clock.monotonicMs() - beginMs);
      return reply;
    } catch (error) {
      const code = error instanceof StatusError ? error.code : 500;
      metrics.observe(context, code, clock.monotonicMs() - beginMs);
      throw error;
    }
  };
}

function audit({ random }: StepParts): Step {
  return async (context, next) => {
    context.auditId = context.request.headers['audit-id'] || random.uuid();
    return withHeaders(context, await next(context));
  };
}

function withHeaders(context: Context, reply: FaceReply): FaceReply {
  const headers: Record<string, string | readonly string[]> = {
    'audit-id': context.auditId,
    'cache-control': 'no-cache, private',
    ...reply.headers,
  };
  if (context.warnings.size > 0) headers['warning'] = context.warnings.headers();
  return { ...reply, headers };
}

/** Health and version are answered at any time, the rest once the store is loaded. */
function started({ isReady }: StepParts): Step {
  return async (context, next) => {
    if (!isReady() && !/^\/(livez|readyz|healthz|version|metrics)\b/.test(context.info.path))
      throw tooManyRequests(
        "The apiserver hasn't been fully initialized yet, please try again later.",
        5,
      );
    return await next(context);
  };
}

const requestMsMax = 60_000;

function deadline({ deadlines }: StepParts): Step {
  return async (context, next) => {
    if (isLongRunning(context.info)) return await next(context);
    const asked = context.info.query.get('timeout');
    const askedMs = asked === null ? requestMsMax : goDurationMs(asked);
    const ms = askedMs > 0 && askedMs < requestMsMax ? askedMs : requestMsMax;
    return await deadlines.within(ms, next(context), () =>
      timeout('request did not complete within the allotted timeout'),
    );
  };
}

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
function goDurationMs(text: string): number {
  if (text === '0') return 0;
  if (!/^-?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text))
    throw badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`,
    );
  let ms = 0;
  for (const [, count, , unit] of text.matchAll(/(\d+(\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    ms += Number(count) * (unitsMs[unit ?? ''] ?? 0);
  return text.startsWith('-') ? -ms : ms;
}

const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const authenticated = 'system:authenticated';

function authenticate({ authenticators }: StepParts): Step {
  return async (context, next) => {
    context.user = await userOf(context, authenticators);
    return await next(context);
  };
}

async function userOf(
  { request }: Context,
  authenticators: readonly Authenticator[],
): Promise<UserInfo> {
  let failure: unknown;
  for (const authenticator of authenticators) {
    try {
      const user = await authenticator.authenticate(request);
      if (user === undefined) continue;
      // Whoever showed a wrong credential is refused, also where anonymous callers are welcome.
      if (failure !== undefined && user.name === anonymous.name) break;
      return user.groups.includes(authenticated) || user.name === anonymous.name
        ? user
        : { ...user, groups: [...user.groups, authenticated] };
    } catch (error) {
      // All are tried; the first success wins.
      failure ??= error;
    }
  }
  if (failure instanceof StatusError) throw failure;
  if (failure !== undefined) throw unauthorized();
  return anonymous;
}

/** `Impersonate-*`: the caller acts as somebody else, if allowed to (filters/impersonation.go). */
function impersonate({ authorize: decide }: StepParts): Step {
  return async (context, next) => {
    const { headers } = context.request;
    if (!asksToImpersonate(headers)) return await next(context);
    const name = headers['impersonate-user'] ?? '';
    const groups = listOf(headers['impersonate-group']);
    const uid = headers['impersonate-uid'];
    const extra = extraOf(headers);
    if (name === '') {
      const asked = groups.length > 0 || uid !== undefined || Object.keys(extra).length > 0;
      if (asked)
        throw badRequest(
          `requested [${[...groups, uid ?? ''].join(' ').trim()}] without impersonating a user`,
        );
      return await next(context);
    }
    const by = context.user;
    const ask = (resource: string, target: string, group: string, subresource = ''): void =>
      mustImpersonate(by, decide, { resource, target, group, subresource });
    const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
    if (account === null) ask('users', name, '');
    else
      mustImpersonate(by, decide, {
        resource: 'serviceaccounts',
        target: account[2] ?? '',
        group: '',
        subresource: '',
        namespace: account[1] ?? '',
      });
    for (const group of groups) ask('groups', group, '');
    for (const [key, values] of Object.entries(extra))
      for (const value of values) ask('userextras', value, 'authentication.k8s.io', key);
    if (uid !== undefined) ask('uids', uid, 'authentication.k8s.io');
    context.user = impersonated({ name, groups, uid, extra, namespace: account?.[1] });
    return await next(context);
  };
}

function asksToImpersonate(headers: Context['request']['headers']): boolean {
  for (const name in headers) if (name.startsWith('impersonate-')) return true;
  return false;
}

function impersonated(as: {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  readonly extra: Readonly<Record<string, readonly string[]>>;
  readonly namespace: string | undefined;
}): UserInfo {
  const groups = [...as.groups];
  if (groups.length === 0 && as.namespace !== undefined)
    groups.push('system:serviceaccounts', `system:serviceaccounts:${as.namespace}`);
  const always = as.name === anonymous.name ? 'system:unauthenticated' : authenticated;
  if (!groups.includes(always)) groups.push(always);
  return { name: as.name, uid: as.uid, groups, extra: as.extra };
}

function mustImpersonate(
  user: UserInfo,
  decide: StepParts['authorize'],
  what: {
    resource: string;
    target: string;
    group: string;
    subresource: string;
    namespace?: string;
  },
): void {
  const attributes: Attributes = {
    user,
    verb: 'impersonate',
    isResource: true,
    group: what.group,
    version: what.group === '' ? 'v1' : '*',
    resource: what.resource,
    subresource: what.subresource,
    namespace: what.namespace ?? '',
    name: what.target,
    path: '',
  };
  const decision = decide(attributes);
  if (decision.decision !== 'allow') throw refusal(attributes, decision);
}

function listOf(header: string | undefined): string[] {
  return header === undefined ? [] : header.split(',').map((one) => one.trim());
}
function extraOf(headers: Context['request']['headers']): Record<string, readonly string[]> {
  const extra: Record<string, readonly string[]> = {};
  const prefix = 'impersonate-extra-';
  for (const [name, value] of Object.entries(headers))
    if (name.startsWith(prefix) && value !== undefined)
      extra[unescaped(name.slice(prefix.length))] = listOf(value);
  return extra;
}
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // the reference keeps a key that is not well encoded as it came
  }
}

/** Bounded work at hand: the rest is told to come back (max-in-flight filter). */
function limitInFlight({ inFlightMax, metrics }: StepParts): Step {
  let inFlight = 0;
  return async (context, next) => {
    if (isLongRunning(context.info) || context.user.groups.includes('system:masters'))
      return await next(context);
    if (inFlight >= inFlightMax) {
      metrics.rejected++;
      throw tooManyRequests('too many requests, please try again later.', 1);
    }
    inFlight++;
    metrics.inFlight = inFlight;
    try {
      return await next(context);
    } finally {
      inFlight--;
      metrics.inFlight = inFlight;
    }
  };
}

function authorize({ authorize: decide }: StepParts): Step {
  return async (context, next) => {
    const attributes = attributesOf(context);
    const decision = decide(attributes);
    if (decision.decision !== 'allow') throw refusal(attributes, decision);
    return await next(context);
  };
}

/** `pods "x" is forbidden: User "u" cannot get resource "pods" in API group "" in the namespace "n"`. */
export function refusal(attributes: Attributes, decision: Decision): StatusError {
  const { user, verb, group, resource, subresource, namespace, name, path } = attributes;
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where =
    namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const text = attributes.isResource
    ? `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`
    : `${who} path ${JSON.stringify(path)}`;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const reason = decision.reason === '' ? '' : `: ${decision.reason}`;
  const id = attributes.isResource ? { group, plural: resource } : undefined;
  return forbidden(id, name, escaped + reason);
}
