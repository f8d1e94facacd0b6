import type { ContainerState, ContainerStatus, Pod } from '#kube/kinds';
import type { Container, ResourceLimits } from '#node/runtime';
import { containerLimits, isSidecar } from './limits.ts';
import { refusedExitCode } from './never-started.ts';
import type { Refusal } from './never-started.ts';
import { alive, annotations } from './pod-view.ts';
import type { PodView, Slot } from './pod-view.ts';
import { timeText } from './quantity.ts';

export interface Waiting {
  readonly reason: string;
  readonly message?: string | undefined;
}
export interface StatusContext {
  readonly view: PodView;
  readonly initialized: boolean;
  waiting(name: string): Waiting | undefined;
  /** Of a container that the runtime does not have and that will not be made. */
  refused(name: string): Refusal | undefined;
  started(container: Container): boolean;
  ready(container: Container): boolean;
  /** The last words of a container that ended. */
  lastWords(container: Container): string | undefined;
  /** A change of resources is on its way. */
  readonly resize: readonly unknown[];
  readonly disruption: { readonly reason: string; readonly message: string } | undefined;
  /** The Pod ends: nothing waits to run any more. */
  readonly ending: boolean;
}

export function containerIdText(id: string): string {
  return `tandem://${id}`;
}

export function containerStatus(pod: Pod, slot: Slot, context: StatusContext): ContainerStatus {
  const { spec, role } = slot;
  const old = oldStatus(pod, slot);
  const [newest, previous] = context.view.containers.get(spec.name) ?? [];
  if (newest === undefined)
    return neverStarted(slot, context) ?? unknownToRuntime(pod, slot, { context, old });
  const running = newest.state === 'running';
  const waiting = context.waiting(spec.name);
  let state: ContainerState;
  let lastState: ContainerState = ended(previous, context) ?? old?.lastState ?? {};
  if (previous === undefined && newest.spec.attempt === 0) lastState = {};
  if (running) state = { running: { startedAt: timeText(newest.startedMs ?? newest.createdMs) } };
  else if (newest.state === 'exited') {
    state = ended(newest, context) ?? {};
    if (waiting !== undefined && !context.ending) {
      lastState = state;
      state = { waiting: { reason: waiting.reason, message: waiting.message } };
    }
  } else state = { waiting: waitingState(pod, slot, context) };
  const started = running && context.started(newest);
  return {
    name: spec.name,
    state,
    lastState,
    ready: readiness(slot, newest, context),
    restartCount: newest.spec.attempt,
    image: newest.spec.annotations[annotations.image] ?? spec.image ?? '',
    imageID: newest.spec.annotations[annotations.imageRef] ?? '',
    containerID: containerIdText(newest.id),
    ...(role === 'ephemeral' ? {} : { started }),
    ...((running || staysEnded(pod)) && role !== 'ephemeral'
      ? resourcesOf(pod, slot, { newest, old, context })
      : givenBefore(old)),
    ...mountStatuses(slot, newest),
    ...userOf(newest),
  };
}

/** As of a container whose command could not be started, without an id. */
function neverStarted({ spec, role }: Slot, context: StatusContext): ContainerStatus | undefined {
  const refusal = role === 'app' ? context.refused(spec.name) : undefined;
  if (refusal === undefined) return undefined;
  const { reason, message, atMs } = refusal;
  const finishedAt = timeText(atMs);
  return {
    name: spec.name,
    state: { terminated: { exitCode: refusedExitCode, reason, message, finishedAt } },
    lastState: {},
    ready: false,
    started: false,
    restartCount: 0,
    image: spec.image ?? '',
    imageID: '',
  };
}

function readiness(slot: Slot, container: Container, context: StatusContext): boolean {
  if (slot.role === 'ephemeral') return false;
  if (slot.role === 'init' && !isSidecar(slot.spec))
    return container.state === 'exited' && container.exitCode === 0;
  return container.state === 'running' && context.started(container) && context.ready(container);
}

/** Nothing in the runtime: not made yet, or lost since the status was written (the machine restarted). */
function unknownToRuntime(
  pod: Pod,
  slot: Slot,
  about: { readonly context: StatusContext; readonly old: ContainerStatus | undefined },
): ContainerStatus {
  const { spec, role } = slot;
  const { context, old } = about;
  const wasThere = old?.containerID !== undefined;
  const base = {
    name: spec.name,
    ready: false,
    image: old?.image ?? spec.image ?? '',
    imageID: old?.imageID ?? '',
    ...(role === 'ephemeral' ? {} : { started: false }),
  };
  if (wasThere && old !== undefined) {
    // What ended before the runtime forgot it stays as it was told.
    if (old.state.terminated !== undefined && (context.ending || role !== 'app'))
      return { ...old, ready: role === 'init' && old.state.terminated.exitCode === 0 };
    const lost = {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message:
          old.state.running === undefined
            ? 'The container could not be located when the pod was terminated'
            : 'The container could not be located when the pod was deleted.  The container used to be Running',
      },
    };
    const last =
      old.state.terminated === undefined
        ? old.state.running === undefined
          ? old.lastState
          : lost
        : { terminated: old.state.terminated };
    if (context.ending)
      return { ...base, state: lost, lastState: {}, restartCount: old.restartCount };
    return {
      ...base,
      state: { waiting: waitingState(pod, slot, context) },
      lastState: last,
      restartCount: old.restartCount + (old.state.running === undefined ? 0 : 1),
    };
  }
  if (context.ending && pod.metadata.deletionTimestamp === undefined) {
    return {
      ...base,
      state: { waiting: waitingState(pod, slot, context) },
      lastState: {},
      restartCount: old?.restartCount ?? 0,
    };
  }
  return {
    ...base,
    state: { waiting: waitingState(pod, slot, context) },
    lastState: old?.lastState ?? {},
    restartCount: old?.restartCount ?? 0,
    ...mountStatuses(slot),
  };
}

