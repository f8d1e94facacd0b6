import type { Clock } from '#base';
import type { Api, KubeObject, NewObject, ResourceName } from '#machinery';
import { isStatus } from '#machinery';
import type {
  App as AppObject,
  AppDeployment,
  AppGroup,
  AppInstance,
  AppPod,
  MarathonJson,
} from '#mesos/kinds';
import {
  appDeployments,
  appGroups,
  appInstances,
  appPods,
  apps as appResource,
  namespaceOf,
  objectName,
} from '#mesos/kinds';
import type { App, GroupDefinition, Plan, Pod, Root, raml } from '../model/index.ts';
import { emptyRoot, runSpecOf } from '../model/index.ts';
import type { Commit, CommitOp } from './options.ts';
import { packPlan, unpackPlan } from './stored-plan.ts';
import type { EntityKind, Versions } from './versions.ts';
import { createVersions } from './versions.ts';

/** A deployment as it is stored. */
export interface StoredDeployment {
  readonly plan: Plan;
  readonly force: boolean;
}

/** What the store had when the process began. */
export interface Loaded {
  readonly instances: readonly AppInstance[];
  readonly deployments: readonly StoredDeployment[];
  /** By run spec id. */
  readonly failures: ReadonlyMap<string, raml.TaskFailure>;
}

/** The tree of definitions, its versions and the framework's id, with the store behind them. */
export interface MarathonState {
  readonly root: Root;
  readonly versions: Versions;
  readonly frameworkID: string | undefined;
  readonly namespace: string;
  load(): Promise<Loaded>;
  /** Makes `next` the root, in one commit with the deployments that begin and end with it. */
  commitRoot(
    next: Root,
    deployments: {
      readonly added?: StoredDeployment | undefined;
      readonly removed: readonly string[];
    },
  ): Promise<void>;
  removeDeployment(id: string): Promise<void>;
  isStoredDeployment(id: string): boolean;
  storeFrameworkID(id: string | undefined): Promise<void>;
  /** The newest version of the store that this process wrote of an app or pod; undefined: none. */
  writtenVersion(id: string): string | undefined;
  /** Writes the definition of an app or pod as it is in the tree. */
  restore(id: string): Promise<void>;
}

export interface StateOptions {
  readonly api: Api;
  readonly commit: Commit;
  readonly clock: Clock;
  readonly frameworkName: string;
  readonly versionsMax: number;
}

const frameworkAnnotation = 'marathon.tandem.dev/framework-id';
const pageItems = 500;
const namespaces: ResourceName = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
};

export function createState(options: StateOptions): MarathonState {
  return new StoredState(options);
}

class StoredState implements MarathonState {
  readonly #options: StateOptions;
  readonly namespace: string;
  readonly versions: Versions;
  readonly #written = new Map<string, string>();
  readonly #deployments = new Set<string>();
  root: Root;
  frameworkID: string | undefined;
  #rootIsStored = false;
  #hasNamespace = false;

  constructor(options: StateOptions) {
    this.#options = options;
    this.namespace = namespaceOf(options.frameworkName);
    this.versions = createVersions({
      api: options.api,
      namespace: this.namespace,
      versionsMax: options.versionsMax,
    });
    this.root = emptyRoot(new Date(options.clock.nowMs()).toISOString());
  }

