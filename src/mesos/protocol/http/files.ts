import type { FileInfo } from '../types.ts';

/**
 * Files as the agents and the master show them under virtual paths (`/master/log`, sandboxes). Every
 * failure is a `CallRejected`: 400 with a text, 403, 404, 500 with a text. Texts have no line feed at
 * their end; the legacy endpoints add what they need.
 */
export interface VirtualFiles {
  /** The content of a directory, sorted by path; of a file, nothing. */
  browse(path: string): Promise<readonly FileInfo[]>;
  /** `data` is empty at and beyond the end; `length` absent reads to the end, within a limit. */
  read(
    path: string,
    range: { readonly offset: number; readonly length?: number | undefined },
  ): Promise<{ readonly size: number; readonly data: Uint8Array }>;
  /** For `read` and `download`; a directory is refused with the verb. */
  open(path: string, to: 'read' | 'download'): Promise<OpenFile>;
  /** Real path by virtual path, for `/files/debug`. */
  attached(): ReadonlyMap<string, string>;
}

export interface OpenFile extends AsyncDisposable {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}
