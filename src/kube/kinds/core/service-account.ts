import type { Draft, Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import type { ServiceAccount } from '../types/core-v1.ts';

const mountable = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccounts = declareKind<ServiceAccount>('v1/ServiceAccount', {
  prepareForCreate: keepSecretNames,
  prepareForUpdate: keepSecretNames,
  validateCreate: validate,
  validateUpdate: validate,
  warnings: ({ metadata }, old) =>
    metadata.annotations?.[mountable] !== undefined &&
    old?.metadata.annotations?.[mountable] === undefined
      ? [
          `metadata.annotations[${mountable}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
        ]
      : [],
  table: { columns: [nameColumn, ageColumn] },
});

/** References to secrets are names and nothing else. */
function keepSecretNames(account: Draft<ServiceAccount>): void {
  if (account.secrets === undefined) return;
  account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}

function validate({ metadata }: ServiceAccount): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(metadata, root);
  return root.found;
}
