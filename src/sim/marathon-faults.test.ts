/**
 * Marathon over the simulated cluster: whoever dies while apps are made, changed, scaled and removed,
 * at last there runs what was asked for, and nothing else.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inProcessRequest } from '#mesos/protocol';
import { World, scriptOf, warmUp } from './mesos-world.test.ts';
import { seedsFromEnvironment } from './random.ts';

const ids = ['/a', '/b', '/c'];

class Simulation {
  readonly #world: World;
  #made = 0;

  constructor(seed: number) {
    this.#world = new World(seed);
    this.#world.withMarathon = true;
  }

  async run(steps: number): Promise<void> {
    const world = this.#world;
    const { random, clock } = world;
    await world.start();
    await this.#call('GET', '/v2/apps');
    world.flakyPercent = 1;
    for (let step = 0; step < steps; step++) {
      await this.#step(random.below(100));
      world.check();
    }
    world.flakyPercent = 0;
    // An upgrade that another one cut short is finished by a restart.
    for (const id of ids) await this.#call('POST', `/v2/apps${id}/restart?force=true`);
    for (let turn = 0; turn < 240 && !(await this.#isStill()); turn++) await clock.advance(5000);
    // What was said last is told too.
    await clock.advance(30_000);
    world.check();
    await this.#judge();
    await world.stop();
  }

  async #step(dice: number): Promise<void> {
    const { random, clock } = this.#world;
    if (dice < 40) await this.#change();
    else if (dice < 55) await this.#killServer();
    else if (dice < 70) await this.#killAgent();
    else if (dice < 85) this.#killTask();
    await clock.advance(random.pick([0, 1, 10, 100, 1000, 5000]));
  }

  async #change(): Promise<void> {
    const { random } = this.#world;
    const id = random.pick(ids);
    const app = { id, cmd: `forever ${this.#made++}`, cpus: 0.1, mem: 16 };
    const instances = random.between(0, 4);
    switch (random.below(5)) {
      case 0:
        await this.#call('DELETE', `/v2/apps${id}?force=true`);
        break;
      case 1:
        await this.#call('PUT', `/v2/apps${id}?force=true`, { instances });
        break;
      default:
        await this.#call('PUT', `/v2/apps${id}?force=true`, { ...app, instances });
    }
  }

  async #killServer(): Promise<void> {
    const world = this.#world;
    const { clock, random } = world;
    const during = random.chance(50);
    const die = (): void => world.killServer();
    world.server.doom.set(random.between(1, 60), during ? () => queueMicrotask(die) : die);
    if (random.chance(50)) await this.#change();
    await clock.advance(random.pick([1, 10, 100, 1000]));
    die();
    await clock.advance(random.below(3000));
    await world.startServer();
  }

  async #killAgent(): Promise<void> {
    const { clock, random, machines } = this.#world;
    const machine = random.pick(machines);
    machine.crash();
    await clock.advance(random.below(3000));
    machine.start();
  }

  #killTask(): void {
    const { random, machines } = this.#world;
    const machine = random.pick(machines);
    const running = machine.running();
    if (running.length > 0) machine.runtime.end(random.pick(running).id, 137);
  }

  /** Undefined when the server died over it. */
  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    const { server } = this.#world;
    const [plain = '', search = ''] = path.split('?');
    let answer: { readonly text: string } | undefined;
    const request = inProcessRequest({
      path: plain,
      search,
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    void server.marathon.face(request).then((reply) => {
      const { body: bytes } = reply;
      const parts = bytes instanceof Uint8Array ? [bytes] : Array.isArray(bytes) ? bytes : [];
      answer = { text: Buffer.concat(parts).toString() };
    });
    await this.#world.until(
      `${method} ${path}`,
      () => answer !== undefined || server.dead.signal.aborted,
    );
    return answer === undefined ? undefined : JSON.parse(answer.text || 'null');
  }

  async #isStill(): Promise<boolean> {
    const deployments = await this.#call('GET', '/v2/deployments');
    return Array.isArray(deployments) && deployments.length === 0 && (await this.#differs()) === '';
  }

  async #differs(): Promise<string> {
    const { apps } = (await this.#call('GET', '/v2/apps')) as {
      apps: { id: string; cmd: string; instances: number }[];
    };
    const wanted = apps.flatMap(({ cmd, instances }) =>
      Array.from({ length: instances }, () => cmd),
    );
    const found = this.#world.machines
      .flatMap((machine) => machine.running())
      .map(({ spec }) => scriptOf(spec));
    const [a, b] = [wanted.toSorted().join(', '), found.toSorted().join(', ')];
    return a === b ? '' : `wanted ${a}, found ${b}`;
  }

  async #judge(): Promise<void> {
    assert.deepEqual(await this.#call('GET', '/v2/deployments'), []);
    assert.equal(await this.#differs(), '');
    for (const { spec, status } of this.#world.tasks())
      assert.deepEqual(status.updates ?? [], [], `${spec.taskID}: all is acknowledged`);
  }
}

test('Whoever dies under Marathon, at last there runs what was asked for', async () => {
  await warmUp();
  // The long form is a campaign of 100.
  const seeds = seedsFromEnvironment(process.env['TANDEM_TEST_LONG'] === undefined ? 2 : 10);
  for (const seed of seeds)
    try {
      await new Simulation(seed).run(40);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
});
