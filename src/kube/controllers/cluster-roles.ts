import { selectorMatches } from '#client';
import { clusterRoles as roleKind, type ClusterRole, type PolicyRule } from '#kube/kinds';
import { createLoop, sameValue, type ControllerContext, type Runnable } from './context.ts';

/** Fills aggregated ClusterRoles with the rules of those they select, in the order of names. */
export function clusterRoleAggregationController(context: ControllerContext): Runnable {
  const roles = context.informers.of<ClusterRole>(roleKind);
  return createLoop(context, {
    name: 'clusterrole-aggregation-controller',
    workers: 1,
    needs: [roles],
    setup: (queue) => {
      roles.onChange(() => {
        for (const { metadata, aggregationRule } of roles.list())
          if (aggregationRule !== undefined) queue.add(metadata.name);
      });
    },
    reconcile: async (name) => {
      const role = roles.get(name);
      const selectors = role?.aggregationRule?.clusterRoleSelectors;
      if (role === undefined || selectors === undefined) return undefined;
      const rules: PolicyRule[] = [];
      const seen = new Set<string>();
      const sources = roles
        .list()
        .filter(
          ({ metadata }) =>
            metadata.name !== name &&
            selectors.some((selector) => selectorMatches(selector, metadata.labels)),
        )
        .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
      for (const source of sources)
        for (const rule of source.rules ?? []) {
          const text = JSON.stringify(rule);
          if (!seen.has(text)) rules.push(rule);
          seen.add(text);
        }
      if (!sameValue(rules, role.rules ?? []))
        await context.api.update<ClusterRole>(roleKind, { ...role, rules });
      return undefined;
    },
  });
}
