import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read } from './read.ts';
import { listText, objectText, textOf } from './write.ts';

test('textOf() writes doubles with a fraction and whole numbers without', () => {
  const text = textOf('App', read('App', { id: '/foo', cmd: 'sleep 1000' }));
  assert.equal(
    text,
    '{"id":"/foo","backoffFactor":1.15,"backoffSeconds":1,"cmd":"sleep 1000","cpus":1.0,' +
      '"disk":0.0,"executor":"","instances":1,"labels":{},"maxLaunchDelaySeconds":300,"mem":128.0,' +
      '"gpus":0,"networks":[],"requirePorts":false,"killSelection":"YOUNGEST_FIRST"}',
  );
});

test('textOf() keeps empty lists that are told apart from absent ones', () => {
  const app = read('App', { id: '/a', portDefinitions: [], args: [], env: {}, constraints: [] });
  const text = textOf('App', app);
  assert.match(text, /"portDefinitions":\[\]/);
  assert.doesNotMatch(text, /args|env|constraints/);
});

test('textOf() writes the variant of a union that fits', () => {
  const volumes = [
    { containerPath: 'd', mode: 'RW', persistent: { size: 5 } },
    { containerPath: 's', secret: 'x' },
    { containerPath: 'h', hostPath: '/h', mode: 'RO' },
    { containerPath: 'e', mode: 'RW', external: { name: 'n', provider: 'dvdi', size: 3 } },
  ];
  const app = read('App', { id: '/a', container: { type: 'MESOS', volumes } });
  assert.deepEqual(JSON.parse(textOf('App', app)).container.volumes, [
    { containerPath: 'd', persistent: { size: 5, constraints: [] }, mode: 'RW' },
    { containerPath: 's', secret: 'x' },
    { containerPath: 'h', hostPath: '/h', mode: 'RO' },
    {
      containerPath: 'e',
      external: { size: 3, name: 'n', provider: 'dvdi', shared: false },
      mode: 'RW',
    },
  ]);
});

test('textOf() writes limits as a number or a word', () => {
  const app = read('App', { id: '/a', resourceLimits: { cpus: 2, mem: 'unlimited' } });
  assert.match(textOf('App', app), /"resourceLimits":\{"cpus":2\.0,"mem":"unlimited"\}/);
});

test('listText() and objectText() join what is written already', () => {
  assert.equal(
    objectText({ apps: listText('Identifiable', [{ id: 'a' }]) }),
    '{"apps":[{"id":"a"}]}',
  );
});
