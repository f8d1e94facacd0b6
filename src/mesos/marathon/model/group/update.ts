import { type DefinitionContext, normaliseApp } from '../app/definition.ts';
import { canonicalID, childProblems, idProblems, parentID } from '../ids.ts';
import { type Problem, below, illegalArgument, invalidObject, refuseInvalid } from '../problem.ts';
import { read } from '../read.ts';
import {
  type ChangeOptions,
  type GroupDefinition,
  type Root,
  type RootDraft,
  draftOf,
  putInto,
  removeTree,
  runSpecsOf,
  touchGroups,
} from '../root.ts';
import { isWithin } from '../ids.ts';
import type { App, GroupUpdate } from '../types.ts';

/** A group update that was read, checked and normalised: ids are absolute, apps are whole. */
export interface GroupChange {
  readonly id: string;
  /** Back to how the group was in that version. */
  readonly version?: string | undefined;
  readonly scaleBy?: number | undefined;
  readonly apps?: readonly App[] | undefined;
  readonly groups?: readonly GroupChange[] | undefined;
  readonly dependencies?: readonly string[] | undefined;
  readonly enforceRole?: boolean | undefined;
}

export interface GroupUpdateOptions {
  /** The id of the path; that of the body is seen from there. */
  readonly id: string;
  readonly context: DefinitionContext;
}

/** POST and PUT of a group: which group it is and what is to become of it. */
export function groupUpdateFromJson(json: unknown, options: GroupUpdateOptions): GroupChange {
  const { id: base, context } = options;
  const update = read('GroupUpdate', json);
  const id = update.id === undefined ? canonicalID(base) : canonicalID(update.id, base);
  const change = { update, id };
  refuseInvalid(groupProblems(change, { context, modifies: modifiesServices(update), base: true }));
  return normalised(change, context);
}

interface Named {
  readonly update: GroupUpdate;
  readonly id: string;
}

function modifiesServices({ version, scaleBy, apps, groups = [] }: GroupUpdate): boolean {
  return (
    version !== undefined ||
    scaleBy !== undefined ||
    (apps !== undefined && apps.length > 0) ||
    groups.some(modifiesServices)
  );
}

interface GroupCheck {
  readonly context: DefinitionContext;
  readonly modifies: boolean;
  /** The outermost group may go without an id. */
  readonly base: boolean;
}

function groupProblems({ update, id }: Named, check: GroupCheck): Problem[] {
  const problems: Problem[] = [];
  const { version, scaleBy, enforceRole, apps = [], groups = [] } = update;
  const given = Object.values(update).filter((value) => value !== undefined).length;
  for (const [name, value] of Object.entries({ version, scaleBy }))
    if (value !== undefined && given > 1)
      problems.push({
        path: `/${name}`,
        text: 'not allowed in conjunction with other properties.',
      });
  if (update.id !== undefined) problems.push(...idProblems(update.id, '/id'));
  else if (!check.base) problems.push({ path: '/id', text: 'not defined' });
  problems.push(...enforceRoleProblems(id, { enforceRole, check }));
  for (const [index, app] of apps.entries())
    problems.push(...childProblems(app.id, { group: id, path: `/apps(${index})/id` }));
  for (const [index, group] of groups.entries()) {
    const inner = { update: group, id: canonicalID(group.id ?? '', id) };
    const found = groupProblems(inner, { ...check, base: false });
    if (group.id !== undefined) found.push(...childProblems(group.id, { group: id, path: '/id' }));
    problems.push(...below(`/groups(${index})`, found));
  }
  return problems;
}

function enforceRoleProblems(
  id: string,
  options: { readonly enforceRole: boolean | undefined; readonly check: GroupCheck },
): Problem[] {
  const { enforceRole, check } = options;
  const path = '/enforceRole';
  const topLevel = id !== '/' && parentID(id) === '/';
  if (!topLevel && enforceRole === true)
    return [
      {
        path,
        text: `enforceRole can only be set for top-level groups, and ${id} is not top-level`,
      },
    ];
  const known = check.context.root.groups.get(id);
  if (!topLevel || !check.modifies || known === undefined || enforceRole === undefined) return [];
  if (enforceRole === (known.enforceRole ?? false)) return [];
  const text =
    'enforceRole cannot be modified in a request that adds, removes or modifies services; ' +
    'please make these changes in separate requests.';
  return [{ path, text }];
}

