/** Marathon's apps and pods on machines that are lost: constraints, replacements, returns. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { kill, startCluster, until } from './cluster.ts';
import type { Json } from './cluster.ts';
import { Lab, MarathonEvents } from './mesos-lab.ts';

suite('Marathon on machines that leave', async () => {
  const cluster = await startCluster({ up: ['--nodes', '3'] });
  after(() => cluster[Symbol.asyncDispose]());
  const lab = new Lab(cluster);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-loss-'));
  chmodSync(folder, 0o777);
  after(() => rmSync(folder, { recursive: true }));
  const hosts = new Map<string, number>();
  for (const number of [1, 2, 3]) {
    const labels = { rack: number === 3 ? 'b' : 'a', place: `p${number}` };
    await cluster.call('PATCH', `/api/v1/nodes/${lab.node(number)}`, { metadata: { labels } });
    hosts.set(String((await lab.registered(number))['hostname']), number);
  }
  const numberOf = (host: Json | undefined): number => hosts.get(String(host)) ?? 0;

  async function get(path: string): Promise<Json> {
    const { status, text } = await lab.marathon(path);
    assert.equal(status, 200, text);
    return JSON.parse(text) as Json;
  }
  async function post(id: string, more: object): Promise<void> {
    const json = { id, cmd: 'exec sleep 1000', cpus: 0.05, mem: 16, user: 'nobody', ...more };
    const { status, text } = await lab.marathon('/v2/apps', { json });
    assert.equal(status, 201, text);
  }
  async function app(id: string): Promise<Json> {
    return (await get(`/v2/apps/${id}?embed=app.tasks&embed=app.counts`))['app']!;
  }
  /** Where its tasks are, by their state; in order of nodes. */
  async function placed(id: string): Promise<readonly string[]> {
    return [...(await app(id))['tasks']!]
      .map((task) => `${numberOf(task['host'])} ${String(task['state'])}`)
      .toSorted((a, b) => a.localeCompare(b));
  }
  function runs(id: string, count: number): Promise<readonly Json[]> {
    return until(`${count} tasks of ${id}`, async () => {
      const now = await app(id);
      const tasks = [...now['tasks']!];
      const settled = Number(now['tasksRunning']) === count && tasks.length === count;
      return settled ? tasks : undefined;
    });
  }
  const idsOf = (tasks: readonly Json[]): readonly string[] =>
    tasks.map((task) => String(task['id'])).toSorted((a, b) => a.localeCompare(b));
  /** Why the offers of the last rounds were not taken. */
  async function waiting(id: string): Promise<readonly string[]> {
    const queue = [...(await get('/v2/queue'))['queue']!];
    const entry = queue.find((one) => String(one['app']?.['id'] ?? one['pod']?.['id']) === id);
    const reasons = entry?.['processedOffersSummary']!['rejectSummaryLastOffers'] ?? [];
    return [...reasons]
      .filter((one) => Number(one['declined']) > 0)
      .map((one) => String(one['reason']));
  }

  test('Constraints are matched with the labels of nodes', async () => {
    const cases = [
      { id: '/cluster', constraint: ['rack', 'CLUSTER', 'a'], count: 3, on: /^[12]+$/ },
      { id: '/group', constraint: ['rack', 'GROUP_BY', '2'], count: 4, on: /^[12]{2}33$/ },
      { id: '/like', constraint: ['place', 'LIKE', 'p[13]'], count: 2, on: /^[13]+$/ },
      { id: '/unlike', constraint: ['rack', 'UNLIKE', 'a'], count: 2, on: /^33$/ },
      { id: '/is', constraint: ['place', 'IS', 'p2'], count: 2, on: /^22$/ },
      { id: '/max', constraint: ['rack', 'MAX_PER', '2'], count: 5, fits: 4, on: /^[12]{2}33$/ },
      { id: '/unique', constraint: ['hostname', 'UNIQUE'], count: 4, fits: 3, on: /^123$/ },
    ];
    for (const { id, constraint, count } of cases)
      await post(id, { constraints: [constraint], instances: count });
    for (const { id, count, fits = count, on } of cases) {
      const tasks = await until(`the tasks of ${id}`, async () => {
        const all = [...(await app(id))['tasks']!];
        const running = all.filter((task) => String(task['state']) === 'TASK_RUNNING');
        return running.length === fits ? running : undefined;
      });
      const nodes = tasks.map((task) => numberOf(task['host'])).toSorted((a, b) => a - b);
      assert.match(nodes.join(''), on, id);
    }
    for (const id of ['/max', '/unique'])
      await until(`the reason of ${id}`, async () =>
        (await waiting(id)).join() === 'UnfulfilledConstraint' ? true : undefined,
      );
    for (const { id } of cases) {
      const deleted = await lab.marathon(`/v2/apps/${id}?force=true`, { method: 'DELETE' });
      assert.equal(deleted.status, 200, deleted.text);
    }
    await until('their end', async () => [...(await get('/v2/tasks'))['tasks']!].length === 0);
  });

  test('Instances of a lost machine are replaced as they ask for, and counted once', async () => {
    // Where this one runs is what will be lost.
    const slow = { inactiveAfterSeconds: 1, expungeAfterSeconds: 1000 };
    await post('/slow', { constraints: [['rack', 'LIKE', 'a']], unreachableStrategy: slow });
    const [first] = await runs('/slow', 1);
    const number = numberOf(first?.['host']);
    const unique = { constraints: [['hostname', 'UNIQUE']], instances: 3 };
    await post('/zero', unique);
    await post('/anywhere', { instances: 3, constraints: [['hostname', 'MAX_PER', '2']] });
    await post('/forever', { ...unique, unreachableStrategy: 'disabled' });
    const short = { inactiveAfterSeconds: 1, expungeAfterSeconds: 2 };
    await post('/short', { ...unique, instances: 3, unreachableStrategy: short });
    const lines = join(folder, 'lines');
    await post('/eng/resident', {
      role: 'eng',
      cmd: `echo line >> data/lines; cat data/lines > ${lines}; exec sleep 1000`,
      constraints: [['place', 'IS', `p${number}`]],
      residency: { taskLostBehavior: 'WAIT_FOREVER' },
      container: {
        type: 'MESOS',
        volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 16 } }],
      },
    });
    const pod = await lab.marathon('/v2/pods', { json: podOf('/pod') });
    assert.equal(pod.status, 201, pod.text);
    const before = new Map<string, readonly string[]>();
    for (const id of ['/zero', '/anywhere', '/forever', '/short'])
      before.set(id, idsOf(await runs(id, 3)));
    before.set('/eng/resident', idsOf(await runs('/eng/resident', 1)));
    await until('the pod', async () => String((await podStatus())['status']) === 'STABLE');
    await until('its lines', () => readFileSync(lines, 'utf8') === 'line\n');

    using events = new MarathonEvents(lab);
    await until('the stream', () => events.events.length > 0);
    const back = await lab.lose(number);
    let isBack = false;
    try {
      await until('the loss', () => events.conditionsOf('/slow').includes('Unreachable'));
      await lost(number, events);
      // Its master and Marathon die, and know it again.
      const pid = cluster.pid('server');
      kill(pid);
      await until('another server', () => cluster.pid('server') !== pid);
      await until('its Marathon', async () => (await lab.marathon('/ping')).status === 200);
      await lost(number, undefined);
      // Looked at every thirty seconds.
      using more = new MarathonEvents(lab);
      await until('a replacement', async () => (await placed('/slow')).length === 2, 60);
      await until('the expunged', async () => (await placed('/short')).length === 2, 40);
      assert.ok(more.events.length > 0);
      const other = number === 1 ? 2 : 1;
      const states = [`${number} TASK_UNREACHABLE`, `${other} TASK_RUNNING`];
      await until(
        'the replacement',
        async () =>
          (await placed('/slow')).join() === states.toSorted((a, b) => a.localeCompare(b)).join(),
      );
      back();
      isBack = true;
      await returned(number, before, more);
    } finally {
      if (!isBack) back();
    }
    await until('the same volume', async () => {
      const [task] = await runs('/eng/resident', 1);
      return numberOf(task?.['host']) === number;
    });
    assert.equal(readFileSync(lines, 'utf8'), 'line\n', 'it was not started again');
  });

  const podOf = (id: string): object => ({
    id,
    user: 'nobody',
    scaling: { kind: 'fixed', instances: 3 },
    containers: [
      {
        name: 'main',
        exec: { command: { shell: 'exec sleep 1000' } },
        resources: { cpus: 0.05, mem: 32 },
      },
    ],
    scheduling: {
      placement: { constraints: [{ fieldName: 'hostname', operator: 'UNIQUE' }] },
      unreachableStrategy: 'disabled',
    },
  });
  const podStatus = (): Promise<Json> => get('/v2/pods//pod::status');

  /** Right after the loss, before the job that looks for inactive ones has run. */
  async function lost(number: number, events: MarathonEvents | undefined): Promise<void> {
    const rest = [1, 2, 3].filter((one) => one !== number).map((one) => `${one} TASK_RUNNING`);
    const all = [...rest, `${number} TASK_UNREACHABLE`].toSorted((a, b) => a.localeCompare(b));
    // Expunged at once: a third place does not exist.
    await until('two of them', async () => (await placed('/zero')).join() === rest.join());
    await until(
      'the reason',
      async () => (await waiting('/zero')).join() === 'UnfulfilledConstraint',
    );
    await until('the replacement', async () => {
      const tasks = await placed('/anywhere');
      return tasks.length === 3 && tasks.every((task) => task.endsWith('TASK_RUNNING'));
    });
    assert.deepEqual(await placed('/forever'), all);
    assert.deepEqual(await placed('/slow'), [`${number} TASK_UNREACHABLE`]);
    assert.deepEqual(await placed('/eng/resident'), [`${number} TASK_UNREACHABLE`]);
    const forever = await app('/forever');
    assert.deepEqual(
      ['tasksStaged', 'tasksRunning', 'tasksHealthy', 'tasksUnhealthy'].map((name) =>
        Number(forever[name]),
      ),
      [0, 2, 0, 0],
    );
    const pod = await podStatus();
    assert.equal(String(pod['status']), 'DEGRADED');
    const gone = [...pod['instances']!].find((one) => numberOf(one['agentHostname']) === number);
    assert.deepEqual(
      [gone?.['status'], gone?.['message'], gone?.['containers']![0]?.['status']].map(String),
      ['DEGRADED', 'pod instance has become unreachable', 'TASK_UNREACHABLE'],
    );
    if (events === undefined) return;
    assert.equal(events.conditionsOf('/zero')[0], 'UnreachableInactive');
    assert.deepEqual(events.conditionsOf('/forever'), ['Unreachable']);
    const status = events.events.find(
      ({ type, data }) => type === 'status_update_event' && String(data['appId']) === '/forever',
    );
    assert.equal(String(status?.data['taskStatus']), 'TASK_UNREACHABLE');
    assert.equal(String(status?.data['message']), 'health check timed out');
  }

  async function returned(
    number: number,
    before: ReadonlyMap<string, readonly string[]>,
    events: MarathonEvents,
  ): Promise<void> {
    // The server that it knew died while it stood still: it has to find out that nobody answers.
    await until('the machine', () => lab.agent(number), 60);
    for (const [id, count] of [
      ['/zero', 3],
      ['/anywhere', 3],
      ['/forever', 3],
      ['/short', 3],
      ['/slow', 1],
      ['/eng/resident', 1],
    ] as const)
      await runs(id, count);
    for (const id of ['/forever', '/eng/resident'])
      assert.deepEqual(idsOf(await runs(id, before.get(id)?.length ?? 0)), before.get(id), id);
    // What was expunged is killed as nobody's; others took its place.
    for (const id of ['/zero', '/anywhere', '/short']) {
      const now = idsOf(await runs(id, 3));
      const kept = before.get(id)?.filter((one) => now.includes(one)) ?? [];
      assert.equal(kept.length, 2, id);
      await until(`the end of the old task of ${id}`, () =>
        events.events.some(
          ({ type, data }) =>
            type === 'unknown_instance_terminated_event' &&
            String(data['runSpecId']) === id &&
            String(data['condition']) === 'Killed',
        ),
      );
    }
    await until('the pod', async () => String((await podStatus())['status']) === 'STABLE');
    // Nothing runs there that nobody counts.
    const tasks = [...(await get('/v2/tasks'))['tasks']!];
    const containers = [...(await podStatus())['instances']!].length;
    await until('as many Pods as tasks', async () => {
      const pods = await lab.livePods('mesos-marathon');
      return pods.length === tasks.length + containers;
    });
  }
});
