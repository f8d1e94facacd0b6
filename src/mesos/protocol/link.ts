import type { Action, ActionObject } from './http/access.ts';
import type { SchedulerCall, SchedulerEvent } from './types.ts';

/**
 * How a framework reaches a master, whatever carries it: HTTP with RecordIO, the old drivers'
 * messages, or a call in process (Marathon, Chronos). The master implements it once; faces adapt it.
 */
export interface SchedulerLink {
  /**
   * SUBSCRIBE. Rejects with `CallRejected` when the reference answers a 4xx; everything that the
   * reference reports on the stream comes as an ERROR event followed by `closed()`. Events come in
   * order and may come before the promise resolves.
   */
  subscribe(call: SchedulerCall, subscriber: Subscriber): Promise<SchedulerConnection>;
}

export interface Subscriber {
  /** `http` and `local` are of the v1 API; `driver` speaks libprocess messages. */
  readonly wire: 'http' | 'local' | 'driver';
  /** The authenticated principal; undefined without authentication. */
  readonly principal: string | undefined;
  /** May the caller do that (register, run tasks as a user, reserve ...)? Absent: everything. */
  allows?(action: Action, object?: ActionObject): boolean;
  /** Must not throw and must not call back into the master. */
  event(event: SchedulerEvent): void;
  /** The master closed the stream (failover by another, teardown, an ERROR). Called at most once. */
  closed(): void;
}

export interface SchedulerConnection {
  readonly frameworkID: string;
  /** `Mesos-Stream-Id`. */
  readonly streamID: string;
  /** Every call but SUBSCRIBE. Resolves when the master took it (202, or 200); else `CallRejected`. */
  call(call: SchedulerCall): Promise<void>;
  /** The framework hung up: it is disconnected, its failover timeout begins. */
  close(): void;
}

/** A call that the reference answers with an error status and a text. */
export class CallRejected extends Error {
  override readonly name = 'CallRejected';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
