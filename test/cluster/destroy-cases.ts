/** Run by destroy.test.ts through own-machine.sh. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { busyboxLayer, dockerArchive } from '../os/runtime-kit.ts';
import {
  Cluster,
  allProcesses,
  checkout,
  kill,
  long,
  output,
  processPod,
  sleep,
  until,
  waitForever,
} from './cluster.ts';
import { cgroupsOf, hostSnapshot } from './host-snapshot.ts';

const theirs = 'apiVersion: v1\nkind: Config # ours\nclusters: []\n';
const image = await dockerArchive({ name: 'box:1', layers: [await busyboxLayer()], gzip: true });

interface Trial {
  readonly name: string;
  readonly flags: readonly string[];
  readonly before?: (cluster: Cluster) => void | Promise<void>;
  readonly during: (cluster: Cluster) => Promise<void>;
}

/** Containers, a Service of each type, volumes, an open port: everything that leaves traces. */
async function work(cluster: Cluster): Promise<void> {
  await cluster.load(image);
  const inNamespace = '/api/v1/namespaces/default';
  await cluster.call('POST', `${inNamespace}/configmaps`, {
    metadata: { name: 'settings' },
    data: { a: '1' },
  });
  for (const type of ['ClusterIP', 'NodePort', 'LoadBalancer'])
    await cluster.call('POST', `${inNamespace}/services`, {
      metadata: { name: `web-${type.toLowerCase()}` },
      spec: { type, selector: { app: 'web' }, ports: [{ port: 8080 }] },
    });
  await cluster.call('POST', `${inNamespace}/pods`, processPod('plain', waitForever));
  await cluster.call('POST', `${inNamespace}/pods`, {
    metadata: { name: 'web', labels: { app: 'web' } },
    spec: {
      shareProcessNamespace: true,
      volumes: [
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        { name: 'disk', emptyDir: {} },
      ],
      containers: [
        {
          name: 'main',
          image: 'box:1',
          command: ['sh', '-c', waitForever],
          ports: [{ containerPort: 8080, hostPort: 18_080 }],
          resources: { limits: { memory: '64Mi', cpu: '100m' } },
          volumeMounts: ['settings', 'memory', 'disk'].map((name) => ({
            name,
            mountPath: `/mnt/${name}`,
          })),
        },
      ],
    },
  });
  await cluster.running('plain');
  await cluster.running('web');
}

/** Starts `up`, and after some time kills it, and with `all` everything it has started as well. */
async function cutOff(
  cluster: Cluster,
  of: { readonly afterMs: number; readonly all: boolean; readonly flags: readonly string[] },
): Promise<void> {
  const child = spawn(
    join(checkout, 'tandem'),
    ['up', '--name', cluster.name, '--port-offset', String(cluster.offset), ...of.flags],
    { env: cluster.env, stdio: 'ignore', detached: true },
  );
  await sleep(of.afterMs);
  try {
    process.kill(-Number(child.pid), 'SIGKILL');
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
  if (!of.all) return;
  for (let turn = 0; turn < 4; turn++) for (const pid of allProcesses(cluster)) kill(pid);
}

const trials: Trial[] = [
  { name: 'after work on one node', flags: [], during: work },
  { name: 'after work on three nodes', flags: ['--nodes', '3'], during: work },
  {
    name: 'after work and down',
    flags: [],
    during: async (cluster) => {
      await work(cluster);
      await cluster.must('down');
    },
  },
  {
    name: 'of a cluster in memory',
    flags: ['--ephemeral'],
    during: work,
  },
  {
    name: 'after kill -9 of everything',
    flags: ['--nodes', '2'],
    during: async (cluster) => {
      await work(cluster);
      for (let turn = 0; turn < 4; turn++) for (const pid of allProcesses(cluster)) kill(pid);
    },
  },
  {
    name: 'where the machine forwards on one link only',
    flags: [],
    before: async () => {
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
      writeFileSync('/proc/sys/net/ipv4/conf/uplink/forwarding', '1');
      writeFileSync('/proc/sys/net/ipv4/conf/all/accept_redirects', '0');
    },
    during: async () => undefined,
  },
];

for (const { name, flags, before, during } of trials)
  test(`destroy leaves nothing ${name}`, () =>
    unchanged(async (cluster) => {
      await cluster.up(...flags);
      await during(cluster);
    }, before));

const points = long ? [20, 60, 100, 150, 200, 250, 300, 350, 400, 500, 600, 800] : [60, 200, 350];
for (const afterMs of points)
  for (const all of [false, true])
    test(`destroy leaves nothing of a start cut off after ${afterMs} ms${all ? ', processes too' : ''}`, () =>
      unchanged((cluster) => cutOff(cluster, { afterMs, all, flags: ['--nodes', '2'] })));

test('up completes a start that was cut off', async () => {
  for (const afterMs of points)
    await unchanged(async (cluster) => {
      await cutOff(cluster, { afterMs, all: true, flags: [] });
      await cluster.up();
      assert.equal((await cluster.status()).healthy, true);
    });
});

/** Runs something with a cluster, destroys it, and compares the machine before and after. */
async function unchanged(
  body: (cluster: Cluster) => Promise<void>,
  before?: Trial['before'],
): Promise<void> {
  const cluster = new Cluster();
  try {
    mkdirSync(join(cluster.home, '.kube'));
    writeFileSync(cluster.kubeconfig, theirs);
    await before?.(cluster);
    const was = await hostSnapshot(cluster.home);
    await body(cluster);
    cluster.forget();
    await cluster.must('destroy', '--yes');
    // The kernel gives up links of namespaces that went in its own time.
    await until(
      'links are gone',
      async () => {
        const now = await output('ip', '-o', 'link');
        return now.trim().split('\n').length === was['links']?.length || undefined;
      },
      3,
    ).catch(() => undefined);
    assert.deepEqual(await hostSnapshot(cluster.home), was);
    assert.deepEqual(cgroupsOf(cluster.name), []);
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
}

test('Of two clusters one is destroyed and the other works on', async () => {
  await using first = new Cluster();
  await unchanged(async (second) => {
    await second.up('--nodes', '2');
    await first.up();
    await work(first);
    await work(second);
    const container = (await first.pod('web'))?.['status']?.['containerStatuses'];
    await second.must('destroy', '--yes');
    assert.deepEqual((await first.pod('web'))?.['status']?.['containerStatuses'], container);
    await first.call('POST', '/api/v1/namespaces/default/pods', processPod('later', waitForever));
    await first.running('later');
    await first.call('DELETE', '/api/v1/namespaces/default/pods/plain');
    await until(
      'the Pod is gone',
      async () => (await first.pod('plain')) === undefined || undefined,
    );
    // Its mount points on the host were those of the others too.
    const token = '/var/run/secrets/kubernetes.io/serviceaccount/token';
    await first.must('exec', 'later', '--', 'test', '-s', token);
    assert.equal((await first.status()).healthy, true);
    assert.equal((await first.tandem('doctor')).code, 0);
    await first.must('destroy', '--yes');
    first.forget();
  });
});

test('A data directory that was there stays, empty', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-data-'));
  const cluster = new Cluster({ dataDir });
  const was = await hostSnapshot(dataDir);
  await cluster.up();
  await cluster[Symbol.asyncDispose]();
  assert.deepEqual(await hostSnapshot(dataDir), was);
  rmSync(dataDir, { recursive: true });
});
