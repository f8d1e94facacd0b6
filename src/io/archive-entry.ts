import type { Readable } from 'node:stream';

/** One thing of an archive, in the order they come. */
export interface ArchiveEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** Permission bits; undefined where the archive tells none. */
  readonly mode: number | undefined;
  readonly linkTarget: string;
  /** Content of a file; must be read to its end before the next entry comes. */
  content(): Readable;
}

/** Why an archive was not unpacked. What was unpacked before it was noticed is still there. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
