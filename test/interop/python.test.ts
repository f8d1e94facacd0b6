/** The official Python client: list, watch, create, patch, exec, delete. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { must, pythonIn } from './bring.ts';
import { startInteropCluster } from './harness.ts';

const folder = resolve(import.meta.dirname, '../../.tools/python-kubernetes');
const python = join(folder, 'bin/python');
const script = join(import.meta.dirname, 'smoke.py');
let cluster: Cluster | undefined;

function install(): void {
  if (existsSync(python) && spawnSync(python, ['-c', 'import kubernetes']).status === 0) return;
  must(pythonIn(folder), ['-m', 'pip', 'install', '-q', 'kubernetes']);
}

before(async () => {
  install();
  cluster = await startInteropCluster();
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

test('the Python client lists, watches, creates, patches, executes and deletes', async () => {
  assert.ok(cluster !== undefined);
  const ended = await run(python, [script], { env: cluster.env });
  assert.equal(ended.code, 0, ended.out + ended.err);
  assert.equal(ended.out, 'created\npatched\nrunning\nexec: hello\nwatched\ndeleted\n');
});
