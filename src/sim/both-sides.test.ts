/**
 * The Kubernetes scheduler and the Mesos allocator fill the same nodes at once: Pods by claims, tasks
 * by offers that are accepted late, partly or not at all, while nodes, quota, weights and demand
 * change. Nothing is ever oversold, whoever loses a race is told so, and both get their turn.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeApi, createRecorder, type FakeApi } from '#client';
import { namespaces, nodes, pods, type Pod } from '#kube/kinds';
import { createScheduler, type BindMany } from '#kube/scheduler';
import {
  amountsOf,
  createAllocator,
  quantitiesOf,
  type Allocation,
  type Allocator,
  type Holding,
  type Quantities,
} from '#mesos/allocator';
import { createPool, type Amounts, type Pool } from '#pool';
import { createSimClock, type SimClock } from './clock.ts';
import { seededRandom, seedsFromEnvironment, type SeededRandom } from './random.ts';

const nodeNames = ['n0', 'n1', 'n2', 'n3'];
const roles = ['*', 'web', 'eng', 'eng/dev'];
const frameworks = [
  { id: 'f1', role: 'eng' },
  { id: 'f2', role: 'eng/dev' },
  { id: 'f3', role: '*' },
];

interface Counts {
  podsGranted: number;
  podsLost: number;
  tasksGranted: number;
  tasksLost: number;
}

class World {
  readonly random: SeededRandom;
  readonly clock: SimClock = createSimClock();
  readonly api: FakeApi;
  readonly pool: Pool = createPool();
  readonly allocator: Allocator;
  readonly capacity = new Map<string, Amounts>();
  readonly offers = new Map<number, Allocation>();
  readonly tasks = new Map<string, { readonly framework: string; readonly role: string }>();
  readonly counts: Counts = { podsGranted: 0, podsLost: 0, tasksGranted: 0, tasksLost: 0 };
  #made = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.api = createFakeApi({ clock: this.clock, random: this.random });
    this.allocator = createAllocator({ random: this.random, pool: this.pool });
  }

  readonly bindMany: BindMany = async (bindings) => {
    // Somebody may be quicker than this batch.
    if (this.random.chance(30)) this.answer();
    const verdicts = this.pool.commit(bindings.map(({ claim }) => claim));
    this.check();
    for (const [at, { pod, node }] of bindings.entries()) {
      const { name, namespace } = pod.metadata;
      const path = { name, namespace, subresource: 'binding' };
      if (verdicts[at]?.ok === true) {
        this.counts.podsGranted += 1;
        await this.api.post(pods, path, { target: { name: node } });
      } else this.counts.podsLost += 1;
    }
    return verdicts;
  };

  /** The accounts add up, and no node has given more than it has. */
  check(): void {
    this.pool.check();
    for (const [name, capacity] of this.capacity) {
      const held: Record<string, number> = {};
      for (const { amounts } of this.pool.claimsOn(name))
        for (const [resource, amount] of Object.entries(amounts))
          held[resource] = (held[resource] ?? 0) + amount;
      for (const [resource, amount] of Object.entries(held))
        assert(amount <= (capacity[resource] ?? 0), `"${name}" is oversold: ${amount} ${resource}`);
    }
  }

  async addNode(name: string): Promise<void> {
    const cpus = this.random.between(2, 8);
    const amounts = { cpu: `${cpus}`, memory: '8Gi', pods: '40' };
    await this.api.create(nodes, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      spec: {},
      status: { allocatable: amounts, capacity: amounts },
    });
    const capacity = { cpu: cpus * 1000, memory: 8 * 2 ** 30, pods: 40 };
    this.capacity.set(name, capacity);
    this.pool.setNode({ name, amounts: capacity });
  }

  addPods(): Promise<unknown> {
    const { random, api } = this;
    const namespace = random.pick(['default', 'web', 'eng']);
    const requests = { cpu: `${random.between(1, 20) * 100}m`, memory: '64Mi' };
    const ports = random.chance(10) ? [{ containerPort: 80, hostPort: 31_000 }] : [];
    const container = { name: 'c', image: 'i', resources: { requests }, ports };
    return Promise.all(
      Array.from({ length: random.between(1, 8) }, () =>
        api.create(pods, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { generateName: 'p-', namespace, labels: {} },
          spec: { containers: [container] },
          status: {},
        }),
      ),
    );
  }

  async endSome(): Promise<void> {
    const { random, api, pool } = this;
    for (const { metadata } of api.all<Pod>(pods).filter(() => random.chance(25))) {
      const { namespace = '', name } = metadata;
      await api.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
      pool.release(`pod/${namespace}/${name}`);
    }
    for (const owner of [...this.tasks.keys()].filter(() => random.chance(30))) {
      this.tasks.delete(owner);
      pool.release(owner);
    }
  }

  #describe(node: string): void {
    const { pool, random } = this;
    const holdings = pool.claimsOn(node).map(({ owner, role, amounts }): Holding => {
      const framework = this.tasks.get(owner)?.framework ?? 'kube';
      return { framework, role, quantities: quantitiesOf(amounts, 'up') };
    });
    const free: Record<string, number> = { ...quantitiesOf(pool.roomFor(node, '*'), 'down') };
    for (const { agent, framework, role, quantities } of this.offers.values()) {
      if (agent !== node) continue;
      holdings.push({ framework, role, quantities });
      for (const [name, amount] of Object.entries(quantities))
        free[name] = Math.max(0, (free[name] ?? 0) - amount);
    }
    const total = quantitiesOf(this.capacity.get(node) ?? {}, 'down');
    this.allocator.setAgent({
      id: node,
      node,
      total,
      free,
      holdings,
      active: random.chance(95),
      hasGpus: false,
      multiRole: true,
      hierarchicalRole: true,
      unavailable: false,
    });
  }

  cycle(): void {
    for (const node of this.capacity.keys()) this.#describe(node);
    for (const allocation of this.allocator.run({ nowMs: this.clock.nowMs() }).allocations)
      this.offers.set(this.#made++, allocation);
    this.allocator.check();
  }

  /** Offers are answered whenever their framework gets to it: what they show may be gone by then. */
  answer(): void {
    const { random, allocator } = this;
    const nowMs = this.clock.nowMs();
    for (const [number, offer] of [...this.offers].filter(() => random.chance(50))) {
      this.offers.delete(number);
      const { framework, role, agent, quantities } = offer;
      if (random.chance(70)) {
        const piece = part(quantities, random.pick([1, 1, 0.5, 0.2]));
        if (this.#launch(offer, piece)) allocator.launched({ framework, role, piece, nowMs });
      } else {
        const seconds = random.pick([0, 1, 5, 20]);
        allocator.refuse({ framework, role, agent, quantities, seconds, nowMs });
      }
      this.check();
    }
  }

  #launch({ framework, role, agent }: Allocation, piece: Quantities): boolean {
    const owner = `task/${this.#made++}`;
    const amounts = { ...amountsOf(piece), pods: 1 };
    const ports = this.random.chance(10) ? [{ protocol: 'TCP', address: '', port: 31_000 }] : [];
    const [verdict] = this.pool.commit([{ owner, node: agent, epoch: 0, amounts, ports, role }]);
    if (verdict?.ok !== true) {
      this.counts.tasksLost += 1;
      return false;
    }
    this.tasks.set(owner, { framework, role });
    this.counts.tasksGranted += 1;
    return true;
  }

  /** Operators and frameworks change their minds. */
  disturb(): void {
    const { random, pool, allocator } = this;
    const role = random.pick(roles);
    const { id, role: own } = random.pick(frameworks);
    switch (random.below(4)) {
      case 0: {
        const limit = random.chance(50) ? random.below(12_000) : undefined;
        const limits = limit === undefined ? undefined : { cpus: limit };
        const guarantee = random.chance(20) && role === 'eng' ? random.below(4000) : undefined;
        const guarantees = guarantee === undefined ? undefined : { cpus: guarantee };
        const weight = random.between(1, 3);
        pool.setQuota(role, limits && amountsOf(limits), guarantees && amountsOf(guarantees));
        pool.setWeight(role, weight);
        allocator.setRole(role, { weight, limits, guarantees });
        break;
      }
      case 1:
        allocator.revive(id);
        break;
      default:
        allocator.setFramework({
          id,
          roles: [own],
          active: random.chance(90),
          capabilities: new Set(['MULTI_ROLE']),
        });
    }
  }
}

