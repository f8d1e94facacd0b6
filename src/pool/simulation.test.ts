import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, seedsFromEnvironment, type SeededRandom } from '#sim';
import { createPool } from './ledger.ts';
import type { Amounts, Claim, HostPort, Pool, Reservation } from './pool.ts';

const roles = ['*', 'eng', 'eng/dev', 'ops'] as const;

/** What the outside did to the pool: with it a second pool can be built from nothing. */
interface World {
  readonly random: SeededRandom;
  readonly pool: Pool;
  readonly nodes: Map<string, Amounts>;
  readonly quotas: Map<string, { readonly limit?: Amounts; readonly guarantee?: Amounts }>;
  readonly reservations: Map<string, Reservation>;
  readonly owners: Set<string>;
  made: number;
}

function work(world: World): Omit<Claim, 'node' | 'epoch'> {
  const { random } = world;
  const gpu = random.chance(10) ? { 'example.com/gpu': random.between(1, 2) } : {};
  const amounts = { cpu: random.below(400), memory: random.below(400), pods: 1, ...gpu };
  const address = random.pick(['', '0.0.0.0', '10.0.0.1', '10.0.0.2']);
  const protocol = random.pick(['TCP', 'UDP']);
  const ports = random.chance(20) ? [{ protocol, address, port: 80 + random.below(3) }] : [];
  const fair = random.chance(30);
  return { owner: `o${world.made++}`, amounts, ports, role: random.pick(roles), fair };
}

/** Looks at a copy of the columns, fills the fullest node that fits, commits the whole batch at once. */
function bestFitBatches(world: World): void {
  const { pool, random } = world;
  const { columns } = pool;
  const free = new Map([...columns.free].map(([name, column]) => [name, column.slice()]));
  const claims: Claim[] = [];
  for (let wanted = random.between(1, 12); wanted > 0; wanted--) {
    const item = work(world);
    let best = -1;
    for (let row = 0; row < columns.size; row++) {
      const fits = Object.entries(item.amounts).every(
        ([name, asked]) => (free.get(name)?.[row] ?? 0) >= asked,
      );
      const cpu = free.get('cpu');
      if (fits && (best < 0 || (cpu?.[row] ?? 0) < (cpu?.[best] ?? 0))) best = row;
    }
    if (best < 0) continue;
    for (const [name, asked] of Object.entries(item.amounts)) {
      const column = free.get(name);
      if (column !== undefined) column[best] = (column[best] ?? 0) - asked;
    }
    claims.push({ ...item, node: columns.names[best] ?? '', epoch: columns.epoch[best] ?? 0 });
  }
  // Somebody may come in between: then the batch was decided on an old view.
  if (random.chance(30)) randomOffers(world);
  commit(world, claims);
}

/** Is shown what a role may have on a few random nodes, and takes some of it without a plan. */
function randomOffers(world: World): void {
  const { pool, random } = world;
  const offers = Array.from({ length: 3 }, () => `n${random.below(8)}`);
  for (const node of offers) {
    const item = work(world);
    const room = pool.roomFor(node, item.role);
    const part = random.pick([0.5, 1, 1, 1.1]);
    const amounts = { ...item.amounts, cpu: Math.max(0, Math.floor((room.cpu ?? 0) * part)) };
    const row = pool.columns.row.get(node);
    const epoch = row === undefined ? 0 : (pool.columns.epoch[row] ?? 0) - random.below(2);
    commit(world, [{ ...item, amounts, node, epoch }]);
  }
}

function commit(world: World, claims: readonly Claim[]): void {
  const { pool, owners } = world;
  if (claims.length > 1 && world.random.chance(50)) {
    const verdicts = pool.commit(claims);
    for (const [index, verdict] of verdicts.entries())
      if (verdict.ok) owners.add(claims[index]?.owner ?? '');
    return;
  }
  for (const claim of claims) {
    const room = pool.roomFor(claim.node, claim.role);
    const [verdict] = pool.commit([claim]);
    assert(verdict !== undefined);
    pool.check();
    const short = Object.keys(claim.amounts).filter(
      (name) => (claim.amounts[name] ?? 0) > Math.max(0, room[name] ?? 0),
    );
    if (verdict.ok) {
      assert.deepEqual(short, [], 'No room is given that is not there');
      owners.add(claim.owner);
      assert.deepEqual(pool.commit([claim]), [{ ok: true, repeated: true }]);
    } else if (verdict.reason === 'NoRoom' || verdict.reason === 'NodeChanged') {
      assert.deepEqual(verdict.resources, short, 'What is short is named');
    } else if (verdict.reason === 'FairShare') {
      assert(claim.fair, 'Only who asked for it is weighed');
      const others = pool.demands('sim').filter(({ role }) => role !== claim.role);
      assert(others.length > 0, 'Nobody is held back for nobody');
    }
  }
}

