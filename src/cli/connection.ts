import type { HttpApi } from '#client';

/** How to reach a running cluster. */
export interface Connection {
  readonly api: HttpApi;
  /** For what needs sockets of its own (exec). PEM. */
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}
