import { sameSet, sameValue } from '../equality.ts';
import type { Problem } from '../problem.ts';
import { isPodPersistent } from '../run-spec.ts';
import type { Pod, Resources } from '../types.ts';

/** What of a pod with persistent volumes may not change. */
export function residentPodProblems(before: Pod, after: Pod, path: string): Problem[] {
  const old = (before.volumes ?? []).filter(isPodPersistent);
  const young = (after.volumes ?? []).filter(isPodPersistent);
  if (old.length === 0 && young.length === 0) return [];
  const problems: Problem[] = [];
  if (!sameSet(old, young)) problems.push({ path, text: 'persistent volumes cannot be updated' });
  for (const name of ['cpus', 'mem', 'disk', 'gpus'] as const)
    if (totalOf(before, name) !== totalOf(after, name))
      problems.push({
        path,
        text: `${name} cannot be updated if a pod has persistent volumes`,
      });
  if (!sameValue(hostPorts(before), hostPorts(after)))
    problems.push({
      path,
      text: 'host ports cannot be updated if a pod has persistent volumes',
    });
  return problems;
}

function totalOf({ containers, executorResources }: Pod, name: keyof Resources): number {
  const ofExecutor = name === 'gpus' ? 0 : (executorResources?.[name] ?? 0);
  return containers.reduce((sum, { resources }) => sum + resources[name], ofExecutor);
}

function hostPorts({ containers }: Pod): number[] {
  const ports = containers.flatMap(({ endpoints = [] }) =>
    endpoints.flatMap(({ hostPort }) => hostPort ?? []),
  );
  return ports.toSorted((a, b) => a - b);
}
