import type { FaceReply } from '#base';
import type { App, AppEmbed, Root } from '../model/index.ts';
import {
  MarathonFailure,
  appEmbeds,
  appFromJson,
  appUpdateFromJson,
  appUpdatesFromJson,
  canonicalID,
  conflict,
  isWithin,
  parseLabelSelector,
  putRunSpec,
  removeRunSpec,
  textOf,
  unknownEntity,
} from '../model/index.ts';
import { appInfoText } from './app-info.ts';
import type { Call } from './http.ts';
import {
  applyChecked,
  bodyOf,
  demand,
  demandSpec,
  deploymentReply,
  flag,
  idOf,
  jsonReply,
  mayView,
  timestampOf,
} from './http.ts';

/** `/v2/apps` (AppsResource.scala). */

export function listApps(call: Call): FaceReply {
  const { engine, query } = call;
  const embed = embedsOf(query, ['counts', 'deployments']);
  const cmd = query.get('cmd')?.toLowerCase();
  const id = query.get('id')?.toLowerCase();
  const label = query.get('label');
  const selects = label === null ? undefined : parseLabelSelector(label);
  const texts: string[] = [];
  for (const app of engine.root().apps.values()) {
    if (cmd !== undefined && app.cmd?.toLowerCase().includes(cmd) !== true) continue;
    if (id !== undefined && !app.id.toLowerCase().includes(id)) continue;
    if (selects !== undefined && !selects(app.labels)) continue;
    if (mayView(call, 'app', app.id)) texts.push(appInfoText(engine, app, embed));
  }
  return jsonReply(`{"apps":[${texts.join(',')}]}`);
}

/** `{id}`, or all apps of a group with `{id}/*`. */
export function getApp(call: Call, [text = '']: readonly string[]): FaceReply {
  const { engine, query } = call;
  if (text === '*' || text.endsWith('/*')) {
    const group = idOf(text.slice(0, -1));
    if (!engine.root().groups.has(group)) throw unknownEntity('Group', group);
    demand(call, { action: 'view', on: 'group', id: group });
    const embed = embedsOf(query, ['counts', 'deployments', 'tasks', 'lastTaskFailure']);
    const texts = [...engine.root().apps.values()]
      .filter((app) => isWithin(app.id, group) && mayView(call, 'app', app.id))
      .map((app) => appInfoText(engine, app, embed));
    return jsonReply(`{"*":[${texts.join(',')}]}`);
  }
  const app = appOf(call, idOf(text));
  demandSpec(call, 'view', { on: 'app', spec: app });
  const embed = embedsOf(query, ['counts', 'tasks', 'lastTaskFailure', 'deployments']);
  return jsonReply(`{"app":${appInfoText(engine, app, embed)}}`);
}

function embedsOf(query: URLSearchParams, always: readonly AppEmbed[]): ReadonlySet<AppEmbed> {
  return new Set([...always, ...appEmbeds(query.getAll('embed'))]);
}

export function appOf({ engine }: Call, id: string): App {
  const app = engine.root().apps.get(id);
  if (app === undefined) throw unknownEntity('App', id);
  return app;
}

export async function createApp(call: Call): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const json = await bodyOf(call);
  const force = flag(call, 'force');
  const app = appFromJson(json, { root: engine.root(), settings, forceRole: force });
  demandSpec(call, 'create', { on: 'app', spec: app });
  const result = await engine.updates.apply({
    groupID: parentOf(app.id),
    force,
    change(root, version) {
      refuseKnown(root, app.id);
      return putRunSpec(root, { kind: 'app', spec: app }, { version, settings });
    },
    announce: (root) => announceApp(call, root.apps.get(app.id)),
  });
  const { plan } = result;
  const text = textOf('App', { ...app, version: plan.version });
  const info =
    '"tasksStaged":0,"tasksRunning":0,"tasksHealthy":0,"tasksUnhealthy":0,' +
    `"deployments":[{"id":"${plan.id}"}]`;
  return jsonReply(`${text.slice(0, -1)},${info}}`, 201, {
    Location: app.id,
    'Marathon-Deployment-Id': plan.id,
  });
}

/** A pod of the same id is the tree's own problem. */
function refuseKnown(root: Root, id: string): void {
  if (root.apps.has(id)) throw conflict(`An app with id [${id}] already exists.`);
}

/** PUT replaces or changes, and creates what is unknown; PATCH changes what is known. */
export async function updateApp(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine, method } = call;
  const { model: settings } = engine;
  const id = idOf(text);
  const force = flag(call, 'force');
  const partial = method === 'PATCH' || flag(call, 'partialUpdate', true);
  const json = await bodyOf(call);
  const stored = await storedVersions(call, [[id, json]]);
  let created = false;
  const result = await applyChecked(call, {
    groupID: parentOf(id),
    force,
    change(root, version) {
      const existing = root.apps.get(id);
      if (existing === undefined && method === 'PATCH') throw unknownEntity('App', id);
      created = existing === undefined;
      const spec = appUpdateFromJson(json, {
        id,
        existing,
        partial,
        context: { root, settings, forceRole: force },
        versionOf: (wanted) => known(stored, id, wanted),
      });
      demandSpec(call, created ? 'create' : 'update', { on: 'app', spec });
      return putRunSpec(root, { kind: 'app', spec }, { version, settings });
    },
    announce: (root) => announceApp(call, root.apps.get(id)),
  });
  return deploymentReply(result, created ? { status: 201, location: id } : {});
}