  async load(): Promise<Loaded> {
    const [groupObjects, appObjects, podObjects, deployments, instances] = await Promise.all([
      this.#list<AppGroup>(appGroups),
      this.#list<AppObject>(appResource),
      this.#list<AppPod>(appPods),
      this.#list<AppDeployment>(appDeployments),
      this.#list<AppInstance>(appInstances),
      this.versions.load(),
    ]);
    const groups = new Map(this.root.groups);
    for (const { spec, metadata } of groupObjects) {
      groups.set(spec.id, { ...spec, dependencies: spec.dependencies ?? [] });
      if (spec.id !== '/') continue;
      this.#rootIsStored = true;
      this.frameworkID = metadata.annotations?.[frameworkAnnotation];
    }
    const failures = new Map<string, raml.TaskFailure>();
    for (const { spec, status, metadata } of [...appObjects, ...podObjects]) {
      this.#written.set(spec.id, metadata.resourceVersion);
      const { lastTaskFailure } = status ?? {};
      if (lastTaskFailure !== undefined)
        failures.set(spec.id, lastTaskFailure as unknown as raml.TaskFailure);
    }
    this.root = {
      groups,
      apps: new Map(appObjects.map(({ spec }) => [spec.id, spec as unknown as App])),
      pods: new Map(podObjects.map(({ spec }) => [spec.id, spec as unknown as Pod])),
    };
    this.#hasNamespace = this.#rootIsStored;
    for (const { spec } of deployments) this.#deployments.add(spec.id);
    return {
      instances,
      failures,
      deployments: await Promise.all(
        deployments.map(async ({ spec }) => ({
          plan: await unpackPlan(spec.plan, this),
          force: spec.force,
        })),
      ),
    };
  }

  async commitRoot(
    next: Root,
    deployments: {
      readonly added?: StoredDeployment | undefined;
      readonly removed: readonly string[];
    },
  ): Promise<void> {
    await this.#ensureNamespace();
    const ops: CommitOp[] = [];
    const ids: (string | undefined)[] = [];
    const add = (more: readonly CommitOp[], id?: string): void => {
      for (const op of more) {
        ops.push(op);
        ids.push(id);
      }
    };
    this.#changedSpecs(next, add);
    this.#changedGroups(next, add);
    for (const id of deployments.removed)
      if (this.#deployments.has(id)) add([deleteOf(appDeployments, id, this.namespace)]);
    if (deployments.added !== undefined) add([this.#deploymentOp(deployments.added)]);
    const version = next.groups.get('/')?.version ?? '';
    if (version !== this.root.groups.get('/')?.version)
      for (const op of this.versions.prune()) add([op]);
    if (ops.length > 0) {
      const results = await this.#options.commit(ops).catch((error: unknown) => {
        this.versions.discard();
        throw error;
      });
      for (const [at, id] of ids.entries()) {
        const stored = results[at];
        if (id !== undefined && stored !== undefined)
          this.#written.set(id, stored.metadata.resourceVersion);
      }
    }
    this.versions.settle();
    for (const id of deployments.removed) this.#deployments.delete(id);
    if (deployments.added !== undefined) this.#deployments.add(deployments.added.plan.id);
    this.#rootIsStored = true;
    this.root = next;
  }

  async removeDeployment(id: string): Promise<void> {
    await this.#options.commit([deleteOf(appDeployments, id, this.namespace)]);
    this.#deployments.delete(id);
  }

  isStoredDeployment(id: string): boolean {
    return this.#deployments.has(id);
  }

  async storeFrameworkID(id: string | undefined): Promise<void> {
    await this.#ensureNamespace();
    this.frameworkID = id;
    const group = this.root.groups.get('/');
    if (group === undefined) return;
    await this.#options.commit([this.#groupOp(group, this.#rootIsStored)]);
    this.#rootIsStored = true;
  }

  writtenVersion(id: string): string | undefined {
    return this.#written.get(id);
  }

  async restore(id: string): Promise<void> {
    const runSpec = runSpecOf(this.root, id);
    if (runSpec === undefined) return;
    const resource = runSpec.kind === 'app' ? appResource : appPods;
    const spec = runSpec.spec as unknown as MarathonJson;
    const object = { ...bodyOf(resource, id, this.namespace), spec };
    const [stored] = await this.#options.commit([{ op: 'update', resource, object }]);
    if (stored !== undefined) this.#written.set(id, stored.metadata.resourceVersion);
  }

  #changedSpecs(next: Root, add: (ops: readonly CommitOp[], id?: string) => void): void {
    const { root, namespace } = this;
    const changed = <T extends App | Pod>(
      kind: EntityKind,
      resource: ResourceName,
      { before, after }: { before: ReadonlyMap<string, T>; after: ReadonlyMap<string, T> },
    ): void => {
      for (const [id, spec] of after) {
        const old = before.get(id);
        if (old === spec) continue;
        const object = {
          ...bodyOf(resource, id, namespace),
          spec: spec as unknown as MarathonJson,
        };
        add([{ op: old === undefined ? 'create' : 'update', resource, object }], id);
        if (old?.version !== spec.version)
          add(this.versions.add({ of: kind, id, version: spec.version ?? '' }, spec));
      }
      for (const [id] of before) {
        if (after.has(id)) continue;
        this.#written.delete(id);
        add([deleteOf(resource, id, namespace)]);
        const version = next.groups.get('/')?.version ?? '';
        add(this.versions.add({ of: kind, id, version }, undefined));
      }
    };
    changed('app', appResource, { before: root.apps, after: next.apps });
    changed('pod', appPods, { before: root.pods, after: next.pods });
  }

