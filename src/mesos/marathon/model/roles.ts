import { canonicalID, parentID, segmentsOf, topLevelID } from './ids.ts';
import type { Problem } from './problem.ts';
import { type Root, runSpecOf } from './root.ts';
import type { ModelSettings } from './settings.ts';

/** Which roles a run spec may have, and which it gets. */
export interface RoleRules {
  readonly validRoles: readonly string[];
  readonly defaultRole: string;
  /** The role it has now. */
  readonly previousRole?: string | undefined;
  /** A resident's role may change, though its reservations keep the old one. */
  readonly forceRoleUpdate: boolean;
}

export interface RoleOptions {
  readonly settings: ModelSettings;
  readonly force: boolean;
}

/** In the root group only the default role; else by the top-level group's `enforceRole`. */
export function roleRules(root: Root, id: string, options: RoleOptions): RoleRules {
  const { settings, force } = options;
  const mesosRole = settings.mesosRole;
  const canonical = canonicalID(id);
  if (parentID(canonical) === '/')
    return { validRoles: [mesosRole], defaultRole: mesosRole, forceRoleUpdate: false };
  const groupRole = segmentsOf(canonical)[0] ?? mesosRole;
  const enforced = enforcesRole(root, canonical, settings);
  const previousRole = runSpecOf(root, canonical)?.spec.role;
  const base = enforced ? [groupRole] : [mesosRole, groupRole];
  const validRoles = previousRole === undefined ? base : [...base, previousRole];
  return {
    validRoles: [...new Set(validRoles)],
    defaultRole: enforced ? groupRole : mesosRole,
    previousRole,
    forceRoleUpdate: force,
  };
}

/** Whether the top-level group above an id insists on its role; a new group does by the flag. */
export function enforcesRole(root: Root, id: string, settings: ModelSettings): boolean {
  if (parentID(id) === '/') return false;
  const group = root.groups.get(topLevelID(id));
  if (group === undefined) return settings.newGroupEnforceRole === 'top';
  return group.enforceRole === true;
}

const forbiddenCharacters: readonly (readonly [string, string])[] = [
  ['\t', 'horizontal tab (\\x09)'],
  ['\n', 'line feed (\\x0a)'],
  ['\v', 'vertical tab (\\x0b)'],
  ['\f', 'form feed (\\x0c)'],
  ['\r', 'carriage return (\\x0d)'],
  [' ', 'space (\\x20)'],
  ['/', 'slash (\\x2f)'],
  ['\x7f', 'backspace (\\x7f)'],
];

function roleTexts(role: string): string[] {
  const texts: string[] = [];
  if (role === '') texts.push('A role name must not be "".');
  if (role === '.' || role === '..') texts.push(`A role name must not be "${role}".`);
  if (role.startsWith('-')) texts.push("A role name must not start with a '-'.");
  for (const [character, name] of forbiddenCharacters)
    if (role.includes(character)) texts.push(`A role name must not include a ${name} character.`);
  return texts;
}

/** What is wrong with `acceptedResourceRoles`. */
export function acceptedRoleProblems(
  roles: readonly string[] | undefined,
  options: {
    readonly path: string;
    readonly kind: 'app' | 'pod';
    readonly resident: boolean;
    readonly role: string | undefined;
  },
): Problem[] {
  const { path, kind, resident, role } = options;
  if (roles === undefined) return [];
  const problems: Problem[] = [];
  if (roles.length === 0) problems.push({ path, text: 'must not be empty' });
  for (const [index, one] of roles.entries())
    for (const text of roleTexts(one)) problems.push({ path: `${path}(${index})`, text });
  if (resident && (roles.length !== 1 || roles[0] !== '*'))
    problems.push({
      path,
      text: `A resident ${kind} must have \`acceptedResourceRoles = ["*"]\`.`,
    });
  const valid = role === undefined || role === '*' ? ['*'] : ['*', role];
  if (!roles.every((one) => valid.includes(one)))
    problems.push({ path, text: `acceptedResourceRoles can only contain ${valid.join(' and ')}` });
  return problems;
}

/** A resident's role: none at all is refused, and a change needs force. */
export function residentRoleProblems(
  role: string,
  options: { readonly rules: RoleRules; readonly kind: 'apps' | 'pods' },
): Problem[] {
  const { rules, kind } = options;
  const problems: Problem[] = [];
  if (role === '*')
    problems.push({ path: '/role', text: `Resident ${kind} cannot have the role *` });
  const previous = rules.previousRole;
  if (previous !== undefined && previous !== role && !rules.forceRoleUpdate)
    problems.push({ path: '/role', text: residentRoleWarning(previous, role) });
  return problems;
}

function residentRoleWarning(previous: string, role: string): string {
  return (
    'It is not possible to change the role for existing reservations. If you proceed with this ' +
    'change, all existing instances will continue to run under the previous role, ' +
    `${previous}. Only new instances will be allocated with the new role, ${role}. ` +
    'In order to continue, retry your request with ?force=true'
  );
}
