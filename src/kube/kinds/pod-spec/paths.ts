import type { Field } from '../shared/field.ts';

/** No `..` between slashes. */
export function checkNoBacksteps(path: string, field: Field, text = "must not contain '..'"): void {
  if (path.includes('..') && path.split('/').includes('..')) field.invalid(path, text);
}
/** Stays below where it starts. */
export function checkRelativePath(path: string, field: Field): void {
  if (path.startsWith('/')) field.invalid(path, 'must be a relative path');
  checkNoBacksteps(path, field);
}
/** And keeps clear of names that begin with two dots: they are the writer's own. */
export function checkLocalPath(path: string, field: Field): void {
  checkRelativePath(path, field);
  if (path.startsWith('..') && !path.startsWith('../'))
    field.invalid(path, "must not start with '..'");
}
