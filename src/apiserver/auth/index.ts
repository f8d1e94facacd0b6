/**
 * Who asks: client certificates, tokens, impersonation. Decides nothing about rights.
 * Start with `authenticators.ts`.
 */
export {
  anonymousAuthenticator,
  anonymousUser,
  authenticated,
  bearerAuthenticator,
  bootstrapTokenVerifier,
  certificateAuthenticator,
  serviceAccountUser,
  serviceAccountUserName,
  serviceAccountVerifier,
  staticTokenVerifier,
  verifyToken,
  websocketTokenPrefix,
} from './authenticators.ts';
export type {
  BootstrapToken,
  ServiceAccountTokenOptions,
  TokenObject,
  TokenObjects,
  TokenResult,
  TokenVerifier,
} from './authenticators.ts';
export { impersonationOf } from './impersonation.ts';
export type { Impersonation } from './impersonation.ts';
export { openIdPaths } from './openid.ts';
export { createTokenSigner, sameSecret } from './tokens.ts';
export type { ObjectClaim, PrivateClaims, TokenClaims, TokenSigner } from './tokens.ts';
