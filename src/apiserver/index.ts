/**
 * Generic serving of declared kinds: the ordered steps, the verbs, the watch cache, discovery,
 * OpenAPI. Knows no single kind. Start with `seams.ts`.
 */
export type {
  AdmissionPlugin,
  AdmissionRequest,
  Attributes,
  Authenticator,
  Authorizer,
  Decision,
  Door,
  DoorRequest,
  Operation,
  UserInfo,
} from './seams.ts';
export type {
  ApiServer,
  ApiServerOptions,
  HealthCheck,
  MetricsSource,
  ObjectChange,
  ObjectUpdate,
  Reader,
  UpdateResult,
  VersionInfo,
} from './server-types.ts';
export {
  anonymousAuthenticator,
  anonymousUser,
  authenticated,
  bearerAuthenticator,
  bootstrapTokenVerifier,
  certificateAuthenticator,
  createTokenSigner,
  impersonationOf,
  openIdPaths,
  sameSecret,
  serviceAccountUser,
  serviceAccountUserName,
  serviceAccountVerifier,
  staticTokenVerifier,
  verifyToken,
  websocketTokenPrefix,
} from './auth/index.ts';
export type {
  BootstrapToken,
  Impersonation,
  ObjectClaim,
  PrivateClaims,
  ServiceAccountTokenOptions,
  TokenClaims,
  TokenObject,
  TokenObjects,
  TokenResult,
  TokenSigner,
  TokenVerifier,
} from './auth/index.ts';
export { createApiServer } from './server.ts';
export type { PreparedCreate, PreparedGroup } from './write-many.ts';
