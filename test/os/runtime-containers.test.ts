import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ContainerSpec, Image, SandboxSpec } from '#node/runtime';
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

let fixture: Fixture;
let image: Image;
const never = new AbortController().signal;

before(async () => {
  const name = process.env['OCI_RUNTIME'];
  fixture = await openFixture(name === 'runc' ? { ociRuntime: name } : {});
  const archive = await dockerArchive({
    name: 'box:1',
    layers: [await busyboxLayer()],
    gzip: true,
  });
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
  readonly sandboxId: string;
  readonly log: () => string;
}
async function start(
  change: Partial<ContainerSpec> = {},
  pod: Partial<SandboxSpec> = {},
): Promise<Started> {
  const { runtime } = fixture;
  const sandbox = await runtime.createSandbox(sandboxSpec(pod), never);
  const spec = containerSpec(fixture.folder, { imageId: image.id, ...change });
  const container = await runtime.createContainer(sandbox.id, spec);
  await runtime.startContainer(container.id);
  return {
    id: container.id,
    sandboxId: sandbox.id,
    log: () => readFileSync(spec.logPath, 'utf8'),
  };
}
const exited = (id: string) =>
  until(`end of ${id}`, () => {
    const now = fixture.runtime.container(id);
    return now?.state === 'exited' && now;
  });
const listening = (id: string, port: number) =>
  until(`port ${port}`, () => {
    const { pid } = fixture.runtime.container(id) ?? {};
    const hex = `:${port.toString(16).toUpperCase()} `;
    return ['tcp', 'tcp6'].some((name) =>
      readFileSync(`/proc/${pid}/net/${name}`, 'utf8').includes(hex),
    );
  });
const sh = (script: string): Partial<ContainerSpec> => ({ command: ['/bin/sh', '-c', script] });

test('a container runs its command and its output and exit code are kept', async () => {
  const { id, log } = await start(sh('echo out; echo err >&2; exit 3'));
  const end = await exited(id);
  assert.equal(end.exitCode, 3);
  assert.match(log(), /^\d{4}-\d\d-\d\dT\S+ stdout F out$/m);
  assert.match(log(), /^\d{4}-\d\d-\d\dT\S+ stderr F err$/m);
  assert.ok((end.finishedMs ?? 0) >= (end.startedMs ?? Infinity) - 1);
});

test('environment, user, groups, working folder and hostname are as the image and Pod say', async () => {
  const script =
    'echo $FROM_IMAGE $MINE $HOSTNAME; id; echo at $PWD; cat /etc/resolv.conf /etc/hosts';
  const { id, log } = await start(
    {
      ...sh(script),
      env: [{ name: 'MINE', value: 'a b' }],
      workingDir: '/made/here',
      security: { ...containerSpec('', { imageId: '' }).security, runAsUserName: 'app' },
    },
    { hostname: 'named', hostAliases: [{ ip: '1.2.3.4', hostnames: ['one', 'two'] }] },
  );
  await exited(id);
  const text = log();
  assert.match(text, /yes a b named/);
  assert.match(text, /uid=1000\(app\) gid=1001\(app\) groups=50\(staff\)/);
  assert.match(text, /at \/made\/here/);
  assert.match(text, /nameserver 10\.96\.0\.10/);
  assert.match(text, /1\.2\.3\.4\tone\ttwo/);
  assert.equal(fixture.runtime.container(id)?.uid, 1000);
});

test('a command that does not exist is refused with its name', async () => {
  await assert.rejects(start({ command: ['/bin/nothing-here'] }), (cause: Error) => {
    assert.equal(cause.name, 'ContainerError');
    assert.match(cause.message, /nothing-here/);
    return true;
  });
});

test('stop sends the signal, then kills the whole group after the grace', async () => {
  const polite = await start(sh('trap "exit 7" TERM; echo set; while :; do sleep 0.02; done'));
  await until('the trap', () => polite.log().includes('set'));
  await fixture.runtime.stopContainer(polite.id, { graceMs: 5_000 });
  assert.equal((await exited(polite.id)).exitCode, 7);
  const stubborn = await start(sh('trap "" TERM; while :; do sleep 0.05; done'));
  await fixture.runtime.stopContainer(stubborn.id, { graceMs: 100 });
  const end = await exited(stubborn.id);
  assert.equal(end.exitCode, 137);
  assert.equal(end.exitSignal, 9);
});

test('more memory than the limit ends the container as killed for memory', async () => {
  const { id } = await start({
    ...sh('x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done'),
    resources: { memoryBytes: 16 * 1024 * 1024 },
  });
  const end = await exited(id);
  assert.equal(end.oomKilled, true);
  assert.equal(end.exitCode, 137);
});

test('exec gives output and exit code, and ends at its timeout', async () => {
  const { id } = await start(sh('sleep 100'));
  const { runtime } = fixture;
  const asked = { timeoutMs: 5_000, outputBytesMax: 1000 };
  const good = await runtime.execSync(id, {
    ...asked,
    command: ['/bin/sh', '-c', 'echo hi; exit 4'],
  });
  assert.deepEqual(
    { code: good.exitCode, text: Buffer.from(good.output).toString(), late: good.timedOut },
    { code: 4, text: 'hi\n', late: false },
  );
  const slow = await runtime.execSync(id, {
    ...asked,
    timeoutMs: 100,
    command: ['/bin/sleep', '50'],
  });
  assert.equal(slow.timedOut, true);
  const listed = await runtime.execSync(id, { ...asked, command: ['/bin/busybox', 'ps'] });
  assert.doesNotMatch(Buffer.from(listed.output).toString(), /sleep 50/);
});

test('exec streams both ways without a terminal', async () => {
  const { id } = await start(sh('sleep 100'));
  const options = { tty: false, stdin: true, stdout: true, stderr: true };
  const command = ['/bin/sh', '-c', 'cat; echo done >&2; exit 5'];
  const process = await fixture.runtime.exec(id, { ...options, command });
  process.stdin?.write(Buffer.from('through'));
  process.stdin?.end();
  const [out, err] = await Promise.all([textOf(process.stdout), textOf(process.stderr)]);
  assert.deepEqual([out, err, await process.exited], ['through', 'done\n', 5]);
});

test('exec with a terminal has one, of the size asked for', async () => {
  const { id } = await start(sh('sleep 100'));
  const options = { tty: true, stdin: true, stdout: true, stderr: false };
  const command = ['/bin/sh', '-c', 'read a; stty size; exit 6'];
  const process = await fixture.runtime.exec(id, { ...options, command });
  await process.resize(99, 33);
  process.stdin?.write(Buffer.from('go\n'));
  const text = await textOf(process.stdout);
  assert.match(text, /33 99/);
  assert.equal(await process.exited, 6);
});

test('attach reaches the main process', async () => {
  const { id } = await start({
    ...sh('read a; echo got $a; exit 0'),
    stdin: true,
    stdinOnce: true,
  });
  const options = { tty: false, stdin: true, stdout: true, stderr: true };
  const process = await fixture.runtime.attach(id, options);
  process.stdin?.write(Buffer.from('word\n'));
  assert.match(await textOf(process.stdout), /got word/);
  await process.exited;
  assert.equal((await exited(id)).exitCode, 0);
});

test('dial reaches a port on loopback inside the Pod', async () => {
  const { id, sandboxId } = await start({
    command: ['/bin/busybox', 'httpd', '-f', '-p', '127.0.0.1:9000', '-h', '/etc'],
  });
  await listening(id, 9000);
  const socket = await fixture.runtime.dial(sandboxId, 9000);
  socket.write(Buffer.from('GET /passwd HTTP/1.0\r\n\r\n'));
  assert.match(await textOf(socket.incoming), /200 OK[^]*app:x:1000/);
  await assert.rejects(fixture.runtime.dial(sandboxId, 9001), /refused/);
});

test('Pods reach each other and their gateway', async () => {
  const server = await start({
    command: ['/bin/busybox', 'httpd', '-f', '-p', '8000', '-h', '/etc'],
  });
  const ip = fixture.runtime.sandboxes().find((one) => one.id === server.sandboxId)?.ip;
  await listening(server.id, 8000);
  const client = await start(sh(`wget -q -O - http://${ip}:8000/passwd`));
  await exited(client.id);
  assert.match(client.log(), /app:x:1000/);
});

test('containers of a Pod that shares its processes see each other', async () => {
  const { runtime } = fixture;
  const sandbox = await runtime.createSandbox(sandboxSpec({ sharePid: true }), never);
  const first = await runtime.createContainer(
    sandbox.id,
    containerSpec(fixture.folder, { imageId: image.id, ...sh('sleep 77') }),
  );
  await runtime.startContainer(first.id);
  const spec = containerSpec(fixture.folder, {
    imageId: image.id,
    command: ['/bin/busybox', 'ps'],
  });
  const second = await runtime.createContainer(sandbox.id, spec);
  await runtime.startContainer(second.id);
  await exited(second.id);
  assert.match(readFileSync(spec.logPath, 'utf8'), /sleep 77/);
  await runtime.stopContainer(first.id, { graceMs: 0 });
  await runtime.stopSandbox(sandbox.id);
  await runtime.removeSandbox(sandbox.id);
  assert.equal(runtime.container(first.id), undefined);
});

test('a plain process runs on the host files as its user and ends with all its children', async () => {
  const { id, log } = await start({
    imageId: undefined,
    command: ['/bin/sh', '-c', 'id -u; ls /usr/bin/crun; echo $$; (sleep 300 &) ; sleep 300'],
    security: { ...containerSpec('', { imageId: '' }).security, runAsUser: 65534 },
  });
  await until('output', () => log().includes('crun') && /F 1$/m.test(log()));
  assert.match(log(), /F 65534$/m);
  await fixture.runtime.stopContainer(id, { graceMs: 200 });
  assert.ok((await exited(id)).exitCode !== 0);
});

test('plain processes see the host devices, and however many start at once leave them alone', async () => {
  const names = ['/dev/ptmx', '/dev/fd', '/dev/null', '/dev/pts'];
  const facts = () => names.map((name) => [name, lstatSync(name).ino, lstatSync(name).mode]);
  const before = facts();
  const started = await Promise.all(
    Array.from({ length: 12 }, () =>
      start(
        {
          ...sh('exec </dev/ptmx && stat -L -c "%t:%T" /dev/ptmx'),
          imageId: undefined,
          workingDir: '/',
        },
        { hostNetwork: true },
      ),
    ),
  );
  for (const { id, sandboxId, log } of started) {
    const end = await exited(id);
    assert.equal(end.exitCode, 0, log());
    await until('output', () => /F 5:2$/m.test(log()));
    await fixture.runtime.removeSandbox(sandboxId);
  }
  assert.deepEqual(facts(), before);
});

test('a restarted agent adopts what runs and learns what ended meanwhile', async () => {
  const runs = await start(sh('sleep 500'));
  const ends = await start(sh('sleep 0.3; exit 43'));
  const pid = fixture.runtime.container(runs.id)?.pid;
  await fixture.runtime[Symbol.asyncDispose]();
  const exitFile = join(fixture.options.dataDir, 'exits', ends.id);
  await until('the end without an agent', () => existsSync(exitFile));
  const runtime = await fixture.reopen();
  assert.equal(runtime.container(runs.id)?.state, 'running');
  assert.equal(runtime.container(runs.id)?.pid, pid);
  assert.equal(runtime.container(ends.id)?.exitCode, 43);
  assert.ok(runtime.sandboxes().every((sandbox) => sandbox.ip !== ''));
});

test('a container whose conmon was killed is ended and said to be lost', async () => {
  const { id } = await start(sh('sleep 500'));
  const conmon = readFileSync(
    join(fixture.options.dataDir, 'containers', id, 'conmon.pid'),
    'utf8',
  );
  process.kill(Number(conmon), 'SIGKILL');
  await until('conmon to go', () => !existsSync(`/proc/${conmon.trim()}`));
  const runtime = await fixture.reopen();
  const lost = runtime.container(id);
  assert.deepEqual([lost?.state, lost?.exitCode], ['exited', 137]);
});

const security = containerSpec('', { imageId: '' }).security;

test('the default seccomp profile lets programs work and forbids what reaches out', async () => {
  const { id, log } = await start({
    ...sh('ls / >/dev/null && echo works; busybox unshare -m true || echo refused'),
    security: { ...security, seccomp: 'RuntimeDefault', allowPrivilegeEscalation: false },
  });
  await exited(id);
  assert.match(log(), /works/);
  assert.match(log(), /refused/);
});

test('a read-only root, dropped capabilities and read-only mounts hold', async () => {
  const { id, log } = await start({
    ...sh(
      'echo x > /file; echo x > /mnt/f; busybox chown 7 /tmp; busybox grep -E "CapEff|NoNewPrivs" /proc/self/status',
    ),
    mounts: [
      { hostPath: fixture.folder, containerPath: '/mnt', readOnly: true, propagation: 'private' },
    ],
    security: {
      ...security,
      readOnlyRootFilesystem: true,
      capabilitiesDrop: ['ALL'],
      allowPrivilegeEscalation: false,
    },
  });
  await exited(id);
  assert.equal(log().match(/Read-only file system/g)?.length, 3);
  assert.match(log(), /CapEff:\t0000000000000000/);
  assert.match(log(), /NoNewPrivs:\t1/);
});

test('runAsNonRoot refuses an image that runs as root, in the kubelet words', async () => {
  const asked = start({ ...sh('true'), security: { ...security, runAsNonRoot: true } });
  await assert.rejects(asked, {
    reason: 'CreateContainerConfigError',
    message: /^container has runAsNonRoot and image will run as root \(pod: "pod-/,
  });
});

test('a Pod on the host network has the host links; a privileged one all capabilities', async () => {
  const { id, sandboxId, log } = await start(
    { ...sh('ip link; busybox ls /sys/class/net'), security: { ...security, privileged: true } },
    { hostNetwork: true },
  );
  assert.equal((await exited(id)).exitCode, 0, log());
  assert.ok(log().includes(fixture.options.network.bridge));
  assert.equal(fixture.runtime.sandboxes().find((one) => one.id === sandboxId)?.ip, '');
});

test('a terminal of a main process is attached to and resized', async () => {
  const { id } = await start({ ...sh('read a; stty size; read b'), tty: true, stdin: true });
  const options = { tty: true, stdin: true, stdout: true, stderr: false };
  const attached = await fixture.runtime.attach(id, options);
  await attached.resize(80, 24);
  attached.stdin?.write(Buffer.from('go\n'));
  let text = '';
  for await (const chunk of attached.stdout ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes('24 80')) break;
  }
  attached.close();
  assert.equal(fixture.runtime.container(id)?.state, 'running');
});

test('log rotation keeps the old lines under another name and goes on in a fresh file', async () => {
  const { id, log } = await start(
    sh('i=0; while :; do echo line $i; i=$((i+1)); sleep 0.02; done'),
  );
  await until('lines', () => log().includes('line 3'));
  await fixture.runtime.rotateLog(id);
  await until('fresh lines', () => log().includes('line') && !log().includes('line 0\n'));
  await fixture.runtime.stopContainer(id, { graceMs: 0 });
});

test('statistics come from the cgroup', async () => {
  const { id } = await start(sh('echo x > /file; while :; do cat /etc/passwd; done >/dev/null'));
  const enough = async (): Promise<boolean> => {
    const stats = await fixture.runtime.containerStats(id);
    assert.ok(stats !== undefined && stats.memoryUsageBytes > 0 && stats.pids >= 1);
    return stats.cpuUserNanos > 0 && stats.cpuSystemNanos > 0;
  };
  const endMs = performance.now() + 10_000;
  while (!(await enough())) assert.ok(performance.now() < endMs, 'no time of both kinds');
  await fixture.runtime.stopContainer(id, { graceMs: 0 });
  const machine = await fixture.runtime.machine();
  assert.ok(machine.cpuMillis >= 1000 && machine.memoryBytes > 0 && machine.bootId !== '');
});
