import type { Cancel } from '#base';
import type { NewObject } from '#machinery';
import type { AppInstance, MarathonJson } from '#mesos/kinds';
import { appInstances, objectName } from '#mesos/kinds';
import type { Instance, InstanceTask } from '../model/index.ts';
import type { EventBus } from './events.ts';
import type { ObjectWriter } from './writer.ts';

/** One instance before and after; `now` is undefined when it is forgotten. */
export interface InstanceChange {
  readonly id: string;
  readonly old: Instance | undefined;
  readonly now: Instance | undefined;
}

/**
 * All instances, indexed. What is here is what the engine acts on at once; `put` resolves when it is
 * stored too, and whoever tells the outside (ACCEPT, KILL, ACKNOWLEDGE) waits for that.
 */
export interface Tracker {
  get(instanceID: string): Instance | undefined;
  /** Of a run spec, in the order they were made. */
  of(runSpecID: string): ReadonlyMap<string, Instance>;
  ofTask(taskID: string): Instance | undefined;
  readonly runSpecIDs: Iterable<string>;
  all(): Iterable<Instance>;
  readonly size: number;
  /** `task` is the one an update was about: it is announced with its status. */
  put(instance: Instance, task?: InstanceTask): Promise<void>;
  /** In memory only: after a crash the master tells it again. */
  note(instance: Instance, task: InstanceTask): void;
  /** The last state is announced, then it is forgotten. */
  expunge(instance: Instance, task?: InstanceTask): Promise<void>;
  load(objects: readonly AppInstance[]): void;
  /** Called after the change; in the order of changes. */
  onChange(listener: (change: InstanceChange) => void): Cancel;
  check(): void;
}

export interface TrackerOptions {
  readonly writer: ObjectWriter;
  readonly namespace: string;
  readonly events: EventBus;
}

export function createTracker(options: TrackerOptions): Tracker {
  return new InstanceTracker(options);
}

const none: ReadonlyMap<string, Instance> = new Map();

class InstanceTracker implements Tracker {
  readonly #options: TrackerOptions;
  readonly #instances = new Map<string, Instance>();
  readonly #bySpec = new Map<string, Map<string, Instance>>();
  /** Instance ids by task id. */
  readonly #byTask = new Map<string, string>();
  /** Of objects: a name holds a digest, and an instance is written several times. */
  readonly #names = new Map<string, string>();
  readonly #listeners = new Set<(change: InstanceChange) => void>();
  /** Changes that are being told; the first is under way. */
  readonly #changes: InstanceChange[] = [];

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  get(instanceID: string): Instance | undefined {
    return this.#instances.get(instanceID);
  }
  of(runSpecID: string): ReadonlyMap<string, Instance> {
    return this.#bySpec.get(runSpecID) ?? none;
  }
  ofTask(taskID: string): Instance | undefined {
    const id = this.#byTask.get(taskID);
    return id === undefined ? undefined : this.#instances.get(id);
  }
  get runSpecIDs(): Iterable<string> {
    return this.#bySpec.keys();
  }
  all(): Iterable<Instance> {
    return this.#instances.values();
  }
  get size(): number {
    return this.#instances.size;
  }

  load(objects: readonly AppInstance[]): void {
    for (const object of objects) {
      this.#options.writer.adopt(object.metadata.name);
      this.#index(instanceOf(object), undefined);
    }
  }

  put(instance: Instance, task?: InstanceTask): Promise<void> {
    const stored = this.#store(instance);
    this.#change(instance, task);
    return stored;
  }

  note(instance: Instance, task: InstanceTask): void {
    this.#change(instance, task);
  }

  expunge(instance: Instance, task?: InstanceTask): Promise<void> {
    const { instanceID: id } = instance;
    const old = this.#instances.get(id);
    if (old === undefined) return Promise.resolve();
    this.#instances.delete(id);
    const members = this.#bySpec.get(old.runSpecID);
    members?.delete(id);
    if (members?.size === 0) this.#bySpec.delete(old.runSpecID);
    for (const { taskID } of old.tasks) this.#byTask.delete(taskID);
    const stored = this.#options.writer.remove(this.#nameOf(id));
    this.#names.delete(id);
    this.#announce(instance, { old, task });
    this.#tell({ id, old, now: undefined });
    return stored;
  }

