/** All time comes from here. In production it is the system's clock, in the simulator a counter. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds of a clock that never goes back; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `delayMs`, or rejects with the signal's reason when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `action` once after `delayMs`; the result cancels it. Does not keep the process alive. */
  after(delayMs: number, action: () => void): Cancel;
}
export type Cancel = () => void;

/** All chance comes from here: a seed and a commit replay any run exactly. */
export interface Random {
  /** A whole number in [0, bound). */
  below(bound: number): number;
  /** `count` bytes; from the system's secure source in production. */
  bytes(count: number): Uint8Array;
  /** An RFC 4122 version 4 identifier. */
  uuid(): string;
}

/** Structured log lines. Secrets are never handed to it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with `fields` on every line. */
  with(fields: LogFields): Logger;
}
export type LogFields = Readonly<Record<string, unknown>>;

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with() {
    return silentLogger;
  },
};
