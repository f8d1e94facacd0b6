import type { FaceReply } from '#base';
import type { AppEmbed, GroupEmbed, Root } from '../model/index.ts';
import {
  MarathonFailure,
  applyGroupUpdate,
  appEmbeds,
  conflict,
  groupEmbeds,
  groupUpdateFromJson,
  isWithin,
  objectText,
  parentID,
  planSteps,
  read,
  removeGroup,
  setEnforceRole,
  textOf,
  unknownEntity,
} from '../model/index.ts';
import { appInfoText, podStatusText } from './app-info.ts';
import { parentOf } from './apps.ts';
import type { Call } from './http.ts';
import {
  applyChecked,
  bodyOf,
  demand,
  demandSpec,
  deploymentReply,
  emptyReply,
  flag,
  idOf,
  jsonReply,
  mayView,
  ramlReply,
  timestampOf,
} from './http.ts';

/** `/v2/groups` (GroupsResource.scala). */

interface View {
  readonly root: Root;
  readonly apps: ReadonlySet<AppEmbed>;
  readonly embed: ReadonlySet<GroupEmbed>;
  /** Not of now: only definitions. */
  readonly past: boolean;
}

export async function getGroup(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const parts = text.split('/').filter((one) => one !== '');
  const last = parts.at(-1);
  const before = parts.at(-2);
  if (before === 'versions') {
    const id = idOf(parts.slice(0, -2).join('/'));
    return groupVersion(call, id, timestampOf(last ?? ''));
  }
  const inner = idOf(parts.slice(0, -1).join('/'));
  if (last === 'versions') return groupVersions(call, inner);
  if (last === 'apps') return groupApps(call, inner);
  const id = idOf(text);
  const { apps, group: embed } = groupEmbeds(call.query.getAll('embed'));
  const view: View = { root: call.engine.root(), apps, embed, past: false };
  return jsonReply(groupText(call, id, view));
}

function groupText(call: Call, id: string, view: View): string {
  const group = view.root.groups.get(id);
  if (group === undefined) throw unknownEntity('Group', id);
  if (!mayView(call, 'group', id)) demand(call, { action: 'view', on: 'group', id });
  return groupTexts(call, id, { ...view, index: childrenOf(view.root) });
}

interface Indexed extends View {
  readonly index: Children;
}
interface Children {
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly apps: ReadonlyMap<string, readonly string[]>;
  readonly pods: ReadonlyMap<string, readonly string[]>;
}

function childrenOf({ groups, apps, pods }: Root): Children {
  const byParent = (ids: Iterable<string>): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const id of ids) {
      if (id === '/') continue;
      const parent = parentID(id);
      const members = found.get(parent);
      if (members === undefined) found.set(parent, [id]);
      else members.push(id);
    }
    return found;
  };
  return {
    groups: byParent(groups.keys()),
    apps: byParent(apps.keys()),
    pods: byParent(pods.keys()),
  };
}

function groupTexts(call: Call, id: string, view: Indexed): string {
  const { root, embed, index } = view;
  const group = root.groups.get(id);
  const apps = embed.has('apps') ? (index.apps.get(id) ?? []) : [];
  const pods = embed.has('pods') ? (index.pods.get(id) ?? []) : [];
  const groups = embed.has('groups') ? (index.groups.get(id) ?? []) : [];
  const texts = {
    apps: apps.flatMap((one) => {
      const app = root.apps.get(one);
      return app !== undefined && mayView(call, 'app', one)
        ? [view.past ? textOf('App', app) : appInfoText(call.engine, app, view.apps)]
        : [];
    }),
    pods: pods.flatMap((one) => {
      const pod = root.pods.get(one);
      return pod !== undefined && mayView(call, 'pod', one)
        ? [podStatusText(call.engine, pod, view.past)]
        : [];
    }),
    groups: groups
      .filter((one) => mayView(call, 'group', one))
      .map((one) => groupTexts(call, one, view)),
  };
  return objectText({
    id: JSON.stringify(id),
    apps: `[${texts.apps.join(',')}]`,
    pods: `[${texts.pods.join(',')}]`,
    groups: `[${texts.groups.join(',')}]`,
    dependencies: JSON.stringify(group?.dependencies ?? []),
    version: JSON.stringify(group?.version),
    ...(id !== '/' && parentID(id) === '/' && { enforceRole: String(group?.enforceRole ?? false) }),
  });
}

function groupApps(call: Call, id: string): FaceReply {
  const { engine, query } = call;
  const embed = appEmbeds(query.getAll('embed'));
  const texts = [...engine.root().apps.values()]
    .filter((app) => isWithin(app.id, id) && mayView(call, 'app', app.id))
    .map((app) => appInfoText(engine, app, embed));
  return jsonReply(`[${texts.join(',')}]`);
}

