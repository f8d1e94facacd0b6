import { persistentVolumesOf } from '../app/volumes.ts';
import { dependencyDepths } from '../dependencies.ts';
import { sameSet, sameValue } from '../equality.ts';
import { ancestorIDs } from '../ids.ts';
import type { Problem } from '../problem.ts';
import { residentPodProblems } from '../pod/resident-rules.ts';
import type { Root } from '../root.ts';
import type { App } from '../types.ts';
import { hostPortsOf } from '../host-ports.ts';

/** Checks of a whole tree. */
export function treeProblems(root: Root): Problem[] {
  const problems: Problem[] = [];
  const tell = (text: string): void => {
    problems.push({ path: '/', text });
  };
  if (dependencyDepths(root) === undefined) tell('Dependency graph has cyclic dependencies.');
  const ids = [...root.apps.keys(), ...root.pods.keys()];
  if ([...root.apps.keys()].some((id) => root.pods.has(id)))
    tell('Applications and Pods may not share the same id');
  if ([...root.apps.keys()].some((id) => root.groups.has(id)))
    tell('Groups and Applications may not have the same identifier.');
  if ([...root.pods.keys()].some((id) => root.groups.has(id)))
    tell('Groups and Pods may not have the same identifier.');
  if (!ids.every((id) => ancestorIDs(id).every((group) => root.groups.has(group))))
    tell('App has to be child of group with parent id');
  if (![...root.groups.keys()].every((id) => ancestorIDs(id).every((one) => root.groups.has(one))))
    tell('Group has to be child of groups with parent id');
  return problems;
}

const resourcesText =
  'Services with persistent volumes configured may not change resource requirements. ' +
  'If you need to make this change, please create a new service.';
const hostPortsText =
  'Services with persistent volumes configured may not change host ports. ' +
  'If you need to make this change, please create a new service.';

/** What may not change of residents; `/app(0)` counts the apps that change. */
export function changeProblems(from: Root, to: Root): Problem[] {
  const problems: Problem[] = [];
  const changedApps = [...to.apps.values()].filter((app) => from.apps.get(app.id) !== app);
  for (const [index, app] of changedApps.entries()) {
    const before = from.apps.get(app.id);
    if (before !== undefined) problems.push(...residentProblems(before, app, `/app(${index})`));
  }
  const changedPods = [...to.pods.values()].filter((pod) => from.pods.get(pod.id) !== pod);
  for (const [index, pod] of changedPods.entries()) {
    const before = from.pods.get(pod.id);
    if (before !== undefined) problems.push(...residentPodProblems(before, pod, `/pod(${index})`));
  }
  return problems;
}

function residentProblems(before: App, after: App, path: string): Problem[] {
  const [old, young] = [persistentVolumesOf(before), persistentVolumesOf(after)];
  if (old.length === 0 && young.length === 0) return [];
  const problems: Problem[] = [];
  if (!sameSet(old, young)) problems.push({ path, text: 'Persistent volumes can not be changed!' });
  for (const name of ['cpus', 'mem', 'disk', 'gpus', 'requirePorts'] as const)
    if (!sameValue(before[name], after[name]))
      problems.push({ path: `${path}/${name}`, text: resourcesText });
  if (!sameSet(hostPortSet(before), hostPortSet(after)))
    problems.push({ path, text: hostPortsText });
  return problems;
}

function hostPortSet(app: App): number[] {
  return [...new Set(hostPortsOf(app).filter((port) => port !== undefined))];
}
