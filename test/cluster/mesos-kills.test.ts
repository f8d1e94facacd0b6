/**
 * Server, agent, executors and frameworks die at random moments: no task is lost, none runs twice,
 * every update is told until it is acknowledged.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { checkout, kill, long, processesWith, sleep, startCluster, until } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import type { FrameworkSettings, Line } from './framework-process.ts';
import { TestFramework, amountOf, scalar } from './mesos-framework.ts';
import type { Offer, Status } from './mesos-framework.ts';

const kills = long ? 10 : 3;
const tasksWanted = long ? 60 : 24;
const atOnce = 8;

/** Everybody may write there: tasks run as nobody. */
function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-tasks-'));
  chmodSync(folder, 0o777);
  return folder;
}

/** A task writes a line into a file of its name. */
function runsOf(folder: string, id: string): number {
  const file = join(folder, id);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
}

function masterOf(cluster: Cluster): string {
  return `http://127.0.0.1:${5050 + cluster.offset}`;
}

async function read(cluster: Cluster, path: string): Promise<Json> {
  const reply = await fetch(`${masterOf(cluster)}${path}`, { signal: AbortSignal.timeout(10_000) });
  return (await reply.json()) as Json;
}

test('Tasks survive the deaths of server and agent', async () => {
  await using cluster = await startCluster();
  const folder = openFolder();
  const launched = new Set<string>();
  const done = (id: string): boolean => framework.ended(id) !== undefined;
  const open = (): string[] => [...launched].filter((id) => !done(id));
  const finished = (): string[] =>
    [...launched].filter((id) => framework.ended(id)?.state === 'TASK_FINISHED');
  const framework = new TestFramework({
    master: masterOf(cluster),
    name: 'survivor',
    onOffer: (offer) => launch(offer),
  });
  function launch(offer: Offer): readonly unknown[] {
    const task_infos: unknown[] = [];
    let cpus = amountOf(offer, 'cpus');
    while (
      finished().length + open().length < tasksWanted &&
      open().length < atOnce &&
      cpus >= 0.1
    ) {
      const id = `task-${launched.size}`;
      launched.add(id);
      cpus -= 0.1;
      task_infos.push({
        name: id,
        task_id: { value: id },
        agent_id: offer.agent_id,
        command: { value: `echo ran >> ${folder}/${id}; sleep 1; exit 0` },
        resources: [scalar('cpus', 0.1), scalar('mem', 16)],
      });
    }
    return task_infos.length === 0 ? [] : [{ type: 'LAUNCH', launch: { task_infos } }];
  }
  try {
    const [node = ''] = (await cluster.status()).agents.map((agent) => agent.node);
    for (let turn = 0; turn < kills; turn++) {
      await sleep(300 + 97 * ((turn * 7) % 11));
      for (const victim of ['server', node]) {
        const pid = cluster.pid(victim);
        kill(pid);
        await until(`a new ${victim}`, () =>
          Promise.resolve(
            existsSync(`${cluster.runDir}/${victim}.pid`) && cluster.pid(victim) !== pid,
          ),
        );
        await sleep(200);
      }
    }
    await until(
      'the end of all tasks',
      async () => {
        if (finished().length >= tasksWanted) return true;
        // A launch that died with the master is unknown to it; it may be launched anew.
        if (open().length > 0) await framework.reconcile(open()).catch(() => 0);
        await sleep(500);
        return false;
      },
      120,
    );
    for (const id of launched) {
      const runs = runsOf(folder, id);
      const states = framework.updates.get(id)?.map(({ state }) => state) ?? [];
      const story = `${id}: ran ${runs} times, ${states.join(' ')}`;
      if (states.includes('TASK_FINISHED')) assert.equal(runs, 1, story);
      assert.ok(runs <= 1, story);
      const order = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'];
      const told = framework.updates.get(id)?.filter(({ uuid }) => uuid !== undefined) ?? [];
      const steps = told.map(({ state }) => order.indexOf(state));
      assert.deepEqual(
        steps,
        [...new Set(steps)].toSorted((a, b) => a - b),
        story,
      );
    }
    assert.ok(framework.subscriptions > 1);
  } finally {
    await framework.teardown().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Launches what it is told to, one lot after the other, with the first offer that has room. */
class Launcher {
  readonly framework: TestFramework;
  #wanted: readonly unknown[] | undefined;

  constructor(cluster: Cluster) {
    this.framework = new TestFramework({
      master: masterOf(cluster),
      name: 'executors',
      refuseSeconds: 0,
      onOffer: (offer) => this.#answer(offer),
    });
  }

  /** Operations, with `agent` where the agent's id belongs. */
  launch(...operations: readonly unknown[]): void {
    this.#wanted = operations;
  }
  #answer({ agent_id }: Offer): readonly unknown[] {
    const text = JSON.stringify(this.#wanted ?? []).replaceAll('"agent"', JSON.stringify(agent_id));
    this.#wanted = undefined;
    return JSON.parse(text) as unknown[];
  }

  /** The last update of each task, once all have one that fits. */
  told(ids: readonly string[], state: RegExp): Promise<readonly Status[]> {
    return until(`${ids[0]} and others ${state}`, () => {
      const last = ids.map((id) => this.framework.updates.get(id)?.at(-1));
      const fitting = last.flatMap((one) =>
        one !== undefined && state.test(one.state) ? [one] : [],
      );
      return fitting.length === ids.length ? fitting : undefined;
    });
  }

  /** The FAILURE that tells of an executor's end. */
  failure(executor: string): Promise<number | undefined> {
    return until(`the end of ${executor}`, () =>
      this.framework.events
        .map(({ failure }) => failure)
        .find((failure) => failure?.executor_id?.value === executor),
    ).then((failure) => failure?.status);
  }
}

const small = [scalar('cpus', 0.05), scalar('mem', 32), scalar('disk', 8)];
const sized = [scalar('cpus', 0.05), scalar('mem', 8)];

function task(id: string, command: string | undefined, more: object = {}): object {
  const said = command === undefined ? {} : { command: { value: command } };
  return {
    name: id,
    task_id: { value: id },
    agent_id: 'agent',
    resources: sized,
    ...said,
    ...more,
  };
}

/** Those with these words on their command line; not the shell that is the first of a namespace. */
function processesOf(words: string): readonly number[] {
  return processesWith(
    (line) => line.includes(words) && !/conmon|trap |framework-process/.test(line),
  );
}
function processOf(words: string): Promise<number> {
  return until(`a process with ${words}`, () => {
    const found = processesOf(words);
    return found.length === 1 ? found[0] : undefined;
  });
}

/** Its ten tasks fail, the framework is told how it ended. */
async function killCustomExecutor(launcher: Launcher, folder: string, turn: number): Promise<void> {
  const name = `custom-${turn}`;
  const executor = {
    type: 'CUSTOM',
    executor_id: { value: name },
    command: { value: `exec python3 ${folder}/executor.py ${folder} ${name}` },
    resources: small,
  };
  const ids = Array.from({ length: 10 }, (_, at) => `${name}-${at}`);
  const task_infos = ids.map((id) => task(id, undefined, { executor }));
  launcher.launch({ type: 'LAUNCH', launch: { task_infos } });
  const pid = await processOf(`executor.py ${folder} ${name}`);
  // Sometimes before all of its tasks are told to run.
  if (turn % 2 === 0) await launcher.told(ids, /RUNNING/);
  await sleep((turn * 37) % 150);
  kill(pid);
  for (const status of await launcher.told(ids, /FAILED/)) {
    assert.equal(status.reason, 'REASON_EXECUTOR_TERMINATED');
    assert.equal(status.source, 'SOURCE_AGENT');
  }
  assert.equal(await launcher.failure(name), 9);
  for (const id of ids) assert.ok(runsOf(folder, id) <= 1, id);
}

async function killCommandTask(launcher: Launcher, turn: number): Promise<void> {
  const id = `command-${turn}`;
  launcher.launch({
    type: 'LAUNCH',
    launch: { task_infos: [task(id, `exec sleep 1000.${turn}1`)] },
  });
  kill(await processOf(`sleep 1000.${turn}1`));
  const [status] = await launcher.told([id], /FAILED/);
  assert.equal(status?.message, 'Command terminated with signal Killed');
}

/** Tasks of one group share their fate; their executor itself ends in peace. */
async function killGroupTask(launcher: Launcher, turn: number): Promise<void> {
  const [one, other] = [`one-${turn}`, `other-${turn}`];
  const executor = {
    type: 'DEFAULT',
    executor_id: { value: `group-${turn}` },
    framework_id: { value: launcher.framework.id },
    resources: small,
  };
  const tasks = [task(one, `exec sleep 1000.${turn}2`), task(other, `exec sleep 1000.${turn}3`)];
  launcher.launch({ type: 'LAUNCH_GROUP', launch_group: { executor, task_group: { tasks } } });
  const pid = await processOf(`sleep 1000.${turn}2`);
  await launcher.told([other], /RUNNING/);
  kill(pid);
  const [failed] = await launcher.told([one], /FAILED/);
  assert.equal(failed?.message, 'Command terminated with signal Killed');
  await launcher.told([other], /KILLED/);
  assert.equal(await launcher.failure(`group-${turn}`), 0);
}

test('Killed executors and tasks are told of as they ended, and hold nothing any more', async () => {
  await using cluster = await startCluster();
  const folder = openFolder();
  copyFileSync(join(import.meta.dirname, 'executor.py'), join(folder, 'executor.py'));
  const launcher = new Launcher(cluster);
  try {
    await until('a subscription', () => launcher.framework.subscriptions > 0);
    for (let turn = 0; turn < (long ? 10 : 2); turn++) {
      await killCustomExecutor(launcher, folder, turn);
      await killCommandTask(launcher, turn);
      await killGroupTask(launcher, turn);
    }
    await until('an account without them', async () => {
      const slaves = await read(cluster, '/slaves');
      return Number(slaves['slaves']?.[0]?.['used_resources']?.['cpus']) === 0;
    });
  } finally {
    await launcher.framework.teardown().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A framework's process, and what it said. */
class Process {
  readonly lines: Line[] = [];
  readonly #child;

  constructor(cluster: Cluster, settings: FrameworkSettings) {
    const script = join(checkout, 'test/cluster/framework-process.ts');
    const args = [script, masterOf(cluster), JSON.stringify(settings)];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface(this.#child.stdout).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
    });
  }

  /** Resolves when nothing more comes of it. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  get id(): string | undefined {
    return this.lines.flatMap((line) => (line.type === 'subscribed' ? [line.id] : []))[0];
  }
  statuses(type: 'update' | 'acknowledged', task: string): readonly Status[] {
    return this.lines.flatMap((line) =>
      line.type === type && line.status.task_id.value === task && line.status.uuid !== undefined
        ? [line.status]
        : [],
    );
  }
}

/** The first acknowledges what it hears of one task, nothing of the other, and is killed; the second all. */
async function killFramework(
  cluster: Cluster,
  of: { readonly folder: string; readonly turn: number; readonly id: string | undefined },
): Promise<string | undefined> {
  const { folder, turn } = of;
  const ids = [`a-${turn}`, `b-${turn}`];
  const tasks = Object.fromEntries(
    ids.map((id) => [id, `echo ran >> ${folder}/${id}; sleep 0.5; exit 0`]),
  );
  const settings = { name: 'fails-over', failoverTimeout: 600, ...(of.id && { id: of.id }) };
  const first = new Process(cluster, { ...settings, tasks, acknowledges: ids.slice(1) });
  await until('an update', () => ids.some((id) => first.statuses('update', id).length > 0));
  await sleep((turn * 173) % 900);
  await first.kill();
  const { id } = first;
  assert.ok(id !== undefined);
  const second = new Process(cluster, { ...settings, id, tasks: {}, acknowledges: ids });
  try {
    for (const task of ids)
      await until(`the end of ${task}`, () =>
        [first, second].some((one) =>
          one.statuses('acknowledged', task).some(({ state }) => state === 'TASK_FINISHED'),
        ),
      );
  } finally {
    await second.kill();
  }
  for (const task of ids) {
    const taken = new Set(first.statuses('acknowledged', task).map(({ uuid }) => uuid));
    const again = second.statuses('update', task);
    assert.ok(!again.some(({ uuid }) => taken.has(uuid)), `${task}: acknowledged is over`);
    const heard = [...first.statuses('update', task), ...again];
    const states = new Map(heard.map(({ uuid, state }) => [uuid, state]));
    assert.deepEqual([...states.values()], ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    assert.equal(runsOf(folder, task), 1, task);
  }
  return id;
}

/** Nobody comes back in time: its tasks are killed, it is completed. */
async function loseFramework(cluster: Cluster, turn: number): Promise<void> {
  const words = `sleep 1000.${turn}4`;
  const lost = new Process(cluster, {
    name: 'lost',
    failoverTimeout: 1,
    tasks: { [`lost-${turn}`]: `exec ${words}` },
    acknowledges: [`lost-${turn}`],
  });
  try {
    await processOf(words);
    await sleep((turn * 61) % 300);
  } finally {
    await lost.kill();
  }
  const { id = '' } = lost;
  await until('the end of its tasks', () => processesOf(words).length === 0);
  await until('the framework among the completed', async () => {
    const { completed_frameworks: completed = [] } = await read(cluster, '/frameworks');
    const one = [...completed].find((framework) => String(framework['id']) === id);
    return String(one?.['completed_tasks']?.[0]?.['state']) === 'TASK_KILLED';
  });
}

test('A killed framework finds its updates again; one that stays away is ended', async () => {
  await using cluster = await startCluster();
  const folder = openFolder();
  try {
    let id: string | undefined;
    for (let turn = 0; turn < (long ? 10 : 2); turn++) {
      id = await killFramework(cluster, { folder, turn, id });
      await loseFramework(cluster, turn);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
