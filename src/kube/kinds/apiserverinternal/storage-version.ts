import { declareKind } from '../declare.ts';
import { column, shortened } from '../shared/columns.ts';
import { tableWith } from '../shared/tables.ts';
import type { StorageVersion } from '../types/apiserverinternal-v1alpha1.ts';

export const storageVersions = declareKind<StorageVersion>(
  'internal.apiserver.k8s.io/v1alpha1/StorageVersion',
  {
    table: tableWith<StorageVersion>(
      column('CommonEncodingVersion', ({ status }) => status.commonEncodingVersion ?? '<unset>'),
      column('StorageVersions', ({ status }) => {
        const all = (status.storageVersions ?? []).map(
          ({ apiServerID = '', encodingVersion = '' }) => `${apiServerID}=${encodingVersion}`,
        );
        return all.length === 0 ? '<unset>' : shortened(all, 3);
      }),
    ),
  },
);
