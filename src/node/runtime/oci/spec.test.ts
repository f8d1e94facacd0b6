import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilitiesOf } from './capabilities.ts';
import { Cgroups, weightOf } from './cgroups.ts';
import { signalOf } from './containers.ts';
import { ipOf, numberOf, rangeOf } from './network.ts';
import { argsOf } from './spec.ts';
import { resolveUser } from './users.ts';

const image = { entrypoint: ['/entry'], cmd: ['one'] };
const commands = [
  { name: 'the image alone', command: [], args: [], want: ['/entry', 'one'] },
  { name: 'args', command: [], args: ['two'], want: ['/entry', 'two'] },
  { name: 'command', command: ['/run'], args: [], want: ['/run'] },
  { name: 'both', command: ['/run'], args: ['two'], want: ['/run', 'two'] },
];
for (const { name, command, args, want } of commands)
  test(`argsOf() follows Kubernetes for ${name}`, () => {
    assert.deepEqual(argsOf({ command, args }, image), want);
  });

const all = (1n << 41n) - 1n;
test('capabilitiesOf() drops, then adds, within what is possible', () => {
  const of = (add: readonly string[], drop: readonly string[], privileged = false) =>
    capabilitiesOf({ add, drop, privileged }, all);
  assert.equal(of([], []).length, 14);
  assert.deepEqual(of(['NET_BIND_SERVICE'], ['ALL']), ['CAP_NET_BIND_SERVICE']);
  assert.ok(of(['ALL'], ['SYS_ADMIN']).includes('CAP_BPF'));
  assert.ok(!of(['ALL'], ['SYS_ADMIN']).includes('CAP_SYS_ADMIN'));
  assert.equal(of([], [], true).length, 41);
  assert.deepEqual(
    capabilitiesOf({ add: ['SYS_ADMIN'], drop: ['ALL'], privileged: false }, 0n),
    [],
  );
});

const tables = {
  passwd: 'root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:\n',
  group: 'staff:x:50:root,app\napp:x:1001:\n',
};
const nobody = { runAsUser: undefined, runAsUserName: undefined, runAsGroup: undefined };
const users = [
  { user: '', wish: {}, want: [0, 0, [50]] },
  { user: 'app', wish: {}, want: [1000, 1001, [50]] },
  { user: '1000', wish: {}, want: [1000, 1001, [50]] },
  { user: 'app:staff', wish: {}, want: [1000, 50, [50]] },
  { user: '7:8', wish: {}, want: [7, 8, []] },
  { user: 'app:staff', wish: { runAsUser: 9 }, want: [9, 0, []] },
  { user: 'app', wish: { runAsGroup: 3, supplementalGroups: [4] }, want: [1000, 3, [4, 50]] },
] as const;
for (const { user, wish, want } of users)
  test(`resolveUser() of "${user}" with ${JSON.stringify(wish)}`, () => {
    const found = resolveUser(user, { ...nobody, supplementalGroups: [], ...wish }, tables);
    assert.deepEqual([found.uid, found.gid, found.groups], want);
  });
test('resolveUser() refuses a name that nobody has', () => {
  const wish = { ...nobody, supplementalGroups: [] };
  assert.throws(() => resolveUser('ghost', wish, tables), /unable to find user ghost/);
});

test('signalOf() reads names, numbers and real-time signals', () => {
  assert.deepEqual(['SIGTERM', 'QUIT', '9', 'SIGRTMIN+3', '?'].map(signalOf), [15, 3, 9, 37, 15]);
});

test('rangeOf() gives the addresses between network and broadcast', () => {
  const range = rangeOf('10.1.2.64/26');
  assert.deepEqual([ipOf(range.first), ipOf(range.last)], ['10.1.2.65', '10.1.2.126']);
  assert.equal(ipOf(numberOf('255.0.0.1')), '255.0.0.1');
  for (const bad of ['10.0.0.0', '10.0.0.0/31', '1.2.3/24', 'x/24'])
    assert.throws(() => rangeOf(bad), /Cannot/);
});

test('weightOf() is the kubelet formula', () => {
  assert.deepEqual([weightOf(2), weightOf(1024), weightOf(262_144)], [1, 39, 10_000]);
});

const v2 = '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate';
const v1 = '31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct';
test('Cgroups.probe() tells the three layouts apart', () => {
  const unified = v2.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified');
  assert.deepEqual(
    [v2, v1, `${v1}\n${unified}`].map((table) => Cgroups.probe(table).layout),
    ['v2', 'v1', 'hybrid'],
  );
});
