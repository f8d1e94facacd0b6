import { ancestorIDs, isWithin, parentID } from './ids.ts';
import type { ModelSettings } from './settings.ts';
import type { App, Pod, VersionInfo } from './types.ts';

/** One group as it is kept: its members are known by their ids. */
export interface GroupDefinition {
  readonly id: string;
  readonly dependencies: readonly string[];
  /** Top-level groups only. */
  readonly enforceRole?: boolean | undefined;
  readonly version: string;
}

/** A pod as it is kept: `versionInfo` is never written, but its changes are told apart by it. */
export interface PodDefinition extends Pod {
  readonly versionInfo?: VersionInfo | undefined;
}

/** The whole tree of definitions, by id. `groups` holds `/` too. */
export interface Root {
  readonly groups: ReadonlyMap<string, GroupDefinition>;
  readonly apps: ReadonlyMap<string, App>;
  readonly pods: ReadonlyMap<string, PodDefinition>;
}

export type RunSpec =
  | { readonly kind: 'app'; readonly spec: App }
  | { readonly kind: 'pod'; readonly spec: PodDefinition };

export function emptyRoot(version: string): Root {
  return {
    groups: new Map([['/', { id: '/', dependencies: [], version }]]),
    apps: new Map(),
    pods: new Map(),
  };
}

export function runSpecOf(root: Root, id: string): RunSpec | undefined {
  const app = root.apps.get(id);
  if (app !== undefined) return { kind: 'app', spec: app };
  const pod = root.pods.get(id);
  return pod === undefined ? undefined : { kind: 'pod', spec: pod };
}

export function* runSpecsOf(root: Root): Generator<RunSpec> {
  for (const spec of root.apps.values()) yield { kind: 'app', spec };
  for (const spec of root.pods.values()) yield { kind: 'pod', spec };
}

/** Ids of apps and pods in a group, at any depth. */
export function runSpecIDsBelow(root: Root, groupID: string): string[] {
  return [...root.apps.keys(), ...root.pods.keys()].filter((id) => isWithin(id, groupID));
}

export interface ChangeOptions {
  readonly version: string;
  readonly settings: ModelSettings;
}

/** A tree under change. */
export interface RootDraft {
  readonly groups: Map<string, GroupDefinition>;
  readonly apps: Map<string, App>;
  readonly pods: Map<string, PodDefinition>;
}

export function draftOf(root: Root): RootDraft {
  return { groups: new Map(root.groups), apps: new Map(root.apps), pods: new Map(root.pods) };
}

/** Makes a group and those above it, and gives all of them the version. */
export function touchGroups(draft: RootDraft, id: string, options: ChangeOptions): void {
  for (const one of [id, ...ancestorIDs(id)]) {
    const known = draft.groups.get(one) ?? newGroup(one, options);
    draft.groups.set(one, { ...known, version: options.version });
  }
}

function newGroup(id: string, { version, settings }: ChangeOptions): GroupDefinition {
  const topLevel = id !== '/' && parentID(id) === '/';
  return {
    id,
    dependencies: [],
    ...(topLevel ? { enforceRole: settings.newGroupEnforceRole === 'top' } : {}),
    version,
  };
}

/** Adds or replaces an app or pod; groups above it are made. */
export function putRunSpec(root: Root, runSpec: RunSpec, options: ChangeOptions): Root {
  const draft = draftOf(root);
  putInto(draft, runSpec);
  touchGroups(draft, parentID(runSpec.spec.id), options);
  return draft;
}

export function putInto(draft: RootDraft, runSpec: RunSpec): void {
  if (runSpec.kind === 'app') draft.apps.set(runSpec.spec.id, runSpec.spec);
  else draft.pods.set(runSpec.spec.id, runSpec.spec);
}

/** Removes an app or pod. Its group stays. */
export function removeRunSpec(root: Root, id: string, options: ChangeOptions): Root {
  const draft = draftOf(root);
  draft.apps.delete(id);
  draft.pods.delete(id);
  touchGroups(draft, parentID(id), options);
  return draft;
}

/** Removes a group with all that is in it; of `/` only what is in it. */
export function removeGroup(root: Root, id: string, options: ChangeOptions): Root {
  const draft = draftOf(root);
  removeTree(draft, id);
  touchGroups(draft, parentID(id), options);
  return draft;
}

export function removeTree(draft: RootDraft, id: string): void {
  for (const map of [draft.groups, draft.apps, draft.pods])
    for (const one of map.keys()) if (isWithin(one, id)) map.delete(one);
}

/** PATCH of a top-level group. Throws nothing: the caller knows that the group is there. */
export function setEnforceRole(
  root: Root,
  id: string,
  options: ChangeOptions & { readonly enforceRole: boolean | undefined },
): Root {
  const draft = draftOf(root);
  const group = draft.groups.get(id);
  const enforceRole = options.enforceRole ?? options.settings.newGroupEnforceRole === 'top';
  if (group !== undefined) draft.groups.set(id, { ...group, enforceRole });
  touchGroups(draft, id, options);
  return draft;
}
