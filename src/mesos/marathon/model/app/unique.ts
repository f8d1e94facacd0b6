/** Whether two of them share a name; those without one do not count. */
export function duplicateNames(named: readonly { readonly name?: string | undefined }[]): boolean {
  return hasDuplicates(named.flatMap(({ name }) => (name === undefined ? [] : [name])));
}

export function hasDuplicates(values: readonly unknown[]): boolean {
  return new Set(values).size < values.length;
}
