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
