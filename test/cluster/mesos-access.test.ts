/** Who gets in at the Mesos faces of a cluster that wants credentials, and what users may do. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startCluster, until } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import { spawnSync } from 'node:child_process';

interface Asked {
  readonly port: number;
  readonly path: string;
  readonly user?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly method?: string;
}

async function ask(
  cluster: Cluster,
  asked: Asked,
): Promise<{ readonly status: number; readonly text: string }> {
  const { port, path, user, headers, body } = asked;
  const credentials =
    user === undefined ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
  const response = await fetch(`http://127.0.0.1:${port + cluster.offset}${path}`, {
    method: asked.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': 'application/json', ...credentials, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const marathon = 8080;
const master = 5050;
const agent = 5051;

suite('Access to the Mesos faces', () => {
  test('With --authenticate users come in by password, and RBAC says how far', async () => {
    await using cluster = await startCluster({ up: ['--authenticate'] });
    for (const [port, path] of [
      [marathon, '/v2/apps'],
      [master, '/state'],
      [master, '/api/v1'],
      [agent, '/state'],
    ] as const)
      assert.equal((await ask(cluster, { port, path })).status, 401, `${port} ${path}`);
    assert.equal((await ask(cluster, { port: master, path: '/health' })).status, 200);

    const password = (await cluster.must('user', 'add', 'ada')).trim();
    const user = `ada:${password}`;
    const wrong = await ask(cluster, { port: marathon, path: '/v2/apps', user: 'ada:no' });
    assert.equal(wrong.status, 401);
    const app = { id: '/plain', cmd: 'sleep 1000', cpus: 0.1, mem: 16, user: 'nobody' };
    const before = await ask(cluster, { port: marathon, path: '/v2/apps', user, body: app });
    assert.equal(before.status, 403, before.text);
    assert.equal((await ask(cluster, { port: agent, path: '/state', user })).status, 403);

    const bound = await cluster.kubectl(
      'create',
      'clusterrolebinding',
      'ada',
      '--clusterrole=tandem:mesos-user',
      '--user=ada',
    );
    assert.equal(bound.code, 0, bound.err);
    const state = await ask(cluster, { port: agent, path: '/state', user });
    assert.equal(state.status, 200, state.text);
    const calls = [
      [{ type: 'GET_STATE' }, 200],
      [{ type: 'KILL_CONTAINER', kill_container: { container_id: { value: 'x' } } }, 403],
    ] as const;
    for (const [body, status] of calls) {
      const answer = await ask(cluster, { port: agent, path: '/api/v1', user, body });
      assert.equal(answer.status, status, answer.text);
    }
    const bad = await ask(cluster, { port: agent, path: '/state', user: 'ada:no' });
    assert.equal(bad.status, 401);
    const posted = await ask(cluster, { port: marathon, path: '/v2/apps', user, body: app });
    assert.equal(posted.status, 201, posted.text);
    await until('a running instance', async () => {
      const { text } = await ask(cluster, { port: marathon, path: '/v2/apps//plain', user });
      return text.includes('"tasksRunning":1');
    });
    for (const as of [{ user: 'root' }, { user: undefined }]) {
      const asRoot = { ...app, id: '/root', ...as };
      const refused = await ask(cluster, { port: marathon, path: '/v2/apps', user, body: asRoot });
      assert.equal(refused.status, 403, refused.text);
    }
    const teardown = await ask(cluster, {
      port: master,
      path: '/weights',
      method: 'PUT',
      user,
      body: [{ role: 'x', weight: 2 }],
    });
    assert.equal(teardown.status, 403, teardown.text);
    const removed = await ask(cluster, {
      port: marathon,
      path: '/v2/apps//plain',
      method: 'DELETE',
      user,
    });
    assert.equal(removed.status, 200, removed.text);
    assert.equal((await cluster.must('user', 'ls')).trim(), 'ada');
    await cluster.must('user', 'rm', 'ada');
    assert.equal((await ask(cluster, { port: marathon, path: '/v2/apps', user })).status, 401);
  });

  test('Without it only root and the owner come without credentials', async () => {
    await using cluster = await startCluster();
    for (const port of [marathon, master, agent])
      for (const headers of [{ origin: 'http://localhost' }, { host: 'evil.example' }]) {
        const command = ['-s', '-o', '/dev/null', '-w', '%{http_code}'];
        for (const [name, value] of Object.entries(headers))
          command.push('-H', `${name}: ${value}`);
        const path = port === marathon ? '/v2/apps' : '/state';
        const url = `http://127.0.0.1:${port + cluster.offset}${path}`;
        const done = spawnSync('curl', [...command, url], { encoding: 'utf8' });
        assert.equal(done.stdout, '403', `${port} ${JSON.stringify(headers)}`);
      }
    // A principal that nobody asked for is ignored.
    for (const port of [master, agent])
      assert.equal((await ask(cluster, { port, path: '/state', user: 'some:body' })).status, 200);
    const url = `http://127.0.0.1:${marathon + cluster.offset}/v2/apps`;
    const nobody = spawnSync(
      'setpriv',
      `--reuid=65534 --regid=65534 --clear-groups curl -s -o /dev/null -w %{http_code} ${url}`.split(
        ' ',
      ),
      { encoding: 'utf8' },
    );
    assert.equal(nobody.stdout, '401', nobody.stderr);
  });
});
