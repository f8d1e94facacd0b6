import type { ColumnDeclaration, KubeObject, TableDeclaration } from '#machinery';
import { ageColumn, column, nameColumn } from './columns.ts';

/** Name and age alone. */
export const nameAndAge: TableDeclaration<KubeObject> = { columns: [nameColumn, ageColumn] };

/** Name, the columns given, age: what most kinds show. Versions of one kind share a table. */
export function tableWith<T extends KubeObject>(
  ...columns: readonly ColumnDeclaration<T>[]
): TableDeclaration<T> {
  return { columns: [nameColumn, ...columns, ageColumn] };
}

/** A whole number, such as how many items a list has. */
export function countColumn<T>(name: string, count: (object: T) => number): ColumnDeclaration<T> {
  return column(name, count, { type: 'integer' });
}
export function boolColumn<T>(name: string, cell: (object: T) => boolean): ColumnDeclaration<T> {
  return column(name, cell, { type: 'boolean' });
}
