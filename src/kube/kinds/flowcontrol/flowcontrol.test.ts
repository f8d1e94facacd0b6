import { testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import { bootstrapObjects } from '../bootstrap.ts';
import { createProblems } from '../fixture.test.ts';
import { flowSchemas } from './flow-schema.ts';
import { priorityLevelConfigurations } from './priority-level-configuration.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';

const resourceRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] };
const rule = { subjects: [{ kind: 'User', user: { name: 'u' } }], resourceRules: [resourceRule] };
const schema = (spec: Json): Json => ({
  spec: { priorityLevelConfiguration: { name: 'p' }, rules: [rule], ...spec },
});
testRules(flowSchemas, [
  [schema({})],
  [
    schema({ matchingPrecedence: 10_001 }),
    'spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
  ],
  [
    schema({ matchingPrecedence: 1 }),
    "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
  ],
  [
    schema({ priorityLevelConfiguration: {} }),
    'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
  ],
  [
    schema({ rules: [{ ...rule, subjects: [{ kind: 'User' }] }] }),
    "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
  ],
  [
    schema({ rules: [{ ...rule, resourceRules: [{ ...resourceRule, verbs: ['*', 'get'] }] }] }),
    'spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if \'*\' is present, must not specify other verbs',
  ],
  [
    schema({
      rules: [
        { subjects: rule.subjects, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['x'] }] },
      ],
    }),
    'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash',
  ],
]);

const level = (limited: Json): Json => ({
  spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' }, ...limited } },
});
const queue = (queuing: Json): Json => level({ limitResponse: { type: 'Queue', queuing } });
testRules(priorityLevelConfigurations, [
  [level({})],
  [queue({})],
  [
    { spec: { type: 'Exempt' } },
    "spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
  ],
  [
    level({ lendablePercent: 101 }),
    'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
  ],
  [
    queue({ queues: 4, handSize: 5 }),
    'spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)',
  ],
]);

test('What every cluster begins with is in order', async () => {
  const { flowSchemas: schemas, priorityLevels } = await bootstrapObjects();
  for (const one of schemas) assert.deepEqual(createProblems(flowSchemas, { ...one }), []);
  for (const one of priorityLevels)
    assert.deepEqual(createProblems(priorityLevelConfigurations, { ...one }), []);
});
