import type { Container as ContainerSpec, Pod } from '#kube/kinds';
import type { Container, ResourceLimits, Runtime, Sandbox } from '#node/runtime';
import { messageOf } from './errors.ts';
import { containerLimits, isSidecar, podLimits, podRequest, requestOf } from './limits.ts';
import { newest } from './pod-view.ts';
import type { PodView } from './pod-view.ts';
import { amountOf, milliOf } from './quantity.ts';

/** A condition of the Pod while a change of its resources is on the way. */
export interface ResizeCondition {
  readonly type: 'PodResizePending' | 'PodResizeInProgress';
  readonly reason?: string;
  readonly message?: string;
}
export interface ResizeHooks {
  readonly runtime: Runtime;
  readonly memoryBytes: number;
  nowMs(): number;
  /** What the node can give in all: CPU in thousandths, memory in bytes. */
  allocatable(): Amounts;
  /** What all other Pods of the node were given. */
  others(): Amounts;
  /** Ends a container that must start again to take its new limits. */
  restart(container: Container, message: string): void;
  event(type: 'Normal' | 'Warning', about: { reason: string; message: string }): void;
  wake(): void;
}
export interface Amounts {
  readonly cpu: number;
  readonly memory: number;
}
type Resources = NonNullable<ContainerSpec['resources']>;

const names = ['cpu', 'memory'] as const;
const retryMs = 10_000;

/**
 * Changes of resources of a Pod that runs (k8s kubelet/allocation): first room is given or refused,
 * then the cgroups follow, growing from the outside in and shrinking from the inside out. What was
 * given is remembered in the Pod's status, so that a restarted agent knows it.
 */
export class PodResize {
  readonly #hooks: ResizeHooks;
  #pending: ResizeCondition | undefined;
  #problem: string | undefined;
  #busy = false;
  #notBeforeMs = 0;
  #underWay = false;

  constructor(hooks: ResizeHooks) {
    this.#hooks = hooks;
  }

  /** The Pod with the resources it was given, while more is asked for than there is. */
  given(pod: Pod): Pod {
    return this.#pending === undefined ? pod : withGiven(pod);
  }

  get conditions(): readonly ResizeCondition[] {
    if (this.#pending !== undefined) return [this.#pending];
    if (!this.#underWay) return [];
    return [
      this.#problem === undefined
        ? { type: 'PodResizeInProgress' }
        : { type: 'PodResizeInProgress', reason: 'Error', message: this.#problem },
    ];
  }

  /** Decides and starts what is to be done; gives when to look again. */
  look(pod: Pod, at: { readonly view: PodView; readonly sandbox: Sandbox }): number | undefined {
    this.#decide(pod);
    if (this.#pending?.reason === 'Deferred') return this.#hooks.nowMs() + retryMs;
    if (this.#pending !== undefined || this.#busy) return undefined;
    const wanted = this.#differing(pod, at.view);
    // Limits of the Pod as a whole may change alone.
    const whole = same(changeable(podLimits(pod)), changeable(at.sandbox.spec.resources));
    if (wanted.length === 0 && whole) {
      if (this.#underWay) this.#done(pod);
      return undefined;
    }
    this.#underWay = true;
    if (this.#notBeforeMs > this.#hooks.nowMs()) return this.#notBeforeMs;
    const restarted = wanted.filter(({ container, spec, limits }) =>
      mustRestart(container, spec, limits),
    );
    for (const { container, spec } of restarted)
      this.#hooks.restart(container, `Container ${spec.name} resize requires restart`);
    const changed = wanted.filter((one) => !restarted.includes(one));
    this.#busy = true;
    void this.#apply(pod, at.sandbox, changed).finally(() => {
      this.#busy = false;
      this.#hooks.wake();
    });
    return undefined;
  }

  #decide(pod: Pod): void {
    const asked = amountsOf(pod);
    const had = amountsOf(withGiven(pod));
    const before = this.#pending;
    this.#pending = undefined;
    if (names.every((name) => asked[name] <= had[name])) return;
    const capacity = this.#hooks.allocatable();
    const over = names.find((name) => asked[name] > capacity[name]);
    const used = this.#hooks.others();
    const short = names.find((name) => asked[name] + used[name] > capacity[name]);
    if (over !== undefined)
      this.#pending = {
        type: 'PodResizePending',
        reason: 'Infeasible',
        message: `Node didn't have enough capacity: ${over}, requested: ${asked[over]}, capacity: ${capacity[over]}`,
      };
    else if (short !== undefined)
      this.#pending = {
        type: 'PodResizePending',
        reason: 'Deferred',
        message: `Node didn't have enough resource: ${short}, requested: ${asked[short]}, used: ${used[short]}, capacity: ${capacity[short]}`,
      };
    const { reason = '', message = '' } = this.#pending ?? {};
    if (reason !== '' && before?.reason !== reason)
      this.#hooks.event('Warning', { reason: `Resize${reason}`, message });
  }

  #done(pod: Pod): void {
    this.#underWay = false;
    this.#problem = undefined;
    const containers = pod.spec.containers.map(({ name, resources }) => ({ name, resources }));
    const about = JSON.stringify({ containers, generation: pod.metadata.generation });
    this.#hooks.event('Normal', {
      reason: 'ResizeCompleted',
      message: `Pod resize completed: ${about}`,
    });
  }

  #differing(pod: Pod, view: PodView): readonly Change[] {
    const specs = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
    return specs.flatMap((spec) => {
      const container = newest(view, spec.name);
      if (container?.state !== 'running') return [];
      const limits = changeable(containerLimits(pod, spec, this.#hooks.memoryBytes));
      return same(changeable(container.spec.resources), limits)
        ? []
        : [{ container, spec, limits }];
    });
  }

  async #apply(pod: Pod, sandbox: Sandbox, changes: readonly Change[]): Promise<void> {
    const { runtime } = this.#hooks;
    try {
      for (const change of changes) await this.#refuseBelowUsage(change);
      const whole = changeable(podLimits(pod));
      const had = changeable(sandbox.spec.resources);
      await runtime.updateSandboxResources(sandbox.id, wider(whole, had));
      // Shrinking ones first: there is room for the others then.
      const ordered = changes.toSorted((a, b) => Number(grows(a)) - Number(grows(b)));
      for (const { container, limits } of ordered)
        await runtime.updateResources(container.id, limits);
      await runtime.updateSandboxResources(sandbox.id, whole);
      this.#problem = undefined;
      this.#notBeforeMs = 0;
    } catch (error) {
      this.#notBeforeMs = this.#hooks.nowMs() + retryMs;
      const message = messageOf(error);
      if (message !== this.#problem)
        this.#hooks.event('Warning', { reason: 'ResizeError', message });
      this.#problem = message;
    }
  }

  /** The kernel of version 2 would kill at once, that of version 1 refuse without a reason. */
  async #refuseBelowUsage({ container, spec, limits }: Change): Promise<void> {
    const bound = limits.memoryBytes ?? 0;
    if (bound === 0) return;
    const stats = await this.#hooks.runtime.containerStats(container.id);
    if (stats !== undefined && stats.memoryUsageBytes > bound)
      throw new Error(
        `attempting to set container ${JSON.stringify(spec.name)} memory limit (${bound}) below current usage (${stats.memoryUsageBytes})`,
      );
  }
}

