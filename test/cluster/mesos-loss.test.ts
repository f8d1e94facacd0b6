/** Machines that are lost, given up, drained and maintained, under frameworks on a real cluster. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { containerProcesses, kill, sleep, startCluster, until } from './cluster.ts';
import { scalar } from './mesos-framework.ts';
import type { Offer, TestFramework } from './mesos-framework.ts';
import { Lab, Watcher, isRunning, launchOn, story } from './mesos-lab.ts';

/** Does not end on SIGTERM. */
const stubborn = "trap '' TERM; while :; do sleep 0.2; done";
const draining = 'REASON_AGENT_DRAINING';
/** What a framework leaves of an offer goes to the others. */
const refuseSeconds = 30;

suite('Machines that leave', async () => {
  const cluster = await startCluster({ up: ['--nodes', '3'] });
  after(() => cluster[Symbol.asyncDispose]());
  const lab = new Lab(cluster);
  for (const number of [1, 2, 3]) await lab.registered(number);
  const folder = mkdtempSync(join(tmpdir(), 'tandem-loss-'));
  chmodSync(folder, 0o777);
  after(() => rmSync(folder, { recursive: true }));
  const idOf = async (number: number): Promise<string> =>
    String((await lab.registered(number))['id']);

  /** The newest of what was said of a task. */
  const told = (framework: TestFramework, task: string) => framework.updates.get(task)?.at(-1);

  test('Tasks of a lost machine are unreachable or lost, and go on when it is back', async () => {
    const id = await idOf(1);
    const runs = (name: string): string =>
      `echo ran >> ${folder}/${name}; chmod 666 ${folder}/${name}; exec sleep 1000`;
    const aware = lab.framework({
      name: 'aware',
      refuseSeconds,
      onOffer: launchOn(id, [{ id: 'aware-1', command: runs('aware-1') }]),
    });
    await until('its task', () => isRunning(aware, 'aware-1'));
    const legacy = lab.framework({
      name: 'legacy',
      refuseSeconds,
      capabilities: [],
      onOffer: launchOn(id, [{ id: 'legacy-1', command: runs('legacy-1') }]),
    });
    await until('its task', () => isRunning(legacy, 'legacy-1'));
    using watcher = new Watcher(lab);
    await until('the stream', () => watcher.events.length > 0);
    const idle = lab.framework({ name: 'idle', onOffer: () => undefined });
    const offer = await until('an offer of it', () => offersOf(idle, id, 0).at(-1));
    const since = [aware.events.length, legacy.events.length] as const;

    const name = lab.node(1);
    for (const one of [`${name}.supervisor`, name]) kill(cluster.pid(one));
    await lab.silent(name);
    for (const framework of [aware, legacy])
      await until('the loss', () => framework.events.some(({ type }) => type === 'FAILURE'));
    const facts = (framework: TestFramework, from: number): readonly string[] =>
      story(framework, from).filter((text) => !/OFFERS|RESCIND/.test(text));
    assert.deepEqual(facts(aware, since[0]), [
      'aware-1 TASK_UNREACHABLE REASON_AGENT_REMOVED',
      'FAILURE',
    ]);
    assert.deepEqual(facts(legacy, since[1]), [
      'legacy-1 TASK_LOST REASON_AGENT_REMOVED',
      'FAILURE',
    ]);
    const lost = told(aware, 'aware-1');
    assert.equal(lost?.message, 'health check timed out');
    assert.equal(lost?.uuid, undefined);
    assert.ok((lost?.unreachable_time?.nanoseconds ?? 0) > 1.7e18);
    assert.equal(told(legacy, 'legacy-1')?.unreachable_time, undefined);
    assert.deepEqual(
      idle.events.flatMap(({ rescind }) => rescind?.offer_id.value ?? []),
      [offer],
      'whoever was offered the machine was told that it is gone',
    );

    await lostInBooks(id);
    await reconciled(id, { aware, legacy });
    // The master dies and knows all of it afterwards.
    const pid = cluster.pid('server');
    kill(pid);
    await until('another server', () => cluster.pid('server') !== pid);
    for (const framework of [aware, legacy])
      await until('the subscription', () => framework.subscriptions === 2);
    assert.equal(await lab.agent(1), undefined);
    await reconciled(id, { aware, legacy });
    using again = new Watcher(lab);
    await until('the stream', () => again.events.length > 0);

    await cluster.up('--nodes', '3');
    assert.equal(await idOf(1), id);
    for (const [framework, task] of [
      [aware, 'aware-1'],
      [legacy, 'legacy-1'],
    ] as const) {
      const back = await until('the return', () =>
        framework.updates.get(task)?.find(({ reason }) => reason === 'REASON_AGENT_REREGISTERED'),
      );
      assert.deepEqual(
        [back.state, back.source, back.message, back.uuid],
        ['TASK_RUNNING', 'SOURCE_MASTER', 'Unreachable agent re-reregistered', undefined],
      );
      assert.equal(readFileSync(join(folder, task), 'utf8'), 'ran\n');
    }
    assert.deepEqual(again.story.slice(-3).toSorted(), [
      'AGENT_ADDED',
      'TASK_ADDED aware-1 TASK_RUNNING',
      'TASK_ADDED legacy-1 TASK_RUNNING',
    ]);
    assert.equal(
      watcher.story.some((text) => text.startsWith('AGENT')),
      false,
      'an agent that is lost is not removed',
    );
    await aware.call('KILL', { kill: { task_id: { value: 'aware-1' } } });
    await until('the end', () => told(aware, 'aware-1')?.state === 'TASK_KILLED');
    await Promise.all([aware, legacy, idle].map((one) => one.teardown()));
  });

  async function lostInBooks(id: string): Promise<void> {
    const state = await lab.read('/state');
    assert.equal(Number(state['unreachable_slaves']), 1);
    assert.equal([...state['slaves']!].length, 2);
    const tasks = [...state['frameworks']!].flatMap((one) =>
      [...one['unreachable_tasks']!].map(
        (task) => `${String(task['id'])} ${String(task['state'])}`,
      ),
    );
    assert.deepEqual(tasks.toSorted(), ['aware-1 TASK_UNREACHABLE', 'legacy-1 TASK_LOST']);
    const agents = await lab.operator('GET_AGENTS');
    assert.ok(!agents.text.includes(id), agents.text);
    const metrics = await lab.read('/metrics/snapshot');
    for (const [metric, value] of [
      ['slaves_unreachable', 1],
      ['slave_unreachable_scheduled', 1],
      ['slave_unreachable_completed', 1],
      ['slave_removals/reason_unhealthy', 1],
      ['tasks_unreachable', 1],
      ['tasks_lost', 1],
      ['task_unreachable/source_master/reason_slave_removed', 1],
      ['task_lost/source_master/reason_slave_removed', 1],
    ] as const)
      assert.equal(Number(metrics[`master/${metric}`]), value, metric);
    const nodes = await cluster.kubectl('get', 'node', lab.node(1));
    assert.match(nodes.out, / NotReady /);
    const pods = await cluster.call('GET', '/api/v1/namespaces/mesos-aware/pods');
    const [pod] = [...pods['items']!];
    assert.equal(String(pod?.['status']!['phase']), 'Running');
    assert.equal(pod?.['metadata']!['deletionTimestamp'], undefined, 'nobody evicts it');
  }

  /** What the frameworks hear when they ask, with the agent and without it, and for everything. */
  async function reconciled(
    id: string,
    frameworks: { readonly aware: TestFramework; readonly legacy: TestFramework },
  ): Promise<void> {
    for (const [name, framework] of Object.entries(frameworks)) {
      const from = framework.events.length;
      const task_id = { value: `${name}-1` };
      const tasks = [{ task_id, agent_id: { value: id } }, { task_id }];
      await framework.call('RECONCILE', { reconcile: { tasks } });
      await framework.call('RECONCILE', { reconcile: { tasks: [] } });
      await until('both answers', () => updatesSince(framework, from).length >= 2);
      const said = updatesSince(framework, from).map(({ state, reason, message }) =>
        [state, reason, message].join(' '),
      );
      const [lost, unknown] =
        name === 'aware' ? ['TASK_UNREACHABLE', 'TASK_UNKNOWN'] : ['TASK_LOST', 'TASK_LOST'];
      assert.deepEqual(said, [
        `${lost} REASON_RECONCILIATION Reconciliation: Task is unreachable`,
        `${unknown} REASON_RECONCILIATION Reconciliation: Task is unknown`,
      ]);
    }
  }
  function updatesSince(framework: TestFramework, from: number) {
    return framework.events.slice(from).flatMap(({ update }) => update?.status ?? []);
  }

  test('What is decided while a machine is lost is done when it is back', async () => {
    const id = await idOf(1);
    const group = lab.framework({
      name: 'group',
      refuseSeconds,
      onOffer: launchGroupOn(id, 'group'),
    });
    await until('its tasks', () => isRunning(group, 'group-1') && isRunning(group, 'group-2'));
    const leaver = lab.framework({
      name: 'leaver',
      refuseSeconds,
      onOffer: launchGroupOn(id, 'leaver'),
    });
    await until('its tasks', () => isRunning(leaver, 'leaver-1') && isRunning(leaver, 'leaver-2'));
    const loose = lab.framework({
      name: 'loose',
      refuseSeconds,
      checkpoint: false,
      onOffer: launchOn(id, [{ id: 'loose-1' }]),
    });
    await until('its task', () => isRunning(loose, 'loose-1'));
    const since = group.events.length;
    const back = await lab.lose(1);
    try {
      await until('the loss', () => story(group, since).includes('FAILURE'));
      const end = await until('the end', () => loose.ended('loose-1'));
      assert.deepEqual([end.state, end.reason], ['TASK_LOST', 'REASON_AGENT_DISCONNECTED']);
      await leaver.teardown();
      const drained = await lab.aboutAgent('DRAIN_AGENT', id, { max_grace_period: { seconds: 1 } });
      assert.equal(drained.status, 200, drained.text);
    } finally {
      back();
    }
    const facts = () => story(group, since).filter((text) => !/OFFERS|RESCIND/.test(text));
    await until('its end', () => facts().length === 8, 60);
    assert.deepEqual(facts().slice(0, 5), [
      'group-1 TASK_UNREACHABLE REASON_AGENT_REMOVED',
      'group-2 TASK_UNREACHABLE REASON_AGENT_REMOVED',
      'FAILURE',
      'group-1 TASK_RUNNING REASON_AGENT_REREGISTERED',
      'group-2 TASK_RUNNING REASON_AGENT_REREGISTERED',
    ]);
    assert.deepEqual(facts().slice(5).toSorted(), [
      'FAILURE',
      `group-1 TASK_KILLED ${draining}`,
      `group-2 TASK_KILLED ${draining}`,
    ]);
    await until(
      'the end of all processes',
      () => containerProcesses(cluster, lab.node(1)).length === 0,
    );
    await until('the drained agent', async () => {
      const state = (await lab.agent(1))?.['drain_info']?.['state'];
      return String(state) === 'DRAINED';
    });
    assert.equal((await lab.aboutAgent('REACTIVATE_AGENT', id)).status, 200);
    await Promise.all([group.teardown(), loose.teardown()]);
  });

  /** Two tasks under a default executor. */
  function launchGroupOn(id: string, name: string) {
    const launch = launchOn(id, [{ id: `${name}-1` }, { id: `${name}-2` }]);
    return (offer: Offer) => {
      const [operation] = (launch(offer) ?? []) as readonly { launch: { task_infos: object[] } }[];
      if (operation === undefined) return undefined;
      const { framework_id } = offer;
      const resources = [scalar('cpus', 0.1), scalar('mem', 32), scalar('disk', 10)];
      const executor = { type: 'DEFAULT', executor_id: { value: name }, framework_id, resources };
      const task_group = { tasks: operation.launch.task_infos };
      return [{ type: 'LAUNCH_GROUP', launch_group: { executor, task_group } }];
    };
  }

  test('A machine that is given up loses its tasks and its agent for good', async () => {
    for (const [type, status, text] of [
      ['MARK_AGENT_GONE', 404, "Agent 'nobody' not found"],
      ['DRAIN_AGENT', 400, 'Unknown agent'],
      ['DEACTIVATE_AGENT', 400, 'Unknown agent'],
      ['REACTIVATE_AGENT', 400, 'Agent is not deactivated'],
    ] as const)
      assert.deepEqual(await lab.aboutAgent(type, 'nobody'), { status, text });
    const id = await idOf(2);
    const wishes = (name: string) => [{ id: `${name}-1`, command: stubborn }, { id: `${name}-2` }];
    const aware = lab.framework({
      name: 'aware',
      refuseSeconds,
      onOffer: launchOn(id, wishes('aware')),
    });
    await until('its tasks', () => ['aware-1', 'aware-2'].every((one) => isRunning(aware, one)));
    const legacy = lab.framework({
      name: 'legacy',
      refuseSeconds,
      capabilities: [],
      onOffer: launchOn(id, wishes('legacy')),
    });
    await until('its tasks', () => ['legacy-1', 'legacy-2'].every((one) => isRunning(legacy, one)));
    assert.ok(containerProcesses(cluster, lab.node(2)).length > 0);
    const since = [aware.events.length, legacy.events.length] as const;
    assert.deepEqual(await lab.aboutAgent('MARK_AGENT_GONE', id), { status: 200, text: '' });
    await until('the news', () => legacy.events.some(({ type }) => type === 'FAILURE'));
    const facts = (framework: TestFramework, from: number): readonly string[] =>
      story(framework, from).filter((text) => text !== 'OFFERS' && text !== 'RESCIND');
    assert.deepEqual(facts(aware, since[0]), [
      'aware-1 TASK_GONE_BY_OPERATOR REASON_AGENT_REMOVED_BY_OPERATOR',
      'aware-2 TASK_GONE_BY_OPERATOR REASON_AGENT_REMOVED_BY_OPERATOR',
      'FAILURE',
    ]);
    assert.deepEqual(facts(legacy, since[1]), [
      'legacy-1 TASK_LOST REASON_AGENT_REMOVED',
      'legacy-2 TASK_LOST REASON_AGENT_REMOVED',
      'FAILURE',
    ]);
    assert.equal(told(aware, 'aware-1')?.message, 'Agent has been marked gone');
    await until(
      'the end of its processes',
      () => containerProcesses(cluster, lab.node(2)).length === 0,
    );
    assert.deepEqual(await lab.aboutAgent('MARK_AGENT_GONE', id), { status: 200, text: '' });
    const task_id = { value: 'aware-1' };
    await aware.call('RECONCILE', {
      reconcile: { tasks: [{ task_id, agent_id: { value: id } }] },
    });
    await until(
      'the answer',
      () => told(aware, 'aware-1')?.message === 'Reconciliation: Task is gone',
    );
    assert.equal(told(aware, 'aware-1')?.state, 'TASK_GONE_BY_OPERATOR');
    const metrics = await lab.read('/metrics/snapshot');
    assert.equal(Number(metrics['master/tasks_gone_by_operator']), 2);
    // Its agent may restart as often as it likes: it does not come back.
    const pid = cluster.pid(lab.node(2));
    kill(pid);
    await until('another agent', () => cluster.pid(lab.node(2)) !== pid);
    await until('its node', async () =>
      / Ready /.test((await cluster.kubectl('get', 'node', lab.node(2))).out),
    );
    assert.equal(await lab.agent(2), undefined);
    // Until somebody forgets that it was given up: then it is another one.
    const deleted = await cluster.kubectl('delete', 'agents.mesos.tandem.dev', lab.node(2));
    assert.equal(deleted.code, 0, deleted.err);
    assert.notEqual(await idOf(2), id);
    await Promise.all([aware.teardown(), legacy.teardown()]);
  });

  test('A machine is drained within the grace period, and offered again later', async () => {
    const id = await idOf(3);
    const framework = lab.framework({
      name: 'drained',
      capabilities: ['PARTITION_AWARE', 'TASK_KILLING_STATE'],
      onOffer: launchOn(id, [
        { id: 'patient', command: stubborn, graceSeconds: 60 },
        { id: 'short', command: stubborn, graceSeconds: 1 },
        { id: 'polite' },
      ]),
    });
    await until('its tasks', () =>
      ['patient', 'short', 'polite'].every((one) => isRunning(framework, one)),
    );
    const drained = await lab.aboutAgent('DRAIN_AGENT', id, { max_grace_period: { seconds: 2 } });
    assert.deepEqual(drained, { status: 200, text: '' });
    const startMs = performance.now();
    await drainSeen(id, 'DRAINING');
    assert.deepEqual(await lab.aboutAgent('REACTIVATE_AGENT', id), {
      status: 400,
      text: 'Agent is still in the DRAINING state',
    });
    for (const task of ['polite', 'short', 'patient']) {
      const end = await until(`the end of ${task}`, () => framework.ended(task));
      const signal = task === 'polite' ? 'Terminated' : 'Killed';
      assert.deepEqual(
        [end.state, end.reason, end.source, end.message],
        ['TASK_KILLED', draining, 'SOURCE_EXECUTOR', `Command terminated with signal ${signal}`],
      );
      const killing = framework.updates.get(task)?.find(({ state }) => state === 'TASK_KILLING');
      assert.equal(killing?.reason, draining);
    }
    assert.ok(performance.now() - startMs < 20_000, 'nobody waited for a minute');
    await until('the drained agent', async () => {
      const state = (await lab.agent(3))?.['drain_info']?.['state'];
      return String(state) === 'DRAINED';
    });
    await drainSeen(id, 'DRAINED');
    const from = framework.events.length;
    await sleep(1500);
    assert.deepEqual(offersOf(framework, id, from), [], 'nothing is offered of it');
    assert.deepEqual(await lab.aboutAgent('REACTIVATE_AGENT', id), { status: 200, text: '' });
    await until('an offer', () => offersOf(framework, id, from).length > 0);
    assert.equal((await lab.agent(3))?.['drain_info'], undefined);

    assert.deepEqual(await lab.aboutAgent('DEACTIVATE_AGENT', id), { status: 200, text: '' });
    await until('its rescission', () => framework.events.at(-1)?.type === 'RESCIND');
    const agent = await lab.agent(3);
    assert.deepEqual([agent?.['active'], agent?.['deactivated']], [false, true]);
    assert.equal(agent?.['drain_info'], undefined);
    assert.equal(Number((await lab.read('/state'))['deactivated_slaves']), 1);
    assert.equal((await lab.aboutAgent('REACTIVATE_AGENT', id)).status, 200);
    const gone = await lab.aboutAgent('DRAIN_AGENT', id, { mark_gone: true });
    assert.equal(gone.status, 200, gone.text);
    await until('its end', async () => (await lab.agent(3)) === undefined);
    await cluster.kubectl('delete', 'agents.mesos.tandem.dev', lab.node(3));
    assert.notEqual(await idOf(3), id);
    await framework.teardown();
  });

  async function drainSeen(id: string, state: string): Promise<void> {
    const agent = await lab.agent(3);
    assert.equal(String(agent?.['drain_info']!['state']), state);
    assert.deepEqual([agent?.['active'], agent?.['deactivated']], [false, true]);
    for (const type of ['GET_AGENTS', 'GET_STATE']) {
      const { text } = await lab.operator(type);
      const shown = text.slice(text.indexOf(`{"value":"${id}"}`));
      assert.match(shown, new RegExp(`"drain_info":{"state":"${state}","config":{`), type);
      assert.match(shown, /"max_grace_period":{"nanoseconds":2000000000}/, type);
    }
  }
  function offersOf(framework: TestFramework, id: string, from: number): readonly string[] {
    return framework.events
      .slice(from)
      .flatMap(({ offers }) => offers?.offers ?? [])
      .filter(({ agent_id }) => agent_id.value === id)
      .map((offer) => offer.id.value);
  }

  test('A scheduled machine is asked back, taken down and brought up', async () => {
    const id = await idOf(1);
    const { hostname } = (await lab.registered(1)) as unknown as { hostname: string };
    const machine = { hostname, ip: hostname };
    const start = { nanoseconds: (Date.now() + 60_000) * 1e6 };
    const unavailability = { start, duration: { nanoseconds: 3_600_000_000_000 } };
    await scheduleProblems(machine, unavailability);
    const frameworks = ['willing', 'unwilling'].map((name) =>
      lab.framework({ name, refuseSeconds, onOffer: launchOn(id, [{ id: name }]) }),
    );
    const [willing, unwilling] = frameworks as [TestFramework, TestFramework];
    // Each leaves the rest of the offer to the other.
    await until('both tasks', () =>
      [isRunning(willing, 'willing'), isRunning(unwilling, 'unwilling')].every(Boolean),
    );
    const windows = [{ machine_ids: [machine], unavailability }];
    const posted = await lab.master('/maintenance/schedule', { json: { windows } });
    assert.deepEqual(posted, { status: 200, text: '' });
    assert.equal(
      (await lab.master('/maintenance/schedule')).text,
      JSON.stringify({ windows }),
      'to the nanosecond',
    );
    const asked = async (one: TestFramework) =>
      until('an inverse offer', () =>
        one.events.flatMap((event) => event.inverse_offers?.inverse_offers ?? []).at(-1),
      );
    for (const [one, call] of [
      [willing, 'ACCEPT_INVERSE_OFFERS'],
      [unwilling, 'DECLINE_INVERSE_OFFERS'],
    ] as const) {
      const inverse = await asked(one);
      assert.equal(inverse.agent_id.value, id);
      assert.deepEqual(inverse.unavailability, unavailability);
      const fields = { inverse_offer_ids: [inverse.id], filters: { refuse_seconds: 60 } };
      assert.equal(await one.call(call, { [call.toLowerCase()]: fields }), 202);
    }
    const answers = await until('both answers', async () => {
      const status = await lab.read('/maintenance/status');
      const statuses = [...(status['draining_machines']![0]?.['statuses'] ?? [])];
      return statuses.length === 2 ? statuses : undefined;
    });
    assert.deepEqual(
      answers.map((one) => [String(one['status']), String(one['framework_id']!['value'])]),
      [
        ['ACCEPT', willing.id],
        ['DECLINE', unwilling.id],
      ],
    );
    const idle = lab.framework({ name: 'idle', onOffer: () => undefined });
    const offer = await until('an offer of it', () =>
      idle.events
        .flatMap(({ offers }) => offers?.offers ?? [])
        .find(({ agent_id }) => agent_id.value === id),
    );
    assert.deepEqual(offer.unavailability, unavailability);
    const drain = await lab.aboutAgent('DRAIN_AGENT', id);
    assert.deepEqual(drain, {
      status: 400,
      text: `Agent ${id} is part of a maintenance schedule under Machine ${hostname} (${hostname})`,
    });
    await downAndUp(machine, { id, willing });
    await Promise.all([...frameworks, idle].map((one) => one.teardown()));
  });

  async function scheduleProblems(
    machine: { readonly hostname: string; readonly ip: string },
    unavailability: object,
  ): Promise<void> {
    const named = `Machine '${JSON.stringify(machine)}'`;
    const schedule = (...ids: object[]) => ({ windows: [{ machine_ids: ids, unavailability }] });
    const twice = `${named} appears more than once in the schedule`;
    const unscheduled = `${named} is not part of a maintenance schedule`;
    for (const [path, json, text] of [
      ['/maintenance/schedule', schedule(), 'List of machines in the maintenance window is empty'],
      ['/maintenance/schedule', schedule(machine, machine), twice],
      [
        '/maintenance/schedule',
        { windows: [...schedule(machine).windows, ...schedule(machine).windows] },
        twice,
      ],
      ['/maintenance/schedule', schedule({}), "Both 'hostname' and 'ip' for a machine are empty"],
      ['/machine/down', [], 'List of machines is empty'],
      ['/machine/down', [machine], unscheduled],
      ['/machine/up', [machine], unscheduled],
    ] as const)
      assert.deepEqual(await lab.master(path, { json }), { status: 400, text });
  }

  async function downAndUp(
    machine: object,
    { id, willing }: { readonly id: string; readonly willing: TestFramework },
  ): Promise<void> {
    using watcher = new Watcher(lab);
    await until('the stream', () => watcher.events.length > 0);
    const named = `Machine '${JSON.stringify(machine)}'`;
    const from = willing.events.length;
    const down = await lab.operator('START_MAINTENANCE', { machines: [machine] });
    assert.deepEqual(down, { status: 200, text: '' });
    await until('the end', () => told(willing, 'willing')?.state === 'TASK_LOST');
    assert.match(
      told(willing, 'willing')?.message ?? '',
      /^Agent .* removed: Operator initiated 'Machine DOWN'$/,
    );
    await until('the news', () => story(willing, from).includes('FAILURE'));
    await until('the removal', () => watcher.story.includes('AGENT_REMOVED'));
    await until('its processes', () => containerProcesses(cluster, lab.node(1)).length === 0);
    assert.equal(await lab.agent(1), undefined);
    assert.deepEqual(await lab.read('/maintenance/status'), { down_machines: [machine] });
    assert.deepEqual(await lab.master('/maintenance/schedule', { json: {} }), {
      status: 400,
      text: `${named} is deactivated and cannot be removed from the schedule`,
    });
    assert.deepEqual(await lab.master('/machine/down', { json: [machine] }), {
      status: 400,
      text: `${named} is not in DRAINING mode and cannot be brought down`,
    });
    const up = await lab.master('/machine/up', { json: [machine] });
    assert.deepEqual(up, { status: 200, text: '' });
    assert.equal(await idOf(1), id);
    assert.deepEqual(await lab.read('/maintenance/schedule'), {});
  }

  test('GPUs go to frameworks that know them, whole ones only', async () => {
    const amounts = { 'nvidia.com/gpu': '2' };
    await cluster.call('PATCH', `/api/v1/nodes/${lab.node(2)}/status`, {
      status: { capacity: amounts, allocatable: amounts },
    });
    const agent = await until('the GPUs', async () => {
      const found = await lab.registered(2);
      return Number(found['resources']!['gpus']) === 2 ? found : undefined;
    });
    const id = String(agent['id']);
    const plain = lab.framework({ name: 'plain', onOffer: () => undefined });
    await until('its offers', () => plain.events.some(({ offers }) => offers !== undefined));
    const gpus = (count: number) => [scalar('cpus', 0.1), scalar('mem', 16), scalar('gpus', count)];
    const able = lab.framework({
      name: 'able',
      capabilities: ['GPU_RESOURCES'],
      onOffer: launchOn(id, [
        { id: 'one', resources: gpus(1) },
        { id: 'half', resources: gpus(0.5) },
      ]),
    });
    await until('its task', () => isRunning(able, 'one'));
    assert.deepEqual(
      [told(able, 'half')?.state, told(able, 'half')?.message],
      [
        'TASK_ERROR',
        "Task uses invalid resources: Invalid 'gpus' resource: " +
          "The 'gpus' resource must be an unsigned integer",
      ],
    );
    assert.equal(Number((await lab.registered(2))['used_resources']!['gpus']), 1);
    assert.deepEqual(offersOf(plain, id, 0), []);
    const node = await cluster.kubectl('describe', 'node', lab.node(2));
    assert.match(node.out, /nvidia\.com\/gpu +1 +1/);
    await Promise.all([plain.teardown(), able.teardown()]);
  });
});
