import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  Cluster,
  allProcesses,
  checkout,
  commandLine,
  kill,
  processPod,
  run,
  startCluster,
  until,
  waitForever,
} from './cluster.ts';

const theirs = `# hand-written: keep me
apiVersion: v1
kind: Config
current-context: work
clusters: [{name: work, cluster: {server: "https://work.example:6443"}}]
users: [{name: me, user: {token: t0ps3cret}}]
contexts: [{name: work, context: {cluster: work, user: me}}]
`;

test('up starts a cluster, up again changes nothing, and its verbs answer', async (t) => {
  await using cluster = new Cluster();
  mkdirSync(join(cluster.home, '.kube'), { mode: 0o700 });
  writeFileSync(cluster.kubeconfig, theirs, { mode: 0o640 });

  await t.test('the first up says what runs where and what to type next', async () => {
    const first = await cluster.up();
    assert.match(first.out, /is up \(\d+\.\d\d s\)/);
    for (const part of ['API server', 'Nodes +1 Ready', 'Data', 'kubectl', 'Next:', 'destroy'])
      assert.match(first.out, new RegExp(part));
    assert.doesNotMatch(first.out + first.err, /\u001b\[/, 'NO_COLOR');
    assert.ok(first.ms < 10_000, `${first.ms} ms`);
  });

  await t.test('a second up leaves every process and says the same', async () => {
    const before = await cluster.status();
    const again = await cluster.up();
    assert.equal(again.err, '');
    const pids = ({ server, agents }: typeof before): unknown => [
      server.pid,
      agents.map(({ pid }) => pid),
    ];
    assert.deepEqual(pids(await cluster.status()), pids(before));
  });

  await t.test('up with another --nodes is refused and names destroy', async () => {
    const other = await cluster.tandem('up', '--nodes', '2');
    assert.equal(other.code, 1);
    assert.match(other.err, /--nodes \(1\): "tandem destroy" it first/);
  });

  await t.test('kubectl sees the cluster, and other contexts are still there', async () => {
    const current = await cluster.kubectl('config', 'current-context');
    assert.equal(current.out, `tandem-${cluster.name}\n`);
    assert.match((await cluster.kubectl('get', 'nodes')).out, / Ready /);
    const contexts = await cluster.kubectl('config', 'get-contexts', '-o', 'name');
    assert.deepEqual(contexts.out.trim().split('\n').toSorted(), [
      `tandem-${cluster.name}`,
      'work',
    ]);
    assert.equal(lstatSync(cluster.kubeconfig).mode & 0o777, 0o640);
  });

  await t.test('every listing verb has a json form', async () => {
    const status = await cluster.status();
    assert.equal(status.healthy, true);
    assert.ok(Number(status.server.pid) > 1 && Number(status.agents[0]?.pid) > 1);
    const doctor = JSON.parse(await cluster.must('doctor', '-o', 'json')) as { ok: boolean }[];
    assert.ok(doctor.length >= 6 && doctor.every(({ ok }) => ok));
    assert.deepEqual(JSON.parse(await cluster.must('image', 'ls', '-o', 'json')), []);
    const nodes = JSON.parse(await cluster.must('get', 'nodes', '-o', 'json')) as { kind: string };
    assert.equal(nodes.kind, 'NodeList');
    const version = JSON.parse(
      (await run(join(checkout, 'tandem'), ['version', '-o', 'json'])).out,
    ) as { tandem: string };
    assert.match(version.tandem, /^\d+\.\d+\.\d+$/);
  });

  await t.test('apply, get, describe, logs, exec and delete need no kubectl', async () => {
    const file = join(cluster.home, 'pod.json');
    writeFileSync(file, JSON.stringify(processPod('web', `echo hello; ${waitForever}`)));
    assert.equal(await cluster.must('apply', '-f', file), 'pod/web applied\n');
    await cluster.running('web');
    assert.match(await cluster.must('get', 'pods'), /^NAME +READY +STATUS.*\nweb +1\/1 +Running/);
    assert.match(await cluster.must('get', 'pod', 'web', '-o', 'yaml'), /^ {2}name: web$/m);
    assert.equal(await cluster.must('get', 'pods', '-o', 'name'), 'pod/web\n');
    assert.match(await cluster.must('describe', 'pod', 'web'), /Normal +Started/);
    assert.equal(await cluster.must('logs', 'web'), 'hello\n');
    assert.equal((await cluster.tandem('exec', 'web', '--', 'sh', '-c', 'exit 7')).code, 7);
    assert.match(await cluster.must('logs', '--component', 'server'), /Serving/);
    assert.match((await cluster.tandem('get', 'pod', 'none')).err, /\(NotFound\): pods "none"/);
    await cluster.must('delete', 'pod', 'web');
    await until(
      'the Pod is gone',
      async () => (await cluster.pod('web')) === undefined || undefined,
    );
  });

  await t.test('without a terminal nothing asks, and exit codes say why', async () => {
    const asked = await cluster.tandem('destroy');
    assert.deepEqual([asked.code, /--yes/.test(asked.err)], [5, true]);
    assert.equal((await cluster.tandem('up', '--nodes', 'three')).code, 2);
    assert.equal((await cluster.tandem('nonsense')).code, 2);
    const missing = await run(join(checkout, 'tandem'), ['status', '--name', 'no-such-cluster'], {
      env: cluster.env,
    });
    assert.equal(missing.code, 3);
  });

  await t.test('a backup is restored, a report holds no secret', async () => {
    await cluster.call('POST', '/api/v1/namespaces/default/secrets', {
      metadata: { name: 'hidden' },
      stringData: { password: 'kept-to-ourselves' },
    });
    await cluster.call('POST', '/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'before' },
    });
    const backup = join(cluster.home, 'backup.db');
    await cluster.must('backup', backup);
    await cluster.call('DELETE', '/api/v1/namespaces/default/configmaps/before');
    await cluster.must('restore', '--yes', backup);
    cluster.forget();
    const back = await cluster.api('GET', '/api/v1/namespaces/default/configmaps/before');
    assert.equal(back.status, 200);
    const report = join(cluster.home, 'report.tar.gz');
    await cluster.must('export', report);
    const text = await run('sh', ['-c', `tar -xzOf ${report} | grep -c kept-to-ourselves`]);
    assert.equal(text.out.trim(), '0');
    const keys = await run('sh', ['-c', `tar -xzOf ${report} | grep -c 'PRIVATE KEY'`]);
    assert.equal(keys.out.trim(), '0');
  });

  await t.test('restart keeps containers, down ends them, up brings them back', async () => {
    await cluster.call('POST', '/api/v1/namespaces/default/pods', processPod('stay', waitForever));
    const before = await cluster.running('stay');
    await cluster.must('restart');
    cluster.forget();
    const after = await cluster.running('stay');
    assert.deepEqual(
      after['status']?.['containerStatuses'],
      before['status']?.['containerStatuses'],
    );
    await cluster.must('down');
    assert.deepEqual(allProcesses(cluster), []);
    assert.equal((await cluster.tandem('status')).code, 3);
    assert.equal((await cluster.tandem('get', 'pods')).code, 3);
    await cluster.up();
    cluster.forget();
    await cluster.running('stay');
  });

  await t.test('destroy gives the kubeconfig back as it was', async () => {
    await cluster.must('destroy', '--yes');
    assert.equal(readFileSync(cluster.kubeconfig, 'utf8'), theirs);
    assert.equal(existsSync(cluster.dataDir), false);
    assert.match(await cluster.must('destroy', '--yes'), /nothing to destroy/);
  });
});