/** Apps are normalised against the tree as it will be: new groups count with their `enforceRole`. */
function normalised({ update, id }: Named, context: DefinitionContext): GroupChange {
  const { version, scaleBy, enforceRole, apps, groups, dependencies } = update;
  const seen = enforceRole === undefined ? context : withEnforcedRole(context, id, enforceRole);
  return {
    id,
    version,
    scaleBy,
    enforceRole,
    dependencies: dependencies?.map((one) => canonicalID(one, id)),
    apps: apps?.map((app) => normaliseApp(app, { base: id, context: seen })),
    groups: groups?.map((group) =>
      normalised({ update: group, id: canonicalID(group.id ?? '', id) }, seen),
    ),
  };
}

function withEnforcedRole(
  context: DefinitionContext,
  id: string,
  enforceRole: boolean,
): DefinitionContext {
  if (id === '/' || parentID(id) !== '/') return context;
  const known = context.root.groups.get(id);
  const group: GroupDefinition = { dependencies: [], version: '', ...known, id, enforceRole };
  const groups = new Map(context.root.groups).set(id, group);
  return { ...context, root: { ...context.root, groups } };
}

export interface ApplyGroupOptions extends ChangeOptions {
  /** The whole tree as it was in a version; undefined when that is not known. */
  readonly versionOf: (version: string) => Root | undefined;
}

/** The tree with the change made: back to a version, scaled, or restructured. */
export function applyGroupUpdate(
  root: Root,
  change: GroupChange,
  options: ApplyGroupOptions,
): Root {
  const draft = draftOf(root);
  if (change.version !== undefined) restore(draft, change, options);
  else if (change.scaleBy !== undefined) scale(draft, change.id, change.scaleBy);
  else restructure(draft, change, options);
  touchGroups(draft, change.id, options);
  return draft;
}

function restore(
  draft: RootDraft,
  { id, version = '' }: GroupChange,
  options: ApplyGroupOptions,
): void {
  const old = options.versionOf(version);
  if (old === undefined || !old.groups.has(id))
    throw illegalArgument(`Group ${id} not available in version ${version}`);
  removeTree(draft, id);
  for (const group of old.groups.values())
    if (isWithin(group.id, id)) draft.groups.set(group.id, group);
  for (const runSpec of runSpecsOf(old)) if (isWithin(runSpec.spec.id, id)) putInto(draft, runSpec);
}

function scale(draft: RootDraft, id: string, factor: number): void {
  for (const app of draft.apps.values())
    if (isWithin(app.id, id))
      draft.apps.set(app.id, { ...app, instances: scaledInstances(app.instances, factor) });
}

/** Rounds up; binary fractions must not make 3 x 1.1 more than it is said to be. */
function scaledInstances(instances: number, factor: number): number {
  const scaled = Math.ceil(instances * factor);
  if (scaled > 2 ** 31 - 1)
    throw invalidObject([{ path: '/scaleBy', text: `got ${factor}, too many instances` }]);
  return scaled;
}

function restructure(draft: RootDraft, change: GroupChange, options: ChangeOptions): void {
  const { id, apps, groups, dependencies, enforceRole } = change;
  touchGroups(draft, id, options);
  const group = draft.groups.get(id);
  if (group !== undefined)
    draft.groups.set(id, {
      ...group,
      ...(dependencies === undefined ? {} : { dependencies: [...new Set(dependencies)] }),
      ...(enforceRole === undefined || group.enforceRole === undefined ? {} : { enforceRole }),
    });
  if (apps !== undefined) {
    for (const one of draft.apps.keys()) if (parentID(one) === id) draft.apps.delete(one);
    for (const app of apps) draft.apps.set(app.id, app);
  }
  if (groups === undefined) return;
  const listed = new Set(groups.map((one) => one.id));
  for (const one of draft.groups.keys())
    if (one !== '/' && parentID(one) === id && !listed.has(one)) removeTree(draft, one);
  for (const one of groups) restructure(draft, one, options);
}
