import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { createPool } from '#pool';
import { seededRandom } from '#sim';
import type {
  Allocation,
  Allocator,
  AllocatorAgent,
  AllocatorFramework,
  AllocatorOptions,
} from './allocator.ts';
import { createAllocator } from './hierarchical.ts';

const whole = { cpus: 4000, mem: 8_000_000 };
const ports = { ports: [[31_000, 32_000]] as const };

function agent(id: string, facts: Partial<AllocatorAgent> = {}): AllocatorAgent {
  return {
    id,
    node: id,
    total: whole,
    free: facts.total ?? whole,
    active: true,
    hasGpus: false,
    multiRole: true,
    hierarchicalRole: true,
    unavailable: false,
    ...facts,
  };
}

function framework(id: string, facts: Partial<AllocatorFramework> = {}): AllocatorFramework {
  return { id, roles: ['*'], active: true, capabilities: new Set(), ...facts };
}

function make(
  agents: readonly AllocatorAgent[],
  frameworks: readonly AllocatorFramework[],
  options: Partial<AllocatorOptions> = {},
): Allocator {
  const allocator = createAllocator({ random: seededRandom(1), ...options });
  for (const one of agents) allocator.setAgent(one);
  for (const one of frameworks) allocator.setFramework(one);
  return allocator;
}

/** Runs and checks; allocations as `framework role agent cpus`, sorted. */
function offers(allocator: Allocator, nowMs = 0): readonly string[] {
  const { allocations } = allocator.run({ nowMs });
  allocator.check();
  return allocations.map(text).toSorted();
}

function text({ framework: id, role, agent: on, quantities, parcels }: Allocation): string {
  const names = [id, role, on, String((quantities['cpus'] ?? 0) / 1000), ...parcels];
  return names.join(' ');
}

const refused = (on: string, facts: object = {}) => ({
  framework: 'f',
  role: '*',
  agent: on,
  quantities: whole,
  nowMs: 0,
  ...facts,
});

