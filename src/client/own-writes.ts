import type { KubeObject } from '#machinery';
import { keyOf, type Informer } from './informer.ts';

/**
 * What a loop wrote and has not yet seen back. A loop that counts objects in its cache must not
 * count while its own last writes are missing there, or it makes them twice. Nothing is counted
 * here: a write is known to be back when the cache has its version.
 */
export interface OwnWrites<T extends KubeObject> {
  /** `object` is what the server answered to a create or an update for `owner`. */
  wrote(owner: string, object: T): void;
  /** A delete was accepted for `object`. */
  deleted(owner: string, object: T): void;
  /** True when the cache holds everything that was written for `owner`. */
  caughtUp(owner: string): boolean;
}

interface Waiting {
  readonly version: bigint | undefined;
  /** Set for a delete: done when this uid is gone or going. */
  readonly goneUid: string | undefined;
}

export function createOwnWrites<T extends KubeObject>(informer: Informer<T>): OwnWrites<T> {
  const waiting = new Map<string, Map<string, Waiting>>();
  const note = (owner: string, object: T, entry: Waiting): void => {
    const entries = waiting.get(owner) ?? new Map<string, Waiting>();
    entries.set(keyOf(object), entry);
    waiting.set(owner, entries);
  };
  const isBack = (key: string, entry: Waiting): boolean => {
    const seen = informer.get(key);
    if (entry.goneUid !== undefined)
      return seen?.metadata.uid !== entry.goneUid || seen.metadata.deletionTimestamp !== undefined;
    return entry.version === undefined || reached(informer.observedVersion, entry.version);
  };
  return {
    wrote: (owner, object) =>
      note(owner, object, {
        version: versionOf(object.metadata.resourceVersion),
        goneUid: undefined,
      }),
    deleted: (owner, object) =>
      note(owner, object, { version: undefined, goneUid: object.metadata.uid }),
    caughtUp: (owner) => {
      const entries = waiting.get(owner);
      if (entries === undefined) return true;
      for (const [key, entry] of entries) if (isBack(key, entry)) entries.delete(key);
      if (entries.size > 0) return false;
      waiting.delete(owner);
      return true;
    },
  };
}

/** Versions of one resource may be compared as whole numbers (Kubernetes, API concepts, from 1.35 on). */
function versionOf(version: string): bigint | undefined {
  return /^\d+$/.test(version) ? BigInt(version) : undefined;
}

function reached(observed: string, wanted: bigint): boolean {
  const version = versionOf(observed);
  return version === undefined || version >= wanted;
}
