import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameworkInfo, SchedulerAttributeConstraint } from '../types.ts';
import {
  frameworkRoles,
  validateConstraintRoles,
  validateFramework,
  validateFrameworkUpdate,
  validateSuppressedRoles,
} from './framework.ts';
import { compileOfferConstraints, type ConstrainedAgent } from './offer-constraints.ts';

const info: FrameworkInfo = { user: 'u', name: 'n' };
const multi: FrameworkInfo = { ...info, capabilities: [{ type: 'MULTI_ROLE' }] };
const filtered = (value: number): FrameworkInfo => ({
  ...info,
  offer_filters: {
    eng: { min_allocatable_resources: { quantities: [{ quantities: { cpus: { value } } }] } },
  },
});
const infos: readonly (readonly [FrameworkInfo, string | undefined])[] = [
  [info, undefined],
  [{ ...multi, roles: [] }, undefined],
  [{ ...multi, roles: ['a', 'a/b'] }, undefined],
  [{ ...info, id: { value: '' } }, undefined],
  [{ ...info, failover_timeout: -5 }, undefined],
  [
    { ...multi, role: '*' },
    "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable",
  ],
  [
    { ...info, roles: ['a'] },
    "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable",
  ],
  [{ ...multi, roles: ['a', 'b', 'a'] }, "'FrameworkInfo.roles' contains duplicate items: { a }"],
  [
    { ...multi, roles: ['a', '/b'] },
    "'FrameworkInfo.roles' contains invalid role: Role '/b' cannot start with a slash",
  ],
  [
    { ...info, role: '-a' },
    "'FrameworkInfo.role' is not a valid role: Role component '-a' is invalid because it starts with a dash",
  ],
  [{ ...info, id: { value: 'a/b' } }, "'a/b' contains invalid characters"],
  [
    { ...info, offer_filters: { eng: { min_allocatable_resources: { quantities: [{}] } } } },
    'Resource quantities must contain at least one quantity',
  ],
  [filtered(0), undefined],
  [filtered(Infinity), "Invalid resource quantity for 'cpus': Infinite values not supported"],
  [filtered(Number.NaN), "Invalid resource quantity for 'cpus': NaN not supported"],
  [filtered(1e-320), "Invalid resource quantity for 'cpus': Subnormal values not supported"],
  [filtered(-1), "Invalid resource quantity for 'cpus': Negative values not supported"],
  [{ ...info, failover_timeout: 9.3e9 }, 'The framework failover_timeout (9.3e+09) is invalid'],
  [{ ...info, failover_timeout: Number.NaN }, 'The framework failover_timeout (nan) is invalid'],
];
for (const [framework, want] of infos) {
  test(`framework ${JSON.stringify(framework)} is judged: ${want ?? 'fine'}`, () => {
    assert.equal(validateFramework(framework), want);
  });
}

test('a framework has its roles in either form', () => {
  assert.deepEqual([...frameworkRoles(info)], ['*']);
  assert.deepEqual([...frameworkRoles({ ...info, role: 'eng' })], ['eng']);
  assert.deepEqual([...frameworkRoles({ ...multi, roles: ['a', 'b'] })], ['a', 'b']);
});

test('suppressed and constrained roles are among its own', () => {
  const roles = new Set(['a']);
  assert.equal(validateSuppressedRoles(roles, ['a']), undefined);
  assert.equal(
    validateSuppressedRoles(roles, ['c', 'b']),
    'Suppressed roles { b, c } are not contained in the set of roles',
  );
  assert.equal(
    validateConstraintRoles(roles, { role_constraints: { b: {} } }),
    "Offer constraints specify `role_constraints` for a role 'b'not contained in the set of roles",
  );
});

test('principal, user and checkpoint do not change', () => {
  const old = { ...info, principal: 'p' };
  assert.equal(validateFrameworkUpdate(old, { ...old, hostname: 'h' }), undefined);
  assert.equal(
    validateFrameworkUpdate(old, info),
    "Changing framework's principal is not allowed.",
  );
  assert.equal(
    validateFrameworkUpdate(info, { ...info, user: 'v' }),
    "Updating 'FrameworkInfo.user' is unsupported; attempted to update from 'u' to 'v'",
  );
  assert.equal(
    validateFrameworkUpdate(info, { ...info, checkpoint: true }),
    "Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update from '0' to '1'",
  );
});

