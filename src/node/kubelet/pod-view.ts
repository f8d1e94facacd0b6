import type { Container as ContainerSpec, Pod } from '#kube/kinds';
import type { Container, Runtime, Sandbox } from '#node/runtime';

/** Labels by which a container or sandbox is known again after a restart of the agent. */
export const labels = {
  name: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
  uid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;
export const annotations = {
  graceSeconds: 'io.kubernetes.pod.terminationGracePeriod',
  image: 'io.kubernetes.container.image',
  imageRef: 'io.kubernetes.container.imageRef',
  messagePath: 'io.kubernetes.container.terminationMessagePath',
  /**
   * On a container: another part of the agent makes, starts and shows it; it ends with its Pod. As a
   * label of a sandbox: there is no Pod behind it.
   */
  apart: 'tandem.dev/apart',
} as const;

/** What the runtime has of one Pod. */
export interface PodView {
  /** Newest first. */
  readonly sandboxes: readonly Sandbox[];
  /** By container name, newest first. */
  readonly containers: ReadonlyMap<string, readonly Container[]>;
}

export function viewOf(runtime: Runtime, uid: string): PodView {
  const sandboxes = runtime
    .sandboxes()
    .filter(({ spec }) => spec.podUid === uid)
    .toSorted((a, b) => b.spec.attempt - a.spec.attempt || b.createdMs - a.createdMs);
  const containers = new Map<string, Container[]>();
  for (const container of runtime.containers()) {
    if (container.spec.labels[labels.uid] !== uid) continue;
    const list = containers.get(container.spec.name) ?? [];
    list.push(container);
    containers.set(container.spec.name, list);
  }
  for (const list of containers.values())
    list.sort((a, b) => b.spec.attempt - a.spec.attempt || b.createdMs - a.createdMs);
  return { sandboxes, containers };
}

export function newest(view: PodView, name: string): Container | undefined {
  return view.containers.get(name)?.[0];
}

/** Created counts: it may be about to run. */
export function alive(container: Container | undefined): boolean {
  return container !== undefined && container.state !== 'exited';
}

export function living(view: PodView): readonly Container[] {
  return [...view.containers.values()].flat().filter(alive);
}

export type Role = 'init' | 'app' | 'ephemeral';
export interface Slot {
  readonly role: Role;
  readonly spec: ContainerSpec;
}

export function slotsOf(pod: Pod): readonly Slot[] {
  const ephemeral = pod.spec.ephemeralContainers ?? [];
  return [
    ...(pod.spec.initContainers ?? []).map((spec): Slot => ({ role: 'init', spec })),
    ...pod.spec.containers.map((spec): Slot => ({ role: 'app', spec })),
    ...ephemeral.map((spec): Slot => ({ role: 'ephemeral', spec })),
  ];
}

/** Where events say that a container stands: "spec.containers{web}". */
export function fieldPathOf(pod: Pod, name: string): string {
  const lists = { init: 'initContainers', app: 'containers', ephemeral: 'ephemeralContainers' };
  const role = slotsOf(pod).find(({ spec }) => spec.name === name)?.role ?? 'app';
  return `spec.${lists[role]}{${name}}`;
}
