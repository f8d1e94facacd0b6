/**
 * Sets of fields in the form in which managedFields stores them (fieldsV1): a tree whose keys are
 * `f:<field>`, `k:{<keys of a list item>}`, `v:<value of a set>`; a node is itself a member when it
 * is empty or holds `.`. All functions leave their arguments alone; undefined is the empty set.
 */
export type FieldSet = { readonly [element: string]: FieldSet };
export type MaybeSet = FieldSet | undefined;

export const member: FieldSet = Object.freeze({});

export function isMember(node: FieldSet): boolean {
  for (const _ in node) return Object.hasOwn(node, '.');
  return true;
}
function childrenOf(node: MaybeSet): readonly (readonly [string, FieldSet])[] {
  return node === undefined ? [] : Object.entries(node).filter(([key]) => key !== '.');
}

/** A node from its parts; undefined when nothing is left. */
export function nodeOf(
  isItself: boolean,
  children: readonly (readonly [string, FieldSet])[],
): MaybeSet {
  if (children.length === 0) return isItself ? member : undefined;
  const node: Record<string, FieldSet> = isItself ? { '.': member } : {};
  for (const [key, child] of children) node[key] = child;
  return node;
}

export function union(a: MaybeSet, b: MaybeSet): MaybeSet {
  if (a === undefined) return b;
  if (b === undefined) return a;
  const children = new Map(childrenOf(a));
  for (const [key, child] of childrenOf(b)) {
    const both = union(children.get(key), child);
    if (both !== undefined) children.set(key, both);
  }
  return nodeOf(isMember(a) || isMember(b), [...children]);
}

export function difference(a: MaybeSet, b: MaybeSet): MaybeSet {
  if (a === undefined || b === undefined) return a;
  const children: [string, FieldSet][] = [];
  for (const [key, child] of childrenOf(a)) {
    const left = difference(child, own(b, key));
    if (left !== undefined) children.push([key, left]);
  }
  return nodeOf(isMember(a) && !isMember(b), children);
}

/** What is under a member of `b` goes too. */
export function recursiveDifference(a: MaybeSet, b: MaybeSet): MaybeSet {
  if (a === undefined || b === undefined) return a;
  if (isMember(b)) return undefined;
  const children: [string, FieldSet][] = [];
  for (const [key, child] of childrenOf(a)) {
    const left = recursiveDifference(child, own(b, key));
    if (left !== undefined) children.push([key, left]);
  }
  return nodeOf(isMember(a), children);
}

export function intersection(a: MaybeSet, b: MaybeSet): MaybeSet {
  if (a === undefined || b === undefined) return undefined;
  const children: [string, FieldSet][] = [];
  for (const [key, child] of childrenOf(a)) {
    const both = intersection(child, own(b, key));
    if (both !== undefined) children.push([key, both]);
  }
  return nodeOf(isMember(a) && isMember(b), children);
}

export function own(node: FieldSet, key: string): MaybeSet {
  return Object.hasOwn(node, key) ? node[key] : undefined;
}

/** Keys in the order of the reference: `.`, then fields, list items, values. */
export function sortedSet(node: FieldSet): FieldSet {
  const keys = Object.keys(node);
  if (keys.length === 0) return member;
  const result: Record<string, FieldSet> = {};
  if (!isSorted(keys)) keys.sort(compareElements);
  for (const key of keys) result[key] = sortedSet(node[key] ?? member);
  return result;
}
/** Most sets come in order: canonical objects are walked from the first field to the last. */
function isSorted(keys: readonly string[]): boolean {
  for (let at = 1; at < keys.length; at++)
    if (compareElements(keys[at - 1] ?? '', keys[at] ?? '') > 0) return false;
  return true;
}
function compareElements(a: string, b: string): number {
  if (a.startsWith('k:') && b.startsWith('k:')) {
    const left = Object.entries(JSON.parse(a.slice(2)) as Record<string, unknown>);
    const right = Object.entries(JSON.parse(b.slice(2)) as Record<string, unknown>);
    for (const [index, [key, value]] of left.entries()) {
      const other = right[index];
      if (other === undefined) return 1;
      if (key !== other[0]) return key < other[0] ? -1 : 1;
      const order = compareValues(value, other[1]);
      if (order !== 0) return order;
    }
    return left.length - right.length;
  }
  if (a.startsWith('v:') && b.startsWith('v:'))
    return compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
  return a < b ? -1 : a > b ? 1 : 0;
}
function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = String(a);
  const right = String(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

export function equalSets(a: MaybeSet, b: MaybeSet): boolean {
  return difference(a, b) === undefined && difference(b, a) === undefined;
}

/** Every member as the reference prints its path: `.spec.containers[name="a"].image`. */
export function pathsOf(set: MaybeSet): readonly string[] {
  const paths: string[] = [];
  const walk = (node: FieldSet, path: string) => {
    if (isMember(node) && path !== '') paths.push(path);
    for (const [key, child] of childrenOf(sortedSet(node))) walk(child, path + elementText(key));
  };
  if (set !== undefined) walk(set, '');
  return paths;
}
/** `.spec`, `[name="a"]`: one step of a path. */
export function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (!element.startsWith('k:')) return `[${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as Record<string, unknown>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
}
