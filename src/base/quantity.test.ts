import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  makeQuantity,
  parseQuantity,
  quantityToMillis,
  quantityValue,
} from './quantity.ts';

test('Canonical text keeps the family of suffixes and uses the largest without loss', () => {
  const cases: [string, string][] = [
    ['0', '0'],
    ['1.5', '1500m'],
    ['1.234', '1.234'],
    ['+5', '+5'],
    ['05', '05'],
    ['0.5', '500m'],
    ['2000m', '2'],
    ['1500m', '1500m'],
    ['100000m', '100'],
    ['1024Ki', '1Mi'],
    ['2048Mi', '2Gi'],
    ['1023Mi', '1023Mi'],
    ['128Mi', '128Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Gi', '512Mi'],
    ['0.5Ki', '512'],
    ['1000', '1k'],
    ['1e3', '1e3'],
    ['12e5', '1200e3'],
    ['1000e3', '1e6'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1E', '1E'],
    ['9999Ei', '9223372036854775807'],
    ['-1.5', '-1500m'],
    ['0Gi', '0'],
    ['100m', '100m'],
  ];
  for (const [text, want] of cases) assert.equal(canonicalQuantity(text), want, text);
});

test('A bad quantity is refused with the text of the reference', () => {
  assert.throws(() => parseQuantity(''), /^QuantityError: quantities must match/);
  assert.throws(() => parseQuantity('1x'), /quantities must match/);
  assert.throws(() => parseQuantity('1.1.1'), /quantities must match/);
  assert.throws(() => parseQuantity('1Kii'), /unable to parse quantity's suffix/);
  assert.throws(() => parseQuantity('.'), /unable to parse numeric part of quantity/);
  assert.throws(() => parseQuantity('1e999999999'), /suffix/);
});

test('Millis and values are rounded up', () => {
  assert.equal(quantityToMillis('0.1'), 100);
  assert.equal(quantityToMillis('1u'), 1);
  assert.equal(quantityValue('1.5Ki'), 1536);
  assert.equal(quantityValue('100m'), 1);
  assert.equal(quantityValue('-1500m'), -2);
  assert.equal(addQuantities('1Gi', '512Mi'), '1536Mi');
  assert.equal(compareQuantities('1', '1000m'), 0);
});

test('A canonical text parses to the same amount and is canonical again', () => {
  const formats = fc.constantFrom('binary', 'decimal', 'exponent');
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }), formats, (nanos, format) => {
      const { text } = makeQuantity(nanos, format as 'binary');
      const again = parseQuantity(text);
      assert.equal(again.text, text);
      if (format !== 'binary') assert.equal(again.nanos, nanos);
    }),
  );
});
