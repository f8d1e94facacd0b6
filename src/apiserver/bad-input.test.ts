import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type CallOptions, at, startTestServer } from './fixture.test.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const body = (metadata: object, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  ...more,
});

interface Case extends CallOptions {
  readonly name: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly message: RegExp;
}
const json = { 'content-type': 'application/json' };
const deep = `{"apiVersion":"v1","kind":"ConfigMap","metadata":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;
const cases: readonly Case[] = [
  {
    name: 'malformed JSON',
    method: 'POST',
    target: configMaps,
    raw: '{"kind":',
    status: 400,
    message: /cannot be handled|unrecognized/,
  },
  {
    name: 'an empty body',
    method: 'POST',
    target: configMaps,
    raw: '',
    status: 400,
    message: /EOF/,
  },
  {
    name: 'malformed YAML',
    method: 'POST',
    target: configMaps,
    raw: 'a: [',
    headers: { 'content-type': 'application/yaml' },
    status: 400,
    message: /cannot be handled/,
  },
  {
    name: 'malformed protobuf',
    method: 'POST',
    target: configMaps,
    raw: 'k8s\0\xff\xff',
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    status: 400,
    message: /./,
  },
  {
    name: 'protobuf without its prefix',
    method: 'POST',
    target: configMaps,
    raw: 'nope',
    headers: { 'content-type': 'application/vnd.kubernetes.protobuf' },
    status: 400,
    message: /expected prefix/,
  },
  {
    name: 'a content type nobody speaks',
    method: 'POST',
    target: configMaps,
    raw: 'x',
    headers: { 'content-type': 'text/csv' },
    status: 415,
    message: /accepted media types include: application\/json/,
  },
  {
    name: 'a field of the wrong type',
    method: 'POST',
    target: configMaps,
    body: body({ name: 5 }),
    status: 400,
    message: /ConfigMap in version "v1" cannot be handled as a ConfigMap/,
  },
  {
    name: 'an unknown field, strictly',
    method: 'POST',
    target: `${configMaps}?fieldValidation=Strict`,
    body: body({ name: 'a' }, { foo: 1 }),
    status: 400,
    message: /strict decoding error: unknown field "foo"/,
  },
  {
    name: 'another kind',
    method: 'POST',
    target: configMaps,
    body: { ...body({ name: 'a' }), kind: 'Secret' },
    status: 400,
    message: /Secret/,
  },
  {
    name: 'another version',
    method: 'POST',
    target: configMaps,
    body: { ...body({ name: 'a' }), apiVersion: 'v2' },
    status: 400,
    message: /the API version in the data \(v2\) does not match the expected API version \(v1\)/,
  },
  {
    name: 'no name',
    method: 'POST',
    target: configMaps,
    body: body({}),
    status: 422,
    message: /metadata.name: Required value: name or generateName is required/,
  },
  {
    name: 'a name with a slash',
    method: 'POST',
    target: configMaps,
    body: body({ name: 'a/b' }),
    status: 422,
    message: /metadata.name: Invalid value: "a\/b"/,
  },
  {
    name: 'a name of two dots',
    method: 'POST',
    target: configMaps,
    body: body({ name: '..' }),
    status: 422,
    message: /metadata.name: Invalid value/,
  },
  {
    name: 'a name of two dots in the path',
    method: 'GET',
    target: `${configMaps}/..`,
    status: 400,
    message: /may not be '\.\.'/,
  },
  {
    name: 'a percent in a name',
    method: 'GET',
    target: `${configMaps}/a%2525b`,
    status: 400,
    message: /may not contain '%'/,
  },
  {
    name: 'a broken escape',
    method: 'GET',
    target: `${configMaps}/%zz`,
    status: 400,
    message: /invalid URL escape/,
  },
  {
    name: 'the name of a prototype',
    method: 'GET',
    target: `${configMaps}/__proto__`,
    status: 404,
    message: /"__proto__" not found/,
  },
  {
    name: 'another namespace',
    method: 'POST',
    target: configMaps,
    body: body({ name: 'a', namespace: 'b' }),
    status: 400,
    message: /the namespace of the provided object does not match/,
  },
  {
    name: 'deep nesting',
    method: 'POST',
    target: configMaps,
    raw: deep,
    headers: json,
    status: 400,
    message: /./,
  },
  {
    name: 'a body past the limit',
    method: 'POST',
    target: configMaps,
    raw: 'x'.repeat(3 * 1024 * 1024 + 1),
    status: 413,
    message: /Request entity too large: limit is 3145728/,
  },
  {
    name: 'an unknown resource',
    method: 'GET',
    target: '/api/v1/namespaces/default/nothings',
    status: 404,
    message: /the server could not find the requested resource/,
  },
  {
    name: 'a bad label selector',
    method: 'GET',
    target: `${configMaps}?labelSelector=a%20in`,
    status: 400,
    message: /unable to parse requirement/,
  },
  {
    name: 'a bad field selector',
    method: 'GET',
    target: `${configMaps}?fieldSelector=a`,
    status: 400,
    message: /invalid selector/,
  },
  {
    name: 'an unknown field to select by',
    method: 'GET',
    target: `${configMaps}?fieldSelector=data.a%3D1`,
    status: 400,
    message: /not a known field selector|not supported/,
  },
  {
    name: 'a continue token that is none',
    method: 'GET',
    target: `${configMaps}?limit=1&continue=%21`,
    status: 400,
    message: /continue key is not valid/,
  },
  {
    name: 'a version that is none',
    method: 'GET',
    target: `${configMaps}?resourceVersion=x`,
    status: 400,
    message: /invalid resource version/,
  },
  {
    name: 'a match without a version',
    method: 'GET',
    target: `${configMaps}?resourceVersionMatch=Exact`,
    status: 422,
    message: /forbidden unless resourceVersion is provided/,
  },
  {
    name: 'an unknown dry run',
    method: 'POST',
    target: `${configMaps}?dryRun=Some`,
    body: body({ name: 'a' }),
    status: 422,
    message: /dryRun: Unsupported value/,
  },
  {
    name: 'a patch of no known type',
    method: 'PATCH',
    target: `${configMaps}/a`,
    raw: '{}',
    headers: json,
    status: 415,
    message: /json-patch/,
  },
  {
    name: 'an apply without a manager',
    method: 'PATCH',
    target: `${configMaps}/a`,
    raw: '{}',
    headers: { 'content-type': 'application/apply-patch+yaml' },
    status: 422,
    message: /fieldManager: Required value: is required for apply patch/,
  },
  {
    name: 'an answer nobody can give',
    method: 'GET',
    target: configMaps,
    headers: { accept: 'image/png' },
    status: 406,
    message: /only the following media types are accepted/,
  },
  {
    name: 'a method that is not for it',
    method: 'PUT',
    target: configMaps,
    body: body({ name: 'a' }),
    status: 405,
    message: /does not allow this method/,
  },
];

suite('Bad input', () => {
  for (const { name, method, target, status, message, ...options } of cases)
    test(`${name} is refused with ${status} and stores nothing`, async () => {
      await using api = await startTestServer();
      const before = api.store.revision;
      const answer = await api.call(method, target, options);
      assert.equal(answer.status, status, answer.bytes.toString('utf8').slice(0, 500));
      assert.equal(at(answer.json, 'kind'), 'Status');
      assert.match(String(at(answer.json, 'message')), message);
      assert.equal(api.store.revision, before);
    });

  test('keys named like prototypes are data', async () => {
    await using api = await startTestServer();
    const raw =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"p"},"data":{"__proto__":"x","constructor":"y"}}';
    const created = await api.call('POST', configMaps, { raw });
    // A key of data may not begin so; whatever is said, no prototype is touched.
    assert.ok(created.status === 422 || created.status === 201);
    assert.equal(({} as Readonly<Record<string, unknown>>)['x'], undefined);
  });

  test('an unknown field is warned about by default', async () => {
    await using api = await startTestServer();
    const created = await api.call('POST', configMaps, { body: body({ name: 'a' }, { foo: 1 }) });
    assert.equal(created.status, 201);
    assert.deepEqual(created.headers['warning'], ['299 - "unknown field \\"foo\\""']);
  });

  test('an unknown group is a plain 404', async () => {
    await using api = await startTestServer();
    const answer = await api.call('GET', '/apis/nothing.example/v1/things');
    assert.equal(answer.status, 404);
    assert.equal(answer.bytes.toString(), '404 page not found\n');
  });
});
