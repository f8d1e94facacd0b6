import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CallRejected } from '#mesos/protocol';
import { masterLog } from './master-log.ts';

test('The master shows its log and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'master-log-'));
  try {
    const real = join(folder, 'server.log');
    writeFileSync(real, 'one\ntwo\n');
    const files = masterLog(real);
    const [info, ...others] = await files.browse('/master/');
    assert.deepEqual(others, []);
    assert.equal(`${info?.path} ${info?.size}`, '/master/log 8');
    assert.deepEqual(await files.browse('/master/log'), []);
    const { size, data } = await files.read('/master/log', { offset: 4, length: 3 });
    assert.equal(`${size} ${Buffer.from(data).toString()}`, '8 two');
    assert.equal((await files.read('/master/log', { offset: 99 })).data.length, 0);
    for (const path of ['/etc/passwd', real, '/master/log/../../etc/passwd'])
      await assert.rejects(files.read(path, { offset: 0 }), new CallRejected(404, ''));
    await assert.rejects(
      files.open('/master', 'download'),
      new CallRejected(400, 'Cannot download a directory.'),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
