import type { ContainerID } from '#mesos/protocol';

/** `root.child`, as every text names a container. */
export function idText(id: ContainerID): string {
  return id.parent === undefined ? id.value : `${idText(id.parent)}.${id.value}`;
}

export function rootOf(id: ContainerID): ContainerID {
  return id.parent === undefined ? id : rootOf(id.parent);
}

/** From the child of the root down to the container itself. */
export function namesBelowRoot(id: ContainerID): readonly string[] {
  return id.parent === undefined ? [] : [...namesBelowRoot(id.parent), id.value];
}
