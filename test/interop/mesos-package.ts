/** The npm package mesos-framework 0.5.3, brought as it is, and one framework of it as a process. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../.tools/mesos-framework');
const script = join(import.meta.dirname, 'mesos-framework.cjs');

export function installMesosFramework(): void {
  if (existsSync(join(folder, 'node_modules/mesos-framework'))) return;
  mkdirSync(folder, { recursive: true });
  const manifest = { private: true, dependencies: { 'mesos-framework': '0.5.3' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const flags = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'];
  const env = { ...process.env, PATH: machineFirst(process.env['PATH'] ?? '') };
  const step = spawnSync('npm', flags, { cwd: folder, env, encoding: 'utf8', timeout: 300_000 });
  assert.equal(step.status, 0, `npm ${flags.join(' ')}: ${step.stderr}`);
}

/** The machine's own npm knows its registry and its CA file; the one in `.tools` may not. */
function machineFirst(path: string): string {
  const folders = path.split(':');
  const own = folders.filter((one) => one.includes('/.tools/'));
  return [...folders.filter((one) => !own.includes(one)), ...own].join(':');
}

/** What the framework said, line by line, sorted: its calls overlap. It must end well. */
export async function runMesosFramework(
  masterPort: number,
  { timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {},
): Promise<readonly string[]> {
  const logs = mkdtempSync(join(tmpdir(), 'mesos-framework-'));
  try {
    const child = spawn(process.execPath, ['--no-deprecation', script], {
      cwd: folder,
      env: {
        ...process.env,
        NODE_PATH: join(folder, 'node_modules'),
        MASTER_PORT: String(masterPort),
        LOG_DIR: logs,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let out = '';
    const hear = (chunk: Buffer): void => {
      out += chunk.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const code = await new Promise<number | null>((done) => {
      child.on('close', done);
    });
    assert.equal(code, 0, out);
    // Its stream ends with the teardown, which it may or may not still report.
    return out
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('error Long-running'))
      .toSorted();
  } finally {
    rmSync(logs, { recursive: true, force: true });
  }
}