for (const mounts of ['with its mounts', 'as a reboot leaves it'])
  test(`After kill -9 of every process and a removed /run, ${mounts}, up brings the same cluster back`, async () => {
    await using cluster = await startCluster();
    await cluster.call('POST', '/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'kept' },
      data: { of: 'old' },
    });
    await cluster.call('POST', '/api/v1/namespaces/default/pods', processPod('kept', waitForever));
    await cluster.running('kept');
    cluster.forget();
    // Supervisors first, so that nothing comes back between the kills.
    for (const pid of (await cluster.status()).agents.map((agent) => agent.supervisorPid))
      kill(Number(pid));
    kill(Number((await cluster.status()).server.supervisorPid));
    for (let turn = 0; turn < 5 && allProcesses(cluster).length > 0; turn++)
      for (const pid of allProcesses(cluster)) kill(pid);
    if (mounts === 'as a reboot leaves it')
      await run('sh', [
        '-c',
        `grep -o '${cluster.runDir}[^ ]*' /proc/self/mountinfo | sort -ru | xargs -r umount -l`,
      ]);
    // What is a mount point stays, as it does for a user who types this.
    await run('rm', ['-rf', cluster.runDir]);
    await cluster.up();
    const kept = await cluster.call('GET', '/api/v1/namespaces/default/configmaps/kept');
    assert.equal(kept['data']?.['of'], 'old');
    const pod = await until(
      'the Pod runs again',
      async () => {
        const now = await cluster.pod('kept');
        const status = now?.['status']?.['containerStatuses']?.[0];
        return Number(status?.['restartCount']) > 0 && status?.['state']?.['running'] !== undefined
          ? now
          : undefined;
      },
      30,
    );
    assert.equal(pod['spec']?.['nodeName'], `${cluster.name}-1`);
    assert.equal(allProcesses(cluster).length > 0, true);
  });

