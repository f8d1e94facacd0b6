import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, seedsFromEnvironment, type SeededRandom } from '#sim';
import type { Allocation, Allocator, Holding } from './allocator.ts';
import { createAllocator } from './hierarchical.ts';

const total = { cpus: 8000, mem: 16_000_000, disk: 1000 };
const roles = ['*', 'eng', 'eng/dev', 'eng/ops', 'ads'];

interface Offered extends Allocation {
  readonly number: number;
}

/** What a master would know: what is held of each agent, and by whom. */
interface World {
  readonly random: SeededRandom;
  readonly allocator: Allocator;
  readonly held: Map<string, (Holding & { readonly key: number })[]>;
  readonly offers: Map<number, Offered>;
  readonly frameworks: Set<string>;
  nowMs: number;
  made: number;
}

function freeOf(world: World, agent: string): Record<string, number> {
  const free: Record<string, number> = { ...total };
  for (const { quantities } of world.held.get(agent) ?? [])
    for (const [name, amount] of Object.entries(quantities))
      free[name] = (free[name] ?? 0) - amount;
  for (const amount of Object.values(free)) assert(amount >= 0, `"${agent}" is not oversold`);
  return free;
}

function describe(world: World, agent: string): void {
  world.allocator.setAgent({
    id: agent,
    node: agent,
    total,
    free: freeOf(world, agent),
    holdings: world.held.get(agent) ?? [],
    active: world.random.chance(95),
    hasGpus: false,
    multiRole: true,
    hierarchicalRole: true,
    unavailable: world.random.chance(5),
  });
}

function drop(world: World, agent: string, key: number): void {
  const held = world.held.get(agent)?.filter((one) => one.key !== key) ?? [];
  if (world.held.has(agent)) world.held.set(agent, held);
}

function cycle(world: World): void {
  const { random, allocator } = world;
  world.nowMs += random.below(3000);
  const all = [...world.held.keys()];
  const candidates = random.chance(50) ? undefined : all.filter(() => random.chance(50));
  for (const allocation of allocator.run({ candidates, nowMs: world.nowMs }).allocations) {
    const key = world.made++;
    const { framework, role, agent, quantities } = allocation;
    assert(world.frameworks.has(framework), 'Only who is subscribed gets offers');
    world.held.get(agent)?.push({ framework, role, quantities, key });
    freeOf(world, agent);
    world.offers.set(key, { ...allocation, number: key });
  }
}

/** Half of an offer is used, the rest or all of it refused; some offers are left lying. */
function answer(world: World): void {
  const { random, allocator, nowMs } = world;
  for (const offer of [...world.offers.values()].filter(() => random.chance(60))) {
    const { framework, role, agent, quantities, number } = offer;
    world.offers.delete(number);
    drop(world, agent, number);
    const used = Object.fromEntries(
      Object.entries(quantities).map(([name, amount]) => [name, Math.floor(amount / 2)]),
    );
    const rest = Object.fromEntries(
      Object.entries(quantities).map(([name, amount]) => [name, amount - (used[name] ?? 0)]),
    );
    const launches = random.chance(50);
    if (launches) {
      world.held.get(agent)?.push({ framework, role, quantities: used, key: world.made++ });
      allocator.launched({ framework, role, piece: used, nowMs });
    }
    const seconds = random.pick([5, 0, 1, 20]);
    const refused = launches ? rest : quantities;
    allocator.refuse({ framework, role, agent, quantities: refused, seconds, nowMs });
    if (world.held.has(agent)) describe(world, agent);
  }
}

function disturb(world: World): void {
  const { random, allocator } = world;
  const agent = `a${random.below(8)}`;
  const framework = `f${random.below(5)}`;
  switch (random.below(7)) {
    case 0:
      if (!world.held.has(agent)) world.held.set(agent, []);
      describe(world, agent);
      break;
    case 1:
      world.held.delete(agent);
      for (const [number, offer] of world.offers)
        if (offer.agent === agent) world.offers.delete(number);
      allocator.removeAgent(agent);
      break;
    case 2:
    case 3:
      world.frameworks.add(framework);
      allocator.setFramework({
        id: framework,
        roles: roles.filter(() => random.chance(40)),
        suppressedRoles: new Set(roles.filter(() => random.chance(20))),
        active: random.chance(90),
        capabilities: new Set(),
      });
      break;
    case 4:
      allocator.revive(framework, random.chance(50) ? [] : [random.pick(roles)]);
      break;
    case 5:
      allocator.setRole(random.pick(roles.slice(1)), {
        weight: 1 + random.below(4),
        limits: random.chance(50) ? { cpus: random.below(20_000) } : undefined,
        guarantees: random.chance(30) ? { cpus: random.below(9000) } : undefined,
      });
      break;
    default:
      // Tasks end, Pods come.
      for (const [name, held] of world.held) {
        const kept = held.filter(({ key }) => world.offers.has(key) || random.chance(70));
        world.held.set(name, kept);
        const { cpus = 0 } = freeOf(world, name);
        if (cpus > 0 && random.chance(30)) {
          const quantities = { cpus: 1 + random.below(cpus) };
          kept.push({ framework: 'kube', role: random.pick(roles), quantities, key: world.made++ });
        }
        describe(world, name);
      }
  }
}

function simulate(seed: number): void {
  const random = seededRandom(seed);
  const world: World = {
    random,
    allocator: createAllocator({ random }),
    held: new Map(),
    offers: new Map(),
    frameworks: new Set(),
    nowMs: 0,
    made: 0,
  };
  for (let step = 0; step < 200; step++) {
    if (random.chance(40)) disturb(world);
    else if (random.chance(50)) cycle(world);
    else answer(world);
    world.allocator.check();
  }
}

test('The allocator adds up whatever happens, and never offers what is held', () => {
  for (const seed of seedsFromEnvironment(40)) {
    try {
      simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
