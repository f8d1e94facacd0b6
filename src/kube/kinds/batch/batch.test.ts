import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cells, created, testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import { notNegativeText } from '../texts.test.ts';
import { CronError, parseCron } from './cron.ts';
import { cronJobs } from './cron-job.ts';
import { parseIndexes } from './indexes.ts';
import { jobs } from './job.ts';

const template = (spec: Json = {}): Json => ({
  spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never', ...spec },
});
const job = (spec: Json = {}): Json => ({
  metadata: { name: 'j', namespace: 'd', uid: 'u1' },
  spec: { template: template(), ...spec },
});
const indexed = (spec: Json): Json => job({ completionMode: 'Indexed', completions: 3, ...spec });
const failure = (rule: Json, spec: Json = {}): Json =>
  job({ podFailurePolicy: { rules: [{ action: 'Count', ...rule }] }, ...spec });
const exit = (codes: Json): Json => ({ onExitCodes: { operator: 'In', values: [1], ...codes } });
const rule = 'spec.podFailurePolicy.rules[0]';

testRules(jobs, [
  [job()],
  [job({ parallelism: -1 }), `spec.parallelism: Invalid value: -1: ${notNegativeText}`],
  [
    job({ completionMode: 'x' }),
    'spec.completionMode: Unsupported value: "x": supported values: "NonIndexed", "Indexed"',
  ],
  [
    job({ completionMode: 'Indexed', parallelism: 1 }),
    'spec.completions: Required value: when completion mode is Indexed',
  ],
  [
    indexed({ parallelism: 100_001 }),
    'spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed',
  ],
  [
    indexed({ maxFailedIndexes: 1 }),
    'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
  ],
  [
    indexed({ maxFailedIndexes: 4, backoffLimitPerIndex: 1 }),
    'spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions',
  ],
  [
    job({ backoffLimitPerIndex: 1 }),
    'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
  ],
  [
    job({ managedBy: 'x' }),
    'spec.managedBy: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [failure(exit({}))],
  [
    failure({ ...exit({}), action: '' }),
    `${rule}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
  ],
  [
    failure({ ...exit({}), action: 'FailIndex' }),
    `${rule}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
  ],
  [
    failure({ ...exit({}), action: 'x' }),
    `${rule}.action: Unsupported value: "x": supported values: "Count", "FailIndex", "FailJob", "Ignore"`,
  ],
  [
    failure(exit({ operator: '' })),
    `${rule}.onExitCodes.operator: Required value: valid values: ["In" "NotIn"]`,
  ],
  [
    failure(exit({ containerName: 'x' })),
    `${rule}.onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template`,
  ],
  [
    failure(exit({ values: [] })),
    `${rule}.onExitCodes.values: Invalid value: []: at least one value is required`,
  ],
  [
    failure(exit({ values: [0] })),
    `${rule}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`,
  ],
  [failure(exit({ values: [1, 1] })), `${rule}.onExitCodes.values[1]: Duplicate value: 1`],
  [
    failure(exit({ values: [2, 1] })),
    `${rule}.onExitCodes.values: Invalid value: [2,1]: must be ordered`,
  ],
  [
    failure({ onPodConditions: [{ type: 'x', status: 'y' }] }),
    `${rule}.onPodConditions[0].status: Unsupported value: "y": supported values: "False", "True", "Unknown"`,
  ],
  [
    failure({ ...exit({}), onPodConditions: [{ type: 'x' }] }),
    `${rule}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported`,
  ],
  [
    failure({}),
    `${rule}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`,
  ],
  [
    failure(exit({}), { template: template({ restartPolicy: 'OnFailure' }) }),
    'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
  ],
  [
    indexed({ successPolicy: { rules: [] } }),
    'spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified',
  ],
  [
    indexed({ successPolicy: { rules: [{}] } }),
    'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified',
  ],
  [
    indexed({ successPolicy: { rules: [{ succeededIndexes: '0,7' }] } }),
    'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,7": error parsing succeededIndexes: too large index: "7"',
  ],
  [
    indexed({ successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 3 }] } }),
    'spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)',
  ],
  [
    job({ podReplacementPolicy: 'x' }),
    'spec.podReplacementPolicy: Unsupported value: "x": supported values: "Failed", "TerminatingOrFailed"',
  ],
  [
    job({ template: template({ restartPolicy: 'Always' }) }),
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    job({ manualSelector: true, selector: { matchLabels: { a: 'b' } } }),
    'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
  ],
  [
    { ...indexed({}), metadata: { name: 'a.b', namespace: 'd', uid: 'u1' } },
    'metadata.name: Invalid value: "a.b": will not able to create pod with invalid DNS label: a.b-2',
  ],
]);

