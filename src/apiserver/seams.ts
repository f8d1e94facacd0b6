import type { FaceReply, FaceRequest, HeaderMap } from '#base';
import type { Draft, FieldTerm, KindDeclaration, KubeObject, Requirement } from '#machinery';

/** Who asks (authentication.k8s.io UserInfo). */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Undefined: no opinion, ask the next. Throws `StatusError` Unauthorized for a credential that is wrong. */
export interface Authenticator {
  readonly name: string;
  authenticate(request: FaceRequest): Promise<UserInfo | undefined>;
}

/** What is asked for, parsed from method and path (RequestInfo) together with who asks. */
export interface Attributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For requests that are not for a resource. */
  readonly path: string;
  /** Of list, watch and deletecollection: what they are narrowed to, when it can be read. */
  readonly fieldSelector?: readonly FieldTerm[] | undefined;
  readonly labelSelector?: readonly Requirement[] | undefined;
}
export interface Decision {
  readonly decision: 'allow' | 'deny' | 'noOpinion';
  readonly reason: string;
}
export interface Authorizer {
  readonly name: string;
  /** Synchronous: it decides on what is in memory. */
  authorize(attributes: Attributes): Decision;
}

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
export interface AdmissionRequest {
  readonly operation: Operation;
  readonly kind: KindDeclaration;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Free to change while mutating; the body of a subresource call (Binding, Eviction) for those. */
  readonly object: Draft<KubeObject> | undefined;
  readonly old: KubeObject | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  warn(text: string): void;
}
/** Throws a `StatusError` (mostly Forbidden) to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
  /**
   * Called when the write that was admitted has been committed or has failed: what the plugin took
   * (an address, a port) is kept or given back.
   */
  settle?(request: AdmissionRequest, committed: boolean): void;
}

/** A subresource with a mind of its own: binding, eviction, exec, log, proxy, token. */
export interface Door {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  handle(request: DoorRequest): Promise<FaceReply>;
}
export interface DoorRequest {
  readonly request: FaceRequest;
  readonly attributes: Attributes;
  readonly kind: KindDeclaration;
  readonly query: URLSearchParams;
  /** What follows the subresource in the path (`proxy/metrics` gives "/metrics"). */
  readonly rest: string;
  /** The decoded body in canonical form; throws what a bad body deserves. */
  body(type: string): Promise<Record<string, unknown>>;
  /** Encodes an object as the client asked (JSON, YAML, protobuf, Table). */
  reply(status: number, object: KubeObject, options?: { headers?: HeaderMap }): FaceReply;
  /** Runs admission for this call. */
  admit(
    operation: Operation,
    object: Draft<KubeObject> | undefined,
    old?: KubeObject,
  ): Promise<void>;
}
