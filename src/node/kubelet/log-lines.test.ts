import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLogLine } from './log-lines.ts';

test('the time of a log line is told as Go writes it, whatever wrote the log', () => {
  const time = (line: string): string | undefined => parseLogLine(Buffer.from(line))?.time;
  const plain = '2026-11-21T12:45:06.026035923';
  assert.equal(time(`${plain}+00:00 stdout F x`), `${plain}Z`);
  assert.equal(time(`${plain}Z stdout F x`), `${plain}Z`);
  assert.equal(time(`${plain}+02:00 stdout F x`), `${plain}+02:00`);
  assert.equal(time('cut off'), undefined);
});