  #changedGroups(next: Root, add: (ops: readonly CommitOp[]) => void): void {
    const before = this.root.groups;
    for (const [id, group] of next.groups) {
      const old = before.get(id);
      if (old === group && (id !== '/' || this.#rootIsStored)) continue;
      add([this.#groupOp(group, id === '/' ? this.#rootIsStored : old !== undefined)]);
      if (old?.version !== group.version || old === group)
        add(this.versions.add({ of: 'group', id, version: group.version }, group));
    }
    for (const [id] of before) {
      if (next.groups.has(id)) continue;
      add([deleteOf(appGroups, id, this.namespace)]);
      const version = next.groups.get('/')?.version ?? '';
      add(this.versions.add({ of: 'group', id, version }, undefined));
    }
  }

  #groupOp(group: GroupDefinition, exists: boolean): CommitOp {
    const body = bodyOf(appGroups, group.id, this.namespace);
    const { frameworkID } = this;
    const annotations =
      group.id === '/' && frameworkID !== undefined
        ? { annotations: { [frameworkAnnotation]: frameworkID } }
        : {};
    return {
      op: exists ? 'update' : 'create',
      resource: appGroups,
      object: { ...body, metadata: { ...body.metadata, ...annotations }, spec: { ...group } },
    } as CommitOp;
  }

  #deploymentOp({ plan, force }: StoredDeployment): CommitOp {
    const object: NewObject<AppDeployment> = {
      ...bodyOf(appDeployments, plan.id, this.namespace),
      spec: { id: plan.id, version: plan.version, force, plan: packPlan(plan) },
      status: { currentStep: 0 },
    };
    return { op: 'create', resource: appDeployments, object };
  }

  async #ensureNamespace(): Promise<void> {
    if (this.#hasNamespace) return;
    const object = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace },
    };
    await this.#options.api.create(namespaces, object).catch((error: unknown) => {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    });
    this.#hasNamespace = true;
  }

  async #list<T extends KubeObject>(resource: ResourceName<T>): Promise<T[]> {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const page = await this.#options.api.list(resource, {
        namespace: this.namespace,
        limit: pageItems,
        continue: next,
      });
      items.push(...page.items);
      next = page.continue;
    } while (next !== undefined && next !== '');
    return items;
  }
}

export function bodyOf(
  resource: ResourceName,
  id: string,
  namespace: string,
): Pick<KubeObject, 'apiVersion' | 'kind'> & {
  readonly metadata: { readonly name: string; readonly namespace: string };
} {
  return {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name: objectName(id), namespace },
  };
}

export function deleteOf(resource: ResourceName, id: string, namespace: string): CommitOp {
  return { op: 'delete', resource, target: { name: objectName(id), namespace } };
}
