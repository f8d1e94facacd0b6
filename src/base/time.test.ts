import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { durationMs, formatDuration, parseDuration } from './duration.ts';
import { percentOf, scaledValue } from './int-or-percent.ts';
import { BoundedQueue } from './queue.ts';
import { formatMicroTime, formatTime, parseInstant, parseMicroInstant, parseTime } from './time.ts';

test('Times are read with any offset and written in UTC', () => {
  const ms = parseTime('2024-02-29T12:00:00+02:00');
  assert.equal(formatTime(ms), '2024-02-29T10:00:00Z');
  assert.equal(formatMicroTime(ms, 7), '2024-02-29T10:00:00.000007Z');
  assert.deepEqual(parseMicroInstant('1970-01-01T00:00:01.000002Z'), { seconds: 1, nanos: 2000 });
});

test('A bad time is refused with the text of Go', () => {
  const layout = '"2006-01-02T15:04:05Z07:00"';
  const cases: [string, string][] = [
    ['x', `parsing time "x" as ${layout}: cannot parse "x" as "2006"`],
    ['2024-13-01T00:00:00Z', 'parsing time "2024-13-01T00:00:00Z": month out of range'],
    ['2023-02-29T00:00:00Z', 'parsing time "2023-02-29T00:00:00Z": day out of range'],
    ['2024-01-01', `parsing time "2024-01-01" as ${layout}: cannot parse "" as "T"`],
    [
      '2024-01-01T00:00:00',
      `parsing time "2024-01-01T00:00:00" as ${layout}: cannot parse "" as "Z07:00"`,
    ],
    ['2024-01-01T00:00:00Zx', 'parsing time "2024-01-01T00:00:00Zx": extra text: "x"'],
  ];
  for (const [text, message] of cases) assert.throws(() => parseInstant(text), { message });
});

test('Durations are written as Go writes them', () => {
  const cases: [string, string][] = [
    ['90m', '1h30m0s'],
    ['100ms', '100ms'],
    ['1500ms', '1.5s'],
    ['0', '0s'],
    ['-1.5h', '-1h30m0s'],
    ['1us', '1µs'],
  ];
  for (const [text, want] of cases) assert.equal(formatDuration(parseDuration(text)), want, text);
  assert.equal(durationMs('1m'), 60_000);
  assert.throws(() => parseDuration('5'), /missing unit/);
  assert.throws(() => parseDuration('5x'), /unknown unit "x" in duration "5x"/);
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (nanos) => {
      assert.equal(parseDuration(formatDuration(nanos)), nanos);
    }),
  );
});

test('Percentages are taken of the total, rounded as asked', () => {
  assert.equal(scaledValue('25%', 10, true), 3);
  assert.equal(scaledValue('25%', 10, false), 2);
  assert.equal(scaledValue(4, 10, false), 4);
  assert.equal(percentOf('x'), undefined);
  assert.throws(() => scaledValue('x', 1, true), /not a percentage/);
});

test('A bounded queue refuses what does not fit and keeps the order', () => {
  const queue = new BoundedQueue<number>(2);
  assert.deepEqual([queue.push(1), queue.push(2), queue.push(3)], [true, true, false]);
  assert.equal(queue.shift(), 1);
  assert.equal(queue.push(4), true);
  assert.deepEqual(queue.drain(), [2, 4]);
  assert.equal(queue.shift(), undefined);
});
