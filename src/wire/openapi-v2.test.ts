import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeOpenApiV2 } from './openapi-v2.ts';

/** Fields of a message in order: number and content, or the number 1 for a true boolean. */
function fields(bytes: Buffer): readonly (readonly [number, Buffer])[] {
  const found: (readonly [number, Buffer])[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const length = varint();
    if (tag % 8 === 0) found.push([tag >> 3, Buffer.from([length])]);
    else {
      found.push([tag >> 3, bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}
const inside = (bytes: Buffer, ...numbers: readonly number[]): Buffer => {
  let inner = bytes;
  for (const number of numbers) {
    const field = fields(inner).find(([one]) => one === number);
    assert.ok(field !== undefined, `no field ${number}`);
    inner = field[1];
  }
  return inner;
};

test('a Swagger document has the form that gnostic reads', () => {
  const parameter = { name: 'dryRun', in: 'query', type: 'string', uniqueItems: true };
  const bytes = encodeOpenApiV2({
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'v1' },
    paths: {
      '/x': {
        patch: {
          operationId: 'patchX',
          parameters: [
            parameter,
            { name: 'body', in: 'body', schema: { $ref: '#/definitions/X' } },
          ],
          responses: { '200': { description: 'OK', schema: { type: 'object' } } },
          'x-kubernetes-group-version-kind': { group: '', kind: 'X', version: 'v1' },
        },
      },
    },
    definitions: { X: { type: 'object', properties: { a: { type: 'string' } } } },
  });
  assert.equal(inside(bytes, 1).toString(), '2.0');
  const patch = inside(bytes, 8, 2, 2, 8);
  assert.equal(inside(bytes, 8, 2, 1).toString(), '/x');
  assert.equal(inside(patch, 5).toString(), 'patchX');
  const query = inside(patch, 8, 1, 2, 3);
  assert.equal(inside(query, 4).toString(), 'dryRun');
  assert.deepEqual([...inside(query, 20)], [1]);
  const body = fields(patch).filter(([number]) => number === 8)[1]?.[1] ?? Buffer.alloc(0);
  assert.equal(inside(body, 1, 1, 5, 1).toString(), '#/definitions/X');
  assert.equal(inside(patch, 9, 1, 1).toString(), '200');
  assert.equal(inside(patch, 9, 1, 2, 1, 2, 1, 22, 1).toString(), 'object');
  assert.match(inside(patch, 13, 2, 2).toString(), /"kind":"X"/);
  assert.equal(inside(bytes, 9, 1, 1).toString(), 'X');
  assert.equal(inside(bytes, 9, 1, 2, 25, 1, 2, 22, 1).toString(), 'string');
});
