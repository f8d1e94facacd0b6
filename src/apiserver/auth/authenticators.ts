import { createHash } from 'node:crypto';
import type { Clock, FaceRequest } from '#base';
import { certificateSubject } from '#io';
import { StatusError } from '#machinery';
import type { Authenticator, UserInfo } from '../seams.ts';
import { type ObjectClaim, type TokenSigner, sameSecret } from './tokens.ts';

/** What became of a bearer token; undefined from a verifier: not one of its kind. */
export type TokenResult =
  | { readonly ok: true; readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly ok: false; readonly error: string };
export interface TokenVerifier {
  readonly name: string;
  verify(token: string, audiences: readonly string[]): TokenResult | undefined;
}

/** The objects tokens speak of, as they stand now. */
export interface TokenObjects {
  find(
    kind: 'ServiceAccount' | 'Pod' | 'Secret' | 'Node',
    name: string,
    namespace: string,
  ): TokenObject | undefined;
}
export interface TokenObject {
  readonly uid: string;
  readonly deletedMs: number | undefined;
}

// Tokens of deleted objects work on for a minute (kubernetes:pkg/serviceaccount/claims.go).
const deletionLeewayMs = 60_000;

/** Adds what every known caller is part of. */
export function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated')) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}

export const anonymousUser: UserInfo = {
  name: 'system:anonymous',
  groups: ['system:unauthenticated'],
};