test('Two ups at the same time start one cluster', async () => {
  await using cluster = new Cluster();
  const [one, two] = await Promise.all([cluster.up(), cluster.up()]);
  assert.equal(`${one.err}${two.err}`.match(/^starting server/gm)?.length, 1);
  assert.equal((await cluster.status()).healthy, true);
  const programs = allProcesses(cluster)
    .map((pid) => commandLine(pid))
    .filter((line) => !line.includes('supervise.sh'));
  for (const program of ['server.ts', 'agent.ts'])
    assert.equal(programs.filter((line) => line.includes(`/src/main/${program}`)).length, 1);
});

test('Without root the suites that need it are left out by name', async () => {
  const user = ['--reuid=nobody', '--regid=nogroup', '--clear-groups', process.execPath];
  const ended = await run('setpriv', [...user, join(checkout, 'tools/test.ts'), 'os', 'cluster']);
  assert.match(ended.out, /Left out without root: os, cluster/);
  assert.match(ended.out, /0 passed, 0 failed/);
});

test('A kubeconfig that cannot be parsed is left alone, the cluster is up all the same', async () => {
  await using cluster = new Cluster();
  mkdirSync(join(cluster.home, '.kube'));
  writeFileSync(cluster.kubeconfig, 'clusters: [oh no');
  const ended = await cluster.up();
  assert.match(ended.out, /Cannot parse kubeconfig/);
  assert.match(ended.out, /left alone/);
  assert.equal(readFileSync(cluster.kubeconfig, 'utf8'), 'clusters: [oh no');
  assert.equal((await cluster.status()).healthy, true);
});

