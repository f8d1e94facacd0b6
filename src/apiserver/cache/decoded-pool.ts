import type { StoredObject } from './stored-object.ts';

/**
 * Which decoded objects are kept: those used lately, up to a number of bytes of their JSON (the heap
 * holds about four times that). Two generations instead of an exact order: a touch is one look.
 */
export class DecodedPool {
  readonly #bytesMax: number;
  #young = new Set<StoredObject>();
  #old = new Set<StoredObject>();
  #youngBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  touch(object: StoredObject): void {
    if (this.#young.has(object)) return;
    this.#old.delete(object);
    this.#young.add(object);
    this.#youngBytes += object.bytes.length;
    if (this.#youngBytes <= this.#bytesMax / 2) return;
    for (const one of this.#old) one.release();
    this.#old = this.#young;
    this.#young = new Set();
    this.#youngBytes = 0;
  }

  /** The object is no longer current: nobody will ask the cache for it. */
  forget(object: StoredObject): void {
    if (this.#young.delete(object)) this.#youngBytes -= object.bytes.length;
    this.#old.delete(object);
    object.release();
  }
}
