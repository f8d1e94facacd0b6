import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Attribute } from '#mesos/protocol';
import type { Instance } from '../instance.ts';
import type { Constraint } from '../types.ts';
import { meetsConstraint } from './constraints.ts';
import { app, offer, reasonsOf, version } from './offer-kit.test.ts';

function placed(...values: readonly (string | undefined)[]): Instance[] {
  return values.map((value, index) => ({
    instanceID: `i${index}`,
    runSpecID: '/g/a',
    role: 'g',
    runSpecVersion: version,
    goal: 'Running',
    condition: 'Running',
    since: version,
    agent: {
      host: value ?? `h${index}`,
      attributes: value === undefined ? [] : [textAttribute('rack', value)],
    },
    tasks: [],
  }));
}

function textAttribute(name: string, value: string): Attribute {
  return { name, type: 'TEXT', text: { value } };
}

const attributes: Attribute[] = [
  textAttribute('rack', 'r1'),
  { name: 'size', type: 'SCALAR', scalar: { value: 2.5 } },
  { name: 'level', type: 'SCALAR', scalar: { value: 3 } },
  { name: 'set', type: 'SET', set: { item: ['b', 'a'] } },
  {
    name: 'range',
    type: 'RANGES',
    ranges: {
      range: [
        { begin: 5, end: 6 },
        { begin: 1, end: 2 },
      ],
    },
  },
];

const rules: {
  constraint: [string, Constraint['operator'], string?];
  values?: (string | undefined)[];
  wanted?: number;
  want: boolean;
}[] = [
  { constraint: ['rack', 'UNIQUE'], values: ['r2'], want: true },
  { constraint: ['rack', 'UNIQUE'], values: ['r1'], want: false },
  { constraint: ['rack', 'UNIQUE'], values: [undefined], want: true },
  { constraint: ['hostname', 'UNIQUE'], values: ['h1'], want: false },
  { constraint: ['@hostname', 'UNIQUE'], values: ['h2'], want: true },
  { constraint: ['rack', 'CLUSTER', 'r1'], want: true },
  { constraint: ['rack', 'CLUSTER', 'r2'], want: false },
  { constraint: ['rack', 'CLUSTER'], want: true },
  { constraint: ['rack', 'CLUSTER'], values: ['r1'], want: true },
  { constraint: ['rack', 'CLUSTER'], values: ['r2'], want: false },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 4, values: ['r1'], want: true },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 4, values: ['r1', 'r1'], want: false },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 5, values: ['r1', 'r1'], want: true },
  {
    constraint: ['rack', 'GROUP_BY', '2'],
    wanted: 5,
    values: ['r1', 'r1', 'r2', 'r2', 'r2'],
    want: false,
  },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 4, values: ['r2', 'r3'], want: false },
  { constraint: ['rack', 'GROUP_BY', 'inf'], wanted: 4, values: ['r2', 'r3'], want: true },
  { constraint: ['rack', 'GROUP_BY', 'inf'], wanted: 4, values: ['r1'], want: false },
  { constraint: ['rack', 'GROUP_BY'], wanted: 4, values: ['r1', 'r2'], want: true },
  { constraint: ['rack', 'GROUP_BY'], wanted: 4, values: ['r1', 'r1', 'r2'], want: false },
  { constraint: ['rack', 'MAX_PER', '2'], values: ['r1'], want: true },
  { constraint: ['rack', 'MAX_PER', '2'], values: ['r1', 'r1'], want: false },
  { constraint: ['rack', 'LIKE', 'r[0-9]'], want: true },
  { constraint: ['rack', 'LIKE', 'r'], want: false },
  { constraint: ['rack', 'LIKE', '(?i)R1'], want: true },
  { constraint: ['rack', 'UNLIKE', 'r[0-9]'], want: false },
  { constraint: ['rack', 'UNLIKE', 'r'], want: true },
  { constraint: ['none', 'UNLIKE', '.*'], want: true },
  { constraint: ['none', 'LIKE', '.*'], want: false },
  { constraint: ['none', 'UNIQUE'], want: false },
  { constraint: ['rack', 'IS', 'r1'], want: true },
  { constraint: ['rack', 'IS', 'r2'], want: false },
  { constraint: ['size', 'IS', '2.500'], want: true },
  { constraint: ['level', 'IS', '3.0'], want: true },
  { constraint: ['set', 'CLUSTER', '{a,b}'], want: true },
  { constraint: ['range', 'CLUSTER', '[1-2,5-6]'], want: true },
];
for (const { constraint, values = [], wanted = 1, want } of rules) {
  test(`meetsConstraint() ${constraint.join(' ')} beside [${values.join()}] of ${wanted}`, () => {
    const [fieldName, operator, value] = constraint;
    const rule = { fieldName, operator, ...(value === undefined ? {} : { value }) };
    const placement = { offer: offer({ attributes }), instances: placed(...values), wanted };
    assert.equal(meetsConstraint(rule, placement), want);
  });
}

test('instances of an older definition do not count for constraints', () => {
  const runSpec = app({ constraints: [['hostname', 'UNIQUE']] });
  const [here] = placed('h1');
  assert(here !== undefined);
  assert.deepEqual(reasonsOf({ runSpec, instances: [here] }), ['UnfulfilledConstraint']);
  const older = { ...here, runSpecVersion: '2019-01-01T00:00:00.000Z' };
  assert.deepEqual(reasonsOf({ runSpec, instances: [older] }), ['matches']);
});

test('GROUP_BY fills its groups evenly, whatever the order of offers', () => {
  const racks = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(racks, { maxLength: 60 }),
      (wanted, order) => {
        const constraint = { fieldName: 'hostname', operator: 'GROUP_BY', value: '3' } as const;
        const values: string[] = [];
        for (const hostname of [
          ...order,
          ...Array.from({ length: 9 }, () => ['a', 'b', 'c']).flat(),
        ]) {
          if (values.length === wanted) break;
          const placement = { offer: offer({ hostname }), instances: placed(...values), wanted };
          if (meetsConstraint(constraint, placement)) values.push(hostname);
        }
        const counts = ['a', 'b', 'c'].map((rack) => values.filter((one) => one === rack).length);
        assert.equal(values.length, wanted);
        assert(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
      },
    ),
  );
});
