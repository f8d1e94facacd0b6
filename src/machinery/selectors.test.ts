import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  canonicalCidr,
  canonicalIpAddress,
  cidr,
  formatIp,
  ipAddress,
  parseIp,
} from './addresses.ts';
import { fieldSelectorOf, parseFieldSelector } from './fields.ts';
import { parseLabelSelector, selectorFromObject, selectorText } from './labels.ts';
import { metadataProblems, metadataUpdateProblems } from './metadata.ts';
import { dns1123Label, qualifiedName } from './names.ts';
import { problem, problemText } from './problems.ts';
import { conflict, fromStatus, invalid, notFound, toStatus } from './status.ts';

test('Label selectors select', () => {
  const cases: [string, Record<string, string>, boolean][] = [
    ['', {}, true],
    ['a=b,c!=d', { a: 'b' }, true],
    ['a in (x, y)', { a: 'y' }, true],
    ['a notin (x)', {}, true],
    ['a,!b', { a: '' }, true],
    ['a,!b', { a: '', b: '' }, false],
    ['a=', { a: '' }, true],
    ['k>5', { k: '6' }, true],
    ['k<5', { k: '6' }, false],
    ['in in (in)', { in: 'in' }, true],
    ['x in ()', { x: '' }, true],
  ];
  for (const [text, labels, want] of cases)
    assert.equal(parseLabelSelector(text).matches(labels), want, text);
  assert.equal(selectorFromObject(undefined).matches({}), false);
  assert.equal(selectorFromObject({}).matches({ a: 'b' }), true);
  assert.equal(selectorText({ matchLabels: { b: '2', a: '1' } }), 'a=1,b=2');
});

test('A bad selector is refused with the text of the reference', () => {
  const cases: [string, string][] = [
    ['a=b,', "found '', expected: identifier after ','"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a in x', "unable to parse requirement: found 'x' expected: '('"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ];
  for (const [text, message] of cases) assert.throws(() => parseLabelSelector(text), { message });
  assert.throws(
    () => parseLabelSelector('a_=b'),
    /unable to parse requirement: <nil>: Invalid value: "a_": name part/,
  );
  assert.throws(
    () => parseLabelSelector('a=-'),
    /unable to parse requirement: values\[0\]\[a\]: Invalid value: "-"/,
  );
});

test('Field selectors are parsed, escaped and matched', () => {
  const selector = parseFieldSelector('metadata.name=a\\,b,status.phase!=Running');
  assert.equal(selector.required('metadata.name'), 'a,b');
  assert.equal(
    selector.matches((field) => (field === 'metadata.name' ? 'a,b' : 'Pending')),
    true,
  );
  assert.throws(() => parseFieldSelector('x'), {
    message: "invalid selector: 'x'; can't understand 'x'",
  });
  assert.throws(() => parseFieldSelector('a=b=c'), {
    message: 'invalid field selector: unescaped character in value: 61',
  });
  fc.assert(
    fc.property(fc.string(), (value) => {
      const text = fieldSelectorOf([{ field: 'f', operator: '=', value }]).toString();
      assert.equal(parseFieldSelector(text).required('f'), value);
    }),
  );
});

test('Addresses are checked strictly and printed canonically', () => {
  assert.deepEqual(ipAddress('10.0.0.1'), []);
  assert.deepEqual(ipAddress('010.0.0.1'), ['must not have leading 0s']);
  assert.deepEqual(ipAddress('::ffff:1.2.3.4'), ['must not be an IPv4-mapped IPv6 address']);
  assert.deepEqual(canonicalIpAddress('2001:DB8::1'), [
    'must be in canonical form ("2001:db8::1")',
  ]);
  assert.deepEqual(cidr('10.0.0.1/8'), ['must not have bits set beyond the prefix length']);
  assert.deepEqual(canonicalCidr('::/0'), []);
  assert.equal(ipAddress('x').length, 1);
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const ip = parseIp(text);
      assert.ok(ip);
      assert.equal(parseIp(formatIp(6, ip.value))?.value, ip.value);
    }),
  );
});

test('Problems and statuses read as the reference writes them', () => {
  const replicas = problem.invalid('spec.replicas', -1, 'must be greater than or equal to 0');
  const policy = problem.notSupported('spec.restartPolicy', 'x', ['Always', 'Never']);
  assert.equal(
    problemText(policy),
    'spec.restartPolicy: Unsupported value: "x": supported values: "Always", "Never"',
  );
  const error = invalid({ group: 'apps', kind: 'Deployment' }, 'web', [replicas, policy, replicas]);
  assert.equal(
    error.message,
    'Deployment.apps "web" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.restartPolicy: Unsupported value: "x": supported values: "Always", "Never"]',
  );
  assert.equal(error.details?.causes?.length, 3);
  const deployments = { group: 'apps', plural: 'deployments' };
  assert.equal(notFound(deployments, 'x').message, 'deployments.apps "x" not found');
  const status = toStatus(conflict(deployments, 'x'));
  assert.equal(JSON.stringify(toStatus(fromStatus(status))), JSON.stringify(status));
  assert.equal(status.code, 409);
});

test('Names and metadata are checked with the texts of the reference', () => {
  assert.match(
    dns1123Label('A')[0] ?? '',
    /\(e\.g\. 'my-name',  or '123-abc', regex used for validation is /,
  );
  assert.deepEqual(dns1123Label('a.b'), ['must not contain dots']);
  assert.deepEqual(qualifiedName('example.com/a'), []);
  assert.equal(qualifiedName('/a')[0], 'prefix part must be non-empty');
  const meta = { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
  assert.deepEqual(metadataProblems({ ...meta, name: '' }, { namespaced: true }).map(problemText), [
    'metadata.name: Required value: name or generateName is required',
    'metadata.namespace: Required value',
  ]);
  const found = metadataUpdateProblems(
    { ...meta, uid: 'v', finalizers: ['x/y'] },
    { ...meta, deletionTimestamp: '2024-01-01T00:00:00Z' },
    { namespaced: false },
  );
  assert.deepEqual(found.map(problemText), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x/y"}',
    'metadata.uid: Invalid value: "v": field is immutable',
    'metadata.deletionTimestamp: Invalid value: null: field is immutable',
  ]);
});
