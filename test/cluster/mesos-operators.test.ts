/** What operators of Mesos do with curl, on a real cluster that also runs Pods and Marathon's apps. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { processPod, allowProcesses, startCluster, until, waitForever } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';

interface Got {
  readonly status: number;
  readonly text: string;
}

const master = 5050;
const marathon = 8080;

async function ask(
  cluster: Cluster,
  options: {
    readonly port?: number;
    readonly path: string;
    readonly method?: string;
    readonly json?: unknown;
    readonly form?: Readonly<Record<string, string>>;
  },
): Promise<Got> {
  const { port = master, path, json, form } = options;
  const body = form === undefined ? JSON.stringify(json) : new URLSearchParams(form).toString();
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const response = await fetch(`http://127.0.0.1:${port + cluster.offset}${path}`, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    ...(body !== undefined && { body, headers: { 'Content-Type': type } }),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, text: await response.text() };
}

async function read(cluster: Cluster, path: string): Promise<Json> {
  const { status, text } = await ask(cluster, { path });
  assert.equal(status, 200, text);
  return JSON.parse(text) as Json;
}

async function call(cluster: Cluster, json: unknown): Promise<Got> {
  return ask(cluster, { path: '/api/v1', json });
}

async function agentOf(cluster: Cluster): Promise<Json> {
  const slaves = await read(cluster, '/slaves');
  const [agent] = [...slaves['slaves']!];
  assert.ok(agent, 'an agent');
  return agent;
}

const reserved = (name: string, value: number): object => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  reservations: [{ type: 'DYNAMIC', role: 'eng', principal: 'ann' }],
});
const volume = {
  ...reserved('disk', 64),
  disk: { persistence: { id: 'v1' }, volume: { mode: 'RW', container_path: 'data' } },
};

suite('Operators of Mesos', async () => {
  const cluster = await startCluster();
  after(() => cluster[Symbol.asyncDispose]());
  await allowProcesses(cluster);
  const agent = await until('an agent', async () => {
    const slaves = await read(cluster, '/slaves');
    return [...slaves['slaves']!][0];
  });
  const slaveId = String(agent['id']);
  const cpus = Number(agent['resources']!['cpus']);

  const change = (path: string, field: string, resources: readonly object[]): Promise<Got> =>
    ask(cluster, { path, form: { slaveId, [field]: JSON.stringify(resources) } });

  test('Reserved resources are kept from Pods, and go back to them', async () => {
    const most = cpus - 0.3;
    const done = await change('/master/reserve', 'resources', [
      reserved('cpus', most),
      reserved('disk', 64),
    ]);
    assert.deepEqual(done, { status: 202, text: '' });
    const now = await agentOf(cluster);
    assert.equal(Number(now['reserved_resources']!['eng']!['cpus']), most);
    assert.ok(Math.abs(Number(now['unreserved_resources']!['cpus']) - 0.3) < 1e-6);
    const spec = {
      containers: [
        {
          name: 'main',
          command: ['sh', '-c', waitForever],
          resources: { requests: { cpu: '500m' } },
        },
      ],
    };
    await cluster.call('POST', '/api/v1/namespaces/default/pods', {
      ...processPod('big', waitForever, spec),
    });
    await cluster.podThat('big', (pod) =>
      JSON.stringify(pod['status'] ?? '').includes('Insufficient cpu'),
    );
    const unreserved = await change('/master/unreserve', 'resources', [reserved('cpus', most)]);
    assert.equal(unreserved.status, 202, unreserved.text);
    await cluster.running('big');
    const refused = await change('/master/reserve', 'resources', [reserved('cpus', cpus)]);
    assert.equal(refused.status, 409, refused.text);
    assert.match(refused.text, /does not contain cpus:/);
    await cluster.call('DELETE', '/api/v1/namespaces/default/pods/big?gracePeriodSeconds=0');
  });

  test('A volume is made of a reservation, seen, and destroyed', async () => {
    const made = await change('/master/create-volumes', 'volumes', [volume]);
    assert.equal(made.status, 202, made.text);
    const full = (await agentOf(cluster))['reserved_resources_full']!['eng'];
    assert.match(JSON.stringify(full), /"persistence":\{"id":"v1"\}/);
    const again = await change('/master/create-volumes', 'volumes', [volume]);
    assert.equal(again.status, 400);
    assert.match(
      again.text,
      /^Invalid CREATE operation on agent .* at slave\(1\)@.*: Persistence ID 'v1' is not unique$/,
    );
    const busy = await change('/master/unreserve', 'resources', [reserved('disk', 64)]);
    assert.equal(busy.status, 409, busy.text);
    const gone = await change('/master/destroy-volumes', 'volumes', [volume]);
    assert.equal(gone.status, 202, gone.text);
    const back = await change('/master/unreserve', 'resources', [reserved('disk', 64)]);
    assert.equal(back.status, 202, back.text);
    assert.deepEqual((await agentOf(cluster))['reserved_resources'], {});
  });

  test('Weights and quotas are kept, also by kubectl, and taken back', async () => {
    const weighted = await ask(cluster, {
      path: '/weights',
      method: 'PUT',
      json: [{ role: 'eng', weight: 2.5 }],
    });
    assert.equal(weighted.status, 200, weighted.text);
    assert.deepEqual(await read(cluster, '/weights'), [{ weight: 2.5, role: 'eng' }]);
    const set = await ask(cluster, {
      path: '/quota',
      json: {
        role: 'eng',
        guarantee: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 0.5 } }],
      },
    });
    assert.equal(set.status, 200, set.text);
    const { infos } = (await read(cluster, '/quota')) as unknown as { infos: Json };
    assert.match(JSON.stringify(infos), /"role":"eng"/);
    const roles = await cluster.kubectl('get', 'resourceroles');
    assert.match(roles.out, /eng +2.5 +cpus:0.5 +cpus:0.5/, roles.err);
    const much = await call(cluster, {
      type: 'UPDATE_QUOTA',
      update_quota: { quota_configs: [{ role: 'ops', guarantees: { cpus: { value: 9999 } } }] },
    });
    assert.equal(much.status, 400);
    assert.match(much.text, /^Invalid QuotaConfig: total quota guarantees 'cpus:9999.5' exceed/);
    const removed = await ask(cluster, { path: '/quota/eng', method: 'DELETE' });
    assert.equal(removed.status, 200, removed.text);
    assert.deepEqual(await read(cluster, '/quota'), {});
  });

  test('An app leaves a drained agent and comes back with it', async () => {
    const body = { id: '/stay', cmd: 'exec sleep 1000', cpus: 0.1, mem: 32, user: 'nobody' };
    const posted = await ask(cluster, { port: marathon, path: '/v2/apps', json: body });
    assert.equal(posted.status, 201, posted.text);
    const running = async (): Promise<boolean> => {
      const { text } = await ask(cluster, { port: marathon, path: '/v2/apps//stay' });
      return Number((JSON.parse(text) as Json)['app']!['tasksRunning']) === 1;
    };
    await until('the app', async () => ((await running()) ? true : undefined));
    const drained = await call(cluster, {
      type: 'DRAIN_AGENT',
      drain_agent: { agent_id: { value: slaveId }, max_grace_period: { seconds: 1 } },
    });
    assert.equal(drained.status, 200, drained.text);
    await until('the drained agent', async () => {
      const info = (await agentOf(cluster))['drain_info'];
      return String(info?.['state']) === 'DRAINED' ? true : undefined;
    });
    assert.equal(await running(), false);
    const back = await call(cluster, {
      type: 'REACTIVATE_AGENT',
      reactivate_agent: { agent_id: { value: slaveId } },
    });
    assert.equal(back.status, 200, back.text);
    await until('the app again', async () => ((await running()) ? true : undefined));
  });

  test('A resident app keeps its data while it is replaced, and nothing is left of it', async () => {
    const app = {
      id: '/eng/resident',
      role: 'eng',
      cmd: 'echo line >> data/lines; cat data/lines; exec sleep 1000',
      cpus: 0.1,
      mem: 32,
      user: 'nobody',
      residency: { taskLostBehavior: 'WAIT_FOREVER' },
      container: {
        type: 'MESOS',
        volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 32 } }],
      },
    };
    const posted = await ask(cluster, { port: marathon, path: '/v2/apps', json: app });
    assert.equal(posted.status, 201, posted.text);
    const logOf = (lines: string): Promise<string> =>
      until(`the log ${JSON.stringify(lines)}`, async () => {
        const pods = await cluster.call('GET', '/api/v1/namespaces/mesos-marathon/pods');
        for (const pod of pods['items']!) {
          const name = String(pod['metadata']!['name']);
          if (!name.startsWith('resident')) continue;
          const { out } = await cluster.kubectl('logs', '-n', 'mesos-marathon', name);
          if (out === lines) return name;
        }
        return undefined;
      });
    const first = await logOf('line\n');
    const volumes = join(cluster.dataDir, 'nodes');
    const data = (): readonly string[] =>
      readdirSync(volumes, { recursive: true, encoding: 'utf8' }).filter((path) =>
        /\/volumes\/roles\/eng\/.*\/lines$/.test(path),
      );
    assert.equal(data().length, 1);
    await cluster.kubectl('delete', 'pod', '-n', 'mesos-marathon', first, '--wait=false');
    await logOf('line\nline\n');
    const deleted = await ask(cluster, {
      port: marathon,
      path: '/v2/apps//eng/resident?force=true',
      method: 'DELETE',
    });
    assert.equal(deleted.status, 200, deleted.text);
    await until('the end of its reservations', async () => {
      const { reserved_resources: held } = await agentOf(cluster);
      return JSON.stringify(held) === '{}' ? true : undefined;
    });
    await until('the end of its data', async () => (data().length === 0 ? true : undefined));
  });

  test('A machine is scheduled for maintenance, taken down, and brought up', async () => {
    const ip = String((await agentOf(cluster))['pid']).replace(/^.*@(.*):\d+$/, '$1');
    const machine = { hostname: String((await agentOf(cluster))['hostname']), ip };
    const windows = [
      { machine_ids: [machine], unavailability: { start: { nanoseconds: 1_000_000_000 } } },
    ];
    const scheduled = await ask(cluster, { path: '/maintenance/schedule', json: { windows } });
    assert.equal(scheduled.status, 200, scheduled.text);
    assert.deepEqual(await read(cluster, '/maintenance/schedule'), { windows });
    const status = await read(cluster, '/maintenance/status');
    assert.match(JSON.stringify(status), /"draining_machines":\[\{"id":\{"hostname":/);
    const down = await ask(cluster, { path: '/machine/down', json: [machine] });
    assert.equal(down.status, 200, down.text);
    const slaves = await read(cluster, '/slaves');
    assert.deepEqual(slaves['slaves'], []);
    const up = await ask(cluster, { path: '/machine/up', json: [machine] });
    assert.equal(up.status, 200, up.text);
    await until('the agent', async () => [...(await read(cluster, '/slaves'))['slaves']!][0]);
    assert.deepEqual(await read(cluster, '/maintenance/schedule'), {});
  });
});
