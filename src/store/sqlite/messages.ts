/** What the main thread asks of the writer thread; each is answered by its `id`, appends in order. */
export type WriterRequest =
  | {
      readonly id: number;
      readonly kind: 'append';
      readonly firstRevision: number;
      readonly packed: Uint8Array;
    }
  | { readonly id: number; readonly kind: 'compact'; readonly upTo: number }
  | { readonly id: number; readonly kind: 'checkpoint' | 'probe' | 'close' };

export interface WriterReply {
  readonly id: number;
  readonly error: { readonly code: number; readonly message: string } | undefined;
}

/** The checkpointer is asked by any message and answers how many frames are not moved yet. */
export interface CheckpointReply {
  readonly framesLeft: number;
  readonly error: string | undefined;
}
