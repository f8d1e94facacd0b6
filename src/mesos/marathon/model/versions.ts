import { sameSet, sameValue } from './equality.ts';
import { type Root, type RootDraft, type RunSpec, draftOf, runSpecOf, runSpecsOf } from './root.ts';
import { instancesOf } from './run-spec.ts';
import type { VersionInfo } from './types.ts';

/** Of these, order means nothing. */
const sets = ['constraints', 'healthChecks', 'dependencies', 'acceptedResourceRoles'] as const;
/** What an upgrade is not: other numbers of instances, versions, the sizes of executors. */
const ignoredOfApps: ReadonlySet<string> = new Set([
  'id',
  'instances',
  'version',
  'versionInfo',
  'executorResources',
  'residency',
]);
const ignoredOfPods: ReadonlySet<string> = new Set(['id', 'version', 'versionInfo', 'scaling']);

/** Whether instances of `before` are outdated by `after`. */
export function isUpgrade(before: RunSpec, after: RunSpec): boolean {
  if (before.spec === after.spec) return false;
  const ignored = before.kind === 'app' ? ignoredOfApps : ignoredOfPods;
  const old: Readonly<Record<string, unknown>> = { ...before.spec };
  const young: Readonly<Record<string, unknown>> = { ...after.spec };
  const names = new Set([...Object.keys(old), ...Object.keys(young)]);
  return [...names].some((name) => !ignored.has(name) && !sameField(name, old[name], young[name]));
}

function sameField(name: string, before: unknown, after: unknown): boolean {
  const isSet = sets.some((one) => one === name);
  if (isSet && Array.isArray(before) && Array.isArray(after)) return sameSet(before, after);
  return sameValue(before, after);
}

export function isOnlyScaleChange(before: RunSpec, after: RunSpec): boolean {
  return instancesOf(before) !== instancesOf(after) && !isUpgrade(before, after);
}

/** Since when nothing but the number of instances changed. */
export function lastConfigChangeOf({ spec }: RunSpec): string {
  return spec.versionInfo?.lastConfigChangeAt ?? spec.version ?? '';
}

export interface VersionOptions {
  readonly version: string;
  /** Run specs that are to be restarted though nothing of them changes. */
  readonly restarted?: readonly string[] | undefined;
}

/** Versions of all that changed from one tree to the other. */
export function withVersions(from: Root, to: Root, options: VersionOptions): Root {
  const draft = draftOf(to);
  for (const runSpec of runSpecsOf(to)) setVersion(draft, runSpec, { ...options, from });
  return draft;
}

function setVersion(
  draft: RootDraft,
  runSpec: RunSpec,
  { from, version, restarted = [] }: VersionOptions & { readonly from: Root },
): void {
  const { id } = runSpec.spec;
  const before = runSpecOf(from, id);
  if (before?.spec === runSpec.spec && !restarted.includes(id)) return;
  const info = nextVersion(before, runSpec, { version, restart: restarted.includes(id) });
  const spec = { ...runSpec.spec, ...info };
  if (runSpec.kind === 'app') draft.apps.set(id, { ...runSpec.spec, ...info });
  else draft.pods.set(id, spec as typeof runSpec.spec);
}

interface Versioned {
  readonly version: string;
  readonly versionInfo: VersionInfo;
}

function nextVersion(
  before: RunSpec | undefined,
  after: RunSpec,
  { version, restart }: { readonly version: string; readonly restart: boolean },
): Versioned {
  const all = { lastScalingAt: version, lastConfigChangeAt: version };
  if (before === undefined || isUpgrade(before, after)) return { version, versionInfo: all };
  const old = before.spec.version ?? version;
  const info = before.spec.versionInfo ?? { lastScalingAt: old, lastConfigChangeAt: old };
  if (instancesOf(before) !== instancesOf(after))
    return { version, versionInfo: { ...info, lastScalingAt: version } };
  if (restart) return { version, versionInfo: { ...info, lastConfigChangeAt: version } };
  return { version: old, versionInfo: info };
}
