import type { Attributes } from '#apiserver';
import type { PolicyRule } from '#kube/kinds';

/** Rules of one role, arranged so that a request looks only at those that can match. */
export interface CompiledRules {
  readonly rules: readonly PolicyRule[];
  allows(attributes: Attributes): boolean;
}

/**
 * RBAC's matching (plugin/pkg/auth/authorizer/rbac VisitRulesFor, RuleAllows): `*` in verbs, groups
 * and resources, "res/sub" and "*" + "/sub", names only for requests that have one.
 */
export function compileRules(rules: readonly PolicyRule[] | null): CompiledRules {
  const own = rules ?? [];
  const byResource = new Map<string, PolicyRule[]>();
  const forAnyResource: PolicyRule[] = [];
  const forPaths: PolicyRule[] = [];
  for (const rule of own) {
    if ((rule.nonResourceURLs ?? []).length > 0) forPaths.push(rule);
    for (const resource of rule.resources ?? []) {
      if (resource === '*' || resource.startsWith('*/')) {
        if (!forAnyResource.includes(rule)) forAnyResource.push(rule);
        continue;
      }
      const list = byResource.get(resource);
      if (list === undefined) byResource.set(resource, [rule]);
      else list.push(rule);
    }
  }
  return {
    rules: own,
    allows(attributes) {
      if (!attributes.isResource)
        return forPaths.some((rule) => allowsPath(rule, attributes.verb, attributes.path));
      const wanted = resourceText(attributes);
      const exact = byResource.get(wanted);
      if (exact?.some((rule) => allowsNamed(rule, attributes)) === true) return true;
      return forAnyResource.some(
        (rule) =>
          coversResource(rule.resources ?? [], wanted, attributes.subresource) &&
          allowsNamed(rule, attributes),
      );
    },
  };
}

export function resourceText(attributes: Pick<Attributes, 'resource' | 'subresource'>): string {
  const { resource, subresource } = attributes;
  return subresource === '' ? resource : `${resource}/${subresource}`;
}

/** Everything but the resource itself, which the index has found. */
function allowsNamed(rule: PolicyRule, attributes: Attributes): boolean {
  return (
    includes(rule.verbs, attributes.verb) &&
    includes(rule.apiGroups ?? [], attributes.group) &&
    hasName(rule.resourceNames ?? [], attributes.name)
  );
}

function allowsPath(rule: PolicyRule, verb: string, path: string): boolean {
  return (
    includes(rule.verbs, verb) && (rule.nonResourceURLs ?? []).some((url) => coversPath(url, path))
  );
}

export function includes(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

export function coversResource(
  list: readonly string[],
  wanted: string,
  subresource: string,
): boolean {
  return list.some(
    (entry) =>
      entry === '*' || entry === wanted || (subresource !== '' && entry === `*/${subresource}`),
  );
}

function hasName(names: readonly string[], wanted: string): boolean {
  return names.length === 0 || names.includes(wanted);
}

export function coversPath(url: string, path: string): boolean {
  if (url === '*' || url === path) return true;
  return url.endsWith('*') && path.startsWith(url.slice(0, -1));
}

/** One verb, group, resource and name, or one path: the smallest piece of a right. */
interface Piece {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string;
  readonly path: string;
}

/** The parts of `wanted` that `held` does not cover (component-helpers auth/rbac/validation). */
export function uncoveredRules(
  wanted: readonly PolicyRule[],
  held: readonly PolicyRule[],
): readonly PolicyRule[] {
  const missing = wanted
    .flatMap(piecesOf)
    .filter((piece) => !held.some((rule) => covers(rule, piece)));
  return compactRules(missing);
}

function piecesOf(rule: PolicyRule): readonly Piece[] {
  const pieces: Piece[] = [];
  const names = (rule.resourceNames ?? []).length === 0 ? [''] : (rule.resourceNames ?? []);
  const none = { group: '', resource: '', name: '', path: '' };
  for (const verb of rule.verbs) {
    for (const path of rule.nonResourceURLs ?? []) pieces.push({ ...none, verb, path });
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? [])
        for (const name of names) pieces.push({ ...none, verb, group, resource, name });
  }
  return pieces;
}

function covers(rule: PolicyRule, piece: Piece): boolean {
  if (!includes(rule.verbs, piece.verb)) return false;
  if (piece.path !== '')
    return (rule.nonResourceURLs ?? []).some(
      (url) =>
        url === '*' ||
        url === piece.path ||
        (url.endsWith('*') && piece.path.startsWith(url.slice(0, -1))),
    );
  const slash = piece.resource.indexOf('/');
  const subresource = slash < 0 ? '' : piece.resource.slice(slash + 1);
  return (
    includes(rule.apiGroups ?? [], piece.group) &&
    coversResource(rule.resources ?? [], piece.resource, subresource) &&
    ((rule.resourceNames ?? []).length === 0 ||
      (piece.name !== '' && (rule.resourceNames ?? []).includes(piece.name)))
  );
}

/** Pieces that differ only in their verb become one rule, for messages people read. */
function compactRules(pieces: readonly Piece[]): readonly PolicyRule[] {
  const merged = new Map<string, { piece: Piece; verbs: string[] }>();
  for (const piece of pieces) {
    const key = [piece.group, piece.resource, piece.name, piece.path].join('\n');
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { piece, verbs: [piece.verb] });
    else if (!known.verbs.includes(piece.verb)) known.verbs.push(piece.verb);
  }
  return [...merged.values()].map(({ piece, verbs }) =>
    piece.path === ''
      ? {
          verbs,
          apiGroups: [piece.group],
          resources: [piece.resource],
          ...(piece.name === '' ? {} : { resourceNames: [piece.name] }),
        }
      : { verbs, nonResourceURLs: [piece.path] },
  );
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}` (rbac.CompactString). */
export function ruleText(rule: PolicyRule): string {
  const list = (values: readonly string[]): string =>
    `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
  const parts: string[] = [];
  if ((rule.apiGroups ?? []).length > 0) parts.push(`APIGroups:${list(rule.apiGroups ?? [])}`);
  if ((rule.resources ?? []).length > 0) parts.push(`Resources:${list(rule.resources ?? [])}`);
  if ((rule.nonResourceURLs ?? []).length > 0)
    parts.push(`NonResourceURLs:${list(rule.nonResourceURLs ?? [])}`);
  if ((rule.resourceNames ?? []).length > 0)
    parts.push(`ResourceNames:${list(rule.resourceNames ?? [])}`);
  parts.push(`Verbs:${list(rule.verbs)}`);
  return `{${parts.join(', ')}}`;
}
