import type { ScaleView, TableDeclaration } from '#machinery';
import { ageColumn, column, nameColumn } from './columns.ts';

export const scaleTable: TableDeclaration<ScaleView> = {
  columns: [
    nameColumn,
    column<ScaleView>('Desired', ({ spec }) => spec.replicas, { type: 'integer' }),
    column<ScaleView>('Available', ({ status }) => status.replicas, { type: 'integer' }),
    ageColumn,
  ],
};
