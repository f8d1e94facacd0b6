import type { Task } from '#mesos/kinds';
import type { Resource, Volume } from '#mesos/protocol';
import type { RunNames, WorkPaths } from './paths.ts';
import { nestedIDOf } from './paths.ts';

/** A directory of this machine that a task's container gets, beside those of its Pod. */
export interface TaskVolume {
  readonly hostPath: string;
  /** Absolute, or within the sandbox. */
  readonly containerPath: string;
  readonly readOnly: boolean;
  /** The agent makes the directory, for the task's user. */
  readonly make: boolean;
  /** A persistent volume: it outlives the task. */
  readonly persistent: boolean;
}

/**
 * Persistent volumes, and what is named by its place in a sandbox; the Pod knows neither. Volumes
 * from absolute paths of the machine are the Pod's own where they are mounted at absolute paths.
 */
export function taskVolumes(task: Task, names: RunNames, paths: WorkPaths): readonly TaskVolume[] {
  const { execution, task: info } = task.spec;
  const custom = execution === 'Custom';
  const resources = custom
    ? [...(info.executor?.resources ?? []), ...(info.resources ?? [])]
    : [...(info.resources ?? [])];
  const container = custom ? info.executor?.container : info.container;
  const executor = executorVolumes(task, names, paths);
  const own = execution === 'Group' ? paths.nested(names, nestedIDOf(task)) : paths.run(names);
  return [
    ...resources.flatMap((resource) => persistentOf(resource, paths)),
    ...(container?.volumes ?? []).flatMap((volume) =>
      sandboxVolume(volume, { own, parent: paths.run(names) }),
    ),
  ].map((volume) => throughExecutor(volume, executor, paths.run(names)));
}

/**
 * What lies in a default executor's own sandbox besides what is made there: its persistent volumes
 * and those of its container. Tasks name them by their place in it (SANDBOX_PATH, PARENT).
 */
export function executorVolumes(
  task: Task,
  names: RunNames,
  paths: WorkPaths,
): readonly TaskVolume[] {
  const { execution, task: info } = task.spec;
  if (execution !== 'Group') return [];
  const run = paths.run(names);
  return [
    ...(info.executor?.resources ?? []).flatMap((resource) => persistentOf(resource, paths)),
    ...(info.executor?.container?.volumes ?? []).flatMap((volume) =>
      sandboxVolume(volume, { own: run, parent: run }),
    ),
  ].filter(({ containerPath }) => !containerPath.startsWith('/'));
}

/** A place in the executor's sandbox that is a volume of the executor is that volume. */
function throughExecutor(
  volume: TaskVolume,
  executor: readonly TaskVolume[],
  run: string,
): TaskVolume {
  for (const { hostPath, containerPath, readOnly, persistent } of executor) {
    const place = `${run}/${containerPath}`;
    if (volume.hostPath !== place && !volume.hostPath.startsWith(`${place}/`)) continue;
    return {
      ...volume,
      hostPath: hostPath + volume.hostPath.slice(place.length),
      readOnly: volume.readOnly || readOnly,
      persistent: persistent && volume.hostPath === place,
    };
  }
  return volume;
}

/** All volumes of a container that no Pod knows. */
export function launchedVolumes(
  volumes: readonly Volume[],
  of: { readonly own: string; readonly parent: string },
): readonly TaskVolume[] {
  return volumes.flatMap((volume): readonly TaskVolume[] => {
    const within = sandboxVolume(volume, of);
    const hostPath = volume.source?.host_path?.path ?? volume.host_path;
    if (within.length > 0 || hostPath === undefined) return within;
    const { container_path: containerPath, mode } = volume;
    const readOnly = mode === 'RO';
    return [{ hostPath, containerPath, readOnly, make: false, persistent: false }];
  });
}

function persistentOf(resource: Resource, paths: WorkPaths): readonly TaskVolume[] {
  const hostPath = persistentPath(resource, paths);
  const volume = resource.disk?.volume;
  if (hostPath === undefined || volume === undefined) return [];
  return [
    {
      hostPath,
      containerPath: volume.container_path,
      readOnly: volume.mode === 'RO',
      make: true,
      persistent: true,
    },
  ];
}

/** Where a persistent volume lies; the role is that of its last reservation. */
export function persistentPath(resource: Resource, paths: WorkPaths): string | undefined {
  const { disk, reservations, role: old } = resource;
  const id = disk?.persistence?.id;
  if (id === undefined) return undefined;
  const role = reservations?.at(-1)?.role ?? old ?? '*';
  const source = disk?.source;
  if (source?.type === 'MOUNT' && source.mount?.root !== undefined)
    return within(paths.root, source.mount.root);
  const inner = paths.volume(role, id);
  if (source?.type === 'PATH' && source.path?.root !== undefined)
    return `${within(paths.root, source.path.root)}${inner.slice(paths.root.length)}`;
  return inner;
}

function within(root: string, path: string): string {
  return path.startsWith('/') ? path : `${root}/${path}`;
}

function sandboxVolume(
  volume: Volume,
  of: { readonly own: string; readonly parent: string },
): readonly TaskVolume[] {
  const { container_path: containerPath, host_path: hostPath, source, mode } = volume;
  const base = { containerPath, readOnly: mode === 'RO', persistent: false };
  const sandboxPath = source?.type === 'SANDBOX_PATH' ? source.sandbox_path : undefined;
  if (sandboxPath !== undefined) {
    const root = sandboxPath.type === 'PARENT' ? of.parent : of.own;
    return [{ ...base, hostPath: `${root}/${inside(sandboxPath.path)}`, make: true }];
  }
  const host = source?.type === 'HOST_PATH' ? source.host_path?.path : hostPath;
  if (host === undefined) return [];
  if (!host.startsWith('/'))
    return [{ ...base, hostPath: `${of.own}/${inside(host)}`, make: true }];
  return containerPath.startsWith('/') ? [] : [{ ...base, hostPath: host, make: false }];
}

function inside(path: string): string {
  if (path.split('/').includes('..'))
    throw new Error(`Volume path '${path}' must stay inside the sandbox`);
  return path;
}
