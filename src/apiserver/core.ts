import { formatTime } from '#base';
import type { Clock, Logger, Random } from '#base';
import type { Draft, KindDeclaration, KubeObject, Scheme } from '#machinery';
import { apiVersionOf } from '#machinery';
import type { Store } from '#store';
import type { Codec } from '#wire';
import { type ObjectCache, registryPrefix } from './cache/object-cache.ts';
import type { StoredObject } from './cache/stored-object.ts';
import type { AdmissionPlugin, Attributes, Decision, UserInfo } from './seams.ts';

/** What every verb works with. */
export interface Core {
  readonly store: Store;
  readonly cache: ObjectCache;
  readonly scheme: Scheme;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly admission: readonly AdmissionPlugin[];
  authorize(attributes: Attributes): Decision;
  refusal(attributes: Attributes, decision: Decision): Error;
  /** The store takes no more writes in this process. */
  storeFailed(error: Error): void;
}

/** One request to a stored kind, from a socket or from within the process. */
export interface Call {
  readonly kind: KindDeclaration;
  readonly user: UserInfo;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  /** Who the fields belong to. */
  readonly fieldManager: string;
  /** Options as sent, for admission. */
  readonly options: Readonly<Record<string, unknown>>;
  warn(text: string): void;
}

/** What a write left behind, in the version that was asked for. */
export interface Outcome {
  readonly object: KubeObject;
  /** Its bytes, when it was written and the version asked for is the stored one. */
  readonly stored: StoredObject | undefined;
  readonly created: boolean;
}

export function storedKind(core: Core, kind: KindDeclaration): KindDeclaration {
  if (kind.storedAs === undefined) return kind;
  const { group, version, kind: name } = kind.storedAs.kind;
  const found = core.scheme.byKind(apiVersionOf(group, version), name);
  if (found === undefined) throw new Error(`Stored version of ${kind.kind} is not declared`);
  return found;
}

export function keyOf(kind: KindDeclaration, name: string, namespace: string): string {
  const prefix = `${registryPrefix}${kind.storagePrefix}/`;
  return kind.namespaced ? `${prefix}${namespace}/${name}` : prefix + name;
}

/** The object as the version asked for shows it. */
export function viewOf(kind: KindDeclaration, stored: StoredObject): KubeObject {
  return kind.storedAs === undefined ? stored.object : kind.storedAs.fromStored(stored.object);
}

export function outcomeOf(call: Call, stored: StoredObject, created: boolean): Outcome {
  return {
    // Made when somebody looks at it: most answers are bytes, and freezing an object costs.
    get object() {
      return viewOf(call.kind, stored);
    },
    stored: call.kind.storedAs === undefined ? stored : undefined,
    created,
  };
}

/** A deep copy that may be changed. Values are plain JSON. */
export function draftOf<T>(value: T): Draft<T> {
  return copy(value) as Draft<T>;
}
function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    const copied = typeof inner === 'object' && inner !== null ? copy(inner) : inner;
    // A key may be anything a user wrote into a map.
    if (key === '__proto__')
      Object.defineProperty(out, key, {
        value: copied,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    else out[key] = copied;
  }
  return out;
}

/** RFC 3339 in whole seconds, as metav1.Time is written. */
export function timeText(ms: number): string {
  return formatTime(ms);
}