interface Change {
  readonly container: Container;
  readonly spec: ContainerSpec;
  readonly limits: ResourceLimits;
}

/** The limits a resize touches; 0 stands for none. */
function changeable(limits: ResourceLimits): ResourceLimits {
  return {
    cpuShares: limits.cpuShares ?? 2,
    cpuQuotaUs: limits.cpuQuotaUs ?? 0,
    memoryBytes: limits.memoryBytes ?? 0,
  };
}

const keys = ['cpuShares', 'cpuQuotaUs', 'memoryBytes'] as const;

function same(a: ResourceLimits, b: ResourceLimits): boolean {
  return keys.every((key) => a[key] === b[key]);
}

function wider(a: ResourceLimits, b: ResourceLimits): ResourceLimits {
  const larger = (key: (typeof keys)[number]): number => {
    const [one = 0, two = 0] = [a[key], b[key]];
    return one === 0 || two === 0 ? 0 : Math.max(one, two);
  };
  return {
    cpuShares: larger('cpuShares'),
    cpuQuotaUs: larger('cpuQuotaUs'),
    memoryBytes: larger('memoryBytes'),
  };
}

function grows({ container, limits }: Change): boolean {
  const had = changeable(container.spec.resources);
  return same(wider(limits, had), limits);
}

/** A resource whose policy says so is only taken at a start (NotRequired: while it runs). */
function mustRestart(container: Container, spec: ContainerSpec, limits: ResourceLimits): boolean {
  const had = changeable(container.spec.resources);
  const touched = [
    ...(had.cpuShares !== limits.cpuShares || had.cpuQuotaUs !== limits.cpuQuotaUs ? ['cpu'] : []),
    ...(had.memoryBytes === limits.memoryBytes ? [] : ['memory']),
  ];
  return (spec.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' && touched.includes(resourceName),
  );
}

export function amountsOf(pod: Pod): Amounts {
  const whole = { name: 'pod', resources: pod.spec.resources ?? {} };
  return {
    cpu: Math.max(podRequest(pod, 'cpu'), requestOf(whole, 'cpu')),
    memory: Math.max(podRequest(pod, 'memory'), requestOf(whole, 'memory')),
  };
}

/** What a node can give in all. */
export function allocatableOf(amounts: Readonly<Record<string, string>> | undefined): Amounts {
  return {
    cpu: amounts?.['cpu'] === undefined ? Number.POSITIVE_INFINITY : milliOf(amounts['cpu']),
    memory:
      amounts?.['memory'] === undefined ? Number.POSITIVE_INFINITY : amountOf(amounts['memory']),
  };
}

/** The Pod with what its status says it was given in place of what it asks for. */
export function withGiven(pod: Pod): Pod {
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ];
  const given = (spec: ContainerSpec): ContainerSpec => {
    const status = statuses.find(({ name }) => name === spec.name);
    if (status?.resources === undefined) return spec;
    const resources: Resources = {
      ...spec.resources,
      ...(status.resources.limits === undefined ? {} : { limits: status.resources.limits }),
      ...(status.allocatedResources === undefined ? {} : { requests: status.allocatedResources }),
    };
    return { ...spec, resources };
  };
  const { initContainers, containers } = pod.spec;
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(given),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(given) }),
    },
  };
}
