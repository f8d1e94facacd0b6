import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createPool, type Pool } from '#pool';
import { seededRandom, type SeededRandom } from '#sim';
import type { Allocation, Allocator, Holding, Quantities } from './allocator.ts';
import { createAllocator } from './hierarchical.ts';
import { amountsOf, quantitiesOf } from './units.ts';

const stepMs = 100;
const batchMs = 1_000;
const nodeAmounts = { cpu: 8000, memory: 32 * 2 ** 30, pods: 110 };

interface Actor {
  readonly name: string;
  readonly role: string;
  /** CPUs of one task or Pod, in thousandths, and its memory in MB. */
  readonly cpus: number;
  readonly mem: number;
  /** How many it wants to run at any time. */
  readonly wants: number;
  readonly lastsMs: number;
  readonly startsMs?: number;
}

/** A pool with a master in front of the allocator, and a scheduler of Pods, all reduced to loops. */
class World {
  readonly pool: Pool = createPool();
  readonly allocator: Allocator;
  readonly random: SeededRandom;
  readonly frameworks: readonly Actor[];
  readonly deployments: readonly Actor[];
  readonly nodes: readonly string[];
  readonly offers = new Map<string, Allocation>();
  /** Ends of tasks and Pods, by owner. */
  readonly running = new Map<string, { readonly actor: string; readonly endMs: number }>();
  readonly #subscribed = new Set<string>();
  /** Nodes where something ended since the last look. */
  readonly #freed = new Set<string>();
  nowMs = 0;
  made = 0;

  constructor(options: {
    nodes: number;
    frameworks: readonly Actor[];
    deployments: readonly Actor[];
    seed: number;
  }) {
    this.random = seededRandom(options.seed);
    this.allocator = createAllocator({ random: this.random, pool: this.pool });
    this.frameworks = options.frameworks;
    this.deployments = options.deployments;
    this.nodes = Array.from({ length: options.nodes }, (_, at) => `n${at}`);
    for (const name of this.nodes) this.pool.setNode({ name, amounts: nodeAmounts });
  }

  count(actor: Actor): number {
    let count = 0;
    for (const one of this.running.values()) count += one.actor === actor.name ? 1 : 0;
    return count;
  }

  weight(role: string, weight: number): void {
    this.pool.setWeight(role, weight);
    this.allocator.setRole(role, { weight });
  }

