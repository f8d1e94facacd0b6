import type { FaceRequest } from '#base';
import type { Authorizer, Reader, TokenVerifier, UserInfo } from '#apiserver';
import { authenticated, sameSecret, verifyToken } from '#apiserver';
import { localCallers } from '#io';
import type { LocalCallersOptions } from '#io';
import { secrets } from '#kube/kinds';
import type { Secret } from '#kube/kinds';

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

/** Users with passwords are Secrets of type kubernetes.io/basic-auth with this label, in kube-system. */
export const userLabel = 'tandem.dev/user';
/** Their groups, separated by commas. */
export const groupsAnnotation = 'tandem.dev/groups';

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
  const text = Buffer.from(rest, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return refuse(401, 'Malformed basic credentials');
  const name = text.slice(0, colon);
  const password = text.slice(colon + 1);
  const account = userNamed(options.reader, name);
  if (
    password === '' ||
    account === undefined ||
    !sameSecret(password, textOf(account, 'password'))
  )
    return refuse(401, 'Unknown user or wrong password');
  const groups = (account.metadata.annotations?.[groupsAnnotation] ?? '')
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '' && !group.startsWith('system:'));
  return { ok: true, user: authenticated({ name, groups }), principal: name };
}

/** Of no user here, or in a form that is not known: no attempt on anybody's password. */
function namesNobody(reader: Reader, authorization: string): boolean {
  const [, scheme = '', rest = ''] = /^(\S+) *(.*)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return false;
  if (scheme.toLowerCase() !== 'basic') return true;
  const [name = ''] = Buffer.from(rest, 'base64').toString('utf8').split(':');
  return userNamed(reader, name) === undefined;
}

function byToken(options: FaceAccessOptions, token: string): FaceVerdict {
  const result = verifyToken(options.tokenVerifiers, token, [options.issuer]);
  if (!result.ok) return refuse(401, 'Unknown or expired token');
  return { ok: true, user: result.user, principal: result.user.name };
}

function userNamed(reader: Reader, name: string): Secret | undefined {
  if (name === '') return undefined;
  return reader
    .list(secrets)
    .find(
      (secret) =>
        secret.type === 'kubernetes.io/basic-auth' &&
        secret.metadata.namespace === 'kube-system' &&
        secret.metadata.labels?.[userLabel] === 'true' &&
        textOf(secret, 'username') === name,
    );
}

function textOf(secret: Secret, key: string): string {
  const data = secret.data;
  const value = data !== undefined && data !== null && Object.hasOwn(data, key) ? data[key] : '';
  return Buffer.from(value ?? '', 'base64').toString('utf8');
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
