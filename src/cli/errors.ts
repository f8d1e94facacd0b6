/** Exit codes of `tandem`; scripts rely on them. */
export const exitCodes = {
  ok: 0,
  /** What was asked for could not be done. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** There is no such cluster, or it does not run. */
  notRunning: 3,
  /** `doctor` and `status` found something wrong. */
  unhealthy: 4,
  /** The user said no, or could not be asked. */
  refused: 5,
} as const;

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure that one line explains; anything else is a bug and shows its stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  constructor(message: string, options: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}
