import type { CommandInfoURI } from '#mesos/protocol';

export interface FetchRequest {
  readonly uris: readonly CommandInfoURI[];
  /** Nobody else may write here meanwhile. */
  readonly directory: string;
  readonly user: string;
  readonly containerID: string;
}

/** Brings a task's files into its sandbox before it starts. */
export interface Fetcher {
  /** Throws with the reference's words when one of them cannot be had. */
  fetch(request: FetchRequest, signal: AbortSignal): Promise<void>;
  /** How large its cache may become, and is. */
  cache(): { readonly totalBytes: number; readonly usedBytes: number };
}
