import { declareKind } from '../declare.ts';
import { countColumn, tableWith } from '../shared/tables.ts';
import type { CSINode } from '../types/storage-v1.ts';

export const csiNodes = declareKind<CSINode>('storage.k8s.io/v1/CSINode', {
  table: tableWith<CSINode>(countColumn('Drivers', ({ spec }) => (spec.drivers ?? []).length)),
});
