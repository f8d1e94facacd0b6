import { canonicalID } from '../ids.ts';
import { type Problem, illegalArgument, refuseInvalid, unknownEntity } from '../problem.ts';
import { isRecord, member } from '../raml.ts';
import { read, readList } from '../read.ts';
import { roleRules } from '../roles.ts';
import type { Root } from '../root.ts';
import type { ModelSettings } from '../settings.ts';
import type { App, AppUpdate } from '../types.ts';
import { canonicalProblems } from './check-canonical.ts';
import { modelProblems } from './check-model.ts';
import { oldFormProblems } from './check-old.ts';
import { complete } from './complete.ts';
import { canonised, migrated, migratedUpdate, settled, settledUpdate } from './normalise.ts';

/** What definitions are seen against. */
export interface DefinitionContext {
  readonly root: Root;
  readonly settings: ModelSettings;
  /** `?force=true`, where it lets a resident's role change. */
  readonly forceRole: boolean;
}

/** POST: a whole definition, checked and normalised. It has no version yet. */
export function appFromJson(json: unknown, context: DefinitionContext): App {
  return normaliseApp(read('App', json), { base: '/', context });
}

export interface NormaliseOptions {
  /** The group that relative ids are seen from. */
  readonly base: string;
  readonly context: DefinitionContext;
}

/** The whole way of an app that was read: canonised, checked, normalised, checked, completed. */
export function normaliseApp(app: App, { base, context }: NormaliseOptions): App {
  const { root, settings, forceRole } = context;
  const canonical = canonised(app, base);
  const roles = roleRules(root, canonical.id, { settings, force: forceRole });
  refuseInvalid(oldFormProblems(canonical));
  const present = migrated(canonical, { settings, roles });
  refuseInvalid(canonicalProblems(present, { settings, roles }));
  const full = complete(settled(present, settings));
  refuseInvalid(modelProblems(full, { settings, roles }));
  const { version: _version, versionInfo: _versionInfo, ...definition } = full;
  return definition;
}

export interface AppUpdateOptions {
  readonly id: string;
  readonly existing: App | undefined;
  /** Fields not given stay as they are; otherwise the body is a whole definition. */
  readonly partial: boolean;
  readonly context: DefinitionContext;
  /** The app as it was in a version, for `{"version": ...}`; throws or gives undefined if unknown. */
  readonly versionOf: (version: string) => App | undefined;
}

/** PUT and PATCH of one app: the definition as it is to be. Versions are those of `existing`. */
export function appUpdateFromJson(json: unknown, options: AppUpdateOptions): App {
  const { id, existing, partial, context } = options;
  const base = '/';
  if (!partial || existing === undefined) {
    const withID: unknown = isRecord(json) ? { ...json, id } : json;
    const app = normaliseApp(read('App', withID), { base, context });
    return existing === undefined ? app : withVersions(app, existing);
  }
  const update = normaliseAppUpdate(read('AppUpdate', json), { base, context });
  if (update.version !== undefined) return rolledBack(update.version, options);
  const merged = mergedApp(existing, update);
  return withVersions(normaliseApp(merged, { base, context }), existing);
}

function rolledBack(version: string, { id, versionOf }: AppUpdateOptions): App {
  const app = versionOf(version);
  if (app === undefined) throw unknownEntity('App', id);
  return app;
}

function withVersions(app: App, { version, versionInfo }: App): App {
  return {
    ...app,
    ...(version === undefined ? {} : { version }),
    ...(versionInfo === undefined ? {} : { versionInfo }),
  };
}

/** An update with its deprecated forms replaced. */
export function normaliseAppUpdate(update: AppUpdate, options: NormaliseOptions): AppUpdate {
  const { settings } = options.context;
  const present = migratedUpdate(canonised(update, options.base), settings);
  refuseInvalid(versionProblems(present));
  return settledUpdate(present, settings);
}

function versionProblems({ version, id: _id, ...others }: AppUpdate): Problem[] {
  const alone = Object.values(others).every((value) => value === undefined);
  if (version === undefined || alone) return [];
  const text = "The 'version' field may only be combined with the 'id' field.";
  return [{ path: '/', text }];
}

/** Given fields replace old ones wholly; resources of the executor and limits do not outlive one. */
function mergedApp(existing: App, update: AppUpdate): App {
  const { executorResources: _executor, resourceLimits: _limits, ...kept } = existing;
  const given = Object.entries(update).filter(
    ([name, value]) => value !== undefined && name !== 'id' && name !== 'version',
  );
  return { ...kept, ...Object.fromEntries(given) };
}

export interface AppListOptions {
  readonly partial: boolean;
  readonly context: DefinitionContext;
  readonly versionOf: (id: string, version: string) => App | undefined;
}

/** PUT and PATCH of several apps: the definitions as they are to be, by `context.root` as it is. */
export function appUpdatesFromJson(json: unknown, options: AppListOptions): App[] {
  const { partial, context, versionOf } = options;
  // Read as a list first: problems are told with the place of their element.
  readList(partial ? 'AppUpdate' : 'App', json);
  if (!Array.isArray(json)) return [];
  return json.map((element: unknown) => {
    const id = idOf(element, partial);
    return appUpdateFromJson(element, {
      id,
      existing: context.root.apps.get(id),
      partial,
      context,
      versionOf: (version) => versionOf(id, version),
    });
  });
}

function idOf(element: unknown, partial: boolean): string {
  const given = isRecord(element) ? member(element, 'id') : undefined;
  if (typeof given === 'string') return canonicalID(read('AppUpdate', { id: given }).id ?? '/');
  if (partial && isRecord(element))
    throw illegalArgument('requirement failed: App Update must have app id set');
  return canonicalID(read('App', element).id);
}