const agent: ConstrainedAgent = {
  hostname: 'h1',
  attributes: [
    { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
    { name: 'rack', type: 'TEXT', text: { value: 'r2' } },
    { name: 'level', type: 'SCALAR', scalar: { value: 3 } },
  ],
};
type Predicate = SchedulerAttributeConstraint['predicate'];
const constraint = (selector: SchedulerAttributeConstraint['selector'], predicate: Predicate) => ({
  role_constraints: { eng: { groups: [{ attribute_constraints: [{ selector, predicate }] }] } },
});
const rack = { attribute_name: 'rack' };
const level = { attribute_name: 'level' };
const none = { attribute_name: 'none' };
const evaluations: readonly (readonly [
  SchedulerAttributeConstraint['selector'],
  Predicate,
  boolean,
])[] = [
  [rack, { exists: {} }, true],
  [none, { exists: {} }, false],
  [none, { not_exists: {} }, true],
  [level, { not_exists: {} }, false],
  [rack, { text_equals: { value: 'r1' } }, true],
  [rack, { text_equals: { value: 'r2' } }, false],
  [none, { text_equals: { value: 'r1' } }, false],
  [level, { text_equals: { value: 'x' } }, true],
  [rack, { text_not_equals: { value: 'r1' } }, false],
  [none, { text_not_equals: { value: 'r1' } }, true],
  [level, { text_not_equals: { value: 'x' } }, true],
  [rack, { text_matches: { regex: 'r[0-9]' } }, true],
  [rack, { text_matches: { regex: 'r' } }, false],
  [none, { text_matches: { regex: '.*' } }, false],
  [level, { text_matches: { regex: 'x' } }, true],
  [rack, { text_not_matches: { regex: 'r[0-9]' } }, false],
  [none, { text_not_matches: { regex: '.*' } }, true],
  [level, { text_not_matches: { regex: '.*' } }, true],
  [{ pseudoattribute_type: 'HOSTNAME' }, { text_equals: { value: 'h1' } }, true],
  [{ pseudoattribute_type: 'REGION' }, { exists: {} }, false],
  [{ pseudoattribute_type: 'ZONE' }, { not_exists: {} }, true],
];
for (const [selector, predicate, want] of evaluations) {
  test(`${JSON.stringify(selector)} with ${JSON.stringify(predicate)} is ${want}`, () => {
    const compiled = compileOfferConstraints(constraint(selector, predicate));
    assert.ok(typeof compiled !== 'string', String(compiled));
    assert.equal(compiled.accepts('eng', agent), want);
    assert.equal(compiled.accepts('other', agent), true);
  });
}

test('groups are alternatives, constraints of a group are not', () => {
  const yes = { selector: rack, predicate: { exists: {} } };
  const no = { selector: none, predicate: { exists: {} } };
  const accepts = (...groups: SchedulerAttributeConstraint[][]): boolean => {
    const compiled = compileOfferConstraints({
      role_constraints: {
        eng: { groups: groups.map((group) => ({ attribute_constraints: group })) },
      },
    });
    assert.ok(typeof compiled !== 'string');
    return compiled.accepts('eng', agent);
  };
  assert.equal(accepts([yes, no]), false);
  assert.equal(accepts([yes, no], [yes]), true);
});

const wrong = "A role eng has an invalid 'AttributeConstraint': ";
const refused: readonly (readonly [object, string])[] = [
  [
    { role_constraints: { eng: {} } },
    "'OfferConstraints::role_constraints' has an empty 'RoleConstraints::groups' for role eng",
  ],
  [
    { role_constraints: { eng: { groups: [{}] } } },
    "'OfferConstraints::RoleConstraints::groups' for role engcontains an empty RoleConstraints::Group",
  ],
  [
    constraint({ pseudoattribute_type: 'UNKNOWN' }, { exists: {} }),
    `${wrong}Unknown pseudoattribute type`,
  ],
  [
    constraint({}, { exists: {} }),
    `${wrong}Exactly one of 'AttributeConstraint::Selector::name' or 'AttributeConstraint::Selector::pseudoattribute_type' must be set`,
  ],
  [constraint(rack, {}), `${wrong}Unknown predicate type`],
  [
    constraint(rack, { text_matches: { regex: 'a(b' } }),
    `${wrong}Failed to construct regex from pattern 'a(b': missing ): a(b`,
  ],
  [
    constraint(rack, { text_not_matches: { regex: '(a{50}){50}' } }),
    `${wrong}Regex '(a{50}){50}' is too complex: program size of 2504 is larger than maximum of 100 allowed`,
  ],
];
for (const [constraints, want] of refused) {
  test(`constraints are refused: ${want}`, () => {
    assert.equal(compileOfferConstraints(constraints), want);
  });
}
