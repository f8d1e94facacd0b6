/** Marathon's tutorial and a framework of fifty lines on a real cluster, as a new user would. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { checkout, output, run, startCluster, until } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import { fetchPage } from './new-connections.ts';

const demo = readFileSync(join(checkout, 'examples/hello-marathon.json'), 'utf8');

interface Got {
  readonly status: number;
  readonly text: string;
  readonly json: Json;
}

/** A request as curl makes it: no Origin, the Host it connects to. */
async function ask(
  cluster: Cluster,
  port: number,
  options: { readonly path: string; readonly method?: string; readonly body?: string },
): Promise<Got> {
  const { path, method = 'GET', body } = options;
  const response = await fetch(`http://127.0.0.1:${port + cluster.offset}${path}`, {
    method,
    ...(body === undefined ? {} : { body, headers: { 'Content-type': 'application/json' } }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  const json =
    text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as Json) : undefined;
  return { status: response.status, text, json: json! };
}

const marathon = 8080;
const master = 5050;

async function runningTask(cluster: Cluster, id: string): Promise<Json> {
  return until(`a running task of ${id}`, async () => {
    const { json } = await ask(cluster, marathon, { path: `/v2/apps/${id}` });
    const app = json['app']!;
    return Number(app['tasksRunning']) === Number(app['instances']) ? app['tasks']?.[0] : undefined;
  });
}

async function noDeployments(cluster: Cluster): Promise<void> {
  await until('the end of all deployments', async () => {
    const { json } = await ask(cluster, marathon, { path: '/v2/deployments' });
    return [...json].length === 0;
  });
}

suite('Mesos and Marathon', async () => {
  const cluster = await startCluster();
  after(() => cluster[Symbol.asyncDispose]());
  const script = join(checkout, 'examples/hello-world/build.sh');
  const image = await output('sh', '-c', `IMAGE=hello_world:latest sh ${script} - | base64`);
  await cluster.load(Buffer.from(image, 'base64'));

  test('hello-marathon runs as its tutorial posts it', async () => {
    const posted = await ask(cluster, marathon, { path: '/v2/apps', method: 'POST', body: demo });
    assert.equal(posted.status, 201, posted.text);
    assert.equal(String(posted.json['id']), '/marathon-demo-application');
    assert.equal(Number(posted.json['instances']), 1);
    const task = await runningTask(cluster, '/marathon-demo-application');
    const port = Number(task['ports']?.[0]);
    assert.ok(port >= 31_000 && port <= 32_000, String(port));
    const page = await until('the page', () =>
      fetchPage({ host: '127.0.0.1', port }).catch(() => undefined),
    );
    assert.match(page, /Hello, world!/);
    await noDeployments(cluster);
  });

  test('A plain command runs without an image, and its output can be read', async () => {
    const body = JSON.stringify({
      id: '/plain',
      cmd: 'echo "port $PORT0 of $MARATHON_APP_ID"; exec sleep 1000',
      cpus: 0.1,
      mem: 32,
      user: 'nobody',
    });
    const posted = await ask(cluster, marathon, { path: '/v2/apps', method: 'POST', body });
    assert.equal(posted.status, 201, posted.text);
    const task = await runningTask(cluster, '/plain');
    const pods = await cluster.call('GET', '/api/v1/namespaces/mesos-marathon/pods');
    const pod = [...pods['items']!].find((one) => JSON.stringify(one).includes(String(task['id'])));
    const name = String(pod?.['metadata']!['name']);
    assert.match(name, /^plain/);
    await until('the log', async () => {
      const logs = await cluster.kubectl('logs', '-n', 'mesos-marathon', name);
      return /^port 31\d\d\d of \/plain$/m.test(logs.out);
    });
  });

  test('A deleted Pod of an app is a killed task, and Marathon starts another', async () => {
    const task = await runningTask(cluster, '/plain');
    const pods = await cluster.call('GET', '/api/v1/namespaces/mesos-marathon/pods');
    const pod = [...pods['items']!].find((one) => JSON.stringify(one).includes(String(task['id'])));
    const name = String(pod?.['metadata']!['name']);
    await cluster.kubectl('delete', 'pod', '-n', 'mesos-marathon', name, '--wait=false');
    await until('another task', async () => {
      const { json } = await ask(cluster, marathon, { path: '/v2/apps//plain' });
      const now = json['app']!['tasks']?.[0];
      return (
        now !== undefined &&
        String(now['id']) !== String(task['id']) &&
        String(now['state']) === 'TASK_RUNNING'
      );
    });
  });

  test('Apps, frameworks and tasks are lists of kubectl', async () => {
    const apps = await cluster.kubectl('get', 'apps.marathon.tandem.dev', '-A');
    assert.match(apps.out, /\/plain/, apps.err);
    const frameworks = await cluster.kubectl('get', 'frameworks');
    assert.match(frameworks.out, /marathon/, frameworks.err);
    const tasks = await cluster.kubectl('get', 'tasks', '-n', 'mesos-marathon');
    assert.match(tasks.out, /Running/, tasks.err);
    const node = await cluster.kubectl('describe', 'nodes');
    assert.match(node.out, /mesos-marathon/, node.err);
  });

  test('The master accounts for tasks and for Pods', async () => {
    const { json } = await ask(cluster, master, { path: '/master/state' });
    const [slave] = [...json['slaves']!];
    assert.ok(Number(slave?.['used_resources']!['cpus']) >= 1.1);
    const framework = [...json['frameworks']!].find((one) => String(one['name']) === 'marathon');
    assert.ok([...framework!['tasks']!].length >= 2);
  });

  test('A framework of fifty lines runs its tasks and leaves', async () => {
    const ended = await run(process.execPath, [join(checkout, 'examples/framework.mjs'), '4'], {
      env: { ...cluster.env, MASTER: `http://127.0.0.1:${master + cluster.offset}` },
    });
    assert.equal(ended.code, 0, ended.err);
    assert.equal([...ended.out.matchAll(/TASK_FINISHED/g)].length, 4, ended.out);
    const { json } = await ask(cluster, master, { path: '/frameworks' });
    const gone = [...json['completed_frameworks']!].find(
      (one) => String(one['name']) === 'fifty-lines',
    );
    assert.ok(gone);
  });

  test('Mesos names and Kubernetes names resolve on both sides', async () => {
    const names = await ask(cluster, 8123, {
      path: '/v1/hosts/marathon-demo-application.marathon.mesos',
    });
    assert.match(names.text, /"ip": ?"\d+\.\d+\.\d+\.\d+"/);
    const services = await ask(cluster, 8123, {
      path: '/v1/services/_marathon-demo-application._tcp.marathon.mesos',
    });
    assert.match(services.text, /"port": ?"31\d\d\d"/);
  });

  test('A web page and a foreign host may do nothing', async () => {
    for (const headers of [{ Origin: 'http://evil.example' }, { Origin: 'null' }] as const) {
      const response = await fetch(`http://127.0.0.1:${marathon + cluster.offset}/v2/apps`, {
        headers,
      });
      assert.equal(response.status, 403);
    }
  });

  test('Removed apps leave nothing behind', async () => {
    for (const id of ['/plain', '/marathon-demo-application']) {
      const { status, text } = await ask(cluster, marathon, {
        path: `/v2/apps/${id}`,
        method: 'DELETE',
      });
      assert.equal(status, 200, text);
    }
    await noDeployments(cluster);
    const { json } = await ask(cluster, marathon, { path: '/v2/tasks' });
    assert.equal([...json['tasks']!].length, 0);
  });
});
