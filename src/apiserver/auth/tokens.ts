import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as signBytes,
  timingSafeEqual,
  verify as verifyBytes,
  type KeyObject,
} from 'node:crypto';

/** Claims of a service account token (kubernetes:pkg/serviceaccount/claims.go). Times in seconds. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly jti: string;
  readonly 'kubernetes.io': PrivateClaims;
}
export interface PrivateClaims {
  readonly namespace: string;
  readonly serviceaccount: ObjectClaim;
  readonly pod?: ObjectClaim | undefined;
  readonly secret?: ObjectClaim | undefined;
  readonly node?: ObjectClaim | undefined;
  /** From then on the client should have fetched a new one. */
  readonly warnafter?: number | undefined;
}
export interface ObjectClaim {
  readonly name: string;
  readonly uid: string;
}

export interface TokenSigner {
  sign(claims: TokenClaims): string;
  /** What the token says when one of our keys signed it; nothing is said of its time or objects. */
  read(token: string): TokenClaims | undefined;
  /** JSON Web Key Set of the public keys (RFC 7517). */
  readonly keySet: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
}

const tokensRememberedMax = 16_384;
const tokenBytesMax = 16 * 1024;

/**
 * JSON Web Tokens (RFC 7519) with ES256 or RS256, as the key's type has it. Tokens that were found
 * sound are remembered: a signature is checked once, not once per request.
 */
export function createTokenSigner(
  privateKeyPem: string,
  olderPublicKeysPem: readonly string[] = [],
): TokenSigner {
  const privateKey = createPrivateKey(privateKeyPem);
  const keys = [
    createPublicKey(privateKey),
    ...olderPublicKeysPem.map((key) => createPublicKey(key)),
  ];
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]));
  const [own] = keys;
  const header = part({ alg: algorithmOf(privateKey), kid: own === undefined ? '' : keyIdOf(own) });
  const sound = new Map<string, TokenClaims>();
  return {
    sign(claims) {
      const body = `${header}.${part(claims)}`;
      const signature = signBytes('sha256', Buffer.from(body), keyOptions(privateKey));
      return `${body}.${signature.toString('base64url')}`;
    },
    read(token) {
      const known = sound.get(token);
      if (known !== undefined) return known;
      const claims = readToken(token, byId);
      if (claims === undefined) return undefined;
      if (sound.size >= tokensRememberedMax) sound.clear();
      sound.set(token, claims);
      return claims;
    },
    keySet: {
      keys: keys.map((key) => ({
        use: 'sig',
        ...key.export({ format: 'jwk' }),
        kid: keyIdOf(key),
        alg: algorithmOf(key),
      })),
    },
  };
}

function readToken(token: string, keys: ReadonlyMap<string, KeyObject>): TokenClaims | undefined {
  const [head, body, signature, ...more] = token.split('.');
  if (head === undefined || body === undefined || signature === undefined) return undefined;
  if (more.length > 0 || token.length > tokenBytesMax) return undefined;
  const header = unpart(head);
  const key = typeof header?.['kid'] === 'string' ? keys.get(header['kid']) : undefined;
  // The algorithm is the key's, whatever the token claims: "none" and confusions end here.
  if (key === undefined || header?.['alg'] !== algorithmOf(key)) return undefined;
  const signed = Buffer.from(`${head}.${body}`);
  if (!verifyBytes('sha256', signed, keyOptions(key), Buffer.from(signature, 'base64url')))
    return undefined;
  const claims = unpart(body);
  return claims !== undefined && isTokenClaims(claims) ? claims : undefined;
}

function isTokenClaims(value: object): value is TokenClaims {
  const claims: Record<string, unknown> = { ...value };
  const own = claims['kubernetes.io'];
  return (
    typeof claims['iss'] === 'string' &&
    typeof claims['sub'] === 'string' &&
    Array.isArray(claims['aud']) &&
    typeof claims['exp'] === 'number' &&
    typeof claims['iat'] === 'number' &&
    typeof claims['nbf'] === 'number' &&
    typeof own === 'object' &&
    own !== null &&
    'serviceaccount' in own
  );
}

function keyOptions(key: KeyObject): { key: KeyObject; dsaEncoding?: 'ieee-p1363' } {
  return key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : { key };
}

function algorithmOf(key: KeyObject): 'ES256' | 'RS256' {
  return key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
}

/** As the reference names keys: base64url of the SHA-256 of the public key in DER. */
function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function unpart(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // Not JSON: not a token of ours, which the caller is told by the absence of a value.
    return undefined;
  }
}

/** Compares secrets without telling by the time it takes how much of them is right. */
export function sameSecret(given: string, wanted: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(wanted));
}