suite('run()', () => {
  test('offers whole agents, each to the framework with the least share', () => {
    const agents = ['a1', 'a2', 'a3', 'a4'].map((id) => agent(id));
    const allocator = make(agents, [framework('f'), framework('g')]);
    const { allocations } = allocator.run({ nowMs: 0 });
    const count = (id: string) => allocations.filter((one) => one.framework === id).length;
    assert.deepEqual([count('f'), count('g')], [2, 2]);
    assert.deepEqual(offers(allocator), []);
  });

  test('offers ranges with the first offer of an agent', () => {
    const allocator = make([agent('a', { ranges: ports })], [framework('f')]);
    assert.deepEqual(allocator.run({ nowMs: 0 }).allocations, [
      { framework: 'f', role: '*', agent: 'a', quantities: whole, parcels: [], ranges: true },
    ]);
  });

  test('looks at candidates only, and at no agent that is not active', () => {
    const agents = [agent('a'), agent('b'), agent('c', { active: false })];
    const allocator = make(agents, [framework('f')]);
    const { allocations } = allocator.run({ candidates: ['b', 'c', 'gone'], nowMs: 0 });
    assert.deepEqual(allocations.map(text), ['f * b 4']);
  });

  test('serves roles by weight', () => {
    const agents = Array.from({ length: 8 }, (_, at) => agent(`a${at}`));
    const allocator = make(agents, [
      framework('f', { roles: ['one'] }),
      framework('g', { roles: ['three'] }),
    ]);
    allocator.setRole('three', { weight: 3 });
    const { allocations } = allocator.run({ nowMs: 0 });
    assert.equal(allocations.filter(({ role }) => role === 'one').length, 2);
    assert.equal(allocator.share('one'), 0.25);
    assert.equal(allocator.share('three', 'g'), 0.75);
  });

  test('skips suppressed roles and inactive frameworks, whose holdings still count', () => {
    const held = { framework: 'f', role: 'x', quantities: { cpus: 1000 } };
    const allocator = make(
      [agent('a', { free: { cpus: 3000 }, holdings: [held] }), agent('b')],
      [
        framework('f', { roles: ['x', 'y'], suppressedRoles: new Set(['x']) }),
        framework('g', { roles: ['x'], active: false }),
      ],
    );
    assert.deepEqual(offers(allocator), ['f y a 3', 'f y b 4']);
    assert.equal(allocator.share('x'), 1 / 8);
  });

  test('keeps agents with GPUs, of other regions or with old capabilities from the unable', () => {
    const able = new Set(['GPU_RESOURCES', 'REGION_AWARE']);
    const agents = [
      agent('gpu', { hasGpus: true }),
      agent('far', { region: 'mars' }),
      agent('old', { multiRole: false, hierarchicalRole: false }),
    ];
    const unable = make(agents, [framework('f')], { region: 'earth' });
    assert.deepEqual(offers(unable), ['f * old 4']);
    const others = make(agents, [framework('f', { capabilities: able })], { region: 'earth' });
    assert.deepEqual(offers(others), ['f * far 4', 'f * gpu 4', 'f * old 4']);
    const multi = framework('f', { roles: ['a/b'], capabilities: new Set(['MULTI_ROLE']) });
    assert.deepEqual(offers(make(agents, [multi], { region: 'earth' })), []);
    const deep = framework('f', { roles: ['a/b'] });
    assert.deepEqual(offers(make(agents, [deep], { filterGpuResources: false })), ['f a/b gpu 4']);
  });

  test('asks offer constraints, again when attributes or the framework change', () => {
    let allowed = false;
    const accepts = (role: string, on: string) => allowed && role === '*' && on === 'a';
    const allocator = make([agent('a'), agent('b')], [framework('f', { accepts })]);
    assert.deepEqual(offers(allocator), []);
    allowed = true;
    allocator.attributesChanged('a');
    assert.deepEqual(offers(allocator), ['f * a 4']);
    allocator.setFramework(framework('f'));
    assert.deepEqual(offers(allocator), ['f * b 4']);
  });

  test('makes no offer below the minimum of the master or of the framework for its role', () => {
    const scraps = { free: { cpus: 9, mem: 31_999, disk: 5 } };
    const allocator = make([agent('a', scraps)], [framework('f')]);
    assert.deepEqual(offers(allocator), []);
    allocator.setFramework(framework('f', { minAllocatable: { '*': [] } }));
    assert.deepEqual(offers(allocator), ['f * a 0.009']);
    const picky = framework('f', { minAllocatable: { '*': [{ cpus: 5000 }, { mem: 8_000_001 }] } });
    assert.deepEqual(offers(make([agent('a')], [picky])), []);
  });
});

