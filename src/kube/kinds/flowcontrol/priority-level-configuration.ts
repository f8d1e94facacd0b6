import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { validatePriorityLevel } from './rules.ts';
import type { PriorityLevelConfiguration } from '../types/flowcontrol-v1.ts';

type Level = PriorityLevelConfiguration;

export const priorityLevelConfigurations = declareKind<Level>(
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration',
  {
    defaults: ({ spec: { limited, exempt } }) => {
      if (exempt !== undefined) {
        exempt.nominalConcurrencyShares ??= 0;
        exempt.lendablePercent ??= 0;
      }
      if (limited === undefined) return;
      limited.nominalConcurrencyShares ??= 30;
      limited.lendablePercent ??= 0;
      const { queuing } = limited.limitResponse;
      if (queuing === undefined) return;
      queuing.handSize ||= 8;
      queuing.queues ||= 64;
      queuing.queueLengthLimit ||= 50;
    },
    validateCreate: validatePriorityLevel,
    validateUpdate: validatePriorityLevel,
    table: {
      columns: [
        nameColumn,
        column('Type', ({ spec }) => spec.type),
        column(
          'NominalConcurrencyShares',
          ({ spec }) => spec.limited?.nominalConcurrencyShares ?? '<none>',
        ),
        column('Queues', (level) => queuingOf(level)?.queues ?? '<none>'),
        column('HandSize', (level) => queuingOf(level)?.handSize ?? '<none>'),
        column('QueueLengthLimit', (level) => queuingOf(level)?.queueLengthLimit ?? '<none>'),
        ageColumn,
      ],
    },
  },
);

function queuingOf({ spec }: Level) {
  return spec.limited?.limitResponse.queuing;
}
