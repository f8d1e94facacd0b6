import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completionScript } from './completion.ts';
import { describeObject } from './describe.ts';
import { UsageError } from './errors.ts';
import { verbHelp } from './help.ts';
import { parseCommand } from './parse.ts';
import { parseBytes, table } from './print.ts';
import { verbs } from './verbs.ts';

test('Every verb has a help text with an example that parses', () => {
  for (const verb of verbs) {
    assert.match(verbHelp(verb), new RegExp(`^tandem ${verb.name}`));
    for (const example of verb.examples) {
      const own = /tandem ([^|>)]*)/.exec(example)?.[1]?.trim().split(' ') ?? [];
      if (own[0] === 'image' && example.startsWith('docker'))
        own.splice(0, own.length, 'image', 'load', '-');
      assert.equal(parseCommand(own).verb.name, verb.name, example);
    }
  }
});

test('parseCommand() keeps what follows -- for the container', () => {
  const command = parseCommand(['exec', '-it', 'web-0', '--', 'ls', '-l', '--all']);
  assert.deepEqual(command.arguments, ['web-0', 'ls', '-l', '--all']);
  assert.equal(command.flag('tty'), true);
});

const wrong: { name: string; argv: string[]; message: RegExp }[] = [
  {
    name: 'an unknown verb and offers the nearest',
    argv: ['stauts'],
    message: /did you mean "status"/,
  },
  {
    name: 'an unknown flag',
    argv: ['up', '--colour'],
    message: /Unknown option '--colour'.*tandem help up/,
  },
  {
    name: 'a number that is none',
    argv: ['up', '--nodes', 'three'],
    message: /--nodes "three" must be a number/,
  },
  { name: 'a negative number', argv: ['up', '--port-offset=-4'], message: /not negative/ },
];
for (const { name, argv, message } of wrong)
  test(`parseCommand() refuses ${name}`, () => {
    assert.throws(
      () => {
        const command = parseCommand(argv);
        command.number('nodes');
        command.number('port-offset');
      },
      (error: unknown) => error instanceof UsageError && message.test(error.message),
    );
  });

test('completionScript() names every verb for every shell and refuses other shells', () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = completionScript(shell);
    for (const { name } of verbs) assert.ok(script.includes(name), `${shell} knows ${name}`);
  }
  assert.throws(() => completionScript('__proto__'), UsageError);
});

test('table() sets columns three spaces apart without trailing space', () => {
  assert.equal(
    table([
      ['NAME', 'READY'],
      ['web', '1/1'],
    ]),
    'NAME   READY\nweb    1/1\n',
  );
});

test('parseBytes() reads sizes as Kubernetes writes them', () => {
  assert.equal(parseBytes('4Gi'), 4 * 2 ** 30);
  assert.equal(parseBytes('1.5M'), 1_500_000);
  assert.equal(parseBytes('12'), 12);
  assert.equal(parseBytes('4 GB'), undefined);
});

test('describeObject() shows nested fields by their names and leaves bookkeeping out', () => {
  const text = describeObject(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' }, managedFields: [{}] },
      spec: { containers: [{ name: 'main', image: 'web:1' }] },
    },
    [
      {
        type: 'Warning',
        reason: 'BackOff',
        message: 'again',
        lastTimestamp: '2026-01-01T00:00:00Z',
      },
    ],
  );
  assert.match(text, /Labels:\n {2}app: {2}web/);
  assert.match(text, /Containers:\n {4}main:\n {6}Name: {2}main\n {6}Image: {2}web:1/);
  assert.match(text, /Warning +BackOff/);
  assert.doesNotMatch(text, /anaged/);
});
