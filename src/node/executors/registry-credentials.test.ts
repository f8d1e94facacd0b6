import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeSandboxFiles } from './fake-files.ts';
import { registryCredentials } from './registry-credentials.ts';

const auths = { 'registry.example': { auth: 'YTpi' } };

async function sandbox(): Promise<FakeSandboxFiles> {
  const files = new FakeSandboxFiles();
  await files.makeDir('/sandbox/.docker');
  await files.makeDir('/home');
  return files;
}

suite('Registry credentials that were fetched', () => {
  test('A docker configuration in the sandbox lets a task in, the older form too', async () => {
    const files = await sandbox();
    files.put('/sandbox/.dockercfg', JSON.stringify(auths));
    assert.deepEqual(await registryCredentials(files, '/sandbox'), [{ auths }]);
    files.put('/sandbox/.docker/config.json', JSON.stringify({ auths }));
    assert.deepEqual(await registryCredentials(files, '/sandbox'), [{ auths }]);
  });

  test('What is no configuration, or lies elsewhere, is none', async () => {
    const files = await sandbox();
    assert.deepEqual(await registryCredentials(files, '/sandbox'), []);
    files.put('/sandbox/.docker/config.json', 'not JSON');
    assert.deepEqual(await registryCredentials(files, '/sandbox'), []);
    files.put('/home/config.json', JSON.stringify({ auths }));
    await files.remove('/sandbox/.docker/config.json');
    await files.link('/home/config.json', '/sandbox/.docker/config.json');
    assert.deepEqual(await registryCredentials(files, '/sandbox'), []);
  });
});
