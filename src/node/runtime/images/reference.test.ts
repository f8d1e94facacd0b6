import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialsFor } from './credentials.ts';
import { LayerPaths } from './layer-paths.ts';
import { nameOf, parseReference } from './reference.ts';
import { endpointsOf, parseChallenge } from './registry.ts';

const names: readonly (readonly [string, string])[] = [
  ['hello-world', 'docker.io/library/hello-world:latest'],
  ['team/app:2', 'docker.io/team/app:2'],
  ['docker.io/library/hello-world:latest', 'docker.io/library/hello-world:latest'],
  ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/app:x', 'localhost:5000/app:x'],
  ['[::1]:5000/app', '[::1]:5000/app:latest'],
  [`r.io/a/b:1@sha256:${'0'.repeat(64)}`, `r.io/a/b@sha256:${'0'.repeat(64)}`],
];
for (const [text, want] of names)
  test(`parseReference() reads ${text} as engines do`, () => {
    assert.equal(nameOf(parseReference(text)), want);
  });

for (const text of [
  '',
  'A',
  'a b',
  'a:',
  'a@sha256:1',
  '../x',
  'r.io/',
  'a//b',
  '-x.io/a',
  'a:b:c',
])
  test(`parseReference() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseReference(text), { name: 'ImageError', reason: 'InvalidImageName' });
  });

test('credentialsFor() takes the closest match first, in every form of the document', () => {
  const auth = (user: string): object => ({ auth: Buffer.from(`${user}:p:w`).toString('base64') });
  const documents = [
    { auths: { 'https://r.io/v2/': auth('host'), 'r.io/team': auth('team'), 'x.io': auth('no') } },
    { '*.io': auth('glob'), 'a.b.io': auth('no') },
  ];
  const found = credentialsFor(parseReference('r.io/team/app'), documents);
  assert.deepEqual(
    found.map(({ username }) => username),
    ['team', 'host', 'glob'],
  );
  assert.equal(found[0]?.password, 'p:w');
});

test('credentialsFor() knows the hub by its old address', () => {
  const documents = [
    { auths: { 'https://index.docker.io/v1/': { username: 'u', password: 'p' } } },
  ];
  assert.equal(credentialsFor(parseReference('nginx'), documents)[0]?.username, 'u');
});

test('parseChallenge() reads quoted and bare values', () => {
  const { scheme, fields } = parseChallenge(
    'Bearer realm="https://a/t?x=1",service=s,scope="a:b:c,d"',
  );
  assert.deepEqual(
    [scheme, fields.get('realm'), fields.get('service'), fields.get('scope')],
    ['bearer', 'https://a/t?x=1', 's', 'a:b:c,d'],
  );
});

test('endpointsOf() tries mirrors first, and http only where that is safe', () => {
  const bases = (name: string): readonly string[] =>
    endpointsOf(parseReference(name), { mirrors: { 'docker.io': ['http://m:5000/v2/'] } }).map(
      ({ base }) => base,
    );
  assert.deepEqual(bases('nginx'), [
    'http://m:5000/v2/library/nginx',
    'https://registry-1.docker.io/v2/library/nginx',
  ]);
  assert.deepEqual(bases('r.io/a'), ['https://r.io/v2/a']);
  assert.equal(bases('127.0.0.1:5000/a')[0], 'http://127.0.0.1:5000/v2/a');
});

test('LayerPaths keeps every entry inside the layer', () => {
  const paths = new LayerPaths();
  paths.put('up', { kind: 'link', target: '../../etc' });
  paths.put('loop', { kind: 'link', target: 'loop' });
  paths.put('chain', { kind: 'link', target: 'up/deep' });
  assert.equal(paths.place('up/passwd'), 'etc/passwd');
  assert.equal(paths.place('chain/x'), 'etc/deep/x');
  assert.equal(paths.place('/a//./b/'), 'a/b');
  assert.throws(() => paths.place('loop/x'), /too many links/);
  assert.throws(() => paths.place('a/../../b'), /reaches out/);
});