  /** Average part of all CPUs over the last `lastMs` of `ms`. */
  run(ms: number, lastMs: number): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    const actors = [...this.frameworks, ...this.deployments];
    const endMs = this.nowMs + ms;
    for (; this.nowMs < endMs; this.nowMs += stepMs) {
      this.#end();
      this.#subscribe();
      for (const actor of this.deployments) this.#schedule(actor);
      if (this.nowMs % batchMs === 0) this.#cycle(undefined);
      else if (this.allocator.hungry) this.#cycle(this.#freed);
      this.#freed.clear();
      this.pool.check();
      if (this.nowMs < endMs - lastMs) continue;
      const all = (this.nodes.length * nodeAmounts.cpu * lastMs) / stepMs;
      for (const actor of actors)
        sums.set(actor.name, (sums.get(actor.name) ?? 0) + (this.count(actor) * actor.cpus) / all);
    }
    this.allocator.check();
    return sums;
  }

  #end(): void {
    for (const [owner, { endMs }] of this.running)
      if (endMs <= this.nowMs) {
        this.running.delete(owner);
        this.#freed.add(this.pool.claim(owner)?.node ?? '');
        this.pool.release(owner);
      }
  }

  /** As the Kubernetes scheduler: on any node with room, as many as the pool grants. */
  #schedule(actor: Actor): void {
    if (this.nowMs < (actor.startsMs ?? 0)) return;
    let missing = actor.wants - this.count(actor);
    const piece = { ...amountsOf({ cpus: actor.cpus, mem: actor.mem * 1000 }), pods: 1 };
    for (const node of this.random.shuffled(this.nodes))
      for (; missing > 0; missing--) {
        const room = this.pool.roomFor(node, actor.role);
        if (Object.entries(piece).some(([name, amount]) => amount > (room[name] ?? 0))) break;
        if (!this.#claim(actor, { node, amounts: piece, fair: true })) break;
      }
    const others = this.pool.demands('kube').filter(({ role }) => role !== actor.role);
    const own = missing > 0 ? [{ role: actor.role, piece, count: missing }] : [];
    this.pool.setDemand('kube', [...others, ...own]);
  }

  #claim(actor: Actor, claim: { node: string; amounts: Quantities; fair: boolean }): boolean {
    const owner = `${actor.name}/${this.made++}`;
    const whole = { ...claim, owner, epoch: 0, ports: [], role: actor.role };
    const [verdict] = this.pool.commit([whole]);
    if (verdict?.ok !== true) return false;
    this.running.set(owner, { actor: actor.name, endMs: this.nowMs + actor.lastsMs });
    return true;
  }

  #subscribe(): void {
    for (const { name, role, startsMs = 0 } of this.frameworks) {
      if (this.nowMs < startsMs || this.#subscribed.has(name)) continue;
      if (this.#subscribed.size === 0) for (const node of this.nodes) this.#tell(node);
      this.#subscribed.add(name);
      const capabilities = new Set<string>();
      this.allocator.setFramework({ id: name, roles: [role], active: true, capabilities });
    }
  }

  #cycle(candidates: ReadonlySet<string> | undefined): void {
    for (const node of this.nodes) this.#tell(node);
    const { nowMs } = this;
    for (const allocation of this.allocator.run({ candidates, nowMs }).allocations)
      this.#answer(allocation);
  }

  #tell(node: string): void {
    const holdings = this.pool.claimsOn(node).map(({ owner, role, amounts }): Holding => {
      const actor = owner.slice(0, owner.indexOf('/'));
      const isPod = this.deployments.some(({ name }) => name === actor);
      return { framework: isPod ? 'kube' : actor, role, quantities: quantitiesOf(amounts, 'up') };
    });
    this.allocator.setAgent({
      id: node,
      node,
      total: quantitiesOf(nodeAmounts, 'down'),
      free: quantitiesOf(this.pool.roomFor(node, '*'), 'down'),
      holdings,
      active: true,
      hasGpus: false,
      multiRole: true,
      hierarchicalRole: true,
      unavailable: false,
    });
  }

  /** Uses of the offer what it can; the rest is declined with the default filter. */
  #answer({ framework, role, agent, quantities }: Allocation): void {
    const actor = this.frameworks.find(({ name }) => name === framework);
    assert(actor !== undefined, 'Offers go to frameworks');
    const left: Record<string, number> = { ...quantities };
    const piece: Quantities = { cpus: actor.cpus, mem: actor.mem * 1000 };
    let launched = 0;
    while (this.count(actor) < actor.wants) {
      if (Object.entries(piece).some(([name, one]) => one > (left[name] ?? 0))) break;
      if (!this.#claim(actor, { node: agent, amounts: amountsOf(piece), fair: false })) break;
      for (const [name, one] of Object.entries(piece)) left[name] = (left[name] ?? 0) - one;
      launched += 1;
    }
    const { nowMs } = this;
    if (launched > 0) this.allocator.launched({ framework, role, piece, nowMs });
    if (Object.values(left).some((amount) => amount > 0))
      this.allocator.refuse({ framework, role, agent, quantities: left, nowMs });
  }
}

const tenSeconds = 10_000;
const ever = 1e9;

/** All three want twice the cluster; the Deployment's Pods stay, or are replaced every 10 s. */
function contended(options: {
  nodes: number;
  podsLastMs: number;
  seed: number;
  starts?: { readonly web?: number; readonly a?: number; readonly b?: number };
}): World {
  const { nodes, podsLastMs, seed, starts = {} } = options;
  const wants = (nodes * 2 * nodeAmounts.cpu) / 500;
  const task = { cpus: 500, mem: 100, wants, lastsMs: tenSeconds };
  const world = new World({
    nodes,
    seed,
    frameworks: [
      { ...task, name: 'a', role: 'a', startsMs: starts.a ?? 0 },
      { ...task, name: 'b', role: 'b', startsMs: starts.b ?? 0 },
    ],
    deployments: [
      { ...task, name: 'web', role: 'web', lastsMs: podsLastMs, startsMs: starts.web ?? 0 },
    ],
  });
  world.weight('b', 2);
  return world;
}

function near(shares: ReadonlyMap<string, number>, wanted: Readonly<Record<string, number>>) {
  const sum = [...shares.values()].reduce((all, one) => all + one, 0);
  for (const [name, part] of Object.entries(wanted)) {
    const have = (shares.get(name) ?? 0) / sum;
    assert(Math.abs(have - part) <= part * 0.05, `${name} has ${have} instead of ${part}`);
  }
  return sum;
}