suite('Filters', () => {
  test('keep what is contained in the refused away until their time is over', () => {
    const allocator = make([agent('a', { ranges: ports })], [framework('f')]);
    allocator.refuse(refused('a', { ranges: ports, seconds: 2 }));
    assert.deepEqual(offers(allocator, 1999), []);
    assert.deepEqual(offers(allocator, 2000), []);
    assert.deepEqual(offers(allocator, 2001), ['f * a 4']);
  });

  test('let pass what is more, other ports, or for another role', () => {
    for (const facts of [
      { quantities: { cpus: 3999, mem: 8_000_000 }, ranges: ports },
      { quantities: whole, ranges: { ports: [[31_001, 32_000]] as const } },
    ]) {
      const allocator = make([agent('a', { ranges: ports })], [framework('f')]);
      allocator.refuse(refused('a', facts));
      assert.deepEqual(offers(allocator), ['f * a 4']);
    }
    const allocator = make([agent('a')], [framework('f', { roles: ['*', 'x'] })]);
    allocator.refuse(refused('a'));
    assert.deepEqual(offers(allocator), ['f x a 4']);
  });

  const clearings: Readonly<Record<string, (allocator: Allocator) => void>> = {
    'a REVIVE': (allocator) => allocator.revive('f'),
    'a REVIVE of the role': (allocator) => allocator.revive('f', ['*']),
    'changed attributes': (allocator) => allocator.attributesChanged('a'),
    'a framework that was away': (allocator) => {
      allocator.setFramework(framework('f', { active: false }));
      allocator.setFramework(framework('f'));
    },
    'a role that was left and joined again': (allocator) => {
      allocator.setFramework(framework('f', { roles: [] }));
      allocator.setFramework(framework('f'));
    },
    'an end of suppression': (allocator) => {
      allocator.setFramework(framework('f', { suppressedRoles: new Set(['*']) }));
      allocator.setFramework(framework('f'));
    },
    'an agent that was removed': (allocator) => {
      allocator.removeAgent('a');
      allocator.setAgent(agent('a'));
    },
  };
  for (const [what, clear] of Object.entries(clearings))
    test(`are cleared by ${what}`, () => {
      const allocator = make([agent('a')], [framework('f')]);
      allocator.refuse(refused('a', { seconds: 3600 }));
      assert.deepEqual(offers(allocator), []);
      clear(allocator);
      assert.deepEqual(offers(allocator), ['f * a 4']);
    });

  test('stay when another role is revived, and with 0 seconds there are none', () => {
    const allocator = make([agent('a')], [framework('f', { roles: ['*', 'x'] })]);
    allocator.refuse(refused('a', { seconds: 0 }));
    allocator.refuse(refused('a', { role: 'x' }));
    allocator.revive('f', ['*']);
    assert.deepEqual(offers(allocator), ['f * a 4']);
  });

  const times: readonly (readonly [number | undefined, number])[] = [
    [undefined, 5000],
    [0.1, 1000],
    [-3, 5000],
    [Number.NaN, 5000],
    [Number.POSITIVE_INFINITY, 5000],
    [40_000_000, 31_536_000_000],
  ];
  for (const [seconds, ms] of times)
    test(`of ${seconds} seconds last ${ms} ms`, () => {
      const allocator = make([agent('a')], [framework('f')]);
      allocator.refuse(refused('a', { seconds }));
      assert.deepEqual(offers(allocator, ms), []);
      assert.deepEqual(offers(allocator, ms + 1), ['f * a 4']);
    });
});

suite('Reservations, volumes and revocable parts', () => {
  const parcel = { quantities: { disk: 1000, mem: 32_000 }, refined: false, revocable: false };
  const plain = { ...parcel, shared: false };

  test('go to the role they are reserved for and to those under it', () => {
    const parcels = [{ ...plain, id: 'r', role: 'eng' }];
    for (const [role, want] of [
      ['eng', 'f eng a 0 r'],
      ['eng/dev', 'f eng/dev a 0 r'],
      ['engine', undefined],
      ['*', undefined],
    ] as const) {
      const allocator = make(
        [agent('a', { free: {}, parcels })],
        [framework('f', { roles: [role] })],
      );
      assert.deepEqual(offers(allocator), want === undefined ? [] : [want]);
    }
  });

  test('are kept from frameworks that do not know refinement, sharing or revocation', () => {
    const parcels = [
      { ...plain, id: 'refined', role: 'eng', refined: true },
      { ...plain, id: 'revocable', role: '*', revocable: true },
      { ...plain, id: 'shared', role: 'eng', shared: true },
      { ...plain, id: 'whole disk', role: '*' },
    ];
    const offer = (capabilities: readonly string[]) =>
      offers(
        make(
          [agent('a', { free: {}, parcels })],
          [framework('f', { roles: ['eng'], capabilities: new Set(capabilities) })],
        ),
      );
    assert.deepEqual(offer([]), ['f eng a 0 whole disk']);
    assert.deepEqual(offer(['RESERVATION_REFINEMENT', 'REVOCABLE_RESOURCES', 'SHARED_RESOURCES']), [
      'f eng a 0 refined revocable shared whole disk',
    ]);
  });

  test('shared ones are offered again in each cycle, to one framework', () => {
    const parcels = [{ ...plain, id: 'v', role: 'eng', shared: true }];
    const capabilities = new Set(['SHARED_RESOURCES']);
    const allocator = make(
      [agent('a', { free: {}, parcels })],
      ['f', 'g'].map((id) => framework(id, { roles: ['eng'], capabilities })),
    );
    assert.deepEqual(offers(allocator), ['f eng a 0 v']);
    assert.deepEqual(offers(allocator), ['g eng a 0 v']);
    assert.equal(offers(allocator).length, 1);
  });
});

