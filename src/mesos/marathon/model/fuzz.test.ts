import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Offer } from '#mesos/protocol';
import { seededRandom } from '#sim';
import { appFromJson, appUpdateFromJson } from './app/definition.ts';
import { stableText } from './equality.ts';
import { groupUpdateFromJson } from './group/update.ts';
import { appTask } from './launch/app-task.ts';
import { podTaskGroup } from './launch/pod-group.ts';
import { matchOffer } from './offer/match.ts';
import { podFromJson } from './pod/definition.ts';
import { MarathonFailure } from './problem.ts';
import { type RamlField, fieldsOf, isBuiltin, ramlType } from './raml.ts';
import { read } from './read.ts';
import { type RunSpec, emptyRoot } from './root.ts';
import { defaultSettings } from './settings.ts';
import { textOf } from './write.ts';

/** JSON of a RAML type, mostly of the right shape, now and then not. */
function jsonOf(type: string, depth = 0): fc.Arbitrary<unknown> {
  if (type.endsWith('[]')) return fc.array(jsonOf(type.slice(0, -2), depth), { maxLength: 2 });
  if (isBuiltin(type)) return builtin(type);
  if (type === 'IpAddress') return fc.constantFrom(...addresses);
  const raml = ramlType(type);
  if (raml.union !== undefined) return fc.oneof(...raml.union.map((one) => jsonOf(one, depth)));
  if (type === 'PodScalingPolicy') return jsonOf('FixedPodScalingPolicy', depth);
  if (raml.map !== undefined) {
    const keys = fc.constantFrom('A', 'key', 'MARATHON_SINGLE_INSTANCE_APP', '');
    return fc.dictionary(keys, jsonOf(raml.map, depth + 1), { maxKeys: 2 });
  }
  if (raml.fields !== undefined) return objectOf(fieldsOf(raml), depth + 1);
  if (raml.enum !== undefined) return fc.constantFrom(...raml.enum);
  if (type === 'PathId') return fc.constantFrom('/a', 'a', '/g/a', '/g/b', '../c', '/g');
  if (raml.pattern !== undefined || type === 'Path')
    return fc.constantFrom('name', 'other', 'http-api');
  return isBuiltin(raml.type ?? '')
    ? builtin(raml.type ?? 'string')
    : jsonOf(raml.type ?? 'string', depth);
}

/** Their names have no limits, those of networks do: such an app cannot be sent back. */
const addresses: readonly unknown[] = [
  {},
  { networkName: 'n', labels: { a: 'b' } },
  { networkName: 'mesos-bridge' },
  { discovery: { ports: [{ name: 'p', number: 5 }, { name: 'q' }] } },
];

function builtin(type: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'integer':
      return fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 65_535 }));
    case 'number':
      return fc.constantFrom(0, 0.5, 1, 2.25, 100);
    case 'boolean':
      return fc.boolean();
    case 'datetime':
      return fc.constant('2020-01-01T00:00:00.000Z');
    default:
      return fc.constantFrom('hostname', 'UNIQUE', 'LIKE', '.*', 'x', '*', 'g', 'disabled', 'data');
  }
}

/** Clean ones, and such with a value of any type in the place of another. */
function objectOf(fields: readonly RamlField[], depth: number): fc.Arbitrary<unknown> {
  const clean = membersOf(fields, depth, false);
  if (depth > 1) return clean;
  return fc.oneof(
    { arbitrary: clean, weight: 4 },
    { arbitrary: membersOf(fields, depth, true), weight: 1 },
  );
}

function membersOf(
  fields: readonly RamlField[],
  depth: number,
  wrong: boolean,
): fc.Arbitrary<unknown> {
  const members = fields.map((field): [string, fc.Arbitrary<unknown>] => {
    const required = field.required === true;
    return [
      field.name,
      fc.oneof(
        { arbitrary: jsonOf(field.type, depth), weight: required ? 1000 : 3 },
        { arbitrary: fc.constant(undefined), weight: required ? 0 : 14 },
        { arbitrary: fc.constantFrom(null, 'x', -1, [], {}), weight: wrong ? 1 : 0 },
      ),
    ];
  });
  return fc.record(Object.fromEntries(members));
}

