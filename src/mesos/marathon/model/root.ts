import type { App, Pod } from './types.ts';

/** One group as it is kept: its members are known by their ids. */
export interface GroupDefinition {
  readonly id: string;
  readonly dependencies: readonly string[];
  /** Top-level groups only. */
  readonly enforceRole?: boolean | undefined;
  readonly version: string;
}

/** The whole tree of definitions, by id. `groups` holds `/` too. */
export interface Root {
  readonly groups: ReadonlyMap<string, GroupDefinition>;
  readonly apps: ReadonlyMap<string, App>;
  readonly pods: ReadonlyMap<string, Pod>;
}

export type RunSpec =
  | { readonly kind: 'app'; readonly spec: App }
  | { readonly kind: 'pod'; readonly spec: Pod };

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