suite('Two frameworks and a Deployment at weights 1:2:1', () => {
  for (const nodes of [1, 3, 12])
    for (const podsLastMs of [ever, tenSeconds])
      for (const seed of nodes < 12 ? [1, 2] : [1])
        test(`share ${nodes} nodes so, Pods ${podsLastMs === ever ? 'stay' : 'end'}, seed ${seed}`, () => {
          const shares = contended({ nodes, podsLastMs, seed }).run(60_000, 20_000);
          const used = near(shares, { a: 0.25, b: 0.5, web: 0.25 });
          assert(used > 0.97, `${used} of the cluster is used`);
        });

  const orders = [
    { web: 5000 },
    { web: 25_000 },
    { a: 5000 },
    { b: 5000, web: 5000 },
    { a: 12_300, b: 700 },
  ];
  for (const starts of orders)
    test(`in whatever order they come: ${JSON.stringify(starts)}`, () => {
      const shares = contended({ nodes: 3, podsLastMs: tenSeconds, seed: 3, starts });
      near(shares.run(60_000, 15_000), { a: 0.25, b: 0.5, web: 0.25 });
    });

  test('share so although each shows up with tasks of another size', () => {
    const wants = 1000;
    const lastsMs = tenSeconds;
    const world = new World({
      nodes: 6,
      seed: 5,
      frameworks: [
        { name: 'a', role: 'a', cpus: 300, mem: 64, wants, lastsMs },
        { name: 'b', role: 'b', cpus: 400, mem: 200, wants, lastsMs: 7000 },
      ],
      deployments: [{ name: 'web', role: 'web', cpus: 200, mem: 100, wants, lastsMs: ever }],
    });
    world.weight('b', 2);
    near(world.run(60_000, 30_000), { a: 0.25, b: 0.5, web: 0.25 });
  });
});

suite('Who is alone', () => {
  const web: Actor = {
    name: 'web',
    role: 'web',
    cpus: 500,
    mem: 100,
    wants: 1000,
    lastsMs: ever,
  };
  const idle = { ...web, name: 'a', role: 'a', wants: 0, lastsMs: tenSeconds };

  test('among Pods gets everything, at once', () => {
    const shares = new World({ nodes: 3, seed: 1, frameworks: [], deployments: [web] });
    near(shares.run(200, 200), { web: 1 });
  });

  test('among frameworks gets everything within a cycle', () => {
    const a = { ...idle, wants: 1000 };
    const shares = new World({ nodes: 3, seed: 1, frameworks: [a], deployments: [] });
    shares.run(1000, 1000);
    assert(near(shares.run(30_000, 30_000), { a: 1 }) > 0.9);
  });

  test('gets everything although frameworks of other roles decline what they are offered', () => {
    const frameworks = [idle, { ...idle, name: 'b', role: 'b' }];
    const world = new World({ nodes: 3, seed: 1, frameworks, deployments: [web] });
    world.run(3000, 1000);
    assert((world.run(1000, 1000).get('web') ?? 0) > 0.999);
  });

  test('among roles is not slowed by frameworks on the role everybody is on', () => {
    const frameworks = [{ ...idle, role: '*', wants: 1000 }];
    const pods = { ...web, role: '*' };
    const world = new World({ nodes: 3, seed: 1, frameworks, deployments: [pods] });
    assert((world.run(200, 200).get('web') ?? 0) > 0.999);
  });

  test('goes on when the other stops wanting more', () => {
    const a = { ...idle, wants: 10 };
    const world = new World({ nodes: 3, seed: 1, frameworks: [a], deployments: [web] });
    world.run(20_000, 1000);
    const used = [...world.run(5000, 5000).values()].reduce((sum, one) => sum + one, 0);
    // The framework's tasks take turns with gaps of up to a cycle.
    assert(used > 0.97, `${used} of the cluster is used`);
  });
});

suite('Quota of a role', () => {
  test('binds Pods and tasks alike', () => {
    const both = { role: 'eng', cpus: 500, mem: 100, wants: 1000, lastsMs: tenSeconds };
    const other = { ...both, name: 'c', role: 'c' };
    const world = new World({
      nodes: 4,
      seed: 2,
      frameworks: [{ ...both, name: 'a' }, other],
      deployments: [{ ...both, name: 'web' }],
    });
    world.pool.setQuota('eng', { cpu: 8000 });
    world.allocator.setRole('eng', { limits: { cpus: 8000 } });
    const shares = world.run(40_000, 20_000);
    const eng = (shares.get('a') ?? 0) + (shares.get('web') ?? 0);
    assert(eng > 0.22 && eng < 0.25001, `eng has ${eng}, its limit is a quarter`);
    assert((shares.get('c') ?? 0) > 0.68, 'The rest goes to who is not limited');
  });

  test('keeps what is guaranteed from both', () => {
    const both = { role: 'eng', cpus: 500, mem: 100, wants: 1000, lastsMs: ever };
    const world = new World({
      nodes: 4,
      seed: 2,
      frameworks: [{ ...both, name: 'a' }],
      deployments: [{ ...both, name: 'web', role: '*' }],
    });
    world.pool.setQuota('later', undefined, { cpu: 12_000 });
    world.allocator.setRole('later', { guarantees: { cpus: 12_000 } });
    const shares = world.run(20_000, 5000);
    const used = [...shares.values()].reduce((sum, one) => sum + one, 0);
    assert(used > 0.6 && used < 0.62501, `${used} is used; three eighths are kept`);
  });
});
