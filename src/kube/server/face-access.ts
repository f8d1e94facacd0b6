import type { FaceRequest } from '#base';
import type { Authorizer, Reader, TokenVerifier, UserInfo } from '#apiserver';
import { verifyToken } from '#apiserver';
import { localCallers } from '#io';
import type { LocalCallersOptions } from '#io';
import { byPassword, namesUser } from './passwords.ts';

/**
 * Who may use the faces of other dialects (Mesos, Marathon, ...), and for what. Those tools know no
 * client certificates: users come with HTTP basic or bearer credentials of the cluster's own users.
 * A cluster of one user also lets in who brings no credentials, but only root and the cluster's
 * owner, from this machine, and never a web page.
 */
export interface FaceAccess {
  authenticate(request: FaceRequest): Promise<FaceVerdict>;
  /** RBAC and all other authorizers of the API server together. */
  allows(user: UserInfo, wanted: WantedAccess): boolean;
}

export type FaceVerdict =
  | {
      readonly ok: true;
      readonly user: UserInfo;
      /** The name that was proved; undefined for the owner without credentials. */
      readonly principal: string | undefined;
    }
  | { readonly ok: false; readonly status: 401 | 403; readonly message: string };

export interface WantedAccess {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

export interface FaceAccessOptions extends LocalCallersOptions {
  readonly reader: Reader;
  readonly authorizer: Authorizer;
  readonly tokenVerifiers: readonly TokenVerifier[];
  readonly issuer: string;
}

const owner: UserInfo = {
  name: 'kubernetes-admin',
  groups: ['system:masters', 'system:authenticated'],
};

export function createFaceAccess(options: FaceAccessOptions): FaceAccess {
  const local = localCallers(options);
  return {
    async authenticate(request) {
      const { authorization } = request.headers;
      if (authorization !== undefined) {
        const verdict = byCredentials(options, authorization);
        // Tools bring a principal because they are set so. Where nobody needs one, it is ignored.
        const ignored = local.open && namesNobody(options.reader, authorization);
        if (verdict.ok || !ignored) return verdict;
      }
      const refusal = await local.refusal(request);
      if (refusal !== undefined) return refuse(refusal.status, refusal.message);
      return { ok: true, user: owner, principal: undefined };
    },
    allows: (user, wanted) => isAllowed(options.authorizer, user, wanted),
  };
}

function refuse(status: 401 | 403, message: string): FaceVerdict {
  return { ok: false, status, message };
}

function byCredentials(options: FaceAccessOptions, authorization: string): FaceVerdict {
  const space = authorization.indexOf(' ');
  const scheme = authorization.slice(0, space).toLowerCase();
  const rest = authorization.slice(space + 1).trim();
  if (scheme === 'bearer') return byToken(options, rest);
  if (scheme !== 'basic') return refuse(401, 'Only basic and bearer credentials are known');
  const result = byPassword(options.reader, rest);
  if (!result.ok) return refuse(401, result.error);
  return { ok: true, user: result.user, principal: result.user.name };
}

/** Of no user here, or in a form that is not known: no attempt on anybody's password. */
function namesNobody(reader: Reader, authorization: string): boolean {
  const [, scheme = '', rest = ''] = /^(\S+) *(.*)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return false;
  if (scheme.toLowerCase() !== 'basic') return true;
  return !namesUser(reader, rest);
}

function byToken(options: FaceAccessOptions, token: string): FaceVerdict {
  const result = verifyToken(options.tokenVerifiers, token, [options.issuer]);
  if (!result.ok) return refuse(401, 'Unknown or expired token');
  return { ok: true, user: result.user, principal: result.user.name };
}

function isAllowed(authorizer: Authorizer, user: UserInfo, wanted: WantedAccess): boolean {
  const { verb, group, resource, subresource = '', namespace = '', name = '' } = wanted;
  const { decision } = authorizer.authorize({
    user,
    verb,
    isResource: true,
    group,
    version: 'v1',
    resource,
    subresource,
    namespace,
    name,
    path: '',
  });
  return decision === 'allow';
}
