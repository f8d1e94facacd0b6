/** The Pod's own words do not add up to a container: CreateContainerConfigError. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A container cannot start for now; `reason` becomes its waiting reason. */
export class StartProblem extends Error {
  override readonly name = 'StartProblem';
  readonly reason: string;
  /** When to try again; undefined: the worker's own back-off. */
  readonly retryAtMs: number | undefined;
  constructor(reason: string, message: string, options?: ErrorOptions & { retryAtMs?: number }) {
    super(message, options);
    this.reason = reason;
    this.retryAtMs = options?.retryAtMs;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
