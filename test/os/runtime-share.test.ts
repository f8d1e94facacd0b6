import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Container, ContainerSpec, Image } from '#node/runtime';
import {
  busyboxLayer,
  containerSpec,
  dockerArchive,
  leftovers,
  once,
  openFixture,
  sandboxSpec,
  textOf,
  until,
  type Fixture,
} from './runtime-kit.ts';

const mib = 2 ** 20;
const share = { cpuMillis: 500, memoryBytes: 64 * mib };
const never = new AbortController().signal;
const { security } = containerSpec('', { imageId: '' });
let fixture: Fixture;
let image: Image;

before(async () => {
  fixture = await openFixture({ share });
  const archive = await dockerArchive({ name: 'box:1', layers: [await busyboxLayer()] });
  const [loaded] = await fixture.runtime.images.load(once(archive));
  assert.ok(loaded);
  image = loaded;
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
  assert.deepEqual(leftovers(fixture), []);
});

interface Started {
  readonly id: string;
  readonly log: () => string;
}
async function start(change: Partial<ContainerSpec>): Promise<Started> {
  const { runtime } = fixture;
  const sandbox = await runtime.createSandbox(sandboxSpec(), never);
  const spec = containerSpec(fixture.folder, { imageId: image.id, ...change });
  const container = await runtime.createContainer(sandbox.id, spec);
  await runtime.startContainer(container.id);
  return { id: container.id, log: () => readFileSync(spec.logPath, 'utf8') };
}
const exited = (id: string): Promise<Container> =>
  until(`end of ${id}`, () => {
    const now = fixture.runtime.container(id);
    return now?.state === 'exited' && now;
  });
const sh = (script: string): Partial<ContainerSpec> => ({ command: ['/bin/sh', '-c', script] });

/** The text of the group's file that is there: version 1 or 2. */
function limitOf(path: string, names: readonly [string, string]): string {
  for (const at of [`${names[0]}`, `${names[1]}`])
    try {
      const [controller = '', file = ''] = at.split(':');
      return readFileSync(join('/sys/fs/cgroup', controller, path, file), 'utf8').trim();
    } catch (cause) {
      if (!(cause instanceof Error) || !cause.message.includes('ENOENT')) throw cause;
    }
  throw new Error(`Cannot find ${names.join(' or ')} of ${path}`);
}
const quotaOf = (path: string): string => limitOf(path, ['cpu:cpu.cfs_quota_us', ':cpu.max']);

test('the share is written to the node group and reported as the machine', async () => {
  const group = `${fixture.options.cgroupRoot}/n1`;
  assert.match(quotaOf(group), /^50000\b/);
  assert.equal(
    limitOf(group, ['memory:memory.limit_in_bytes', ':memory.max']),
    String(share.memoryBytes),
  );
  const machine = await fixture.runtime.machine();
  assert.deepEqual([machine.cpuMillis, machine.memoryBytes], [500, share.memoryBytes]);
  assert.ok(machine.pidsMax > machine.pids && machine.pids > 0);
  assert.ok(machine.filesystemInodes >= machine.filesystemInodesFree);
});

