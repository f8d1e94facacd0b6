/** Called with a key, never with an event: it reads what is and moves it toward what should be. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Again>;
export type Again = { readonly afterMs: number } | undefined;

/** Keys to look at: each once however often it was added, never two workers on one key. */
export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** Runs `workers` loops until the signal aborts; a thrown error brings the key back with back-off. */
  run(reconcile: Reconcile, options: { workers: number; signal: AbortSignal }): Promise<void>;
  readonly length: number;
}