/** User is the common name, groups are the organizations of a certificate that TLS has verified. */
export function certificateAuthenticator(): Authenticator {
  const known = new WeakMap<Uint8Array, UserInfo>();
  return {
    name: 'x509',
    async authenticate({ peer }) {
      const [leaf] = peer.certificates;
      if (leaf === undefined) return undefined;
      const earlier = known.get(leaf);
      if (earlier !== undefined) return earlier;
      const subject = certificateSubject(leaf);
      if (subject.commonName === '') return undefined;
      const hash = createHash('sha256').update(leaf).digest('hex');
      const user = authenticated({
        name: subject.commonName,
        uid: subject.uid,
        groups: subject.organizations,
        extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${hash}`] },
      });
      known.set(leaf, user);
      return user;
    },
  };
}

/** Asks each verifier in order; a token that none accepts is a 401, never anonymous. */
export function bearerAuthenticator(
  verifiers: readonly TokenVerifier[],
  audiences: readonly string[],
): Authenticator {
  return {
    name: 'bearer',
    async authenticate(request) {
      const token = bearerToken(request);
      if (token === undefined) return undefined;
      const result = verifyToken(verifiers, token, audiences);
      if (!result.ok) throw new StatusError('Unauthorized', 'Unauthorized');
      return result.user;
    },
  };
}

export function verifyToken(
  verifiers: readonly TokenVerifier[],
  token: string,
  audiences: readonly string[],
): TokenResult {
  const errors = ['invalid bearer token'];
  for (const verifier of verifiers) {
    const result = verifier.verify(token, audiences);
    if (result?.ok === true) return { ...result, user: authenticated(result.user) };
    if (result !== undefined) errors.push(result.error);
  }
  return { ok: false, error: errors.length === 1 ? errors.join('') : `[${errors.join(', ')}]` };
}

// apiserver:pkg/authentication/request/websocket: browsers cannot set the Authorization header.
export const websocketTokenPrefix = 'base64url.bearer.authorization.k8s.io.';

function bearerToken(request: FaceRequest): string | undefined {
  const [scheme, token, ...more] = (request.headers['authorization'] ?? '').trim().split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token !== undefined && token !== '')
    return more.length === 0 ? token : '';
  if (request.headers['upgrade']?.toLowerCase() !== 'websocket') return undefined;
  const protocols = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((p) => p.trim());
  const carrier = protocols.find((protocol) => protocol.startsWith(websocketTokenPrefix));
  if (carrier === undefined || protocols.length < 2) return undefined;
  return Buffer.from(carrier.slice(websocketTokenPrefix.length), 'base64url').toString('utf8');
}

/** Last in the list: whoever showed no credential. */
export function anonymousAuthenticator(): Authenticator {
  return { name: 'anonymous', authenticate: async () => anonymousUser };
}

/** One token for one user, for set-ups that want it. */
export function staticTokenVerifier(token: string, user: UserInfo): TokenVerifier {
  return {
    name: 'static',
    verify: (given, audiences) =>
      sameSecret(given, token) ? { ok: true, user, audiences } : undefined,
  };
}

export interface ServiceAccountTokenOptions {
  readonly signer: TokenSigner;
  readonly issuer: string;
  readonly objects: TokenObjects;
  readonly clock: Clock;
}

/** Signature, issuer, audience, times, and that everything the token is bound to still is. */
export function serviceAccountVerifier(options: ServiceAccountTokenOptions): TokenVerifier {
  const { signer, issuer, objects, clock } = options;
  const bound = (
    kind: Parameters<TokenObjects['find']>[0],
    claim: ObjectClaim | undefined,
    namespace: string,
  ): boolean => {
    if (claim === undefined) return true;
    const object = objects.find(kind, claim.name, namespace);
    if (object === undefined || object.uid !== claim.uid) return false;
    return object.deletedMs === undefined || object.deletedMs + deletionLeewayMs > clock.nowMs();
  };
  return {
    name: 'service-account',
    verify(token, wanted) {
      const claims = signer.read(token);
      if (claims === undefined || claims.iss !== issuer) return undefined;
      const audiences = claims.aud.filter((audience) => wanted.includes(audience));
      if (audiences.length === 0)
        return refused(
          `token audiences ${goList(claims.aud)} is invalid for the target audiences ${goList(wanted)}`,
        );
      const nowSeconds = clock.nowMs() / 1000;
      if (nowSeconds >= claims.exp) return refused('service account token has expired');
      if (nowSeconds < claims.nbf) return refused('service account token is not valid yet');
      if (nowSeconds < claims.iat) return refused('service account token is issued in the future');
      const own = claims['kubernetes.io'];
      const { namespace } = own;
      if (claims.sub !== serviceAccountUserName(namespace, own.serviceaccount.name))
        return refused('service account token has been invalidated');
      const alive =
        bound('ServiceAccount', own.serviceaccount, namespace) &&
        bound('Pod', own.pod, namespace) &&
        bound('Secret', own.secret, namespace) &&
        // A Pod's token names its node too; only a token bound to the node alone depends on it.
        (own.pod !== undefined || bound('Node', own.node, ''));
      if (!alive) return refused('service account token has been invalidated');
      const extra: Record<string, readonly string[]> = {
        'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
      };
      for (const kind of ['pod', 'node'] as const) {
        const claim = own[kind];
        if (claim === undefined) continue;
        extra[`authentication.kubernetes.io/${kind}-name`] = [claim.name];
        extra[`authentication.kubernetes.io/${kind}-uid`] = [claim.uid];
      }
      const user = serviceAccountUser(namespace, own.serviceaccount);
      return { ok: true, audiences, user: { ...user, extra } };
    },
  };
}

export function serviceAccountUserName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

export function serviceAccountUser(
  namespace: string,
  account: { readonly name: string; readonly uid?: string },
): UserInfo {
  return {
    name: serviceAccountUserName(namespace, account.name),
    uid: account.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

/** A Secret of type bootstrap.kubernetes.io/token, decoded. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  readonly expiresMs: number | undefined;
  readonly usableForAuthentication: boolean;
  /** Beyond system:bootstrappers. */
  readonly groups: readonly string[];
}

const bootstrapTokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;

/** "id.secret" (plugin/pkg/auth/authenticator/token/bootstrap). */
export function bootstrapTokenVerifier(
  find: (id: string) => BootstrapToken | undefined,
  clock: Clock,
): TokenVerifier {
  return {
    name: 'bootstrap-token',
    verify(token, audiences) {
      const match = bootstrapTokenPattern.exec(token);
      if (match === null) return undefined;
      const [, id = '', secret = ''] = match;
      const known = find(id);
      const right = sameSecret(secret, known?.secret ?? '');
      if (known === undefined || !right || known.id !== id) return undefined;
      if (!known.usableForAuthentication) return undefined;
      if (known.expiresMs !== undefined && known.expiresMs <= clock.nowMs()) return undefined;
      return {
        ok: true,
        audiences,
        user: {
          name: `system:bootstrap:${id}`,
          groups: ['system:bootstrappers', ...known.groups],
        },
      };
    },
  };
}

function refused(error: string): TokenResult {
  return { ok: false, error };
}

function goList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}