test('containers of different Pods together get no more CPU time than the share', async () => {
  const busy = sh('while :; do :; done');
  const all = [await start(busy), await start({ ...busy, resources: { cpuQuotaUs: 300_000 } })];
  const used = async (): Promise<number> => {
    const stats = await Promise.all(all.map(({ id }) => fixture.runtime.containerStats(id)));
    return stats.reduce((sum, one) => sum + (one?.cpuNanos ?? 0), 0);
  };
  const [beforeNanos, beganMs] = [await used(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const cores = ((await used()) - beforeNanos) / 1e6 / (performance.now() - beganMs);
  for (const { id } of all) await fixture.runtime.stopContainer(id, { graceMs: 0 });
  assert.ok(cores < 0.7, `${cores} cores were used of 0.5`);
});

test('a container without a limit of its own is killed for memory beyond the share', async () => {
  const { id } = await start(sh('x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'));
  assert.equal((await exited(id)).exitCode, 137);
});

test('limits change in place while the process runs on, and outlive the agent', async () => {
  const { id } = await start({
    ...sh('sleep 500'),
    resources: { cpuQuotaUs: 10_000, memoryBytes: 8 * mib },
  });
  const { pid, sandboxId } = fixture.runtime.container(id) ?? {};
  await fixture.runtime.updateSandboxResources(sandboxId ?? '', { cpuQuotaUs: 40_000 });
  await fixture.runtime.updateResources(id, { cpuQuotaUs: 20_000, memoryBytes: 16 * mib });
  const line = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const group = /^\d+:(?:cpu[^:]*)?:(\/tandem.*)$/m.exec(line)?.[1] ?? '';
  assert.match(quotaOf(group), /^20000\b/);
  assert.match(quotaOf(join(group, '..')), /^40000\b/);
  const runtime = await fixture.reopen();
  assert.equal(runtime.container(id)?.pid, pid);
  assert.deepEqual(runtime.container(id)?.spec.resources, {
    cpuQuotaUs: 20_000,
    memoryBytes: 16 * mib,
  });
  await runtime.stopContainer(id, { graceMs: 0 });
});

test('a container whose conmon is killed under a living agent ends as lost', async () => {
  const { id } = await start(sh('sleep 500'));
  const path = join(fixture.options.dataDir, 'containers', id, 'conmon.pid');
  process.kill(Number(readFileSync(path, 'utf8')), 'SIGKILL');
  const end = await exited(id);
  assert.equal(end.exitCode, 137);
  assert.match(end.message, /conmon/);
});

test('an exec ends when its container is killed', async () => {
  const { id } = await start(sh('sleep 500'));
  const options = { tty: false, stdin: false, stdout: true, stderr: true };
  const command = ['/bin/sh', '-c', 'echo in; sleep 500'];
  const running = await fixture.runtime.exec(id, { ...options, command });
  const text = textOf(running.stdout);
  await fixture.runtime.stopContainer(id, { graceMs: 0 });
  assert.notEqual(await running.exited, 0);
  await text;
});

test('recursively read-only mounts hold below their inner mounts too', async () => {
  const outer = join(fixture.folder, 'outer');
  const inner = join(outer, 'inner');
  mkdirSync(inner, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', inner]);
  try {
    const mount = { hostPath: outer, readOnly: true, propagation: 'private' } as const;
    const { id, log } = await start({
      ...sh('echo x > /plain/inner/a && echo plain; echo x > /deep/inner/b || echo refused'),
      mounts: [
        { ...mount, containerPath: '/plain' },
        { ...mount, containerPath: '/deep', recursiveReadOnly: true },
      ],
    });
    await exited(id);
    assert.match(log(), /plain/);
    assert.match(log(), /refused/);
  } finally {
    execFileSync('umount', [inner]);
  }
});

test('strict supplementary groups leave out those of the image, and are told', async () => {
  const own = { ...security, runAsUserName: 'app', supplementalGroups: [77] };
  const merged = await start({ ...sh('id'), security: own });
  const strict = await start({
    ...sh('id'),
    security: { ...own, supplementalGroupsPolicy: 'Strict' },
  });
  const groups = [];
  for (const { id, log } of [merged, strict]) {
    const { gid, groups: told } = await exited(id);
    groups.push([gid, told, /groups=(\S+)/.exec(log())?.[1]]);
  }
  assert.deepEqual(groups, [
    [1001, [77, 50], '50(staff),77'],
    [1001, [77], '77'],
  ]);
});

test('a device of the host appears under the name asked for', async () => {
  const { id, log } = await start({
    ...sh('busybox head -c 4 /dev/nought | busybox od -An -tx1'),
    devices: [{ path: '/dev/nought', hostPath: '/dev/zero' }],
  });
  assert.equal((await exited(id)).exitCode, 0, log());
  assert.match(log(), /00 00 00 00/);
});

test('a seccomp profile of the machine is applied, one that is missing refused by its path', async () => {
  const path = join(fixture.folder, 'no-chmod.json');
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['chmod', 'fchmodat'], action: 'SCMP_ACT_ERRNO' }],
  };
  writeFileSync(path, JSON.stringify(profile));
  const { id, log } = await start({
    ...sh('busybox chmod 700 /tmp || echo refused'),
    security: { ...security, seccomp: { localhostProfile: path } },
  });
  await exited(id);
  assert.match(log(), /refused/);
  const absent = start({
    ...sh('true'),
    security: { ...security, seccomp: { localhostProfile: `${path}.not` } },
  });
  await assert.rejects(absent, { reason: 'CreateContainerError', message: /no-chmod\.json\.not/ });
});
