/**
 * What a call of a type must bring, as the reference words it. Types that are not listed need nothing
 * but themselves.
 */
export type Needs = Readonly<Record<string, string>>;

/** Undefined when the member that the call's type needs is there. */
export function missingMember(
  needs: Needs,
  call: { readonly type?: string | undefined },
): string | undefined {
  const { type } = call;
  if (type === undefined) return "Expecting 'type' to be present";
  const member = Object.hasOwn(needs, type) ? needs[type] : undefined;
  if (member === undefined) return undefined;
  const members = call as Readonly<Record<string, unknown>>;
  return members[member] === undefined ? `Expecting '${member}' to be present` : undefined;
}

/** Needs of types whose member is called as the type in lower case. */
export function needsOwnMember(...types: readonly string[]): Needs {
  return Object.fromEntries(types.map((type) => [type, type.toLowerCase()]));
}

/** A UUID as 16 bytes (base64 here) with a version that there is (stout uuid.hpp). */
export function uuidProblem(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  const version = (bytes[6] ?? 0) >> 4;
  return bytes.length === 16 && version >= 1 && version <= 5 ? undefined : 'Not a valid UUID';
}
