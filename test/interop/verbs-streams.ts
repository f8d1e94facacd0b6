import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Kit } from './harness.ts';

/** logs, exec, attach, run -it, cp, port-forward, debug. */
export function verbsOfStreams(kit: () => Kit): void {
  logs(kit);
  execs(kit);
  runs(kit);
  copies(kit);
  forwards(kit);
}

const twoContainers = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'two',
    labels: { app: 'two' },
    annotations: { 'kubectl.kubernetes.io/default-container': 'b' },
  },
  spec: {
    terminationGracePeriodSeconds: 1,
    initContainers: [{ name: 'i', image: 'kit:1', command: ['echo', 'from i'] }],
    containers: ['a', 'b'].map((name) => ({
      name,
      image: 'kit:1',
      command: [
        'sh',
        '-c',
        `trap 'exit 0' TERM; echo from ${name}; [ ! -e /flag/again ] && [ ${name} = a ] && touch /flag/again && exit 1; while :; do sleep 0.1; done`,
      ],
      volumeMounts: [{ name: 'flag', mountPath: '/flag' }],
    })),
    volumes: [{ name: 'flag', emptyDir: {} }],
  },
});

function logs(kit: () => Kit): void {
  test('logs has all its options', async () => {
    const k = kit();
    const count =
      'for i in 1 2 3 4 5; do echo line $i; done; trap "exit 0" TERM; while :; do sleep 0.1; [ -e /tmp/more ] && echo more && rm /tmp/more; done';
    await k.pod('lo', '--command', '--', 'sh', '-c', count);
    const get = (...args: readonly string[]): Promise<string> => k.ok('logs', ...args);
    await using follow = k.start('logs', '-f', 'lo', '--tail=1');
    await follow.says(/^line 5\n$/);
    assert.equal(await get('lo', '--tail=2'), 'line 4\nline 5\n');
    assert.equal(await get('lo', '--limit-bytes=6'), 'line 1');
    assert.match(
      await get('lo', '--timestamps', '--tail=1'),
      /^\d{4}-\d\d-\d\dT[\d:]+\.\d{9}Z line 5\n$/,
    );
    assert.equal(await get('lo', '--since-time=2100-01-01T00:00:00Z'), '');
    assert.match(await get('lo', '--since=1h'), /line 1/);
    assert.match(await get('-l', 'app=lo', '--prefix', '--tail=1'), /^\[pod\/lo\/lo\] line 5\n$/);
    await k.ok('exec', 'lo', '--', 'touch', '/tmp/more');
    await follow.says(/more/);
    assert.match(
      await k.fails('logs', 'lo', '-p'),
      /previous terminated container "lo" in pod "lo" not found/,
    );
    assert.match(
      await k.fails('logs', 'lo', '-c', 'nope'),
      /container nope is not valid for pod lo/,
    );
    assert.match(await k.fails('logs', 'nope'), /pods "nope" not found/);
    await k.ok('delete', 'pod', 'lo', '--wait=false');
  });

  test('logs tells containers, runs and owners apart', async () => {
    const k = kit();
    await k.given(twoContainers, 'create', '-f', '-');
    await k.ready('pod/two');
    assert.match(await k.ok('logs', 'two', '-c', 'i'), /^from i\n$/);
    assert.match(await k.ok('logs', 'two'), /from b/);
    assert.match(
      await k.ok('logs', 'two', '--all-containers', '--prefix'),
      /\[pod\/two\/a\] from a/,
    );
    assert.equal(await k.ok('logs', 'two', '-c', 'a', '--previous'), 'from a\n');
    assert.match(await k.ok('exec', 'two', '-c', 'a', '--', 'hostname'), /^two\n$/);
    await k.ok('delete', 'pod', 'two', '--now', '--wait=false');
    await k.ok('create', 'deployment', 'lod', '--image=kit:1');
    await k.ok('rollout', 'status', 'deployment/lod', '--timeout=20s');
    assert.match(await k.ok('logs', 'deployment/lod'), /started 1/);
    await k.ok('delete', 'deployment', 'lod');
  });
}

/** The size follows the first bytes: it is waited for, in the shell. */
const sizeKnown =
  'n=0; until [ "$(stty size 2>/dev/null)" = "33 99" ] || [ $n = 50 ]; do sleep 0.1; n=$((n+1)); done; ' +
  'stty size; tty; exit 4\n';