  onChange(listener: (change: InstanceChange) => void): Cancel {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  check(): void {
    let counted = 0;
    for (const [runSpecID, members] of this.#bySpec) {
      for (const [id, instance] of members) {
        counted++;
        if (instance.runSpecID !== runSpecID || this.#instances.get(id) !== instance)
          throw new Error(`Instance "${id}" is indexed under "${runSpecID}"`);
      }
    }
    if (counted !== this.#instances.size)
      throw new Error(`${this.#instances.size} instances, ${counted} of them indexed`);
    let tasks = 0;
    for (const { instanceID, tasks: list } of this.#instances.values())
      for (const { taskID } of list) {
        tasks++;
        if (this.#byTask.get(taskID) !== instanceID)
          throw new Error(`Task "${taskID}" is not indexed under "${instanceID}"`);
      }
    if (tasks !== this.#byTask.size)
      throw new Error(`${tasks} tasks, ${this.#byTask.size} indexed`);
  }

  #index(instance: Instance, old: Instance | undefined): void {
    const { instanceID, runSpecID } = instance;
    this.#instances.set(instanceID, instance);
    let members = this.#bySpec.get(runSpecID);
    if (members === undefined) {
      members = new Map();
      this.#bySpec.set(runSpecID, members);
    }
    members.set(instanceID, instance);
    if (old?.tasks === instance.tasks) return;
    for (const { taskID } of old?.tasks ?? []) this.#byTask.delete(taskID);
    for (const { taskID } of instance.tasks) this.#byTask.set(taskID, instanceID);
  }

  #change(instance: Instance, task: InstanceTask | undefined): void {
    const old = this.#instances.get(instance.instanceID);
    this.#index(instance, old);
    this.#announce(instance, { old, task });
    this.#tell({ id: instance.instanceID, old, now: instance });
  }

  /** One that never ran holds nothing: after a crash the deployment or the scale check makes another. */
  #store(instance: Instance): Promise<void> {
    const { writer, namespace } = this.#options;
    const { instanceID, tasks, reservation } = instance;
    if (tasks.length === 0 && reservation === undefined)
      return writer.remove(this.#nameOf(instanceID));
    const name = this.#nameOf(instanceID);
    return writer.put(name, objectOf(instance, { name, namespace }));
  }

  #nameOf(instanceID: string): string {
    const known = this.#names.get(instanceID);
    if (known !== undefined) return known;
    const name = objectName(instanceID);
    this.#names.set(instanceID, name);
    return name;
  }

  #announce(
    instance: Instance,
    { old, task }: { old: Instance | undefined; task: InstanceTask | undefined },
  ): void {
    const { events } = this.#options;
    if (events.listeners === 0) return;
    if (task !== undefined)
      events.publish('status_update_event', () => statusFields(instance, task));
    if (old?.condition !== instance.condition || old.goal !== instance.goal)
      events.publish('instance_changed_event', () => ({
        instanceId: instance.instanceID,
        condition: instance.condition,
        runSpecId: instance.runSpecID,
        agentId: instance.agent?.agentID ?? null,
        host: instance.agent?.host ?? null,
        runSpecVersion: instance.runSpecVersion,
      }));
    if (old?.healthy !== instance.healthy)
      events.publish('instance_health_changed_event', () => healthFields(instance));
  }

  /** A listener may change instances itself: everybody sees all changes in one order. */
  #tell(change: InstanceChange): void {
    this.#changes.push(change);
    if (this.#changes.length > 1) return;
    for (let next = this.#changes[0]; next !== undefined; next = this.#changes[0]) {
      for (const listener of this.#listeners) listener(next);
      this.#changes.shift();
    }
  }
}

export function healthFields(
  instance: Instance,
  healthy: boolean | null = instance.healthy ?? null,
): Readonly<Record<string, unknown>> {
  const { instanceID: instanceId, runSpecID: runSpecId, runSpecVersion } = instance;
  return { instanceId, runSpecId, healthy, runSpecVersion };
}

function statusFields(instance: Instance, task: InstanceTask): Readonly<Record<string, unknown>> {
  return {
    slaveId: task.status?.agent_id?.value ?? '',
    taskId: task.taskID,
    taskStatus: task.mesosState ?? 'TASK_STAGING',
    message: task.status?.message ?? '',
    appId: instance.runSpecID,
    host: instance.agent?.host ?? 'unknown',
    ipAddresses: task.ipAddresses,
    ports: task.hostPorts,
    version: instance.runSpecVersion,
  };
}

function objectOf(
  instance: Instance,
  metadata: { readonly name: string; readonly namespace: string },
): NewObject<AppInstance> {
  const { instanceID, runSpecID, role, runSpecVersion, goal, reservation } = instance;
  const { condition, since, agent, tasks, healthy } = instance;
  return {
    apiVersion: `${appInstances.group}/${appInstances.version}`,
    kind: appInstances.kind,
    metadata,
    spec: {
      instanceID,
      runSpecID,
      role,
      runSpecVersion,
      goal,
      ...(reservation !== undefined && { reservation: asJson(reservation) }),
    },
    status: {
      condition,
      since,
      ...(agent !== undefined && { agent: asJson(agent) }),
      tasks: tasks.map(asJson),
      ...(healthy !== undefined && { healthy }),
    },
  };
}

function asJson(value: object): MarathonJson {
  return value as unknown as MarathonJson;
}

function instanceOf({ spec, status }: AppInstance): Instance {
  const tasks = (status.tasks ?? []) as unknown as readonly InstanceTask[];
  const started = tasks.flatMap(({ startedAt }) => startedAt ?? []).toSorted();
  return {
    ...(spec as unknown as Instance),
    condition: status.condition as Instance['condition'],
    since: status.since,
    activeSince: started[0],
    healthy: status.healthy,
    agent: status.agent as unknown as Instance['agent'],
    tasks,
  };
}
