import type { SandboxFiles, SystemUser } from '#io';
import type { TaskVolume } from './volumes.ts';

/** Directories of volumes, and their places in a container's sandbox. */
export async function makeVolumes(
  files: SandboxFiles,
  volumes: readonly TaskVolume[],
  of: {
    readonly directory: string;
    readonly owner: SystemUser | undefined;
    /** Without an image a link shows the volume; a mount needs a directory. */
    readonly process: boolean;
  },
): Promise<void> {
  const { directory, owner, process } = of;
  for (const { hostPath, containerPath, make } of volumes) {
    const exists = (await files.facts(hostPath)) !== undefined;
    if (make && !exists) await files.makeDir(hostPath, { owner });
    if (containerPath.startsWith('/')) continue;
    const inside = `${directory}/${safe(containerPath)}`;
    const parent = inside.slice(0, inside.lastIndexOf('/'));
    if (parent !== directory) await files.makeDir(parent, { owner });
    if (process && hostPath !== inside) await files.link(hostPath, inside);
    else if (!process) await files.makeDir(inside, { owner });
  }
}

function safe(path: string): string {
  if (path.split('/').includes('..'))
    throw new Error(`Volume path '${path}' must stay inside the sandbox`);
  return path;
}