const context = {
  root: emptyRoot(''),
  settings: { ...defaultSettings, defaultNetworkName: 'dcos' },
  forceRole: true,
};

/** What is accepted; refusals must be answers. */
function accepted<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof MarathonFailure)) throw error;
    assert(error.status >= 400 && error.status < 600);
    return undefined;
  }
}

const offer: Offer = {
  id: { value: 'o' },
  framework_id: { value: 'f' },
  agent_id: { value: 's' },
  hostname: 'h',
  resources: [
    { name: 'cpus', type: 'SCALAR', scalar: { value: 1000 } },
    { name: 'mem', type: 'SCALAR', scalar: { value: 100_000 } },
    { name: 'disk', type: 'SCALAR', scalar: { value: 100_000 } },
    { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 1, end: 65_535 }] } },
  ],
};

/** Whatever is accepted can be launched where there is room. */
function launch(runSpec: RunSpec): void {
  const random = seededRandom(5);
  const request = { offer, runSpec, instances: [], settings: context.settings, nowMs: 0, random };
  const match = matchOffer(request);
  if (!match.ok) return;
  const instanceID = 'a.instance-u';
  const options = { offer, match, instanceID, incarnation: 1, settings: context.settings };
  const more = { enforceRole: false, random };
  if (runSpec.kind === 'app') appTask(runSpec.spec, { ...options, ...more });
  else podTaskGroup(runSpec.spec, { ...options, ...more });
}

test('any JSON of an app is answered, and what is accepted stays as it is', () => {
  let count = 0;
  fc.assert(
    fc.property(jsonOf('App'), (json) => {
      const app = accepted(() => appFromJson(json, context));
      if (app === undefined) return;
      count++;
      const again: unknown = JSON.parse(textOf('App', app));
      assert.equal(stableText(read('App', again)), stableText(app));
      // Sent back it names its ports, so health checks without one get the first; then it stays.
      const second = appFromJson(again, context);
      const third = appFromJson(JSON.parse(textOf('App', second)), context);
      assert.equal(stableText(third), stableText(second));
      launch({ kind: 'app', spec: app });
    }),
    { numRuns: 1000 },
  );
  assert(count > 5, `${count} were accepted`);
});

test('any update of an app is answered', () => {
  const existing = appFromJson({ id: '/g/a', cmd: 'sleep 1' }, context);
  const options = { id: '/g/a', existing, partial: true, context, versionOf: () => existing };
  fc.assert(
    fc.property(jsonOf('AppUpdate'), (json) => {
      const app = accepted(() => appUpdateFromJson(json, options));
      if (app !== undefined) launch({ kind: 'app', spec: app });
    }),
    { numRuns: 700 },
  );
});

test('any JSON of a pod is answered, and what is accepted stays as it is', () => {
  let count = 0;
  fc.assert(
    fc.property(jsonOf('Pod'), (json) => {
      const pod = accepted(() => podFromJson(json, context));
      if (pod === undefined) return;
      count++;
      const again: unknown = JSON.parse(textOf('Pod', pod));
      assert.equal(stableText(read('Pod', again)), stableText(pod));
      assert.equal(stableText(podFromJson(again, context)), stableText(pod));
      launch({ kind: 'pod', spec: pod });
    }),
    { numRuns: 1000 },
  );
  assert(count > 5, `${count} were accepted`);
});

test('any JSON at all is answered', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      accepted(() => appFromJson(json, context));
      accepted(() => podFromJson(json, context));
      accepted(() => groupUpdateFromJson(json, { id: '/', context }));
    }),
    { numRuns: 300 },
  );
});
