import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agents as agentKind } from '#mesos/kinds';
import {
  CallRejected,
  isPersistentVolume,
  isReserved,
  reservedResources,
  sameResources,
  scalarQuantities,
  sumResources,
  unallocateResources,
  type Offer,
  type OfferOperation,
  type Resource,
  type Resources,
} from '#mesos/protocol';
import { seedsFromEnvironment } from '#sim';
import { taskInfo, World, type TestFramework } from './fixture.test.ts';

const capabilities = ['MULTI_ROLE', 'RESERVATION_REFINEMENT', 'PARTITION_AWARE'];
const names = ['cpus', 'mem', 'disk'] as const;
const sizes = { cpus: 0.5, mem: 128, disk: 256 };

/** Operators, two frameworks and Pods do as they like to two machines; nothing is lost or made up. */
class Run {
  readonly world: World;
  readonly frameworks: TestFramework[] = [];
  readonly offers = new Map<TestFramework, Offer[]>();
  #volumes = 0;
  #tasks = 0;
  #pods = 0;
  done = 0;

  constructor(seed: number) {
    this.world = new World(seed);
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[this.world.random.below(Math.max(1, list.length))];
  }

  async start(): Promise<void> {
    await this.world.start();
    for (const name of ['n1', 'n2']) await this.world.addNode(name);
    for (const role of ['eng', 'ops'])
      this.frameworks.push(await this.world.framework({ name: role, roles: [role], capabilities }));
  }

  collect(): void {
    for (const framework of this.frameworks) {
      const gone = new Set(framework.take('RESCIND').map(({ rescind }) => rescind?.offer_id.value));
      const held = [...(this.offers.get(framework) ?? []), ...framework.offers()];
      this.offers.set(
        framework,
        held.filter(({ id }) => !gone.has(id.value)),
      );
    }
  }

  /** Of what is there (or was offered), an operation that could make sense. */
  operation(from: Resources, role: string): OfferOperation | undefined {
    const type = this.world.random.below(6);
    const volumes = from.filter(isPersistentVolume);
    const reserved = from.filter((one) => isReserved(one) && one.disk === undefined);
    const [volume] = [this.pick(volumes)];
    const [held] = [this.pick(reserved)];
    if (type === 0) {
      const name = this.pick(names) ?? 'cpus';
      const reservations = [{ type: 'DYNAMIC' as const, role }];
      const scalar = { value: sizes[name] * (1 + this.world.random.below(3)) };
      return {
        type: 'RESERVE',
        reserve: { resources: [{ name, type: 'SCALAR', scalar, reservations }] },
      };
    }
    if (type === 1 && held !== undefined)
      return { type: 'UNRESERVE', unreserve: { resources: [this.part(held)] } };
    const disk = reserved.find(({ name }) => name === 'disk');
    if (type === 2 && disk !== undefined) {
      const persistence = { id: `v${this.#volumes++}` };
      const made = { persistence, volume: { mode: 'RW' as const, container_path: 'p' } };
      return { type: 'CREATE', create: { volumes: [{ ...this.part(disk), disk: made }] } };
    }
    if (volume === undefined) return undefined;
    if (type === 3) return { type: 'DESTROY', destroy: { volumes: [volume] } };
    if (type === 4 && disk !== undefined) {
      const { disk: _disk, ...like } = volume;
      const addition = { ...like, scalar: this.part(disk).scalar };
      return { type: 'GROW_VOLUME', grow_volume: { volume, addition } };
    }
    return { type: 'SHRINK_VOLUME', shrink_volume: { volume, subtract: { value: 64 } } };
  }

  part(resource: Resource): Resource {
    const size = resource.name === 'cpus' ? 0.5 : 128;
    const value = Math.min(resource.scalar?.value ?? 0, size * (1 + this.world.random.below(2)));
    return { ...resource, scalar: { value } };
  }

