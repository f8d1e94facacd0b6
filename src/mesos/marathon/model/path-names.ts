const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Lower-case labels joined by dots: one segment of an id. */
export function isDottedName(text: string): boolean {
  return text.split('.').every((part) => label.test(part));
}