function groupVersions(call: Call, id: string): FaceReply {
  if (!call.engine.root().groups.has(id)) throw unknownEntity('Group', id);
  demand(call, { action: 'view', on: 'group', id });
  return jsonReply(JSON.stringify(call.engine.state.versions.ofGroup(id).toReversed()));
}

async function groupVersion(call: Call, id: string, version: string): Promise<FaceReply> {
  const root = await call.engine.state.versions.rootAt(version);
  if (root === undefined || !root.groups.has(id)) throw unknownEntity('Group', id);
  const { apps, group: embed } = groupEmbeds(call.query.getAll('embed'));
  return jsonReply(groupText(call, id, { root, apps, embed, past: true }));
}

export async function createGroup(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const base = idOf(text);
  const force = flag(call, 'force');
  const json = await bodyOf(call);
  const past = await pastRoot(call, json);
  let id = base;
  const result = await applyChecked(call, {
    groupID: parentOf(base),
    force,
    change(root, version) {
      const context = { root, settings, forceRole: force };
      const change = groupUpdateFromJson(json, { id: base, context });
      ({ id } = change);
      if (root.groups.has(id))
        throw conflict(`Group ${id} is already created. Use PUT to change this group.`);
      if (root.apps.has(id)) throw conflict(`An app with the path ${id} already exists.`);
      demand(call, { action: 'create', on: 'group', id });
      const next = applyGroupUpdate(root, change, { version, settings, versionOf: () => past });
      demandChanges(call, root, next);
      return next;
    },
  });
  return deploymentReply(result, { status: 201, location: id });
}

export async function updateGroup(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const base = idOf(text);
  const force = flag(call, 'force');
  const json = await bodyOf(call);
  const past = await pastRoot(call, json);
  const change = (root: Root, version: string): Root => {
    const context = { root, settings, forceRole: force };
    const update = groupUpdateFromJson(json, { id: base, context });
    demand(call, {
      action: root.groups.has(update.id) ? 'update' : 'create',
      on: 'group',
      id: update.id,
    });
    const next = applyGroupUpdate(root, update, { version, settings, versionOf: () => past });
    demandChanges(call, root, next);
    return next;
  };
  if (flag(call, 'dryRun')) {
    const plan = await engine.updates.dryRun({ change });
    return ramlReply('DeploymentSteps', { steps: planSteps(plan) });
  }
  return deploymentReply(await applyChecked(call, { groupID: parentOf(base), force, change }));
}

/** `enforceRole` of a top-level group; nothing is deployed. */
export async function patchGroup(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const id = idOf(text);
  const { enforceRole } = read('GroupPartialUpdate', await bodyOf(call));
  if (id === '/' || parentID(id) !== '/')
    throw new MarathonFailure(422, {
      message: 'Object is not valid',
      details: [{ path: '/', errors: ['Path needs to be top-level'] }],
    });
  if (!engine.root().groups.has(id)) throw unknownEntity('Group', id);
  demand(call, { action: 'update', on: 'group', id });
  await engine.updates.apply({
    groupID: id,
    force: false,
    change: (root, version) => setEnforceRole(root, id, { version, settings, enforceRole }),
  });
  return emptyReply(200);
}

export async function deleteGroup(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const id = idOf(text);
  const result = await engine.updates.apply({
    groupID: parentOf(id),
    force: flag(call, 'force'),
    change(root, version) {
      if (!root.groups.has(id)) throw unknownEntity('Group', id);
      demand(call, { action: 'delete', on: 'group', id });
      const next = removeGroup(root, id, { version, settings });
      demandChanges(call, root, next);
      return next;
    },
  });
  return deploymentReply(result);
}

/** Who may change a group must also be allowed every app that changes with it. */
function demandChanges(call: Call, before: Root, after: Root): void {
  for (const [id, app] of after.apps) {
    const old = before.apps.get(id);
    if (old === app) continue;
    demandSpec(call, old === undefined ? 'create' : 'update', { on: 'app', spec: app });
  }
  for (const id of before.apps.keys())
    if (!after.apps.has(id)) demand(call, { action: 'delete', on: 'app', id });
}

/** The tree that an update of the form `{"version": ...}` goes back to. */
async function pastRoot({ engine }: Call, json: unknown): Promise<Root | undefined> {
  if (typeof json !== 'object' || json === null || !('version' in json)) return undefined;
  const { version } = json;
  return typeof version === 'string'
    ? engine.state.versions.rootAt(timestampOf(version))
    : undefined;
}
