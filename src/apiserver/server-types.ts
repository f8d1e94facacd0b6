import type { Clock, Face, Logger, Random } from '#base';
import type {
  Api,
  Draft,
  GroupResult,
  KindDeclaration,
  KubeObject,
  NewObject,
  ResourceName,
  Scheme,
} from '#machinery';
import type { Store } from '#store';
import type { Codec } from '#wire';
import type { AdmissionPlugin, Authenticator, Authorizer, Door, UserInfo } from './seams.ts';
import type { PreparedCreate, PreparedGroup } from './write-many.ts';

/** What `/version` says. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** One line of `/readyz?verbose`. */
export interface HealthCheck {
  readonly name: string;
  readonly endpoints: readonly ('livez' | 'readyz' | 'healthz')[];
  /** Undefined when well, else what is wrong. */
  check(): string | undefined;
  /** Its reason may be told to anybody; of others only that they failed. */
  readonly tellsReason?: boolean;
}

/** A metric family in the text format, written when `/metrics` is read. */
export type MetricsSource = () => string;

export interface ApiServerOptions {
  readonly store: Store;
  readonly scheme: Scheme;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: VersionInfo;
  /** Asked in order; the first that knows the caller wins. */
  readonly authenticators: readonly Authenticator[];
  /** Asked in order; the first opinion counts, none is a refusal. */
  readonly authorizers: readonly Authorizer[];
  /** All mutate in this order, then all validate in this order. */
  readonly admission: readonly AdmissionPlugin[];
  readonly doors: readonly Door[];
  readonly healthChecks?: readonly HealthCheck[];
  readonly metrics?: readonly MetricsSource[];
  /** Further paths outside the API: `/.well-known/openid-configuration` and the like. */
  readonly paths?: Readonly<Record<string, Face>>;
  /** Texts for `kubectl explain`: type name, then field ('' for the type itself). */
  readonly describe?: (type: string, field: string) => string | undefined;
  /** Called once when the store is broken for good: the process has to end and start anew. */
  readonly onStoreFailed?: (error: Error) => void;
  /** Requests at work at once, long-running ones apart; past it 429. */
  readonly inFlightMax?: number;
  /** "host:port" that `/api` names to clients. */
  readonly publicAddress?: string;
  /** Names of users whose in-process calls skip authorisation. Default: all of group system:masters. */
  readonly trusted?: (user: UserInfo) => boolean;
}

export interface ObjectChange<T extends KubeObject = KubeObject> {
  /** "namespace/name", or "name" for cluster kinds. */
  readonly key: string;
  /** Undefined: it is gone. */
  readonly object: T | undefined;
  readonly old: T | undefined;
}

/** The watch cache as decoded, frozen objects. Always as new as the last acknowledged write. */
export interface Reader {
  get<T extends KubeObject>(
    resource: ResourceName<T>,
    name: string,
    namespace?: string,
  ): T | undefined;
  list<T extends KubeObject>(resource: ResourceName<T>, namespace?: string): readonly T[];
  /** Called once per change, in order, before the write that made it is acknowledged. */
  onChange<T extends KubeObject>(
    resource: ResourceName<T>,
    listener: (change: ObjectChange<T>) => void,
  ): Disposable;
}

export interface ObjectUpdate<T extends KubeObject = KubeObject> {
  readonly resource: ResourceName<T>;
  readonly name: string;
  readonly namespace?: string | undefined;
  /** Called on a fresh draft, again when somebody else wrote first. Throws to leave it alone. */
  change(draft: Draft<T>): void;
}
export type UpdateResult<T extends KubeObject = KubeObject> =
  | { readonly ok: true; readonly object: T }
  | { readonly ok: false; readonly error: unknown };

export interface ApiServer {
  /** The whole Kubernetes API. */
  readonly face: Face;
  /** The same API in process: decoded objects, no authentication, no bytes parsed. */
  apiFor(user: UserInfo): Api;
  readonly reader: Reader;
  /**
   * Changes many objects in one commit of the store, without admission. Each succeeds or fails by
   * itself; results are in the order of `updates`.
   */
  updateMany<T extends KubeObject>(
    updates: readonly ObjectUpdate<T>[],
  ): Promise<readonly UpdateResult<T>[]>;
  /** Groups of writes of the system's own, each whole or not at all; see `SystemWriter`. */
  writeMany(groups: readonly PreparedGroup[]): Promise<readonly GroupResult[]>;
  /** A new object as `writeMany` will store it. Throws what is wrong with it. */
  prepareCreate(object: NewObject): PreparedCreate;
  /** Serves a kind from now on (a custom resource), or no longer. */
  readonly kinds: readonly KindDeclaration[];
  addHealthCheck(check: HealthCheck): void;
  /** Loads the store. Until it is done requests are answered 429. */
  start(): Promise<void>;
  readonly ready: boolean;
  /** Ends every watch, waits for writes under way. */
  stop(): Promise<void>;
}