function execs(kit: () => Kit): void {
  test('exec carries streams, exit codes and a terminal', async () => {
    const k = kit();
    await k.pod('ex1');
    const both = await k.run(['exec', 'ex1', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
    assert.deepEqual([both.out, both.code], ['out\n', 3]);
    assert.match(both.err, /^err\n.*command terminated with exit code 3/s);
    const big = 'x'.repeat(300_000);
    assert.equal((await k.given(big, 'exec', '-i', 'ex1', '--', 'cat')).length, big.length);
    const terminal = await k.terminal(sizeKnown, 'exec', '-it', 'ex1', '--', 'sh');
    assert.match(terminal.out, /33 99\r\n\/dev\/pts\/\d/);
    assert.equal(terminal.code, 4);
    assert.notEqual((await k.run(['exec', 'ex1', '--', 'no-such-program'])).code, 0);
    assert.match(
      await k.fails('exec', 'ex1', '-c', 'nope', '--', 'true'),
      /container nope is not valid for pod ex1/,
    );
    assert.match(await k.fails('exec', 'nope', '--', 'true'), /pods "nope" not found/);
  });

  test('attach reaches the main process, reading and writing', async () => {
    const k = kit();
    await k.ok(
      'run',
      'at',
      '--image=kit:1',
      '--restart=Never',
      '-i',
      '--attach=false',
      '--',
      'sh',
      '-c',
      'while read a; do echo got $a; done',
    );
    await k.ready('pod/at');
    const attached = await k.run(['attach', '-i', 'at'], { input: 'one\ntwo\n' });
    assert.match(attached.out, /got one\ngot two\n/, attached.err);
    await k.ok('delete', 'pod', 'at', '--now', '--wait=false');
    await using watching = k.start('attach', 'ex1');
    await k.ok('exec', 'ex1', '--', 'sh', '-c', 'echo from afar >/proc/1/fd/1');
    await watching.says(/from afar|If you don't see a command prompt/);
  });

  test('debug adds a container to a running Pod', async () => {
    const k = kit();
    await k.ok(
      'debug',
      'ex1',
      '--image=kit:1',
      '--container=dbg',
      '--attach=false',
      '--',
      'sh',
      '-c',
      'echo debugging; sleep 1000',
    );
    await k.ok(
      'wait',
      '--for=jsonpath={.status.ephemeralContainerStatuses[0].name}=dbg',
      'pod/ex1',
      '--timeout=20s',
    );
    await using follow = k.start('logs', '-f', 'ex1', '-c', 'dbg');
    await follow.says(/debugging/);
    await k.ok(
      'debug',
      'ex1',
      '--image=kit:2',
      '--copy-to=ex1-copy',
      '--set-image=*=kit:2',
      '--attach=false',
      '--same-node',
    );
    await k.ready('pod/ex1-copy');
    await k.ok('delete', 'pod', 'ex1-copy', '--now', '--wait=false');
  });
}

function runs(kit: () => Kit): void {
  test('run -it --rm talks to a Pod and clears it away', async () => {
    const k = kit();
    const once = ['run', '--rm', '-i', '--image=kit:1', '--restart=Never'];
    const piped = await k.run([...once, 'rm1', '--', 'cat'], { input: 'piped\n' });
    assert.match(piped.out, /^piped\npod "rm1" deleted/, piped.err);
    const failed = await k.run([...once, 'rm2', '--', 'sh', '-c', 'read a; exit 5'], {
      input: 'x\n',
    });
    assert.equal(failed.code, 5, failed.err);
    const terminal = await k.terminal(
      'echo $((6*7)); exit\n',
      'run',
      '-it',
      '--rm',
      'rm3',
      '--image=kit:1',
      '--restart=Never',
      '--',
      'sh',
    );
    assert.match(terminal.out, /42\r\n/);
    assert.equal(await k.ok('get', 'pods', 'rm1', 'rm2', 'rm3', '--ignore-not-found'), '');
    await k.ok('run', 'once', '--image=kit:1', '--restart=OnFailure', '--', 'true');
    await k.ok('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/once', '--timeout=20s');
    assert.match(await k.ok('get', 'pod', 'once'), /once +0\/1 +Completed +0/);
    await k.ok('delete', 'pod', 'once');
  });
}

function copies(kit: () => Kit): void {
  test('cp carries folders and bytes both ways', async () => {
    const k = kit();
    const folder = join(k.cluster.home, `${k.namespace}-cp`);
    mkdirSync(join(folder, 'sub'), { recursive: true });
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
    writeFileSync(join(folder, 'sub', 'bytes'), bytes);
    writeFileSync(join(folder, 'words'), 'words');
    await k.ok('cp', folder, 'ex1:/tmp/there');
    assert.equal(await k.ok('exec', 'ex1', '--', 'cat', '/tmp/there/words'), 'words');
    await k.ok('cp', `${k.namespace}/ex1:/tmp/there`, `${folder}-back`, '-c', 'ex1');
    assert.ok(readFileSync(join(`${folder}-back`, 'sub', 'bytes')).equals(bytes));
    execFileSync('diff', ['-r', folder, `${folder}-back`]);
  });
}

function forwards(kit: () => Kit): void {
  test('port-forward reaches Pods, Deployments and Services', async () => {
    const k = kit();
    await k.ok('expose', 'pod', 'ex1', '--name=ex1', '--port=80', '--target-port=8080');
    for (const [target, port] of [
      ['pod/ex1', ':8080'],
      ['service/ex1', ':80'],
    ] as const) {
      await using forward = k.start('port-forward', target, port);
      const [, local] = await forward.says(/127\.0\.0\.1:(\d+) ->/);
      const answers = await Promise.all(
        Array.from({ length: 5 }, async () =>
          (await fetch(`http://127.0.0.1:${local}/index.html`)).text(),
        ),
      );
      assert.deepEqual(new Set(answers), new Set(['version 1\n']));
    }
    assert.match(await k.fails('port-forward', 'pod/nope', ':1'), /pods "nope" not found/);
    await k.ok('delete', 'service', 'ex1');
    await k.ok('delete', 'pod', 'ex1', '--now', '--wait=false');
  });
}
