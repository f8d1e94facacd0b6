import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '#io';
import { openSqliteStore } from '#store';
import {
  Cluster,
  checkout,
  kill,
  output,
  processPod,
  run,
  sleep,
  startCluster,
  until,
  waitForever,
} from './cluster.ts';
import type { Ended } from './cluster.ts';

/** One line that says what is the case, and no stack. */
function oneLine(ended: Ended, text: RegExp): void {
  assert.equal(ended.code, 1, ended.out + ended.err);
  const lines = ended.err
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('starting '));
  assert.equal(lines.length, 1, ended.err);
  assert.match(lines[0] ?? '', text);
}

test('A port that is taken names its holder, and nothing is left running', async () => {
  await using cluster = new Cluster();
  const holder = createServer().listen(6443 + cluster.offset, '127.0.0.1');
  await once(holder, 'listening');
  try {
    const ended = await cluster.tandem('up', '--port-offset', String(cluster.offset));
    oneLine(ended, new RegExp(`port ${6443 + cluster.offset} .*taken by .*${process.pid}`));
  } finally {
    holder.close();
    await once(holder, 'close');
  }
  await cluster.up();
});

test('A data directory in use by another process is refused with its process id', async () => {
  await using cluster = await startCluster();
  await cluster.must('down');
  {
    await using _store = await openSqliteStore({
      path: join(cluster.dataDir, 'server/store.db'),
      clock: systemClock,
    });
    oneLine(await cluster.tandem('up'), new RegExp(`in use by process ${process.pid}`));
  }
  await cluster.up();
});

test('A data directory of a newer format is refused and left as it is', async () => {
  await using cluster = await startCluster();
  await cluster.must('down');
  const path = join(cluster.dataDir, 'server/store.db');
  const set = (version: number): void => {
    using database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${version}`);
  };
  set(99);
  oneLine(await cluster.tandem('up'), /its format is version 99/);
  set(1);
  await cluster.up();
});

test('A read-only data directory is told in one line', async () => {
  const cluster = new Cluster();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-readonly-'));
  const script = `mount -t tmpfs -o ro tmpfs ${folder} && exec "$@"`;
  const up = [
    join(checkout, 'tandem'),
    'up',
    '--name',
    cluster.name,
    '--data-dir',
    `${folder}/data`,
  ];
  const ended = await run(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...up],
    { env: cluster.env },
  );
  oneLine(ended, new RegExp(`${folder}/data .*read-only`));
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test('A folder with other things in it, a bad name and bad sizes are refused', async () => {
  await using cluster = new Cluster();
  writeFileSync(join(cluster.home, 'mine'), '');
  oneLine(await cluster.tandem('up', '--data-dir', cluster.home), /is not empty/);
  const bad = await run(join(checkout, 'tandem'), ['up', '--name', '../x'], { env: cluster.env });
  assert.deepEqual([bad.code, bad.err.includes('--name "../x"')], [2, true]);
  for (const flags of [
    ['--nodes', '0'],
    ['--node-memory', '4'],
    ['--node-cpus', '0'],
    ['--port-offset', '70000'],
  ])
    assert.equal((await cluster.tandem('up', ...flags)).code, 2, flags.join(' '));
});

test('On a full disk writes are refused, reads go on, and it mends itself when there is room', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-full-'));
  await output('mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder);
  try {
    await using cluster = await startCluster({ dataDir: join(folder, 'data') });
    const path = '/api/v1/namespaces/default/configmaps';
    await cluster.call('POST', path, { metadata: { name: 'before' }, data: { a: '1' } });
    await cluster.call(
      'POST',
      '/api/v1/namespaces/default/pods',
      processPod('steady', waitForever),
    );
    const steady = await cluster.running('steady');
    await run('dd', ['if=/dev/zero', `of=${folder}/filler`, 'bs=64k']);
    const big = { filling: 'x'.repeat(200_000) };
    const refusal = await until('a write is refused', async () => {
      const answer = await cluster.api('POST', path, {
        metadata: { generateName: 'big-' },
        data: big,
      });
      return answer.status >= 300 ? answer : undefined;
    });
    assert.ok([500, 507].includes(refusal.status), refusal.text);
    const { kind, status, reason, message } = refusal.json() as unknown as Record<string, string>;
    assert.deepEqual([kind, status], ['Status', 'Failure']);
    assert.match(`${reason} ${message}`, /full|no space/i);
    assert.equal((await cluster.api('GET', `${path}/before`)).status, 200);
    const ready = await until('/readyz says so', async () => {
      const answer = await cluster.api('GET', '/readyz?verbose');
      return answer.status === 200 ? undefined : answer;
    });
    assert.match(ready.text, /full/i);
    assert.equal((await cluster.api('GET', '/livez')).status, 200);
    const doctor = await cluster.tandem('doctor');
    assert.deepEqual([doctor.code, /BAD +disk/.test(doctor.out)], [4, true], doctor.out);
    assert.match(doctor.out, /BAD +API: .*full/);
    oneLine(await cluster.tandem('up'), /cannot be written: its disk is full/);
    await cluster.must('restart');
    cluster.forget();
    assert.equal((await cluster.api('GET', `${path}/before`)).status, 200);
    rmSync(join(folder, 'filler'));
    await until(
      'writes are taken again',
      async () => {
        const answer = await cluster.api('PUT', `${path}/before`, {
          metadata: { name: 'before' },
          data: { a: '2' },
        });
        return answer.status === 200 || undefined;
      },
      30,
    );
    await until(
      '/readyz is well',
      async () => (await cluster.api('GET', '/readyz')).status === 200 || undefined,
    );
    assert.deepEqual(
      (await cluster.running('steady'))['status']?.['containerStatuses'],
      steady['status']?.['containerStatuses'],
    );
    kill(cluster.pid('server'));
    cluster.forget();
    const back = await until('it is back', () => cluster.call('GET', `${path}/before`));
    assert.equal(back['data']?.['a'], '2');
  } finally {
    await run('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  }
});

test('A node that falls silent is NotReady after 40 s, and Ready when it speaks again', async () => {
  await using cluster = await startCluster();
  const node = `${cluster.name}-1`;
  const pids = [cluster.pid(node), cluster.pid(`${node}.supervisor`)];
  const conditions = async (): Promise<string> =>
    [...((await cluster.call('GET', `/api/v1/nodes/${node}`))['status']?.['conditions'] ?? [])]
      .filter((condition) => String(condition['type']) === 'Ready')
      .map((condition) => String(condition['status']))
      .join();
  assert.equal(await conditions(), 'True');
  for (const pid of pids) kill(pid, 'SIGSTOP');
  const startMs = performance.now();
  try {
    await sleep(25_000);
    assert.equal(await conditions(), 'True', 'it may be silent for a while');
    await until('it is NotReady', async () => (await conditions()) === 'Unknown' || undefined, 30);
    const seconds = (performance.now() - startMs) / 1000;
    assert.ok(seconds < 48, `after ${seconds} s`);
    assert.equal((await cluster.status()).healthy, false);
  } finally {
    for (const pid of pids) kill(pid, 'SIGCONT');
  }
  await until('it is Ready again', async () => (await conditions()) === 'True' || undefined, 20);
});
