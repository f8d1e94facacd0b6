import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  commandLine,
  containerProcesses,
  kill,
  long,
  processPod,
  processesWith,
  sleep,
  startCluster,
  until,
  waitForever,
} from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import { Follower, Storm } from './storm.ts';

const core = '/api/v1/namespaces/default';

test('A server killed in a write storm loses no acknowledged write, half-writes none, and its watches go on', async (t) => {
  await using cluster = await startCluster();
  await cluster.call('POST', `${core}/pods`, processPod('steady', waitForever));
  const before = await cluster.running('steady');
  const processes = containerProcesses(cluster);
  const storm = new Storm(cluster);
  await storm.begin();
  const follower = new Follower(cluster);
  const stop = new AbortController();
  const following = follower.run(stop.signal);
  const kills = long ? 50 : 5;
  for (let turn = 0; turn < kills; turn++) {
    const round = new AbortController();
    const writing = storm.run(round.signal);
    await sleep(200 + Math.random() * 800);
    kill(cluster.pid('server'));
    await sleep(Math.random() * 50);
    round.abort();
    await writing;
    cluster.forget();
    await serving(cluster);
    assert.deepEqual(await storm.problems(), [], `after kill ${turn + 1}`);
  }
  // One more write, whose event comes last of all.
  const last = await cluster.call('POST', '/api/v1/namespaces/storm/configmaps', {
    metadata: { name: 'last' },
  });
  const end = Number(last['metadata']?.['resourceVersion']);
  await until('the watch is at the end', () => follower.reached(end) || undefined);
  stop.abort();
  await following;
  const missed = [...storm.written].filter(
    ([version, text]) => follower.seen.get(version) !== text,
  );
  assert.deepEqual(missed.slice(0, 5), [], `${missed.length} events were missed`);
  assert.deepEqual(follower.problems, []);
  const after = await cluster.running('steady');
  assert.deepEqual(after['status']?.['containerStatuses'], before['status']?.['containerStatuses']);
  assert.deepEqual(containerProcesses(cluster).filter(isShell), processes.filter(isShell));
  const { acknowledged, broken } = storm.report;
  t.diagnostic(`${kills} kills, ${acknowledged} acknowledged writes, ${broken} in doubt`);
  assert.ok(acknowledged > kills * 100, `only ${acknowledged} writes`);
});

/** The loop of the Pod, not the `sleep` that it runs ten times a second. */
function isShell(pid: number): boolean {
  return commandLine(pid).includes('sh -c');
}

async function serving(cluster: Cluster): Promise<void> {
  await until(
    'the server serves again',
    async () => (await cluster.api('GET', '/readyz')).status === 200 || undefined,
    40,
  );
}

test('An agent killed at random moments of Pod lives adopts what runs and doubles or orphans nothing', async (t) => {
  await using cluster = await startCluster();
  const node = `${cluster.name}-1`;
  const starts = (name: string): string => join(cluster.home, `starts-${name}`);
  // Each container leaves its process id where it cannot be doubled unseen.
  const pod = (name: string, script: string, spec: object = {}): Promise<Json> =>
    cluster.call(
      'POST',
      `${core}/pods`,
      processPod(name, `echo $$ >>${starts(name)}; ${script}`, spec),
    );
  await pod('steady', waitForever);
  const steady = await cluster.running('steady');
  const pids = containerProcesses(cluster).filter(isShell);
  const kills = long ? 20 : 4;
  for (let turn = 0; turn < kills; turn++) {
    const name = (what: string): string => `${what}-${turn}`;
    await pod(name('leaver'), waitForever);
    await pod(name('runner'), waitForever);
    await cluster.running(name('leaver'));
    await cluster.running(name('runner'));
    // Ends while nobody looks, or just before or after.
    await pod(name('ender'), `sleep 0.${Math.floor(Math.random() * 9)}; exit ${7 + turn}`, {
      restartPolicy: 'Never',
    });
    await cluster.call('DELETE', `${core}/pods/${name('leaver')}`);
    await pod(name('comer'), waitForever);
    await sleep(Math.random() * 300);
    kill(cluster.pid(node));
    await cluster.podThat(
      name('ender'),
      (now) => String(now['status']?.['phase']) === 'Failed',
      30,
    );
    const ender = await cluster.pod(name('ender'));
    const ended = ender?.['status']?.['containerStatuses']?.[0]?.['state']?.['terminated'];
    assert.equal(Number(ended?.['exitCode']), 7 + turn, JSON.stringify(ender?.['status']));
    await cluster.running(name('comer'));
    await until('the deleted Pod is gone', async () =>
      (await cluster.pod(name('leaver'))) === undefined ? true : undefined,
    );
    for (const what of ['runner', 'ender', 'comer', 'leaver'])
      assert.equal(startsOf(starts(name(what))), 1, `${name(what)} started once`);
  }
  assert.deepEqual(
    (await cluster.running('steady'))['status']?.['containerStatuses'],
    steady['status']?.['containerStatuses'],
  );
  assert.ok(pids.every((pid) => containerProcesses(cluster).includes(pid)));
  const pods = [...((await cluster.call('GET', `${core}/pods`))['items'] ?? [])];
  const running = pods.filter((one) => String(one['status']?.['phase']) === 'Running');
  assert.equal(running.length, 1 + 2 * kills);
  assert.equal(
    running.every(
      (one) => Number(one['status']?.['containerStatuses']?.[0]?.['restartCount']) === 0,
    ),
    true,
  );
  // One shell and one conmon for each that runs, none for those that ended. A shell that forks
  // its `sleep` looks like two for a moment.
  await until('one shell for each that runs', () =>
    Promise.resolve(
      containerProcesses(cluster).filter(isShell).length === running.length || undefined,
    ),
  );
  assert.equal(conmons(cluster).length, running.length);
  t.diagnostic(`${kills} kills, ${pods.length} Pods are left`);
});

function startsOf(path: string): number {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0;
}
function conmons(cluster: Cluster): readonly number[] {
  return processesWith((line) => line.includes('conmon') && line.includes(`${cluster.dataDir}/`));
}
