import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessRequest } from '#mesos/protocol';
import { worldWith } from './test-world.test.ts';
import type { World } from './test-world.test.ts';

async function metricsOf(world: World): Promise<Record<string, number>> {
  const face = world.agent?.face;
  assert(face !== undefined);
  const reply = await face(inProcessRequest({ path: '/metrics/snapshot' }));
  assert(reply.body instanceof Uint8Array || typeof reply.body === 'string');
  return JSON.parse(Buffer.from(reply.body).toString());
}

test('Files come by FTP and by the Hadoop client; what these say is told', async () => {
  const world = await worldWith(() => ({}));
  world.web.set('ftp://h/a', 'by ftp');
  world.web.set('hdfs://n/b', 'by hadoop');
  const fetches = (...values: readonly string[]) => ({
    task: { command: { value: 'true', uris: values.map((value) => ({ value })) } },
  });
  await world.launch('good', fetches('ftp://h/a', 'hdfs://n/b'));
  await world.launch('ftp', fetches('ftp://h/none'));
  await world.launch('hdfs', fetches('hdfs://n/none'));
  await world.run(500);
  assert.deepEqual(world.states('good'), ['TASK_STARTING', 'TASK_RUNNING']);
  const { uid } = world.pod('pod-good')?.metadata ?? assert.fail();
  const run = `/agent/slaves/A1/frameworks/F1/executors/good/runs/${uid}`;
  assert.deepEqual(
    [world.files.text(`${run}/a`), world.files.text(`${run}/b`)],
    ['by ftp', 'by hadoop'],
  );
  const why = (id: string) => world.last(id)?.message?.replace(/^.*'[^']*': Failed/, 'Failed');
  assert.equal(
    why('ftp'),
    "Failed to fetch 'ftp://h/none': Error downloading resource, received FTP return code 550",
  );
  assert.equal(
    why('hdfs'),
    "Failed to fetch 'hdfs://n/none': HDFS copyToLocal failed: no such file",
  );
  world.crash();
});

test('The agent counts what it told, launched and fetched', async () => {
  const world = await worldWith(({ name }) =>
    name === 'bad' ? { exitAfterMs: 50, exitCode: 1 } : {},
  );
  world.web.set('http://x/a', 'content');
  const fetches = (value: string) => ({ task: { command: { value: 'true', uris: [{ value }] } } });
  await world.launch('good', fetches('http://x/a'));
  await world.launch('none', fetches('http://x/none'));
  await world.launch('bad');
  await world.run(1000);
  await world.kill('good');
  await world.run(1000);
  const metrics = await metricsOf(world);
  const wanted = {
    'slave/tasks_killed': 1,
    'slave/tasks_failed': 2,
    'slave/tasks_running': 0,
    'slave/container_launch_errors': 1,
    'containerizer/fetcher/task_fetches_succeeded': 1,
    'containerizer/fetcher/task_fetches_failed': 1,
    'containerizer/fetcher/cache_size_total_bytes': 2 * 2 ** 30,
    'containerizer/fetcher/cache_size_used_bytes': 0,
    'slave/invalid_status_updates': 0,
    'slave/recovery_errors': 0,
    'slave/cpus_revocable_total': 0,
    'gc/path_removals_pending': 0,
    'resource_provider_manager/subscribed': 0,
  };
  for (const [name, value] of Object.entries(wanted)) assert.equal(metrics[name], value, name);
  const told = [...world.told.values()].flat().length;
  assert.equal(metrics['slave/valid_status_updates'], told);
  assert.equal(typeof metrics['slave/recovery_time_secs'], 'number');
  world.crash();
});
