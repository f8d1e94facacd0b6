import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tasks as taskKind } from '#mesos/kinds';
import type { Offer, TaskState } from '#mesos/protocol';
import { seedsFromEnvironment } from '#sim';
import { World, type TestFramework } from './fixture.test.ts';

/** What an executor says of a task, in order. */
const life: readonly TaskState[] = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'];

interface Story {
  /** Uuids in the order they were emitted. */
  readonly emitted: string[];
  /** Uuids in the order they were first delivered. */
  readonly delivered: string[];
  readonly acknowledged: Set<string>;
}

/**
 * A framework that launches, acknowledges when it likes, forgets to, fails over and reconciles;
 * agents that report; a master that dies at any write. Checked all along: the account, one Pod per
 * task, every update delivered in order until it is acknowledged, none of a task past another.
 */
class Simulation {
  readonly #world: World;
  readonly #stories = new Map<string, Story>();
  /** Launched while the master was dying: stored, or never heard of. */
  readonly #risky = new Set<string>();
  #framework: TestFramework | undefined;
  #launched = 0;
  #offers: Offer[] = [];

  constructor(seed: number) {
    this.#world = new World(seed);
  }

  async run(steps: number): Promise<void> {
    const { random } = this.#world;
    await using world = this.#world;
    await world.start();
    for (const name of ['n1', 'n2', 'n3']) await world.addNode(name);
    await this.#subscribe();
    for (let step = 0; step < steps; step++) {
      await this.#step(random.below(100));
      this.#hear();
      world.master.check();
      world.pool.check();
    }
    await this.#drain();
    this.#judge();
  }