const made = (spec: Json = {}): Json => {
  const uid = 'batch.kubernetes.io/controller-uid';
  const labels = {
    'job-name': 'j',
    'batch.kubernetes.io/job-name': 'j',
    'controller-uid': 'u1',
    [uid]: 'u1',
  };
  const { template: given = template(), ...rest } = spec;
  return job({
    selector: { matchLabels: { [uid]: 'u1' } },
    template: { metadata: { labels }, ...Object(given) },
    ...rest,
  });
};
const wait = { suspend: true };
const picky = template({ nodeSelector: { a: 'b' } });
testChanges(jobs, [
  [{ from: made(), to: made({ completions: 1, parallelism: 2, suspend: true }) }],
  [
    { from: made({ completions: 1 }), to: made({ completions: 2 }) },
    'spec.completions: Invalid value: 2: field is immutable',
  ],
  [
    {
      from: made({ completionMode: 'Indexed', completions: 1, parallelism: 1 }),
      to: made({ completionMode: 'Indexed', completions: 2, parallelism: 1 }),
    },
    'spec.completions: Invalid value: 2: can only be modified in tandem with spec.parallelism',
  ],
  [{ from: made(wait), to: made({ ...wait, template: picky }) }],
  [
    { from: made(), to: made({ managedBy: 'a.b/c' }) },
    'spec.managedBy: Invalid value: "a.b/c": field is immutable',
  ],
]);

const status = (one: Json, stored?: Json) => ({
  from: made(),
  to: { ...made(), status: one },
  through: 'status',
  ...(stored !== undefined && { stored: { status: stored } }),
});
const is = (...types: string[]) => ({
  conditions: types.map((type) => ({ type, status: 'True' })),
});
const start = { startTime: '2026-01-01T00:00:00Z' };
const done = { ...start, completionTime: '2026-01-01T00:01:00Z' };
testChanges(jobs, [
  [status({ ...done, ...is('Complete', 'SuccessCriteriaMet'), succeeded: 1 })],
  [
    status({ ...start, ...is('Failed') }),
    'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
  ],
  [
    status({ ...start, ...is('Complete', 'SuccessCriteriaMet') }),
    'status.completionTime: Required value: completionTime is required for Complete jobs',
  ],
  [
    status({ ...done, ...is('Complete', 'SuccessCriteriaMet'), active: 1 }),
    'status.active: Invalid value: 1: active>0 is invalid for finished job',
  ],
  [
    status({ failed: 0 }, { failed: 1 }),
    'status.failed: Invalid value: 0: cannot decrease the failed counter',
  ],
  [
    status({ active: 1, ready: 2 }),
    'status.ready: Invalid value: 2: cannot set more ready pods than active',
  ],
  [
    status({ ...start, ...is() }, { ...start, ...is('Failed', 'FailureTarget') }),
    'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
    'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
  ],
]);

