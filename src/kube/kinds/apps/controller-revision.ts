import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { ControllerRevision } from '../types/apps-v1.ts';

export const controllerRevisions = declareKind<ControllerRevision>('apps/v1/ControllerRevision', {
  validateCreate: ({ revision, data }) => {
    const root = rootField();
    root.at('revision').notNegative(revision);
    if (data === undefined || data === null) root.at('data').required('data is mandatory');
    else if (typeof data !== 'object' || Array.isArray(data))
      root.at('data').required('data must be a valid JSON object');
    return root.found;
  },
  validateUpdate: ({ revision, data }, old) => {
    const root = rootField();
    root.at('revision').notNegative(revision);
    if (!sameValue(data, old.data)) root.at('data').immutable(data);
    return root.found;
  },
  table: {
    columns: [
      nameColumn,
      column('Controller', ({ metadata }) => {
        const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
        if (owner === undefined) return '<none>';
        const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
        return `${`${owner.kind}${group}`.toLowerCase()}/${owner.name}`;
      }),
      column('Revision', ({ revision }) => revision),
      ageColumn,
    ],
  },
});
