import type { Runtime } from '#node/runtime';
import type { ContainerRecords } from './container-records.ts';
import { annotations } from './pod-view.ts';
import type { PodView } from './pod-view.ts';

/**
 * Takes away what was made but never started (the agent died in between), or cannot be spoken to any
 * more. Gives whether there was any.
 */
export async function dropHalfMade(
  runtime: Runtime,
  view: PodView,
  records: ContainerRecords,
): Promise<boolean> {
  let dropped = false;
  for (const { id, state, spec } of [...view.containers.values()].flat()) {
    if (state === 'running' || state === 'exited') continue;
    if (spec.annotations[annotations.apart] !== undefined) continue;
    if (records.get(spec.name)?.starting === true) continue;
    if (state === 'unknown') await runtime.stopContainer(id, { graceMs: 0 });
    if (runtime.container(id)?.state === 'exited') continue;
    await runtime.removeContainer(id);
    dropped = true;
  }
  return dropped;
}