  async operate(): Promise<void> {
    const agent = this.pick([...this.world.master.state.agents.values()]);
    const role = this.pick(['eng', 'ops', 'eng/dev']) ?? 'eng';
    const operation = agent && this.operation(agent.totalResources(), role);
    if (agent === undefined || operation === undefined) return;
    const acted = this.world.master.operator.operation(agent.id, operation, undefined).then(
      () => {
        this.done += 1;
      },
      (error: unknown) => {
        if (!(error instanceof CallRejected)) throw error;
      },
    );
    await this.world.clock.settle();
    await acted;
  }

  async accept(): Promise<void> {
    const framework = this.pick(this.frameworks);
    const offer = framework && this.pick(this.offers.get(framework) ?? []);
    if (framework === undefined || offer === undefined) return;
    this.offers.set(
      framework,
      (this.offers.get(framework) ?? []).filter((one) => one !== offer),
    );
    const role = offer.allocation_info?.role ?? '*';
    const resources = unallocateResources(offer.resources ?? []);
    const operations: OfferOperation[] = [];
    for (let count = this.world.random.below(3); count >= 0; count--) {
      const operation = this.operation(resources, role);
      if (operation !== undefined) operations.push(operation);
    }
    if (this.world.random.below(2) === 0) {
      const task = taskInfo(`t${this.#tasks++}`, offer);
      operations.push({ type: 'LAUNCH', launch: { task_infos: [task] } });
    }
    const filters = { refuse_seconds: 0 };
    await framework.call({
      type: 'ACCEPT',
      accept: { offer_ids: [offer.id], operations, filters },
    });
  }

  async end(): Promise<void> {
    const ids = this.frameworks.flatMap(({ id }) => [
      ...(this.world.master.state.frameworks.get(id)?.tasks.keys() ?? []),
    ]);
    const id = this.pick(ids);
    if (id === undefined) return;
    await this.world.update(id, 'TASK_FINISHED');
    const { podName } = this.world.task(id).spec;
    await this.world.endPod(podName, this.world.task(id).metadata.namespace ?? '');
    for (const framework of this.frameworks)
      for (const status of framework.updates())
        if (status.uuid !== undefined) await framework.acknowledge(status);
  }

  pod(): void {
    const owner = `pod/default/p${this.#pods++ % 6}`;
    this.world.pool.release(owner);
    if (this.world.random.below(2) === 0) return;
    this.world.pool.commit([
      {
        owner,
        node: this.pick(['n1', 'n2']) ?? 'n1',
        epoch: 0,
        amounts: { cpu: 500, memory: 2 ** 28, pods: 1 },
        ports: [],
        role: '*',
      },
    ]);
  }

  async step(): Promise<void> {
    const choice = this.world.random.below(10);
    if (choice < 3) await this.operate();
    else if (choice < 7) await this.accept();
    else if (choice < 8) await this.end();
    else if (choice < 9) this.pod();
    else await this.world.clock.advance(1500);
    await this.world.clock.settle();
    await this.world.clock.advance(1);
    this.collect();
  }

  check(): void {
    const { master, pool, api } = this.world;
    master.check();
    pool.check();
    for (const agent of master.state.agents.values()) {
      const total = agent.totalResources();
      assert.deepEqual(scalarQuantities(total), {
        cpus: 4000,
        mem: 8_192_000,
        disk: 10_240_000,
      });
      const stored = api.all(agentKind).find(({ spec }) => spec.agentID === agent.id);
      const kept = sumResources(stored?.spec.resources ?? []);
      assert.ok(sameResources(sumResources(reservedResources(total)), kept), 'stored as it is');
      for (const room of Object.values(pool.roomFor(agent.nodeName, '*'))) assert.ok(room >= 0);
    }
  }
}

for (const seed of seedsFromEnvironment(6)) {
  test(`Reservations and volumes stay whole whatever is done to them (seed ${seed})`, async () => {
    const run = new Run(seed);
    try {
      await run.start();
      for (let step = 0; step < 150; step++) {
        await run.step();
        run.check();
      }
      await run.world.restart();
      run.check();
      assert.ok(run.done > 3, 'operators could do something');
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    } finally {
      await run.world[Symbol.asyncDispose]();
    }
  });
}
