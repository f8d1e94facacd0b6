import type { Face, FaceReply } from '#base';
import type { TokenSigner } from './tokens.ts';

/** The two documents by which others can check our service account tokens (OpenID discovery 1.0). */
export function openIdPaths(options: {
  readonly signer: TokenSigner;
  readonly issuer: string;
}): Readonly<Record<string, Face>> {
  const { signer, issuer } = options;
  const configuration = {
    issuer,
    jwks_uri: `${issuer}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [
      ...new Set(signer.keySet.keys.map((key) => key['alg'])),
    ],
  };
  return {
    '/.well-known/openid-configuration': async () => document('application/json', configuration),
    '/openid/v1/jwks': async () => document('application/jwk-set+json', signer.keySet),
  };
}

function document(type: string, value: object): FaceReply {
  return {
    status: 200,
    headers: { 'content-type': type, 'cache-control': 'public, max-age=3600' },
    body: Buffer.from(JSON.stringify(value)),
  };
}