test('A Job gets labels and a selector of its own', () => {
  const { spec, metadata } = created(jobs, job());
  assert.equal(metadata.generation, 1);
  assert.deepEqual(spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u1' } });
  assert.equal(spec.template.metadata.labels?.['job-name'], 'j');
  assert.deepEqual([spec.completions, spec.parallelism, spec.backoffLimit], [1, 1, 6]);
  assert.equal(spec.podReplacementPolicy, 'TerminatingOrFailed');
});

const cron = (spec: Json = {}): Json => ({
  spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template() } }, ...spec },
});
const noZone = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
testRules(cronJobs, [
  [cron()],
  [cron({ schedule: '' }), 'spec.schedule: Required value'],
  [
    cron({ schedule: '* *' }),
    'spec.schedule: Invalid value: "* *": expected exactly 5 fields, found 2: [* *]',
  ],
  [
    cron({ schedule: 'TZ=UTC * * * * *' }),
    `spec.schedule: Invalid value: "TZ=UTC * * * * *": ${noZone}`,
  ],
  [cron({ timeZone: 'Europe/Berlin' })],
  [
    cron({ timeZone: '' }),
    'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string',
  ],
  [
    cron({ timeZone: 'Nowhere/X' }),
    'spec.timeZone: Invalid value: "Nowhere/X": unknown time zone Nowhere/X',
  ],
  [cron({ timeZone: '../x' }), 'spec.timeZone: Invalid value: "../x": unknown time zone ../x'],
  [
    cron({ timeZone: 'local' }),
    'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    'spec.timeZone: Invalid value: "local": unknown time zone local',
  ],
  [
    cron({ concurrencyPolicy: 'x' }),
    'spec.concurrencyPolicy: Unsupported value: "x": supported values: "Allow", "Forbid", "Replace"',
  ],
  [
    cron({ jobTemplate: { spec: { template: template(), selector: {} } } }),
    'spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated',
  ],
  [
    { ...cron(), metadata: { name: 'a'.repeat(53), namespace: 'd' } },
    `metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`,
  ],
]);

const bits = (...values: number[]): bigint =>
  values.reduce((sum, one) => sum | (1n << BigInt(one)), 0n);
test('parseCron() reads lists, ranges, steps, names and intervals', () => {
  const fields = parseCron('0,30 9-17/4 1 jan,MAR mon-fri');
  assert.ok('minute' in fields);
  assert.equal(fields.minute, bits(0, 30));
  assert.equal(fields.hour, bits(9, 13, 17));
  assert.equal(fields.month, bits(1, 3));
  assert.equal(fields.dayOfWeek, bits(1, 2, 3, 4, 5));
  assert.deepEqual([fields.anyDayOfMonth, fields.anyDayOfWeek], [false, false]);
  const daily = parseCron('@daily');
  assert.ok('minute' in daily && daily.anyDayOfMonth && daily.anyDayOfWeek);
  const stepped = parseCron('*/15 * */2 * ?');
  assert.ok('minute' in stepped && !stepped.anyDayOfMonth && stepped.anyDayOfWeek);
  assert.deepEqual(parseCron('@every 90.5s'), { everyMs: 90_000 });
  assert.ok('hour' in parseCron('5/20 * * * *'));
});
const wrong: readonly (readonly [string, string])[] = [
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['5-3 * * * *', 'beginning of range (5) beyond end of range (3): 5-3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['*/-1 * * * *', 'negative number (-1) not allowed: -1'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['@x', 'unrecognized descriptor: @x'],
  ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
  ['TZ=X/Y * * * * *', 'provided bad location X/Y: unknown time zone X/Y'],
  ['TZ=0', 'invalid schedule format: runtime error: slice bounds out of range [:-1]'],
];
for (const [text, message] of wrong)
  test(`parseCron() says: ${message}`, () => {
    assert.throws(() => parseCron(text), new CronError(message));
  });

test('parseIndexes() counts what is listed and names what is not in order', () => {
  assert.deepEqual(parseIndexes('0,2-4', 5), {
    total: 4,
    runs: [
      [0, 0],
      [2, 4],
    ],
  });
  assert.equal(parseIndexes('2,1', 5), 'non-increasing order, previous: 2, current: 1');
  assert.match(String(parseIndexes('1-2-3', 5)), /^the fragment "1-2-3" violates/);
  assert.equal(parseIndexes('x', 5), 'cannot convert string to integer for index: "x"');
});

test('Columns of Jobs and CronJobs', () => {
  assert.deepEqual(
    cells(jobs, { ...job({ completions: 3 }), status: { succeeded: 1, ...start } }),
    {
      Name: 'j',
      Status: 'Running',
      Completions: '1/3',
      Duration: '24h',
      Age: '<unknown>',
      Containers: 'c',
      Images: 'i',
      Selector: '<none>',
    },
  );
  assert.deepEqual(cells(cronJobs, cron({ suspend: true })), {
    Name: 'a',
    Schedule: '* * * * *',
    Timezone: '<none>',
    Suspend: 'True',
    Active: 0,
    'Last Schedule': '<none>',
    Age: '<unknown>',
    Containers: 'c',
    Images: 'i',
    Selector: '<none>',
  });
});
