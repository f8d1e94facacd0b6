/** The official Python client: list, watch, create, patch, exec, delete. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { startInteropCluster } from './harness.ts';

const folder = resolve(import.meta.dirname, '../../.tools/python-kubernetes');
const python = join(folder, 'bin/python');
const script = join(import.meta.dirname, 'smoke.py');
let cluster: Cluster | undefined;

function install(): void {
  const steps = [
    ['python3', ['-m', 'venv', folder]],
    [python, ['-m', 'pip', 'install', '-q', 'kubernetes']],
  ] as const;
  if (existsSync(python) && spawnSync(python, ['-c', 'import kubernetes']).status === 0) return;
  for (const [program, args] of steps) {
    const step = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
    assert.equal(step.status, 0, `${program} ${args.join(' ')}: ${step.stderr}`);
  }
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
