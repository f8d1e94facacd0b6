import type { Clock, FaceReply, Logger, Random } from '#base';
import type {
  Access,
  HttpRequest,
  LoggingLevel,
  MessageCodec,
  Routes,
  VirtualFiles,
} from '#mesos/protocol';
import type { Master } from '../core/master.ts';

/** What the master's faces need. */
export interface MasterFaceOptions {
  readonly master: Master;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Who asks, and what they may; default: everybody everything. */
  readonly access?: Access | undefined;
  readonly address: MasterPlace;
  readonly version: string;
  /** By flag name, for GET_FLAGS, `/flags` and `/state`. */
  readonly flags?: Readonly<Record<string, string>> | undefined;
  /** `/master/log` and what else is to be shown; absent: no file is. */
  readonly files?: VirtualFiles | undefined;
  /** Who leads; absent: this master always does. */
  readonly leader?: (() => Leader) | undefined;
  /** Called with 0 (ordinary) or more (say more) when an operator changes the level of logs. */
  readonly logLevel?: ((level: number) => void) | undefined;
  /** `/system/stats.json`, and the `system/` metrics. */
  readonly systemStats?: (() => Readonly<Record<string, number>>) | undefined;
  /** Further endpoints by process id, the legacy ones; made when the first request comes. */
  readonly routes?: ((context: FaceContext) => Promise<Processes>) | undefined;
  readonly limits?: Partial<FaceLimits> | undefined;
}

export interface MasterPlace {
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
}

export type Leader =
  | { readonly kind: 'self' }
  | { readonly kind: 'other'; readonly hostname: string; readonly port: number }
  | { readonly kind: 'none' };

export type Processes = Readonly<Record<string, Routes>>;

export interface FaceLimits {
  /** Bytes that a stream may hold for a client that does not read. */
  readonly streamBacklogBytesMax: number;
  /** `--max_operator_event_stream_subscribers`: one more closes the oldest. */
  readonly subscribersMax: number;
  readonly bodyBytesMax: number;
}

export const faceLimits: FaceLimits = {
  streamBacklogBytesMax: 16 * 1024 * 1024,
  subscribersMax: 1000,
  bodyBytesMax: 16 * 1024 * 1024,
};

/** What all endpoints of the master share. */
export interface FaceContext {
  readonly options: MasterFaceOptions;
  readonly master: Master;
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly leader: Leadership;
  readonly logging: LoggingLevel;
  /** All metrics: the master's own, those of its streams and registry, and the machine's. */
  metrics(): Promise<Readonly<Record<string, number>>>;
}

export interface Leadership {
  /**
   * The reply of a master that does not lead: 307 to the one that does, 503 without any; undefined on
   * the leader. `path` in the Location is the request's, with its query.
   */
  redirect(request: HttpRequest): FaceReply | undefined;
  /** `/redirect`: also on the leader, without a path. */
  location(request: HttpRequest): FaceReply;
}
