import { limits } from '#base';
import type { Draft, KubeObject } from '#machinery';
import { StatusError, conflict, requestEntityTooLarge } from '#machinery';
import { StoreFailedError, StoreFullError, type CommitResult, type Write } from '#store';
import { encodeCanonicalJson } from '#wire';
import { withRevision, type StoredObject } from '../cache/stored-object.ts';
import { type Call, type Core, draftOf, storedKind } from '../core.ts';

export interface PendingWrite {
  readonly key: string;
  readonly draft: Draft<KubeObject>;
  readonly value: Uint8Array;
}

/**
 * A draft as it is stored and its bytes: in the stored version, without a resourceVersion. The draft
 * is given away: what is stored holds parts of it.
 */
export function encodeDraft(
  core: Core,
  call: Pick<Call, 'kind'>,
  key: string,
  draft: Draft<KubeObject>,
): PendingWrite {
  const { kind } = call;
  const target = storedKind(core, kind);
  const source =
    kind.storedAs === undefined ? draft : draftOf(kind.storedAs.toStored(draft as KubeObject));
  source.metadata.resourceVersion = '';
  const stored = core.codec.takeCanonical(target.type, source) as unknown as Draft<KubeObject>;
  const value = encodeCanonicalJson(stored);
  if (value.length > limits.objectBytesMax)
    throw requestEntityTooLarge(`limit is ${limits.objectBytesMax}`);
  return { key, draft: stored, value };
}

/** True when writing would change nothing. */
export function isSame(write: PendingWrite, current: StoredObject): boolean {
  // The revision adds as many bytes as its text and its key take.
  const added = `,"resourceVersion":"${current.revision}"`.length;
  if (write.value.length + added !== current.bytes.length) return false;
  return withRevision(write.value, current.revision).equals(current.bytes);
}

export type WriteResult = { readonly stored: StoredObject } | { readonly conflict: true };

/** Writes when the key still is at `expected` (0: does not exist). */
export async function commitDraft(
  core: Core,
  call: Call,
  write: PendingWrite & { readonly expected: number },
): Promise<WriteResult> {
  const { key, value, draft, expected } = write;
  core.cache.remember(value, draft);
  const { ttlMs } = call.kind;
  const result = await commitWrites(core, [{ key, value, expected, ttlMs }]);
  if (!result.ok) {
    await caughtUp(core, result);
    return { conflict: true };
  }
  const resource = core.cache.of(call.kind);
  const revision = result.revisions[0] ?? 0;
  const current = resource.get(key);
  if (current?.revision === revision) return { stored: current };
  // Somebody wrote again within the same group of commits: ours is already history.
  return { stored: resource.stored({ key, revision, value }) };
}

/** True when the key was deleted as it was at `expected`. */
export async function commitDelete(core: Core, key: string, expected: number): Promise<boolean> {
  const result = await commitWrites(core, [{ key, value: undefined, expected }]);
  if (!result.ok) await caughtUp(core, result);
  return result.ok;
}

export async function commitWrites(core: Core, writes: readonly Write[]): Promise<CommitResult> {
  try {
    return await core.store.commit(writes);
  } catch (cause) {
    if (cause instanceof StoreFullError)
      throw new StatusError('StorageReadWriteError', cause.message, { cause });
    if (cause instanceof StoreFailedError) {
      core.storeFailed(cause);
      throw new StatusError('InternalError', `Internal error occurred: ${cause.message}`, {
        cause,
      });
    }
    throw cause;
  }
}

/** A refusal may speak of a write that is not durable yet: waits until the cache shows it. */
async function caughtUp(core: Core, result: CommitResult & { ok: false }): Promise<void> {
  if (result.current !== undefined) await core.cache.waitFor(result.current.revision, 5000);
  else await core.clock.sleep(1);
}

/** Until how long after its begin a write is tried again (requestTimeoutUpperBound). */
export const retryMsMax = 34_000;

export function modified(call: Call): StatusError {
  return conflict(call.kind, call.name);
}
