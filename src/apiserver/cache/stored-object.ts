import type { Draft, KubeObject } from '#machinery';
import type { DecodedPool } from './decoded-pool.ts';

const uidMark = Buffer.from('"uid":"');
const versionMark = Buffer.from('"resourceVersion":"');
const quote = 0x22;

/**
 * The JSON of an object with `metadata.resourceVersion` set to `revision`. What is stored does not
 * carry it, since it is known only after the commit. In canonical JSON nothing that holds a raw
 * quote stands before `metadata.uid`, so the first match is the right one.
 */
export function withRevision(json: Uint8Array, revision: number): Buffer {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const uid = bytes.indexOf(uidMark);
  if (uid < 0) throw new Error('Cannot set resourceVersion: the object has no uid');
  const uidEnd = bytes.indexOf(quote, uid + uidMark.length) + 1;
  const text = `,"resourceVersion":"${revision}"`;
  let tail = uidEnd;
  if (
    bytes.compare(versionMark, 0, versionMark.length, tail + 1, tail + 1 + versionMark.length) === 0
  )
    tail = bytes.indexOf(quote, tail + 1 + versionMark.length) + 1;
  // Not from the shared slab: a long-lived slice of it would hold 8 KB.
  const out = Buffer.allocUnsafeSlow(uidEnd + text.length + bytes.length - tail);
  bytes.copy(out, 0, 0, uidEnd);
  out.write(text, uidEnd, 'latin1');
  bytes.copy(out, uidEnd + text.length, tail);
  return out;
}

/** One revision of one object: its bytes, and its decoded form while somebody needs it. */
export class StoredObject {
  readonly key: string;
  readonly revision: number;
  /** JSON in the stored version, with its resourceVersion, without a newline. Never changed. */
  readonly bytes: Buffer;
  readonly #pool: DecodedPool;
  #strong: KubeObject | undefined;
  #weak: WeakRef<KubeObject> | undefined;
  #labels: Readonly<Record<string, string>> | undefined;

  constructor(entry: { key: string; revision: number; bytes: Buffer }, pool: DecodedPool) {
    this.key = entry.key;
    this.revision = entry.revision;
    this.bytes = entry.bytes;
    this.#pool = pool;
  }

  /** Decoded once, frozen and shared. */
  get object(): KubeObject {
    let object = this.#strong ?? this.#weak?.deref();
    if (object === undefined) object = JSON.parse(this.bytes.toString('utf8')) as KubeObject;
    if (this.#strong === undefined) {
      this.#strong = object;
      this.#weak = undefined;
    }
    this.#pool.touch(this);
    return deepFreeze(object);
  }

  /** The writer has the decoded form at hand: it becomes ours. */
  adopt(draft: Draft<KubeObject>): void {
    draft.metadata.resourceVersion = String(this.revision);
    // Frozen when it is first shared: most of what is written is never looked at again.
    this.#strong = draft as KubeObject;
    this.#pool.touch(this);
  }

  get labels(): Readonly<Record<string, string>> {
    this.#labels ??= this.object.metadata.labels ?? noLabels;
    return this.#labels;
  }

  /** Called by the pool: the decoded form stays only as long as somebody else holds it. */
  release(): void {
    if (this.#strong === undefined) return;
    this.#weak = new WeakRef(this.#strong);
    this.#strong = undefined;
  }
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/** All inside a frozen value is frozen already: only the outermost is asked. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) freeze(value);
  return value;
}
/** Five times as fast as the obvious way, and it is run for every object that anybody looks at. */
function freeze(value: object): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const inner: unknown = value[index];
      if (typeof inner === 'object' && inner !== null) freeze(inner);
    }
  } else {
    for (const key in value) {
      // Sets of owned fields: many small objects that nobody but server-side apply ever looks at.
      if (key === 'fieldsV1') continue;
      const inner = (value as Readonly<Record<string, unknown>>)[key];
      if (typeof inner === 'object' && inner !== null) freeze(inner);
    }
  }
  Object.freeze(value);
}