test('Of several files in KUBECONFIG the first is written; a link stays a link', async () => {
  await using cluster = new Cluster();
  const [link, target, second] = ['one', 'target', 'two'].map((name) => join(cluster.home, name));
  assert.ok(link !== undefined && target !== undefined && second !== undefined);
  symlinkSync('target', link);
  writeFileSync(second, theirs);
  const env = { ...cluster.env, KUBECONFIG: `${link}:${second}` };
  const tandem = (...args: string[]): ReturnType<typeof run> =>
    run(join(checkout, 'tandem'), args, { env });
  const offset = String(cluster.offset);
  assert.equal((await tandem('up', '--name', cluster.name, '--port-offset', offset)).code, 0);
  assert.equal(lstatSync(link).isSymbolicLink(), true);
  assert.match(readFileSync(target, 'utf8'), new RegExp(`tandem-${cluster.name}`));
  assert.equal(readFileSync(second, 'utf8'), theirs);
  const current = async (): Promise<string> =>
    (await run('kubectl', ['config', 'current-context'], { env })).out.trim();
  assert.equal(await current(), `tandem-${cluster.name}`);
  assert.equal((await tandem('destroy', '--yes', '--name', cluster.name)).code, 0);
  assert.equal(await current(), 'work');
  assert.equal(lstatSync(link).isSymbolicLink(), true);
});

test('Two clusters leave a kubeconfig in either order as they found it', async () => {
  await using first = new Cluster();
  await using second = new Cluster({ env: { HOME: first.home } });
  mkdirSync(join(first.home, '.kube'));
  writeFileSync(first.kubeconfig, theirs);
  await first.up();
  await second.up();
  await first.must('destroy', '--yes');
  const env = first.env;
  const current = await run('kubectl', ['config', 'current-context'], { env });
  assert.equal(current.out.trim(), `tandem-${second.name}`);
  await second.must('destroy', '--yes');
  const last = await run('kubectl', ['config', 'current-context'], { env });
  assert.equal(last.out.trim(), 'work');
});

test('Without root up gives a server and its API, no node, and says so in one line', async () => {
  await using folder = await userFolder();
  const { asUser } = folder;
  const offset = String(3000 + (process.pid % 900));
  const up = await asUser('up', '--name', 'plain', '--port-offset', offset);
  assert.equal(up.code, 0, up.err);
  assert.equal(up.out.match(/none: only root can run containers/g)?.length, 1);
  assert.match((await asUser('get', 'namespaces', '--name', 'plain')).out, /kube-system/);
  assert.equal((await asUser('get', 'nodes', '--name', 'plain')).out, '');
  const status = JSON.parse((await asUser('status', '--name', 'plain', '-o', 'json')).out) as {
    agents: unknown[];
    healthy: boolean;
  };
  assert.deepEqual([status.agents, status.healthy], [[], true]);
  assert.equal((await asUser('doctor', '--name', 'plain')).code, 0);
  assert.equal((await asUser('image', 'ls', '--name', 'plain')).code, 1);
  assert.equal((await asUser('down', '--name', 'plain')).code, 0);
  assert.equal((await asUser('destroy', '--yes', '--name', 'plain')).code, 0);
  assert.equal(existsSync(join(folder.home, '.local/share/tandem')), false);
  assert.equal(existsSync(join(folder.home, '.kube/config')), false);
});

interface UserFolder extends AsyncDisposable {
  readonly home: string;
  asUser(...args: readonly string[]): ReturnType<typeof run>;
}

/** A home of the user `nobody`, who runs this checkout, or a copy when this one is not for everybody. */
async function userFolder(): Promise<UserFolder> {
  const home = mkdtempSync(join(tmpdir(), 'tandem-nobody-'));
  const user = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
  const reads = await run('setpriv', [...user, 'test', '-r', join(checkout, 'tandem')]);
  const source = reads.code === 0 ? checkout : join(home, 'checkout');
  if (source !== checkout) {
    await run('cp', ['-r', checkout, source]);
  }
  await run('chown', ['-R', 'nobody:nogroup', home]);
  const env = { HOME: home, PATH: process.env['PATH'] ?? '', NO_COLOR: '1' };
  return {
    home,
    asUser: (...args) => run('setpriv', [...user, join(source, 'tandem'), ...args], { env }),
    [Symbol.asyncDispose]: async () => {
      await run(
        'setpriv',
        [...user, join(source, 'tandem'), 'destroy', '--yes', '--name', 'plain'],
        {
          env,
        },
      );
      rmSync(home, { recursive: true, force: true });
    },
  };
}
