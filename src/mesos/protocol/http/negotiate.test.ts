import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedEncoding, acceptsEncoding, acceptsMediaType } from './negotiate.ts';

const cases: readonly (readonly [string | undefined, ReturnType<typeof acceptedEncoding>])[] = [
  [undefined, 'json'],
  ['*/*', 'json'],
  ['application/*', 'json'],
  ['application/x-protobuf', 'protobuf'],
  ['application/x-protobuf, application/json;q=0.1', 'json'],
  ['application/json;q=0, */*', 'protobuf'],
  ['APPLICATION/JSON', 'json'],
  ['text/html, image/*', undefined],
  ['application/json;q=0,application/x-protobuf;q=0.0', undefined],
  ['', undefined],
];
for (const [accept, encoding] of cases) {
  test(`Accept ${String(accept)} gives ${String(encoding)}`, () => {
    assert.equal(acceptedEncoding({ accept }), encoding);
  });
}

test('What is named counts before a wildcard', () => {
  assert.equal(acceptsEncoding('*;q=0, gzip', 'gzip'), true);
  assert.equal(acceptsEncoding('*', 'gzip'), true);
  assert.equal(acceptsEncoding('', 'gzip'), false);
  assert.equal(acceptsMediaType('application/recordio; q = 0', 'application/recordio'), false);
});
