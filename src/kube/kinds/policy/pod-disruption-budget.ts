import { pathSegmentName } from '#machinery';
import { checkAtMostAll, checkIntOrPercent } from '../apps/replicas.ts';
import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { checkConditions, checkSelector } from '../shared/meta.ts';
import type { PodDisruptionBudget } from '../types/policy-v1.ts';

export const podDisruptionBudgets = declareKind<PodDisruptionBudget>(
  'policy/v1/PodDisruptionBudget',
  {
    nameProblems: pathSegmentName,
    validateCreate: validate,
    validateUpdate: validate,
    validateStatusUpdate: ({ status }) => {
      const root = rootField();
      checkConditions(status.conditions, root.at('status.conditions'));
      for (const name of [
        'disruptionsAllowed',
        'currentHealthy',
        'desiredHealthy',
        'expectedPods',
      ] as const)
        root.at('status').at(name).notNegative(status[name]);
      return root.found;
    },
    table: {
      columns: [
        nameColumn,
        column('Min Available', ({ spec }) => `${spec.minAvailable ?? 'N/A'}`),
        column('Max Unavailable', ({ spec }) => `${spec.maxUnavailable ?? 'N/A'}`),
        column('Allowed Disruptions', ({ status }) => status.disruptionsAllowed, {
          type: 'integer',
        }),
        ageColumn,
      ],
    },
  },
);

function validate({ spec }: PodDisruptionBudget) {
  const root = rootField();
  const field = root.at('spec');
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    field.invalid(spec, 'minAvailable and maxUnavailable cannot be both set');
  checkIntOrPercent(minAvailable, field.at('minAvailable'));
  checkAtMostAll(minAvailable, field.at('minAvailable'));
  checkIntOrPercent(maxUnavailable, field.at('maxUnavailable'));
  checkAtMostAll(maxUnavailable, field.at('maxUnavailable'));
  checkSelector(spec.selector, field.at('selector'));
  if (policy !== undefined && policy !== 'AlwaysAllow' && policy !== 'IfHealthyBudget')
    field.at('unhealthyPodEvictionPolicy').notSupported(policy, ['AlwaysAllow', 'IfHealthyBudget']);
  return root.found;
}
