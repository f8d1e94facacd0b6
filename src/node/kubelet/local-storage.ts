import type { Container, Pod } from '#kube/kinds';
import type { Runtime } from '#node/runtime';
import { limitOf } from './limits.ts';
import { labels } from './pod-view.ts';
import { bytesText } from './quantity.ts';
import type { PodVolumes } from './volumes.ts';

const resource = 'ephemeral-storage';

/**
 * Whether a Pod holds more on the node's disk than it may: in an emptyDir with a limit, in one
 * container's own files and logs, or in all together (k8s kubelet/eviction localStorageEviction).
 * Gives the reference's words.
 */
export async function overStorageLimit(
  runtime: Runtime,
  pod: Pod,
  volumes: PodVolumes,
): Promise<string | undefined> {
  const inVolume = await volumes.overLimit(pod);
  if (inVolume !== undefined) return inVolume;
  const bounds = new Map(boundsOf(pod));
  if (bounds.size === 0) return undefined;
  let used = 0;
  for (const { id, state, spec } of runtime.containers()) {
    if (spec.labels[labels.uid] !== pod.metadata.uid || state !== 'running') continue;
    const stats = await runtime.containerStats(id);
    const own = (stats?.rootfsUsedBytes ?? 0) + (stats?.logsUsedBytes ?? 0);
    const bound = bounds.get(spec.name);
    if (bound !== undefined && own > bound)
      return `Container ${spec.name} exceeded its local ephemeral storage limit ${JSON.stringify(bytesText(bound))}. `;
    used += own;
  }
  // The whole is bounded only where every container is.
  if (bounds.size < pod.spec.containers.length) return undefined;
  const whole = [...bounds.values()].reduce((sum, bound) => sum + bound, 0);
  if (used + (await volumes.diskBytes(pod)) <= whole) return undefined;
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${bytesText(whole)}. `;
}

function boundsOf(pod: Pod): readonly (readonly [string, number])[] {
  return pod.spec.containers.flatMap((container: Container) => {
    const bound = limitOf(container, resource);
    return bound === undefined || bound === 0 ? [] : [[container.name, bound] as const];
  });
}
