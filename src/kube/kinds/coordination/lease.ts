import { qualifiedName } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Lease } from '../types/coordination-v1.ts';

export const leases = declareKind<Lease>('coordination.k8s.io/v1/Lease', {
  prepareForCreate: ({ spec }) => {
    // Coordinated leader election is off in the release that is served.
    delete spec.strategy;
    delete spec.preferredHolder;
  },
  prepareForUpdate: ({ spec }, old) => {
    if (old.spec.strategy !== undefined || old.spec.preferredHolder !== undefined) return;
    delete spec.strategy;
    delete spec.preferredHolder;
  },
  validateCreate: validate,
  validateUpdate: validate,
  table: {
    columns: [nameColumn, column('Holder', ({ spec }) => spec.holderIdentity ?? ''), ageColumn],
  },
});

function validate({ spec }: Lease): readonly Problem[] {
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec;
  const root = rootField();
  const field = root.at('spec');
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0)
    field.at('leaseDurationSeconds').invalid(leaseDurationSeconds, 'must be greater than 0');
  if (leaseTransitions !== undefined && leaseTransitions < 0)
    field.at('leaseTransitions').invalid(leaseTransitions, 'must be greater than or equal to 0');
  if (strategy !== undefined) {
    const at = field.at('strategy.strategy');
    if (strategy.includes('/')) at.invalidAll(strategy, qualifiedName(strategy));
    else if (strategy !== 'OldestEmulationVersion')
      at.notSupported(strategy, ['OldestEmulationVersion']);
  }
  if (preferredHolder && strategy === undefined)
    field.at('preferredHolder').forbidden('may only be specified if `strategy` is defined');
  return root.found;
}