suite('Quota', () => {
  const half = { cpus: 2000 };

  test('limits cut an offer, count reservations, and bind roles below', () => {
    for (const [role, settings, want] of [
      ['eng', { limits: half }, ['f eng a 2']],
      ['eng/dev', { limits: half }, ['f eng/dev a 2']],
      ['eng', { limits: { cpus: 0, mem: 0 } }, []],
    ] as const) {
      const allocator = make([agent('a')], [framework('f', { roles: [role] })]);
      allocator.setRole('eng', settings);
      assert.deepEqual(offers(allocator), want);
    }
    const reserved = { eng: { cpus: 1500 } };
    const allocator = make(
      [agent('a', { reserved, free: { cpus: 2500 } })],
      [framework('f', { roles: ['eng'] })],
    );
    allocator.setRole('eng', { limits: half });
    assert.deepEqual(offers(allocator), ['f eng a 0.5']);
  });

  test('a guarantee is served first, and headroom for it is kept from others', () => {
    const agents = [agent('a'), agent('b')];
    const served = make(agents, [
      framework('f', { roles: ['*'] }),
      framework('g', { roles: ['eng'] }),
    ]);
    served.setRole('*', { weight: 100 });
    served.setRole('eng', { guarantees: { cpus: 8000 } });
    assert.deepEqual(offers(served), ['g eng a 4', 'g eng b 4']);
    // Nobody asks for it: it is kept all the same.
    const kept = make(agents, [framework('f')]);
    kept.setRole('eng', { guarantees: { cpus: 6000 } });
    const cpus = kept
      .run({ nowMs: 0 })
      .allocations.reduce((sum, { quantities }) => sum + (quantities['cpus'] ?? 0), 0);
    assert.equal(cpus, 2000);
  });

  test('what Pods hold counts against the quota of their role', () => {
    const holdings = [{ framework: 'kube', role: 'eng', quantities: { cpus: 1500 } }];
    const allocator = make(
      [agent('a', { holdings, free: { cpus: 2500, mem: 8_000_000 } })],
      [framework('f', { roles: ['eng'] })],
    );
    allocator.setRole('eng', { limits: half });
    assert.deepEqual(offers(allocator), ['f eng a 0.5']);
  });
});

suite('Inverse offers', () => {
  const holdings = ['f', 'g', 'kube'].map((id) => ({
    framework: id,
    role: '*',
    quantities: { cpus: 1 },
  }));
  const asked = (allocator: Allocator, nowMs: number) => {
    const { inverse } = allocator.run({ nowMs });
    return inverse.map((one) => `${one.framework} ${one.agent}`);
  };

  test('go to active frameworks that hold something on an agent under maintenance', () => {
    const allocator = make(
      [agent('a', { holdings, free: {}, unavailable: true }), agent('b', { holdings, free: {} })],
      [framework('f'), framework('g', { active: false })],
    );
    assert.deepEqual(asked(allocator, 0), ['f a']);
  });

  test('pause after an answer, until REVIVE', () => {
    const allocator = make(
      [agent('a', { holdings, free: {}, unavailable: true })],
      [framework('f')],
    );
    allocator.refuseInverse({ framework: 'f', agent: 'a', seconds: 0.5, nowMs: 0 });
    assert.deepEqual(asked(allocator, 500), []);
    assert.deepEqual(asked(allocator, 501), ['f a']);
    allocator.refuseInverse({ framework: 'f', agent: 'a', seconds: 500, nowMs: 600 });
    assert.deepEqual(asked(allocator, 700), []);
    allocator.revive('f');
    assert.deepEqual(asked(allocator, 800), ['f a']);
  });
});

