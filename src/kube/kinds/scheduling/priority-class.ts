import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { PriorityClass } from '../types/scheduling-v1.ts';

const system: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};
const userValueMax = 1_000_000_000;

export const priorityClasses = declareKind<PriorityClass>('scheduling.k8s.io/v1/PriorityClass', {
  defaults: (object) => {
    object.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  validateCreate: (object) => {
    const root = rootField();
    const { name } = object.metadata;
    if (name.startsWith('system-')) {
      const text = systemProblem(object);
      if (text !== undefined)
        root
          .at('metadata.name')
          .forbidden(
            `priority class names with 'system-' prefix are reserved for system use only. error: ${text}`,
          );
    } else if (object.value > userValueMax)
      root
        .at('value')
        .forbidden(`maximum allowed value of a user defined priority is ${userValueMax}`);
    root.at('preemptionPolicy').oneOf(object.preemptionPolicy, ['PreemptLowerPriority', 'Never']);
    return root.found;
  },
  validateUpdate: (object, old) => {
    const root = rootField();
    if (object.value !== old.value) root.at('value').forbidden('may not be changed in an update.');
    if (object.preemptionPolicy !== old.preemptionPolicy)
      root.at('preemptionPolicy').immutable(object.preemptionPolicy);
    return root.found;
  },
  table: {
    columns: [
      nameColumn,
      column('Value', ({ value }) => value, { type: 'integer' }),
      column('Global-Default', ({ globalDefault }) => globalDefault === true, { type: 'boolean' }),
      ageColumn,
      column('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
    ],
  },
});

function systemProblem({ metadata: { name }, value, globalDefault }: PriorityClass) {
  const wanted = Object.hasOwn(system, name) ? system[name] : undefined;
  if (wanted === undefined) return `${name} is not a known system priority class`;
  if (value !== wanted) return `value of ${name} PriorityClass must be ${wanted}`;
  return globalDefault === true
    ? `globalDefault of ${name} PriorityClass must be false`
    : undefined;
}
