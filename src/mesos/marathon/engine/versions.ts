import type { Api } from '#machinery';
import { isStatus } from '#machinery';
import type { AppVersion, MarathonJson } from '#mesos/kinds';
import { appVersions, objectName } from '#mesos/kinds';
import type { App, GroupDefinition, Pod, Root } from '../model/index.ts';
import type { CommitOp } from './options.ts';

export type EntityKind = 'app' | 'pod' | 'group';
export interface VersionName {
  readonly of: EntityKind;
  readonly id: string;
  readonly version: string;
}

/**
 * Definitions as they were. Only their names are in memory; definitions are read when asked for. A
 * deletion is a version too (without a definition), so that the whole tree of any kept root version can
 * be put together: of each entity the newest version that is not newer.
 */
export interface Versions {
  load(): Promise<void>;
  /** Oldest first, without deletions. */
  of(kind: EntityKind, id: string): readonly string[];
  get(name: VersionName): Promise<App | Pod | GroupDefinition | undefined>;
  /** Versions of the root in which the group was there, oldest first. */
  ofGroup(id: string): readonly string[];
  /** The tree as it was; undefined when that version is not known. */
  rootAt(version: string): Promise<Root | undefined>;
  /** What a commit has to hold; `settle` says that it was made. */
  add(name: VersionName, definition: object | undefined): readonly CommitOp[];
  /** Deletes of what nobody can ask for any more. */
  prune(): readonly CommitOp[];
  settle(): void;
  /** The commit failed. */
  discard(): void;
}

interface Entry {
  readonly version: string;
  readonly deleted: boolean;
}

interface VersionsOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly versionsMax: number;
}

const pageItems = 500;
const deletedDefinition: MarathonJson = { deleted: true };

export function createVersions(options: VersionsOptions): Versions {
  return new StoredVersions(options);
}

class StoredVersions implements Versions {
  readonly #options: VersionsOptions;
  /** By kind and id; oldest first. */
  readonly #entries = new Map<string, Entry[]>();
  /** Whose last version is a deletion. */
  readonly #gone = new Set<string>();
  /** Changes of the index that wait for their commit. */
  #open: (() => void)[] = [];

  constructor(options: VersionsOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const { api, namespace } = this.#options;
    let next: string | undefined;
    do {
      const page = await api.list<AppVersion>(appVersions, {
        namespace,
        limit: pageItems,
        continue: next,
      });
      for (const { spec } of page.items)
        this.#insert(`${spec.of}:${spec.id}`, {
          version: spec.version,
          deleted: spec.definition['deleted'] === true,
        });
      next = page.continue;
    } while (next !== undefined && next !== '');
    for (const [key, entries] of this.#entries) {
      entries.sort((a, b) => (a.version < b.version ? -1 : 1));
      if (entries.at(-1)?.deleted === true) this.#gone.add(key);
    }
  }

  of(kind: EntityKind, id: string): readonly string[] {
    return (this.#entries.get(`${kind}:${id}`) ?? [])
      .filter(({ deleted }) => !deleted)
      .map(({ version }) => version);
  }

  ofGroup(id: string): readonly string[] {
    const roots = this.of('group', '/');
    if (id === '/') return roots;
    return roots.filter((version) => this.#at(`group:${id}`, version) !== undefined);
  }

  async get(name: VersionName): Promise<App | Pod | GroupDefinition | undefined> {
    const { api, namespace } = this.#options;
    const known = this.#entries.get(`${name.of}:${name.id}`);
    if (known?.some(({ version, deleted }) => version === name.version && !deleted) !== true)
      return undefined;
    try {
      const target = { name: versionObject(name), namespace };
      const { spec } = await api.get<AppVersion>(appVersions, target);
      return spec.definition as unknown as App | Pod | GroupDefinition;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async rootAt(version: string): Promise<Root | undefined> {
    if (!this.of('group', '/').includes(version)) return undefined;
    const root = {
      groups: new Map<string, GroupDefinition>(),
      apps: new Map<string, App>(),
      pods: new Map<string, Pod>(),
    };
    const tables = { group: root.groups, app: root.apps, pod: root.pods } as const;
    for (const key of this.#entries.keys()) {
      const entry = this.#at(key, version);
      if (entry === undefined) continue;
      const colon = key.indexOf(':');
      const of = key.slice(0, colon) as EntityKind;
      const id = key.slice(colon + 1);
      const definition = await this.get({ of, id, version: entry.version });
      if (definition !== undefined)
        (tables[of] as Map<string, App | Pod | GroupDefinition>).set(id, definition);
    }
    return root;
  }

  add(name: VersionName, definition: object | undefined): readonly CommitOp[] {
    const { namespace, versionsMax } = this.#options;
    const key = `${name.of}:${name.id}`;
    const entries = this.#entries.get(key) ?? [];
    const entry = { version: name.version, deleted: definition === undefined };
    this.#open.push(() => {
      this.#insert(key, entry);
      if (entry.deleted) this.#gone.add(key);
      else this.#gone.delete(key);
    });
    const object = {
      apiVersion: `${appVersions.group}/${appVersions.version}`,
      kind: appVersions.kind,
      metadata: { name: versionObject(name), namespace },
      spec: { ...name, definition: (definition ?? deletedDefinition) as MarathonJson },
    };
    const known = entries.some(({ version }) => version === name.version);
    const ops: CommitOp[] = [{ op: known ? 'update' : 'create', resource: appVersions, object }];
    if (known || entries.length < versionsMax) return ops;
    for (const old of entries.slice(0, entries.length + 1 - versionsMax))
      ops.push(this.#drop(key, { ...name, version: old.version }));
    return ops;
  }

  prune(): readonly CommitOp[] {
    const [oldest = ''] = this.of('group', '/');
    const ops: CommitOp[] = [];
    for (const key of this.#gone) {
      const entries = this.#entries.get(key) ?? [];
      const last = entries.at(-1);
      if (last === undefined || last.version > oldest) continue;
      const colon = key.indexOf(':');
      const of = key.slice(0, colon) as EntityKind;
      const id = key.slice(colon + 1);
      for (const { version } of entries) ops.push(this.#drop(key, { of, id, version }));
    }
    return ops;
  }

  settle(): void {
    for (const change of this.#open.splice(0)) change();
  }

  discard(): void {
    this.#open = [];
  }

  #drop(key: string, name: VersionName): CommitOp {
    this.#open.push(() => {
      const entries = this.#entries.get(key) ?? [];
      const at = entries.findIndex(({ version }) => version === name.version);
      if (at >= 0) entries.splice(at, 1);
      if (entries.length > 0) return;
      this.#entries.delete(key);
      this.#gone.delete(key);
    });
    const target = { name: versionObject(name), namespace: this.#options.namespace };
    return { op: 'delete', resource: appVersions, target };
  }

  #insert(key: string, entry: Entry): void {
    const entries = this.#entries.get(key);
    if (entries === undefined) this.#entries.set(key, [entry]);
    else if (!entries.some(({ version }) => version === entry.version)) entries.push(entry);
    else
      entries.splice(
        entries.findIndex(({ version }) => version === entry.version),
        1,
        entry,
      );
  }

  /** The newest version that is not newer; undefined when it was not there. */
  #at(key: string, version: string): Entry | undefined {
    const found = this.#entries.get(key)?.findLast((entry) => entry.version <= version);
    return found?.deleted === false ? found : undefined;
  }
}

function versionObject({ of, id, version }: VersionName): string {
  return objectName(`${id} ${version}`, of);
}
