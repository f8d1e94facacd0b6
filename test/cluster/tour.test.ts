import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

/** The README's tour as a new user walks it: every line of every shell block, in order. */
const root = join(import.meta.dirname, '../..');
const home = mkdtempSync(join(tmpdir(), 'tandem-tour-'));
const leftovers = ['hello.tar', 'hello2.tar', 'hello-marathon.tar', 'saved.db'];

function shell(line: string): { status: number | null; text: string } {
  const done = spawnSync('sh', ['-c', line], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
    env: { PATH: process.env['PATH'], HOME: home, NO_COLOR: '1' },
  });
  return { status: done.status, text: `${done.stdout}${done.stderr}` };
}

function linesOfTour(): readonly string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  return [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
}

after(() => {
  shell('./tandem destroy --yes');
  rmSync(home, { recursive: true, force: true });
  for (const file of leftovers) rmSync(join(root, file), { force: true });
});

test("Every command of the README's tour works", () => {
  for (const file of leftovers) rmSync(join(root, file), { force: true });
  const up = shell('./tandem up');
  assert.equal(up.status, 0, up.text);
  assert.match(up.text, /Cluster "tandem" is up/);
  const lines = linesOfTour();
  assert.ok(lines.length > 15, 'the tour was found');
  for (const line of lines) {
    const { status, text } = shell(line);
    assert.equal(status, 0, `${line}\n${text}`);
    if (/curl http/.test(line)) assert.match(text, /Hello, world!/, line);
  }
});
