import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawJson, double, jsonText } from './legacy-json.ts';

/** What RapidJSON's dtoa() makes of doubles (internal/dtoa.h, Prettify). */
const doubles: readonly (readonly [number, string])[] = [
  [0, '0.0'],
  [-0, '-0.0'],
  [1, '1.0'],
  [-1, '-1.0'],
  [0.1, '0.1'],
  [0.1 + 0.2, '0.30000000000000004'],
  [1234.5, '1234.5'],
  [123_456_789_012_345_680_000, '123456789012345680000.0'],
  [1e20, '100000000000000000000.0'],
  [1e21, '1e21'],
  [1.5e22, '1.5e22'],
  [0.000_001, '0.000001'],
  [0.000_000_1, '1e-7'],
  [1.25e-9, '1.25e-9'],
  [5e-324, '5e-324'],
  [Number.MAX_VALUE, '1.7976931348623157e308'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
];
for (const [value, text] of doubles)
  test(`jsonText() of the double ${text}`, () => {
    assert.equal(jsonText(double(value)), text);
  });

test('jsonText() writes integers without a point, and leaves absent members out', () => {
  const value = { a: 1, b: undefined, c: [true, 'x"', double(2)], d: new RawJson('{"e":3}') };
  assert.equal(jsonText(value), '{"a":1,"c":[true,"x\\"",2.0],"d":{"e":3}}');
});
