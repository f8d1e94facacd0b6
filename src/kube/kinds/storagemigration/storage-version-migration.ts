import { declareKind } from '../declare.ts';
import { column } from '../shared/columns.ts';
import type { StorageVersionMigration } from '../types/storagemigration-v1beta1.ts';

export const storageVersionMigrations = declareKind<StorageVersionMigration>(
  'storagemigration.k8s.io/v1beta1/StorageVersionMigration',
  {
    table: {
      columns: [
        column('Name', ({ metadata }) => metadata.name),
        column('Resource', ({ spec: { resource } }) =>
          resource.group ? `${resource.resource}.${resource.group}` : (resource.resource ?? ''),
        ),
        column('Status', ({ status }) => {
          const types = ['Running', 'Failed', 'Succeeded'];
          const last = (status.conditions ?? []).findLast(
            (one) => one.status === 'True' && types.includes(one.type),
          );
          return last?.type ?? 'Unknown';
        }),
      ],
    },
  },
);
