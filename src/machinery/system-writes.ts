import type { Target } from './api.ts';
import type { StatusError } from './errors.ts';
import type { ResourceName } from './kind.ts';
import type { Draft, KubeObject, NewObject } from './object.ts';

/**
 * Writes of Tandem's own parts (the Mesos master, Marathon), in process: several objects at once,
 * past admission and without managed fields, but defaulted and validated as every write is.
 */
export interface SystemWriter {
  /**
   * Each group happens whole or not at all, in one commit of the store; groups succeed or fail by
   * themselves and share commits. Results are in the order of `groups`. A change that somebody else
   * overtook is made again on the newer object.
   */
  writeMany(groups: readonly WriteGroup[]): Promise<readonly GroupResult[]>;
}

/** An object may be named once in a group. */
export type WriteGroup = readonly SystemWrite[];
export type SystemWrite = SystemCreate | SystemUpdate | SystemDelete;

export interface SystemCreate {
  /** A `status` is kept where the kind keeps one; a `metadata.uid` is taken as it is. */
  readonly create: NewObject;
}
export interface SystemUpdate {
  readonly resource: ResourceName;
  readonly target: Target;
  /** May change spec, status and metadata. Called again when somebody else wrote first; a throw ends it. */
  change(draft: Draft<KubeObject>): void;
  /** False: the change itself knows what is right (a container appended to a Pod). */
  readonly validated: boolean;
}
export interface SystemDelete {
  readonly resource: ResourceName;
  readonly target: Target;
  readonly delete: true;
  /** Gone already is fine too. */
  readonly ifPresent: boolean;
}

export type GroupResult =
  /** One object per write, as written; undefined for deletes. */
  | { readonly ok: true; readonly objects: readonly (KubeObject | undefined)[] }
  | { readonly ok: false; readonly error: StatusError };

/** An object that is to be there, typed. */
export function creation<T extends KubeObject>(create: NewObject<T>): SystemCreate {
  return { create };
}
/** A change of an object that is there, typed. */
export function updating<T extends KubeObject>(
  resource: ResourceName<T>,
  target: Target,
  change: (draft: Draft<T>) => void,
): SystemUpdate {
  return {
    resource,
    target,
    // The resource says what its objects are.
    change: (draft) => change(draft as unknown as Draft<T>),
    validated: true,
  };
}
/** Removal at once. Refused for objects with finalizers and for Pods, which end in steps. */
export function deletion(resource: ResourceName, target: Target, ifPresent = true): SystemDelete {
  return { resource, target, delete: true, ifPresent };
}
