import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemSandboxFiles } from './index.ts';

test('The room for a folder that nobody made yet is that of its file system', async () => {
  const { bytes } = await systemSandboxFiles.space(tmpdir());
  const path = join(tmpdir(), 'nobody', 'made', 'this');
  assert.equal((await systemSandboxFiles.space(path)).bytes, bytes);
});