function waitingState(pod: Pod, slot: Slot, context: StatusContext): Waiting {
  const known = context.waiting(slot.spec.name);
  if (known !== undefined) return known;
  const inits = (pod.spec.initContainers ?? []).length > 0;
  if (slot.role === 'app' && inits && !context.initialized) return { reason: 'PodInitializing' };
  if (slot.role === 'init') return { reason: 'PodInitializing' };
  return { reason: 'ContainerCreating' };
}

function ended(
  container: Container | undefined,
  context: StatusContext,
): ContainerState | undefined {
  if (container === undefined || alive(container)) return undefined;
  const words = context.lastWords(container) ?? '';
  const message = words === '' ? container.message : words;
  const exitCode = container.exitCode ?? 137;
  return {
    terminated: {
      exitCode,
      reason: reasonOf(container, exitCode),
      ...(message === '' ? {} : { message }),
      ...(container.startedMs === undefined ? {} : { startedAt: timeText(container.startedMs) }),
      finishedAt: timeText(container.finishedMs ?? container.createdMs),
      containerID: containerIdText(container.id),
    },
  };
}

function reasonOf(container: Container, exitCode: number): string {
  if (container.oomKilled) return 'OOMKilled';
  if (container.startedMs === undefined)
    return exitCode === 128 ? 'StartError' : 'ContainerCannotRun';
  return exitCode === 0 ? 'Completed' : 'Error';
}

function oldStatus(pod: Pod, { role, spec }: Slot): ContainerStatus | undefined {
  const { status } = pod;
  const lists = {
    init: status?.initContainerStatuses,
    app: status?.containerStatuses,
    ephemeral: status?.ephemeralContainerStatuses,
  };
  return lists[role]?.find(({ name }) => name === spec.name);
}

/** What was given (requests), and what the cgroup holds: the former while a change is on its way. */
function resourcesOf(
  pod: Pod,
  { spec }: Slot,
  about: {
    readonly newest: Container;
    readonly old: ContainerStatus | undefined;
    readonly context: StatusContext;
  },
): Partial<ContainerStatus> {
  const { newest, old, context } = about;
  const changing =
    newest.state === 'running' &&
    context.resize.length > 0 &&
    !fitsLimits(newest, containerLimits(pod, spec, 1));
  const { limits, requests } = spec.resources ?? {};
  if (changing && old?.resources !== undefined)
    return {
      ...(requests === undefined ? {} : { allocatedResources: requests }),
      resources: old.resources,
    };
  if (limits === undefined && requests === undefined) return { resources: {} };
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: {
      ...(limits === undefined ? {} : { limits }),
      ...(requests === undefined ? {} : { requests }),
    },
  };
}

/** Nothing of it will run again: it holds what the Pod says, however much it once was given. */
function staysEnded(pod: Pod): boolean {
  return pod.spec.restartPolicy === 'Never';
}

/** Between two runs: what was given stays given. */
function givenBefore(old: ContainerStatus | undefined): Partial<ContainerStatus> {
  const { allocatedResources, resources } = old ?? {};
  return {
    ...(allocatedResources === undefined ? {} : { allocatedResources }),
    ...(resources === undefined ? {} : { resources }),
  };
}

function fitsLimits({ spec }: Container, wanted: ResourceLimits): boolean {
  return (['cpuShares', 'cpuQuotaUs', 'memoryBytes'] as const).every(
    (key) => (spec.resources[key] ?? 0) === (wanted[key] ?? 0),
  );
}

function userOf({ uid, gid, groups }: Container): Partial<ContainerStatus> {
  if (uid === undefined || gid === undefined) return {};
  // The reference names the primary group among the others.
  const supplementalGroups = [...new Set([gid, ...(groups ?? [])])];
  return { user: { linux: { uid, gid, supplementalGroups } } };
}

function mountStatuses({ spec }: Slot, made?: Container): Partial<ContainerStatus> {
  const mounts = spec.volumeMounts ?? [];
  if (mounts.length === 0) return {};
  const recursive = (path: string): string =>
    made?.spec.mounts.find(({ containerPath }) => containerPath === path)?.recursiveReadOnly ===
    true
      ? 'Enabled'
      : 'Disabled';
  return {
    volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly === true ? { readOnly, recursiveReadOnly: recursive(mountPath) } : {}),
    })),
  };
}
