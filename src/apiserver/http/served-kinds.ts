import type { KindDeclaration } from '#machinery';

/** Alpha and beta kinds are declared, but served only when their declaration says so. */
export function isServed(kind: KindDeclaration): boolean {
  return kind.enabledByDefault !== false;
}
