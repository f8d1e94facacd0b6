import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileRegex } from './regex.ts';

const matches: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['ab', 'abcd', 'xabc']],
  ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
  ['a.c', ['abc', 'aéc', 'a😀c'], ['ac', 'a\nc']],
  ['(?s)a.c', ['a\nc'], []],
  ['(?i)aBc[d-f]', ['AbCD', 'abce'], ['abcg']],
  ['(?i:a)b', ['Ab'], ['AB']],
  ['a*', ['', 'aaaa'], ['b']],
  ['a+?b??', ['a', 'aab'], ['', 'abb']],
  ['(ab){2,3}', ['abab', 'ababab'], ['ab', 'abababab']],
  ['a{2}', ['aa'], ['a', 'aaa']],
  ['a{2,}', ['aa', 'aaaaa'], ['a']],
  ['a{,2}', ['a{,2}'], ['aa']],
  ['[^a-c]', ['d', '\n', 'é'], ['a', 'dd']],
  ['[]a-]+', [']a-'], ['b']],
  ['[[:alpha:]_]\\d\\D\\w\\W\\s\\S', ['x1y_- z', '_2a9!\tb'], ['11a_- z']],
  ['[\\d.]+', ['10.0.0.1'], ['10.a']],
  ['\\Qa.b*\\E+', ['a.b*', 'a.b**'], ['axb']],
  ['\\Qa|(\\E|\\Q\\E\\Qb', ['a|(', 'b'], ['a']],
  ['\\x41\\x{1F600}\\101\\n', ['A😀A\n'], ['AA']],
  ['^a$', ['a'], ['a\n']],
  ['(?m)^a$\\n^b$', ['a\nb'], []],
  ['\\Aa\\bb?\\z', ['a'], ['ab']],
  ['a\\Bb', ['ab'], []],
  ['(?P<name>a)(?<other>b)(?:c)', ['abc'], []],
  ['r(1|2)-(?:[a-f0-9]{4})', ['r1-beef', 'r2-0000'], ['r3-beef', 'r1-bee']],
  ['(a*)*', ['', 'aaa'], ['b']],
  ['((a|b)*c)+', ['abcbac', 'c'], ['ab']],
];
for (const [pattern, yes, no] of matches) {
  test(`/${pattern}/ matches whole texts`, () => {
    const regex = compileRegex(pattern);
    for (const text of yes) assert.equal(regex.matches(text), true, JSON.stringify(text));
    for (const text of no) assert.equal(regex.matches(text), false, JSON.stringify(text));
  });
}

const refused: readonly (readonly [string, string])[] = [
  ['a(b', 'missing ): a(b'],
  ['a)b', 'unexpected ): a)b'],
  ['[a', 'missing ]: [a'],
  ['*a', 'no argument for repetition operator: *'],
  ['(?i)*', 'no argument for repetition operator: *'],
  ['a**', 'bad repetition operator: **'],
  ['a{2}{3}', 'bad repetition operator: {2}{3}'],
  ['a{1001}', 'invalid repetition size: {1001}'],
  ['a{3,2}', 'invalid repetition size: {3,2}'],
  ['\\', 'trailing \\'],
  ['\\q', 'invalid escape sequence: \\q'],
  ['(a)\\1', 'invalid escape sequence: \\1'],
  ['\\pL', 'invalid escape sequence: \\p'],
  ['[b-a]', 'invalid character class range: b-a'],
  ['[[:word1:]]', 'invalid character class range: [:word1:]'],
  ['[[:none:]]', 'invalid character class range: [:none:]'],
  ['a(?=b)', 'invalid perl operator: (?='],
  ['(?<!a)b', 'invalid perl operator: (?<'],
  ['(?P<a-b>x)', 'invalid named capture group: (?P<a-b>x)'],
];
for (const [pattern, want] of refused) {
  test(`/${pattern}/ is refused`, () => {
    let said = 'nothing';
    try {
      compileRegex(pattern);
    } catch (error) {
      said = error instanceof Error ? error.message : String(error);
    }
    assert.equal(said, want);
  });
}

test('the runtime agrees about patterns that both understand', () => {
  const piece = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(?:ab)', 'a?');
  const operator = fc.constantFrom('', '*', '+', '?', '{1,2}', '|');
  const pattern = fc
    .array(fc.tuple(piece, operator), { maxLength: 5 })
    .map((parts) => parts.map(([one, after]) => (one.endsWith('?') ? one : one + after)).join(''));
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(pattern, text, (source, input) => {
      const theirs = new RegExp(`^(?:${source})$`, 's').test(input);
      assert.equal(compileRegex(source).matches(input), theirs);
    }),
    { numRuns: 2000 },
  );
});

test('a pattern that backtracks without end elsewhere ends here', () => {
  const regex = compileRegex('(a+)+(a*)*(a|a)*b');
  assert.equal(regex.matches('a'.repeat(5000)), false);
  assert.equal(regex.matches(`${'a'.repeat(5000)}b`), true);
});
