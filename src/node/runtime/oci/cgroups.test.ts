import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { Cgroups, weightOf } from './cgroups.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A tree of plain files in the kernel's place, and the mount table that leads to it. */
function tree(layout: 'v1' | 'v2' | 'hybrid'): { readonly root: string; readonly table: string } {
  const root = mkdtempSync(join(tmpdir(), 'tandem-cgroups-'));
  folders.push(root);
  const line = (point: string, type: string, options: string): string =>
    `30 25 0:26 / ${root}/${point} rw,nosuid shared:9 - ${type} cgroup rw,${options}`;
  const controllers = ['cpu,cpuacct', 'memory', 'pids', 'cpuset', 'freezer'];
  const v1 = controllers.map((name) => line(name, 'cgroup', name));
  const v2 = line('unified', 'cgroup2', 'nsdelegate');
  for (const name of [...controllers, 'unified']) mkdirSync(join(root, name));
  const lines = { v1, v2: [v2], hybrid: [...v1, v2] }[layout];
  return { root, table: lines.join('\n') };
}

/** Every file below, as "path = content". */
function filesOf(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path.slice(root.length + 1)} = ${readFileSync(path, 'utf8')}`)
    .toSorted();
}
function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const limits = {
  cpuShares: 512,
  cpuQuotaUs: 50_000,
  memoryBytes: 64 * 2 ** 20,
  pids: 100,
  cpusetCpus: '0-1',
};
const pod = '/tandem-x/n1/burstable/pod1';

test('the layout is told by the mount table', () => {
  const seen = (['v1', 'v2', 'hybrid'] as const).map((name) => Cgroups.probe(tree(name).table));
  assert.deepEqual(
    seen.map(({ layout, isV2 }) => [layout, isV2]),
    [
      ['v1', false],
      ['v2', true],
      ['hybrid', false],
    ],
  );
});

test('version 1: each limit is a file of its own controller', () => {
  const { root, table } = tree('v1');
  put(root, `cpuset${pod}/cpuset.cpus`, '');
  Cgroups.probe(table).make(pod, limits);
  assert.deepEqual(filesOf(root), [
    `cpu,cpuacct${pod}/cpu.cfs_quota_us = 50000`,
    `cpu,cpuacct${pod}/cpu.shares = 512`,
    `cpuset${pod}/cpuset.cpus = 0-1`,
    `memory${pod}/memory.limit_in_bytes = 67108864`,
    `pids${pod}/pids.max = 100`,
  ]);
});

test('version 1: zero takes a limit away', () => {
  const { root, table } = tree('v1');
  const cgroups = Cgroups.probe(table);
  cgroups.make(pod, {});
  cgroups.limit(pod, { cpuShares: 0, cpuQuotaUs: 0, memoryBytes: 0, pids: 0 });
  assert.deepEqual(filesOf(root), [
    `cpu,cpuacct${pod}/cpu.cfs_quota_us = -1`,
    `cpu,cpuacct${pod}/cpu.shares = 2`,
    `memory${pod}/memory.limit_in_bytes = -1`,
    `pids${pod}/pids.max = max`,
  ]);
});

test('version 2: one group, its parents hand their controllers down', () => {
  const { root, table } = tree('v2');
  Cgroups.probe(table).make(pod, limits);
  const handed = '+io'; // each controller is written by itself: the file holds the last one
  const parents = ['', '/tandem-x', '/tandem-x/n1', '/tandem-x/n1/burstable', pod];
  assert.deepEqual(
    filesOf(root),
    [
      ...parents.map((path) => `unified${path}/cgroup.subtree_control = ${handed}`),
      `unified${pod}/cpu.max = 50000 100000`,
      `unified${pod}/cpu.weight = ${weightOf(512)}`,
      `unified${pod}/cpuset.cpus = 0-1`,
      `unified${pod}/memory.max = 67108864`,
      `unified${pod}/pids.max = 100`,
    ].toSorted(),
  );
});

test('version 2: zero takes a limit away', () => {
  const { root, table } = tree('v2');
  const cgroups = Cgroups.probe(table);
  cgroups.make(pod, {});
  cgroups.limit(pod, { cpuShares: 2, cpuQuotaUs: 0, memoryBytes: 0, pids: 0 });
  assert.deepEqual(
    filesOf(root).filter((line) => !line.includes('subtree_control')),
    [
      `unified${pod}/cpu.max = max 100000`,
      `unified${pod}/cpu.weight = 1`,
      `unified${pod}/memory.max = max`,
      `unified${pod}/pids.max = max`,
    ],
  );
});

test('a share bounds the node, and no group below asks for more CPU time', () => {
  for (const layout of ['v1', 'hybrid', 'v2'] as const) {
    const { root, table } = tree(layout);
    const cgroups = Cgroups.probe(table);
    const v2 = layout === 'v2';
    const [cpu, memory] = v2 ? ['unified', 'unified'] : ['cpu,cpuacct', 'memory'];
    // A Pod of an earlier start with a larger share.
    if (!v2) put(root, `${cpu}${pod}/cpu.cfs_quota_us`, '400000');
    cgroups.share('/tandem-x/n1', { cpuMillis: 1500, memoryBytes: 2 ** 30 });
    assert.equal(cgroups.quotaUsMax, 150_000);
    const read = (path: string): string => readFileSync(join(root, path), 'utf8');
    const cpuFile = v2 ? 'cpu.max' : 'cpu.cfs_quota_us';
    const memoryFile = v2 ? 'memory.max' : 'memory.limit_in_bytes';
    assert.equal(read(`${cpu}/tandem-x/n1/${cpuFile}`), v2 ? '150000 100000' : '150000');
    assert.equal(read(`${memory}/tandem-x/n1/${memoryFile}`), '1073741824');
    if (!v2) assert.equal(read(`${cpu}${pod}/${cpuFile}`), '150000');
    cgroups.make(pod, { cpuQuotaUs: 400_000 });
    assert.equal(read(`${cpu}${pod}/${cpuFile}`), v2 ? '150000 100000' : '150000');
    // Without a share the next start takes the limits away.
    Cgroups.probe(table).share('/tandem-x/n1', {});
    assert.equal(read(`${cpu}/tandem-x/n1/${cpuFile}`), v2 ? 'max 100000' : '-1');
    assert.equal(read(`${memory}/tandem-x/n1/${memoryFile}`), v2 ? 'max' : '-1');
  }
});

test('a node without a share makes no group before its first Pod', () => {
  const { root, table } = tree('v1');
  Cgroups.probe(table).share('/tandem-x/n1', {});
  assert.deepEqual(filesOf(root), []);
});

test('usage and kills for want of memory are read from either version', () => {
  const v1 = tree('v1');
  put(v1.root, `memory${pod}/memory.usage_in_bytes`, '5000\n');
  put(v1.root, `memory${pod}/memory.stat`, 'total_rss 2000\ntotal_inactive_file 1000\n');
  put(v1.root, `memory${pod}/memory.oom_control`, 'under_oom 0\noom_kill 3\n');
  put(v1.root, `cpu,cpuacct${pod}/cpuacct.usage`, '777\n');
  put(v1.root, `cpu,cpuacct${pod}/cpuacct.stat`, 'user 3\nsystem 2\n');
  put(v1.root, `pids${pod}/pids.current`, '4\n');
  const v2 = tree('v2');
  put(v2.root, `unified${pod}/memory.current`, '5000\n');
  put(v2.root, `unified${pod}/memory.stat`, 'anon 2000\ninactive_file 1000\n');
  put(v2.root, `unified${pod}/memory.events`, 'oom 3\noom_kill 3\n');
  put(v2.root, `unified${pod}/cpu.stat`, 'usage_usec 777\nuser_usec 500\nsystem_usec 277\n');
  put(v2.root, `unified${pod}/pids.current`, '4\n');
  const common = {
    memoryUsageBytes: 5000,
    memoryWorkingSetBytes: 4000,
    memoryRssBytes: 2000,
    pids: 4,
  };
  const [one, two] = [Cgroups.probe(v1.table), Cgroups.probe(v2.table)];
  assert.deepEqual(one.usage(pod), {
    ...common,
    cpuNanos: 777,
    cpuUserNanos: 30_000_000,
    cpuSystemNanos: 20_000_000,
  });
  assert.deepEqual(two.usage(pod), {
    ...common,
    cpuNanos: 777_000,
    cpuUserNanos: 500_000,
    cpuSystemNanos: 277_000,
  });
  assert.deepEqual([one.oomKills(pod), two.oomKills(pod)], [3, 3]);
});

test('version 2 ends a group with one write', () => {
  const { root, table } = tree('v2');
  put(root, `unified${pod}/cgroup.kill`, '');
  Cgroups.probe(table).kill(pod);
  assert.equal(readFileSync(join(root, `unified${pod}/cgroup.kill`), 'utf8'), '1');
});

test('weights follow from shares as the reference converts them', () => {
  assert.deepEqual([2, 102, 512, 1024, 262_144].map(weightOf), [1, 4, 20, 39, 10_000]);
});