function disturb(world: World): void {
  const { random, pool, nodes } = world;
  const node = `n${random.below(7)}`; // n7 never exists: the negative space
  switch (random.below(9)) {
    case 0:
    case 1: {
      const gpu = random.chance(40) ? { 'example.com/gpu': random.below(5) } : {};
      const amounts = { cpu: random.below(3000), memory: 2000, pods: random.below(20), ...gpu };
      pool.setNode({ name: node, amounts });
      nodes.set(node, amounts);
      break;
    }
    case 2:
      pool.removeNode(node);
      nodes.delete(node);
      break;
    case 3: {
      const role = random.pick(roles);
      const limit = random.chance(50) ? { cpu: random.below(4000) } : undefined;
      const guarantee = random.chance(30) ? { cpu: random.below(2000) } : undefined;
      pool.setQuota(role, limit, guarantee);
      pool.setWeight(role, 1 + random.below(3));
      world.quotas.set(role, { ...(limit && { limit }), ...(guarantee && { guarantee }) });
      break;
    }
    case 4: {
      const id = `r${random.below(4)}`;
      const role = random.pick(['eng', 'eng/dev', 'ops']);
      const reservation = { node, role, amounts: { cpu: random.below(800), memory: 100 } };
      if (random.chance(30)) {
        pool.setReservation(id, undefined);
        world.reservations.delete(id);
      } else {
        pool.setReservation(id, reservation);
        world.reservations.set(id, reservation);
      }
      break;
    }
    case 6:
      pool.setDemand(
        'sim',
        roles
          .filter(() => random.chance(40))
          .map((role) => ({
            role,
            piece: { cpu: random.below(300) },
            usable: (name: string) => name !== node,
          })),
      );
      break;
    case 5: {
      // A Pod that somebody else bound, whether there is room or not.
      const item = work(world);
      pool.adopt({ ...item, node, epoch: 0 });
      world.owners.add(item.owner);
      break;
    }
    default:
      for (const owner of random.shuffled([...world.owners]).slice(0, random.below(6))) {
        pool.release(owner);
        world.owners.delete(owner);
      }
  }
  pool.check();
}

/** Everything that can be asked of a pool, in an order that does not depend on its past. */
function describe(pool: Pool): unknown {
  const { columns } = pool;
  const byName = <T extends { readonly owner: string }>(items: Iterable<T>): T[] =>
    [...items].toSorted((a, b) => (a.owner < b.owner ? -1 : 1));
  const portsOf = (ports: readonly HostPort[]): string[] =>
    ports.map((port) => JSON.stringify(port)).toSorted((a, b) => (a < b ? -1 : 1));
  const used = (column: ReadonlyMap<string, Float64Array>, row: number): unknown =>
    Object.fromEntries(
      [...column].map(([name, values]) => [name, values[row]]).filter((e) => e[1] !== 0),
    );
  const nodes = columns.names.map((name, row) => [
    name,
    {
      free: used(columns.free, row),
      allocatable: used(columns.allocatable, row),
      ports: portsOf(columns.ports(row)),
      claims: byName(pool.claimsOn(name)),
      room: roles.map((role) => pool.roomFor(name, role)),
    },
  ]);
  return {
    nodes: Object.fromEntries(nodes),
    claims: byName(pool.claims()),
    usage: roles.map((role) => pool.usage(role)),
  };
}

function rebuilt(world: World): Pool {
  const pool = createPool();
  const steps: (() => void)[] = [
    ...[...world.nodes].map(
      ([name, amounts]) =>
        () =>
          pool.setNode({ name, amounts }),
    ),
    ...[...world.quotas].map(
      ([role, { limit, guarantee }]) =>
        () =>
          pool.setQuota(role, limit, guarantee),
    ),
    ...[...world.reservations].map(
      ([id, held]) =>
        () =>
          pool.setReservation(id, held),
    ),
    ...[...world.pool.claims()].map((claim) => () => pool.adopt(claim)),
  ];
  for (const step of world.random.shuffled(steps)) step();
  pool.check();
  return pool;
}

function simulate(seed: number): void {
  const random = seededRandom(seed);
  const world: World = {
    random,
    pool: createPool(),
    nodes: new Map(),
    quotas: new Map(),
    reservations: new Map(),
    owners: new Set(),
    made: 0,
  };
  for (let step = 0; step < 60; step++) {
    if (random.chance(35)) disturb(world);
    else if (random.chance(50)) bestFitBatches(world);
    else randomOffers(world);
    world.pool.check();
    assert.deepEqual(new Set([...world.pool.claims()].map(({ owner }) => owner)), world.owners);
    if (step % 20 === 19) assert.deepEqual(describe(rebuilt(world)), describe(world.pool));
  }
}

test('Two schedulers on one pool never oversell it, and it can be rebuilt from its claims', () => {
  for (const seed of seedsFromEnvironment(50)) {
    try {
      simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
