import { isWithin } from './ids.ts';
import type { Root } from './root.ts';

/** For each app, the apps that have to be up before it: by its own dependencies and its groups'. */
export function dependencyGraph(root: Root): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>();
  const ids = [...root.apps.keys()];
  const appsOf = (id: string): readonly string[] => {
    if (root.apps.has(id)) return [id];
    return root.groups.has(id) ? ids.filter((app) => isWithin(app, id)) : [];
  };
  const add = (from: string, to: readonly string[]): void => {
    const known = graph.get(from) ?? new Set<string>();
    for (const one of to) known.add(one);
    graph.set(from, known);
  };
  for (const app of root.apps.values())
    for (const dependency of app.dependencies ?? []) add(app.id, appsOf(dependency));
  for (const group of root.groups.values())
    for (const dependency of group.dependencies) {
      if (!root.groups.has(dependency) && !root.apps.has(dependency)) continue;
      const needed = appsOf(dependency);
      for (const app of ids) if (isWithin(app, group.id)) add(app, needed);
    }
  return graph;
}

/**
 * How many apps the longest chain from each app has, itself counted; undefined when there is a cycle.
 */
export function dependencyDepths(root: Root): ReadonlyMap<string, number> | undefined {
  const graph = dependencyGraph(root);
  const depths = new Map<string, number>();
  const open = new Set<string>();
  for (const start of graph.keys()) {
    // A stack of our own: chains may be longer than the language's stack.
    const stack = [start];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const needed = [...(graph.get(id) ?? [])];
      const missing = depths.has(id) ? [] : needed.filter((one) => !depths.has(one));
      if (missing.length === 0) {
        const deepest = needed.reduce((depth, one) => Math.max(depth, depths.get(one) ?? 0), 0);
        if (!depths.has(id)) depths.set(id, deepest + 1);
        open.delete(id);
        stack.pop();
      } else {
        if (missing.some((one) => open.has(one) || one === id)) return undefined;
        open.add(id);
        stack.push(missing[0] ?? id);
      }
    }
  }
  return depths;
}