suite('Pods that wait', () => {
  function contended(count: number) {
    const pool = createPool();
    const allocator = make([agent('a')], [framework('f', { roles: ['x'] })], { pool });
    pool.setDemand('kube', [{ role: 'y', piece: { cpu: 500, memory: 2 ** 20 }, count }]);
    return { pool, allocator };
  }

  test('are left the fair part of their role', () => {
    const { allocator } = contended(1000);
    assert.deepEqual(offers(allocator), ['f x a 2']);
  });

  test('are left no more than they ask for', () => {
    const { allocator } = contended(1);
    // One half goes to each; of the other half the Pod keeps its 0.5.
    assert.deepEqual(offers(allocator), ['f x a 3.5']);
  });

  test('who do not come for what was kept are not waited for any longer', () => {
    const { allocator } = contended(1000);
    assert.deepEqual(offers(allocator, 0), ['f x a 2']);
    assert.deepEqual(offers(allocator, 1000), []);
    assert.deepEqual(offers(allocator, 5000), ['f x a 2']);
  });
});

test('A cycle never allocates more than is free, nor past limits, and meets guarantees', () => {
  const amount = fc.integer({ min: 0, max: 40 }).map((one) => one * 100);
  const worlds = fc.record({
    seed: fc.integer({ min: 1, max: 1000 }),
    free: fc.array(fc.record({ cpus: amount, disk: amount }), { minLength: 1, maxLength: 8 }),
    roles: fc.array(fc.record({ weight: fc.integer({ min: 1, max: 5 }), limit: amount }), {
      minLength: 1,
      maxLength: 5,
    }),
    limited: fc.boolean(),
  });
  fc.assert(
    fc.property(worlds, ({ seed, free, roles, limited }) => {
      const allocator = make(
        free.map((have, at) => agent(`a${at}`, { total: have, free: have })),
        roles.map((_, at) => framework(`f${at}`, { roles: [`r${at}`] })),
        { random: seededRandom(seed), minAllocatable: [] },
      );
      const sum = (name: 'cpus' | 'disk') => free.reduce((all, one) => all + one[name], 0);
      // Guarantees that are feasible together: each role an equal part of everything.
      const guarantee = Math.floor(sum('cpus') / roles.length / 100) * 100;
      for (const [at, { weight, limit }] of roles.entries()) {
        const quota = limited ? { limits: { cpus: limit } } : { guarantees: { cpus: guarantee } };
        allocator.setRole(`r${at}`, { weight, ...quota });
      }
      const { allocations } = allocator.run({ nowMs: 0 });
      allocator.check();
      const given = new Map<string, number>();
      for (const { role, quantities } of allocations)
        given.set(role, (given.get(role) ?? 0) + (quantities['cpus'] ?? 0));
      for (const [at, have] of free.entries())
        for (const name of ['cpus', 'disk'] as const) {
          const mine = allocations.filter((one) => one.agent === `a${at}`);
          const used = mine.reduce((all, one) => all + (one.quantities[name] ?? 0), 0);
          assert(used <= have[name]);
        }
      for (const [at, { limit }] of roles.entries()) {
        const got = given.get(`r${at}`) ?? 0;
        if (limited) assert(got <= limit, `r${at} has ${got} of ${limit}`);
        else assert(got >= guarantee, `r${at} has ${got}, is guaranteed ${guarantee}`);
      }
    }),
  );
});