  async #step(dice: number): Promise<void> {
    const { random, clock } = this.#world;
    if (dice < 25) await this.#launch();
    else if (dice < 55) await this.#report();
    else if (dice < 75) await this.#acknowledge(random.chance(85));
    else if (dice < 80) await this.#crash();
    else if (dice < 84) await this.#subscribe();
    else if (dice < 87) await this.#reconcile();
    else if (dice < 90) await this.#pods();
    else await clock.advance(random.below(15_000));
  }

  get #active(): TestFramework {
    assert(this.#framework, 'There is a framework');
    return this.#framework;
  }

  async #subscribe(): Promise<void> {
    const known = this.#framework?.id;
    this.#hear();
    this.#offers = [];
    this.#framework = await this.#world.framework({
      ...(known !== undefined && { id: known }),
      failoverTimeout: 1e6,
      capabilities: ['PARTITION_AWARE'],
    });
    this.#hear();
  }

  async #launch(): Promise<void> {
    const offer = this.#offers.shift();
    if (offer === undefined) {
      await this.#world.clock.advance(1000);
      return;
    }
    const ids = Array.from(
      { length: 1 + this.#world.random.below(3) },
      () => `t${this.#launched++}`,
    );
    for (const id of ids)
      this.#stories.set(id, { emitted: [], delivered: [], acknowledged: new Set() });
    await this.#active.launch(offer, ...ids);
  }

  /** One of the running tasks moves on. */
  async #report(): Promise<void> {
    const open = this.#world.api.all(taskKind).filter(({ spec }) => {
      const story = this.#stories.get(spec.taskID);
      return story !== undefined && story.emitted.length < life.length;
    });
    if (open.length === 0) return;
    const task = this.#world.random.pick(open);
    const story = this.#stories.get(task.spec.taskID);
    const state = life[story?.emitted.length ?? 0] ?? 'TASK_RUNNING';
    const uuid = await this.#world.update(task.spec.taskID, state);
    story?.emitted.push(uuid);
    if (state === 'TASK_FINISHED')
      await this.#world.endPod(task.spec.podName, task.metadata.namespace ?? '');
  }

  readonly #unacknowledged: {
    readonly id: string;
    readonly uuid: string;
    readonly agentID: string;
  }[] = [];

  async #acknowledge(faithful: boolean): Promise<void> {
    const next = this.#unacknowledged.shift();
    if (next === undefined || !faithful) return;
    const { id, uuid, agentID } = next;
    this.#stories.get(id)?.acknowledged.add(uuid);
    await this.#active.call({
      type: 'ACKNOWLEDGE',
      acknowledge: { task_id: { value: id }, agent_id: { value: agentID }, uuid },
    });
  }

  /** The master dies before one of its next writes, and another takes its place. */
  async #crash(): Promise<void> {
    const world = this.#world;
    let left = world.random.below(4);
    world.beforeWrite = () => {
      if (left-- <= 0) throw new Error('The master is dead');
    };
    const first = this.#launched;
    await this.#launch();
    for (let number = first; number < this.#launched; number++) this.#risky.add(`t${number}`);
    await this.#acknowledge(true);
    const stopping = world.stop();
    world.beforeWrite = () => undefined;
    await stopping;
    await world.restart();
    await this.#subscribe();
  }

  async #reconcile(): Promise<void> {
    await this.#active.call({ type: 'RECONCILE', reconcile: {} });
  }

  /** Pods of others come and go: offers are rescinded, launches lose. */
  async #pods(): Promise<void> {
    const { pool, random, clock } = this.#world;
    const node = `n${1 + random.below(3)}`;
    pool.release(`pod/default/${node}`);
    const amounts = { cpu: random.below(4) * 1000, pods: 1 };
    pool.commit([{ owner: `pod/default/${node}`, node, epoch: 0, amounts, ports: [], role: '*' }]);
    await clock.advance(1);
  }

  /** What the framework was told since the last time. */
  #hear(): void {
    const framework = this.#framework;
    if (framework === undefined) return;
    for (const event of framework.take()) {
      this.#offers.push(...(event.offers?.offers ?? []));
      const rescinded = event.rescind?.offer_id.value;
      if (rescinded !== undefined)
        this.#offers = this.#offers.filter(({ id }) => id.value !== rescinded);
      const status = event.update?.status;
      if (status?.uuid === undefined) {
        // Refused: it never was.
        if (status?.reason === 'REASON_INVALID_OFFERS' || status?.state === 'TASK_ERROR')
          this.#stories.delete(status.task_id.value);
        continue;
      }
      const id = status.task_id.value;
      const story = this.#stories.get(id);
      assert(story, `Update of ${id}, which was refused`);
      assert(!story.acknowledged.has(status.uuid) || this.#mayRepeat(id), 'Acknowledged is over');
      if (!story.delivered.includes(status.uuid)) {
        const before = story.delivered.at(-1);
        assert(before === undefined || story.acknowledged.has(before), `${id} waits for its turn`);
        story.delivered.push(status.uuid);
      }
      this.#unacknowledged.push({ id, uuid: status.uuid, agentID: status.agent_id?.value ?? '' });
    }
  }

  /** An acknowledgement that a dying master did not write is asked for again. */
  #mayRepeat(id: string): boolean {
    return this.#stories.has(id);
  }

  async #drain(): Promise<void> {
    await this.#subscribe();
    for (let turn = 0; turn < 4000; turn++) {
      this.#hear();
      if (this.#unacknowledged.length > 0) await this.#acknowledge(true);
      else if (this.#stored().length > 0) {
        await this.#report();
        await this.#world.clock.advance(11_000);
      } else return;
    }
    assert.fail('Updates remain that are never acknowledged');
  }

  #stored() {
    return this.#world.api.all(taskKind).filter(({ status }) => status.completedTime === undefined);
  }

  #judge(): void {
    const tasks = this.#world.api.all(taskKind);
    for (const [id, story] of this.#stories) {
      const mine = tasks.filter(({ spec }) => spec.taskID === id);
      // A launch that died with its master was never stored; else once, and kept while it is recent.
      assert(mine.length <= 1, `Task ${id} runs once`);
      assert(story.emitted.length === life.length || this.#risky.has(id), `Task ${id} was run`);
      assert.deepEqual(story.delivered, story.emitted, `Updates of ${id} in the order they came`);
    }
    for (const agent of this.#world.master.state.agents.values())
      assert.deepEqual(agent.usedResources(), [], 'Everything was given back');
  }
}

test('Nothing is lost, run twice or told out of order, whenever the master dies', async () => {
  for (const seed of seedsFromEnvironment(12))
    try {
      await new Simulation(seed).run(150);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
});
