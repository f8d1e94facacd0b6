/**
 * One allocation cycle at 10,000 agents, 200 frameworks and 20 roles, without the encoding of offers:
 * the first, which gives everything away; later ones, with a fifth of all offers given back each
 * second; and one in which all frameworks refuse what is free. Prints one JSON line per case.
 */
import { createAllocator, type Allocator, type AllocatorAgent } from '#mesos/allocator';
import { seededRandom } from '#sim';
import { percentiles } from './harness.ts';

const agentCount = 10_000;
const frameworkCount = 200;
const roleCount = 20;
const rounds = 20;
const ports = { ranges: { ports: [[31_000, 32_000]] as const } };
const total = { cpus: 64_000, mem: 262_144_000, disk: 1_000_000_000 };

const agents: readonly AllocatorAgent[] = Array.from({ length: agentCount }, (_, at) => ({
  id: `m-S${at}`,
  node: `node-${at}`,
  total,
  free: total,
  ...ports,
  active: true,
  hasGpus: false,
  multiRole: true,
  hierarchicalRole: true,
  unavailable: false,
}));
const frameworks = Array.from({ length: frameworkCount }, (_, at) => ({
  id: `m-F${at}`,
  role: at % 3 === 0 ? `team/r${at % roleCount}` : `r${at % roleCount}`,
}));

function filled(): Allocator {
  const allocator = createAllocator({ random: seededRandom(1) });
  for (const agent of agents) allocator.setAgent(agent);
  for (const { id, role } of frameworks) {
    allocator.setRole(role, { weight: 1 + (role.length % 3) });
    allocator.setFramework({
      id,
      roles: [role],
      active: true,
      capabilities: new Set(['MULTI_ROLE', 'RESERVATION_REFINEMENT']),
    });
  }
  return allocator;
}

/** Milliseconds of one `run()`, and how many allocations it made. */
function timed(allocator: Allocator, nowMs: number) {
  const startMs = performance.now();
  const { allocations } = allocator.run({ nowMs });
  return { ms: performance.now() - startMs, allocations };
}

function firstCycles(): number[] {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(timed(filled(), 0).ms);
  return times;
}

/** Every second a fifth of all offers is given back for 5 s, and goes to somebody else. */
function steadyCycles(): number[] {
  const allocator = filled();
  const random = seededRandom(2);
  const times: number[] = [];
  const out = new Map(timed(allocator, 0).allocations.map((one) => [one.agent, one]));
  for (let round = 1; round <= rounds * 2; round++) {
    const nowMs = round * 1000;
    for (const offer of [...out.values()].filter(() => random.chance(20))) {
      allocator.refuse({ ...offer, ...ports, parcels: [], nowMs });
      const known = agents[Number(offer.agent.slice(3))];
      if (known !== undefined) allocator.setAgent(known);
    }
    const { ms, allocations } = timed(allocator, nowMs);
    for (const one of allocations) out.set(one.agent, one);
    if (round > rounds) times.push(ms);
  }
  return times;
}

/** Nobody wants what is free: every framework refuses every agent for long. */
function refusedCycles(): number[] {
  const allocator = filled();
  for (const agent of agents.slice(0, agentCount / 10))
    for (const { id, role } of frameworks)
      allocator.refuse({
        framework: id,
        role,
        agent: agent.id,
        quantities: total,
        ...ports,
        seconds: 600,
        nowMs: 0,
      });
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(timed(allocator, 1000 * round).ms);
  return times.slice(1);
}

const cases: readonly (readonly [string, () => number[]])[] = [
  ['first', firstCycles],
  ['steady', steadyCycles],
  ['refused', refusedCycles],
];
for (const [name, run] of cases) {
  const times = run();
  const { p50, max } = percentiles(times.slice(Math.floor(times.length / 4)));
  console.log(JSON.stringify({ case: name, p50Ms: p50, maxMs: max }));
}
