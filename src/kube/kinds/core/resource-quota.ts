import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkQuotaResourceName, checkResourceValue } from '../pod-spec/resources.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { roundResources } from '../shared/resources.ts';
import type { ResourceList } from '../shared/resources.ts';
import { sameValue } from '../shared/same.ts';
import { checkScopes } from './quota-scopes.ts';
import type { ResourceQuota } from '../types/core-v1.ts';

export const resourceQuotas = declareKind<ResourceQuota>('v1/ResourceQuota', {
  defaults: ({ spec, status }) => {
    roundResources(spec.hard);
    roundResources(status.hard);
    roundResources(status.used);
  },
  validateCreate: validate,
  validateUpdate: (quota, old) => {
    const root = rootField();
    const sorted = (list: readonly string[] | undefined) => [...new Set(list)].toSorted();
    if (!sameValue(sorted(quota.spec.scopes), sorted(old.spec.scopes)))
      root.at('spec.scopes').immutable(quota.spec.scopes);
    return [...validate(quota), ...root.found];
  },
  validateStatusUpdate: ({ status }) => {
    const root = rootField();
    checkAmounts(status.hard, root.at('status.hard'));
    checkAmounts(status.used, root.at('status.used'));
    return root.found;
  },
  table: {
    columns: [
      nameColumn,
      column('Request', (quota) => usage(quota, (name) => !name.startsWith('limits.'))),
      column('Limit', (quota) => usage(quota, (name) => name.startsWith('limits.'))),
      ageColumn,
    ],
  },
});

function usage({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  return Object.keys(status.hard ?? {})
    .filter(isShown)
    .toSorted()
    .map((name) => `${name}: ${status.used?.[name] ?? '0'}/${status.hard?.[name] ?? '0'}`)
    .join(', ');
}

function checkAmounts(list: ResourceList | undefined, field: Field): void {
  for (const [name, value] of Object.entries(list ?? {})) {
    checkQuotaResourceName(name, field.key(name));
    checkResourceValue(name, value, field.key(name));
  }
}
function validate({ spec, status }: ResourceQuota): readonly Problem[] {
  const root = rootField();
  checkAmounts(spec.hard, root.at('spec.hard'));
  checkScopes(spec, root.at('spec'));
  checkAmounts(status.hard, root.at('status.hard'));
  checkAmounts(status.used, root.at('status.used'));
  return root.found;
}
