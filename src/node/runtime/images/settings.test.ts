import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { registrySettings } from './settings.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-settings-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

test('the example of the papers is read as they say', () => {
  const paper = readFileSync(join(import.meta.dirname, '../../../../docs/nodes.md'), 'utf8');
  const example = /```json\n([^]*?)```/.exec(paper)?.[1] ?? '';
  writeFileSync(at('example-ca.pem'), 'ONE');
  writeFileSync(at('company-ca.pem'), 'ALL');
  writeFileSync(at('config.json'), '{"auths":{}}');
  writeFileSync(at('registries.json'), example.replace('/root/.docker/config.json', 'config.json'));
  const options = registrySettings(at('registries.json'))();
  assert.deepEqual(JSON.parse(JSON.stringify(options)), {
    mirrors: { 'docker.io': ['https://mirror.example.com'] },
    caByHost: { 'registry.example.com:5000': 'ONE' },
    insecure: ['lab.example.com'],
    ca: 'ALL',
    credentials: [
      {
        auths: {
          'registry.example.com:5000': { username: 'ci', password: 'secret', identitytoken: '' },
          'lab.example.com': { username: '', password: '', identitytoken: 'token' },
        },
      },
      { auths: {} },
    ],
  });
});

test('without a file there are only the fixed settings, and what is unchanged is not read again', () => {
  const path = at('later.json');
  const read = registrySettings(path, { stallMs: 5 });
  assert.deepEqual(read(), { stallMs: 5 });
  assert.equal(read(), read());
  writeFileSync(path, '{"registries":{"a.example":{"insecure":true}}}');
  const first = read();
  assert.deepEqual([first.insecure, first.stallMs], [['a.example'], 5]);
  assert.equal(read(), first);
  rmSync(path);
  assert.equal(read().insecure?.length ?? 0, 0);
});

test('a change of a file that is named counts as one of its own', () => {
  writeFileSync(at('ca.pem'), 'OLD');
  writeFileSync(at('named.json'), '{"caFiles":["ca.pem"]}');
  const read = registrySettings(at('named.json'));
  assert.equal(read().ca, 'OLD');
  writeFileSync(at('ca.pem'), 'NEWER');
  assert.equal(read().ca, 'NEWER');
});

test('a file that became unreadable refuses until it is mended', () => {
  const path = at('broken.json');
  writeFileSync(path, '{}');
  const read = registrySettings(path);
  read();
  writeFileSync(path, '{"registries":');
  assert.throws(read, { reason: 'ErrImagePull', message: /^Cannot read .*broken\.json: / });
  assert.throws(read, /Cannot read/);
  writeFileSync(path, '{}');
  assert.deepEqual(read().mirrors, Object.create(null));
});
