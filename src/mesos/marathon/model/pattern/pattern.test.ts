import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wholePattern } from './pattern.ts';

const cases: { pattern: string; matches: string[]; not: string[] }[] = [
  { pattern: 'r[0-9]', matches: ['r1'], not: ['r', 'r10', 'xr1'] },
  { pattern: 'a.*|b', matches: ['a', 'abc', 'b'], not: ['bc', ''] },
  { pattern: '^a$', matches: ['a'], not: ['ba'] },
  { pattern: '', matches: [''], not: ['a'] },
  { pattern: '(?i)Rack-(A|B)', matches: ['rack-a', 'RACK-B'], not: ['rack-c'] },
  { pattern: '(?:ab){2,3}', matches: ['abab', 'ababab'], not: ['ab', 'abababab'] },
  { pattern: 'a{2}', matches: ['aa'], not: ['a', 'aaa'] },
  { pattern: 'a{1,}b?', matches: ['a', 'aaab'], not: ['b'] },
  {
    pattern: String.raw`10\.0\.\d+\.\d{1,3}`,
    matches: ['10.0.12.255'],
    not: ['10.0.1.1234', '10-0.1.1'],
  },
  { pattern: String.raw`[\w.-]+`, matches: ['a_b.c-1'], not: ['a b'] },
  { pattern: '[^a-c]', matches: ['d', '-'], not: ['b', ''] },
  { pattern: '[]a]', matches: [']', 'a'], not: ['b'] },
  { pattern: '[a-]', matches: ['a', '-'], not: ['b'] },
  { pattern: String.raw`\Qa.b*\E+`, matches: ['a.b*'], not: ['axb'] },
  { pattern: String.raw`\p{Alpha}\p{Lu}\P{L}`, matches: ['aB1'], not: ['ab1', 'aBc'] },
  { pattern: '(?<name>x)y', matches: ['xy'], not: ['x'] },
  { pattern: 'a*+b', matches: ['aab'], not: ['a'] },
  { pattern: String.raw`\x41\u0042`, matches: ['AB'], not: ['ab'] },
];
for (const { pattern, matches, not } of cases) {
  test(`wholePattern() ${pattern}`, () => {
    const made = wholePattern(pattern);
    assert(made !== undefined);
    for (const text of matches) assert.equal(made.test(text), true, text);
    for (const text of not) assert.equal(made.test(text), false, text);
  });
}

const invalid = [
  '(',
  ')',
  '[a',
  '*a',
  'a{2',
  'a{3,2}',
  '(?=a)',
  String.raw`(a)\1`,
  '[b-a]',
  '\\',
  'a{9999}',
];
for (const pattern of [...invalid, '((((a{50}){50}){50}){50})', 'a'.repeat(2000)]) {
  test(`wholePattern() refuses ${pattern.slice(0, 30)}`, () => {
    assert.equal(wholePattern(pattern), undefined);
  });
}

test('wholePattern() takes no more than linear time', () => {
  const text = `${'a'.repeat(3000)}!`;
  for (const pattern of ['(a+)+', '(a|a)*', '(a*)*', '(.*)*b', '(a|aa)+$'])
    assert.equal(wholePattern(pattern)?.test(text), false);
});

const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(ab)', '(?:a|)', 'c');
const quantifier = fc.constantFrom('', '', '*', '+', '?', '{2}', '{0,2}', '*?');
const expression = fc
  .array(fc.tuple(piece, quantifier), { maxLength: 5 })
  .map((parts) => parts.flat().join(''));

test("wholePattern() agrees with the language's own", () => {
  fc.assert(
    fc.property(
      fc.array(expression, { minLength: 1, maxLength: 3 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 }),
      (choices, text) => {
        const pattern = choices.join('|');
        const own = new RegExp(`^(?:${pattern})$`);
        assert.equal(wholePattern(pattern)?.test(text), own.test(text), pattern);
      },
    ),
    { numRuns: 1000 },
  );
});
