import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandInfo } from '#mesos/protocol';
import { commandExecutorName } from './executor-name.ts';

const cases: readonly (readonly [CommandInfo, string])[] = [
  [{ value: 'sleep 60' }, "sh -c 'sleep 60'"],
  [{ value: 'exactly 15 long' }, "sh -c 'exactly 15 long'"],
  [{ value: 'i=0; while :; do echo' }, "sh -c 'i=0; while :...'"],
  [{ shell: false, value: '/bin/echo', arguments: ['echo', 'hello'] }, '[/bin/echo, e...]'],
  [{ shell: false, value: 'echo', arguments: ['echo', 'hi'] }, '[echo, echo, hi]'],
  [{ shell: false }, 'NO EXECUTABLE'],
  [{}, 'NO COMMAND'],
];

for (const [command, text] of cases)
  test(`The executor of ${JSON.stringify(command)} is named`, () => {
    const id = { value: 't' };
    const name = commandExecutorName({ name: 't', task_id: id, agent_id: id, command });
    assert.equal(name, `Command Executor (Task: t) (Command: ${text})`);
  });
