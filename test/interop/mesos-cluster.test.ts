/** The npm package mesos-framework 0.5.3 and curl-like calls on a real cluster, with a real task. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster, Json } from '../cluster/cluster.ts';
import { installMesosFramework, runMesosFramework } from './mesos-package.ts';

let cluster: Cluster | undefined;
before(async () => {
  installMesosFramework();
  cluster = await startCluster();
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

function port(): number {
  assert.ok(cluster !== undefined);
  return 5050 + cluster.offset;
}

async function operator(call: object): Promise<Json> {
  const response = await fetch(`http://127.0.0.1:${port()}/api/v1`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(call),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Json;
}

test('mesos-framework 0.5.3 runs, kills and tears down a real task', async () => {
  const said = await runMesosFramework(port(), { timeoutMs: 60_000 });
  assert.deepEqual(
    new Set(said),
    new Set(['accepted', 'acknowledged', 'heartbeat', 'subscribed 36', 'torn down']),
  );
  const { get_tasks } = await operator({ type: 'GET_TASKS' });
  const [task, ...others] = [...get_tasks!['completed_tasks']!];
  assert.deepEqual(others, []);
  assert.equal(`${task!['name']} ${task!['state']}`, 'sleeper-1 TASK_KILLED');
  const { get_frameworks } = await operator({ type: 'GET_FRAMEWORKS' });
  assert.deepEqual([...get_frameworks!['frameworks']!], []);
  assert.equal(
    String(get_frameworks!['completed_frameworks']![0]!['framework_info']!['name']),
    'interop',
  );
});

test('The master shows its log and its agents', async () => {
  const { read_file } = await operator({
    type: 'READ_FILE',
    read_file: { path: '/master/log', offset: 0, length: 200 },
  });
  assert.match(Buffer.from(String(read_file!['data']), 'base64').toString(), /"message"/);
  const { get_agents } = await operator({ type: 'GET_AGENTS' });
  const [agent] = [...get_agents!['agents']!];
  assert.match(String(agent!['pid']), /^slave\(1\)@/);
  assert.equal(Boolean(agent!['active']), true);
});