/** PUT and PATCH of a list: one deployment for all. */
export async function updateApps(call: Call): Promise<FaceReply> {
  const { engine, method } = call;
  const { model: settings } = engine;
  const force = flag(call, 'force');
  const partial = method === 'PATCH' || flag(call, 'partialUpdate', true);
  const json = await bodyOf(call);
  const stored = await storedVersions(call, namedUpdates(json));
  const result = await applyChecked(call, {
    groupID: '/',
    force,
    change(root, version) {
      if (method === 'PATCH')
        for (const [id] of namedUpdates(json))
          if (!root.apps.has(id)) throw unknownEntity('App', id);
      const apps = appUpdatesFromJson(json, {
        partial,
        context: { root, settings, forceRole: force },
        versionOf: (id, wanted) => known(stored, id, wanted),
      });
      let next = root;
      for (const spec of apps) {
        const isNew = !root.apps.has(spec.id);
        demandSpec(call, isNew ? 'create' : 'update', { on: 'app', spec });
        next = putRunSpec(next, { kind: 'app', spec }, { version, settings });
      }
      return next;
    },
  });
  return deploymentReply(result);
}

export async function deleteApp(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const id = idOf(text);
  const result = await engine.updates.apply({
    groupID: parentOf(id),
    force: flag(call, 'force', true),
    change(root, version) {
      const spec = root.apps.get(id);
      if (spec === undefined) throw unknownEntity('App', id);
      demandSpec(call, 'delete', { on: 'app', spec });
      return removeRunSpec(root, id, { version, settings });
    },
  });
  return deploymentReply(result);
}

export async function restartApp(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const id = idOf(text);
  const result = await engine.updates.apply({
    groupID: parentOf(id),
    force: flag(call, 'force'),
    restarted: [id],
    change(root, version) {
      const spec = root.apps.get(id);
      if (spec === undefined) throw unknownEntity('App', id);
      demandSpec(call, 'update', { on: 'app', spec });
      return putRunSpec(root, { kind: 'app', spec }, { version, settings });
    },
  });
  return deploymentReply(result);
}

export function listAppVersions(call: Call, [text = '']: readonly string[]): FaceReply {
  const app = appOf(call, idOf(text));
  demandSpec(call, 'view', { on: 'app', spec: app });
  const versions = call.engine.state.versions.of('app', app.id).toReversed();
  return jsonReply(JSON.stringify({ versions }));
}

export async function getAppVersion(
  call: Call,
  [text = '', wanted = '']: readonly string[],
): Promise<FaceReply> {
  const id = idOf(text);
  const version = timestampOf(wanted);
  const app = await call.engine.state.versions.get({ of: 'app', id, version });
  if (app === undefined) throw unknownEntity('App', id, version);
  demandSpec(call, 'view', { on: 'app', spec: app as App });
  return jsonReply(textOf('App', app as App));
}

function announceApp({ engine, request }: Call, app: App | undefined): void {
  if (app === undefined) return;
  engine.events.publish('api_post_event', () => ({
    clientIp: request.peer.address,
    uri: request.path,
    appDefinition: app,
  }));
}

export function parentOf(id: string): string {
  const slash = id.lastIndexOf('/');
  return slash <= 0 ? '/' : id.slice(0, slash);
}

type Stored = ReadonlyMap<string, App | undefined>;

/** Definitions that updates of the form `{"version": ...}` go back to, read before the change. */
async function storedVersions(
  { engine }: Call,
  updates: readonly (readonly [string, unknown])[],
): Promise<Stored> {
  const found = new Map<string, App | undefined>();
  for (const [id, json] of updates) {
    const wanted = versionIn(json);
    if (wanted === undefined) continue;
    const version = timestampOf(wanted);
    const app = await engine.state.versions.get({ of: 'app', id, version });
    found.set(`${id} ${version}`, app as App | undefined);
  }
  return found;
}

function known(stored: Stored, id: string, wanted: string): App {
  const version = timestampOf(wanted);
  const app = stored.get(`${id} ${version}`);
  if (app === undefined)
    throw new MarathonFailure(404, {
      message: `App '${id}' does not exist in version ${version}`,
    });
  return app;
}

function versionIn(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null || !('version' in json)) return undefined;
  return typeof json.version === 'string' ? json.version : undefined;
}

function namedUpdates(json: unknown): (readonly [string, unknown])[] {
  if (!Array.isArray(json)) return [];
  return json.flatMap((one: unknown) =>
    typeof one === 'object' && one !== null && 'id' in one && typeof one.id === 'string'
      ? [[canonicalID(one.id, '/'), one] as const]
      : [],
  );
}