function part(quantities: Quantities, factor: number): Quantities {
  return Object.fromEntries(
    Object.entries(quantities).map(([name, amount]) => [name, Math.floor(amount * factor)]),
  );
}

async function simulate(seed: number): Promise<Counts> {
  const w = new World(seed);
  const { api, clock, pool, random } = w;
  const recorder = createRecorder({ api, clock, component: 'default-scheduler', style: 'events' });
  const scheduler = createScheduler({ api, pool, bindMany: w.bindMany, clock, random, recorder });
  for (const name of ['default', 'web', 'eng'])
    await api.create(namespaces, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: name === 'default' ? {} : { 'tandem.dev/role': name } },
      spec: {},
      status: {},
    });
  for (const name of nodeNames) await w.addNode(name);
  for (let at = 0; at < 6; at++) w.disturb();
  const stop = new AbortController();
  const running = scheduler.run(stop.signal);
  for (let step = 0; step < 120; step++) {
    const dice = random.below(10);
    if (dice < 3) await w.addPods();
    else if (dice < 5) w.cycle();
    else if (dice < 7) w.answer();
    else if (dice === 7) await w.endSome();
    else if (dice === 8) w.disturb();
    await clock.advance(random.below(1500));
    w.check();
    w.allocator.check();
  }
  stop.abort();
  await running;
  return w.counts;
}

test('Pods and tasks fill the same nodes, and nothing is ever oversold', async () => {
  const sums: Counts = { podsGranted: 0, podsLost: 0, tasksGranted: 0, tasksLost: 0 };
  const seeds = seedsFromEnvironment(15);
  for (const seed of seeds) {
    try {
      const counts = await simulate(seed);
      for (const name of ['podsGranted', 'podsLost', 'tasksGranted', 'tasksLost'] as const)
        sums[name] += counts[name];
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
  if (seeds.length === 1) return;
  const { podsGranted, podsLost, tasksGranted, tasksLost } = sums;
  assert(podsGranted > 500 && tasksGranted > 250, `Both fill: ${JSON.stringify(sums)}`);
  assert(podsLost > 0 && tasksLost > 0, `Both lose races: ${JSON.stringify(sums)}`);
});
