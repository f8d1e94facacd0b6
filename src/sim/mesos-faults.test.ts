/**
 * Server, agents, executors and a framework die at any moment, in a cluster of which almost all is
 * real (`mesos-world.test.ts` says what is not): no task is lost from the account, none runs twice,
 * every update is delivered until it is acknowledged, nothing is oversold.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods } from '#kube/kinds';
import { isStatus } from '#machinery';
import { frameworks } from '#mesos/kinds';
import { systemUser } from '#kube/server';
import { Executor, Framework, isOver, type TaskNote } from './mesos-actors.test.ts';
import { World, warmUp } from './mesos-world.test.ts';
import type { Doom } from './mortal.ts';
import { seedsFromEnvironment } from './random.ts';

interface Counts {
  server: number;
  agent: number;
  executor: number;
  framework: number;
  tasks: number;
  dropped: number;
  teardowns: number;
  expirations: number;
}

class Simulation {
  readonly #world: World;
  readonly #framework: Framework;
  readonly #executors = new Map<string, Executor>();
  readonly #runs = new Map<string, number>();
  readonly counts: Counts = {
    server: 0,
    agent: 0,
    executor: 0,
    framework: 0,
    tasks: 0,
    dropped: 0,
    teardowns: 0,
    expirations: 0,
  };

  constructor(seed: number) {
    const world = new World(seed);
    this.#world = world;
    this.#framework = new Framework(world);
    world.onServerDead = () => this.#framework.cut();
    world.onContainer = (machine, container) => {
      if (container.spec.name !== 'executor') return;
      const key = `${machine.name}/${container.id}`;
      if (container.state === 'running')
        this.#executors.set(key, new Executor(world, machine, { container, runs: this.#runs }));
      else this.#executors.get(key)?.die();
    };
  }

  async run(steps: number): Promise<void> {
    const { random, clock } = this.#world;
    await this.#world.start();
    this.#framework.start();
    await clock.advance(2000);
    this.#world.flakyPercent = 1;
    for (let step = 0; step < steps; step++) {
      await this.#step(random.below(100));
      this.#world.check();
    }
    await this.#quiet();
    this.#judge();
    await this.#end();
    await this.#world.stop();
  }

  async #step(dice: number): Promise<void> {
    const { random, clock } = this.#world;
    if (dice < 16) await this.#killServer();
    else if (dice < 32) await this.#killAgent();
    else if (dice < 48) this.#killExecutor();
    else if (dice < 64) await this.#killFramework();
    else if (dice < 74) await this.#killTask();
    else if (dice < 80) await this.#calmly(this.#framework.reconcile(random.chance(50)));
    else if (dice < 84) await this.#deletePod();
    else if (dice < 88) await this.#createPod();
    else if (dice < 91) await this.#fullDisk();
    else if (dice < 94) await this.#unplug();
    else if (dice < 96) await this.#blackout();
    await clock.advance(random.pick([0, 1, 3, 10, 100, 1000, 4000]));
  }

  /** Dies at one of its next calls, before or after that was begun, or while it waits. */
  async #doom(doom: Doom, die: () => void): Promise<void> {
    const { clock, random } = this.#world;
    const during = random.chance(50);
    doom.set(random.between(1, 60), during ? () => queueMicrotask(die) : die);
    await clock.advance(random.pick([1, 10, 100, 1000]));
    die();
    await clock.advance(random.below(3000));
  }

  async #killServer(): Promise<void> {
    const world = this.#world;
    this.counts.server += 1;
    await this.#doom(world.server.doom, () => world.killServer());
    await world.startServer();
  }

  async #killAgent(): Promise<void> {
    const { random, machines } = this.#world;
    const machine = random.pick(machines);
    const { agent } = machine;
    assert(agent !== undefined);
    this.counts.agent += 1;
    await this.#doom(agent.doom, () => {
      if (machine.agent !== agent) return;
      machine.crash();
      for (const executor of this.#executors.values()) executor.cut();
    });
    machine.start();
  }

  /** Of a command task, of a task of a group, or a custom executor: kill -9 from outside. */
  #killExecutor(): void {
    const { random, machines } = this.#world;
    const machine = random.pick(machines);
    const running = machine.running();
    if (running.length === 0) return;
    this.counts.executor += 1;
    machine.runtime.end(random.pick(running).id, 137);
  }

  async #killFramework(): Promise<void> {
    const { clock, random } = this.#world;
    this.counts.framework += 1;
    await clock.advance(random.below(12));
    if (random.chance(15)) {
      this.#framework.takeOver();
      return;
    }
    this.#framework.die();
    await clock.advance(random.below(8000));
    this.#framework.start();
  }

  async #killTask(): Promise<void> {
    const { random } = this.#world;
    const { open } = this.#framework;
    if (open.length > 0)
      await this.#calmly(this.#framework.kill(random.pick(open), random.below(5)));
  }

  /** Lets simulated time pass until something is through. */
  async #calmly(work: Promise<unknown>): Promise<void> {
    let through = false;
    void work.finally(() => {
      through = true;
    });
    await this.#world.until('a call is through', () => through);
  }

  async #deletePod(): Promise<void> {
    const { random, server } = this.#world;
    const all = this.#world.pods().filter(({ status }) => status.phase === 'Running');
    if (all.length === 0) return;
    const { name, namespace } = random.pick(all).metadata;
    const deleting = server.kube.apiFor(systemUser).delete(pods, { name, namespace });
    await this.#calmly(
      deleting.catch((error: unknown) => {
        if (!isStatus(error, 'NotFound')) throw error;
      }),
    );
  }

  /** Kubernetes takes room too. */
  async #createPod(): Promise<void> {
    const { random, server } = this.#world;
    const resources = { requests: { cpu: `${random.between(1, 20) * 100}m` } };
    const nodeName = `n${random.between(1, 2)}`;
    const creating = server.kube.apiFor(systemUser).create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'p-', namespace: 'default', labels: {} },
      spec: { nodeName, containers: [{ name: 'c', image: 'app', resources }] },
      status: {},
    });
    await this.#calmly(creating);
  }

  /** All die together and come back in any order; containers run on. */
  async #blackout(): Promise<void> {
    const world = this.#world;
    const { clock, random, machines } = world;
    this.counts.server += 1;
    this.counts.agent += machines.length;
    this.counts.framework += 1;
    world.killServer();
    for (const machine of machines) machine.crash();
    for (const executor of this.#executors.values()) executor.cut();
    this.#framework.die();
    const starts = [
      () => world.startServer(),
      async () => this.#framework.start(),
      ...machines.map((machine) => async () => machine.start()),
    ];
    for (const start of random.shuffled(starts)) {
      await clock.advance(random.below(1000));
      await start();
    }
  }

  /** A machine is cut off; what runs there runs on. */
  async #unplug(): Promise<void> {
    const { clock, random, machines } = this.#world;
    const machine = random.pick(machines);
    machine.unplug();
    await clock.advance(random.below(8000));
    machine.plug();
  }

  /** Writes are refused for a while. */
  async #fullDisk(): Promise<void> {
    const { clock, random, disk } = this.#world;
    disk.full = true;
    await clock.advance(random.below(2000));
    disk.full = false;
  }

  /** The storm is over; what was launched and still runs is known to all in the same way. */
  async #quiet(): Promise<void> {
    const { clock } = this.#world;
    this.#framework.launches = false;
    this.#framework.faithPercent = 100;
    // What waits for its next try is told at once.
    this.#framework.die();
    this.#framework.start();
    this.#world.flakyPercent = 0;
    for (let turn = 0; turn < 40; turn++) {
      await clock.advance(5000);
      this.#world.check();
      await this.#calmly(this.#framework.reconcile(false));
      if (turn > 4 && this.#isStill()) break;
    }
    this.#framework.reconciled.clear();
    await this.#calmly(this.#framework.reconcile(true));
    await clock.advance(1000);
  }

  #isStill(): boolean {
    const tasks = this.#world.tasks();
    return tasks.every(
      ({ status }) => (status.updates ?? []).length === 0 && status.state !== 'TASK_STAGING',
    );
  }

  #judge(): void {
    const { notes, reconciled, open } = this.#framework;
    const world = this.#world;
    const stored = new Map(world.tasks().map((task) => [task.spec.taskID, task]));
    this.counts.tasks += notes.size;
    for (const note of notes.values()) {
      const task = stored.get(note.id);
      const story = `${note.id} (${note.kind}): ${note.states.join(' ')}`;
      const emitted = world.emitted.get(note.id)?.uuids ?? [];
      if (note.dropped) {
        this.counts.dropped += 1;
        assert.equal(task, undefined, `${story}: dropped, yet stored`);
        assert.equal(this.#runs.get(note.id), undefined, `${story}: dropped, yet run`);
        continue;
      }
      assert(task !== undefined, `${story}: lost from the account`);
      assert.deepEqual(note.heard, emitted, `${story}: what was emitted is what is delivered`);
      assert.deepEqual(task.status.updates ?? [], [], `${story}: all is acknowledged`);
      assert.equal(task.status.completedTime !== undefined, isOver(note.states), story);
      if (note.kind !== 'Custom') assert(world.startsOf(task) <= 1, `${story}: ran twice`);
    }
    const ids = (all: readonly TaskNote[]): string[] => all.map(({ id }) => id).toSorted();
    assert.deepEqual([...reconciled.keys()].toSorted(), ids(open), 'reconciliation tells all');
    for (const { id, states } of open)
      assert.equal(reconciled.get(id), states.at(-1), `state of ${id} as it was told`);
    this.#judgeMachines();
  }

  /** What runs on the machines is what the account holds, and nothing else. */
  #judgeMachines(): void {
    const world = this.#world;
    const live = world.tasks().filter(({ status }) => status.completedTime === undefined);
    const wanted = live
      .filter(({ spec }) => spec.execution !== 'Custom')
      .map(({ spec }) => `${spec.podName}/${spec.container}`);
    const found = world.machines
      .flatMap((machine) => machine.running())
      .filter(({ spec }) => spec.name !== 'executor' && spec.name !== 'c')
      .map(({ spec }) => `${spec.labels['io.kubernetes.pod.name']}/${spec.name}`);
    assert.deepEqual(found.toSorted(), wanted.toSorted(), 'containers that run');
  }

  /** The framework goes for good; an agent may be away meanwhile, and hears of it later. */
  async #end(): Promise<void> {
    const { clock, random, machines } = this.#world;
    const away = random.chance(40) ? random.pick(machines) : undefined;
    away?.crash();
    if (random.chance(50)) await this.#tearDown();
    else await this.#expire();
    await clock.advance(random.below(10_000));
    away?.start();
    await clock.advance(40_000);
    this.#world.check();
    assert.equal(this.#phase(), 'Completed');
    assert.deepEqual(
      machines
        .flatMap((machine) => machine.running())
        .map(({ spec }) => spec.name)
        .filter((name) => name !== 'c'),
      [],
      'everything of it has ended',
    );
    for (const { spec, status } of this.#world.tasks())
      assert(status.completedTime !== undefined, `Task ${spec.taskID} is over`);
    for (const { name } of machines)
      for (const { owner } of this.#world.server.pool.claimsOn(name))
        assert.match(owner, /^pod\/default\//, `nothing of it is held on ${name}`);
  }

  /** By its own word. Once that is answered it is so, whatever becomes of the server. */
  async #tearDown(): Promise<void> {
    const world = this.#world;
    const { clock, random } = world;
    this.counts.teardowns += 1;
    let answered = false;
    await this.#calmly(
      this.#framework.call({ type: 'TEARDOWN' }).then((taken) => {
        answered = taken;
      }),
    );
    assert(answered, 'TEARDOWN is taken');
    this.#framework.die();
    if (random.chance(50)) return;
    await clock.advance(random.below(20));
    this.counts.server += 1;
    world.killServer();
    await clock.advance(random.below(2000));
    await world.startServer();
  }

  /** By not coming back in time. */
  async #expire(): Promise<void> {
    const { clock } = this.#world;
    this.counts.expirations += 1;
    this.#framework.die();
    await clock.advance(500);
    this.#framework.failoverSeconds = 20;
    this.#framework.start();
    await this.#world.until('the framework is back', () => this.#framework.connected);
    await clock.advance(1000);
    this.#framework.die();
    await clock.advance(19_000);
    this.#world.check();
    assert.equal(this.#phase(), 'Disconnected', 'it has its time to come back');
  }

  /** One that dies before it hears its id registers once more: there may be others. */
  #phase(): string | undefined {
    const all = this.#world.server.kube.reader.list(frameworks);
    return all.find(({ spec }) => spec.frameworkID === this.#framework.id)?.status.phase;
  }
}

test('Whoever dies, and whenever: no task is lost, run twice or told of wrongly', async (t) => {
  await warmUp();
  const sums = new Map<string, number>();
  // The long form is a campaign of 200.
  const seeds = seedsFromEnvironment(process.env['TANDEM_TEST_LONG'] === undefined ? 4 : 20);
  for (const seed of seeds)
    try {
      const simulation = new Simulation(seed);
      await simulation.run(50);
      for (const [name, count] of Object.entries(simulation.counts))
        sums.set(name, (sums.get(name) ?? 0) + count);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  t.diagnostic(JSON.stringify(Object.fromEntries(sums)));
  if (seeds.length === 1) return;
  for (const name of ['server', 'agent', 'executor', 'framework'])
    assert((sums.get(name) ?? 0) >= 5 * seeds.length, `${name}: ${JSON.stringify([...sums])}`);
});
