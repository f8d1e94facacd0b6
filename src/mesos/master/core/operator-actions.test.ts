import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { KubeObject, WriteGroup } from '#machinery';
import type { Agent, MaintenanceSchedule, ResourceRole, TaskKill } from '#mesos/kinds';
import {
  CallRejected,
  allocateResources,
  containsResources,
  flattenResources,
  parseResources,
  sameResources,
  subtractResources,
  sumResources,
  type MachineID,
  type OfferOperation,
  type Resource,
  type Resources,
  type TaskStatus,
} from '#mesos/protocol';
import { createPool } from '#pool';
import { createSimClock } from '#sim';
import { agentCapabilities } from './books.ts';
import { drainedStatus } from './drain.ts';
import { Operator } from './operator-actions.ts';
import type { OperatorHost } from './operator-host.ts';
import type {
  AgentRecord,
  FrameworkRecord,
  MasterState,
  OfferRecord,
  RoleRecord,
  TaskRecord,
} from './records.ts';

const machineTotal = parseResources('cpus:4;mem:4096;disk:1000');

/** A core of one agent, `a1` on `h1` (10.0.0.1), with offers and tasks that tests put there. */
class World {
  readonly clock = createSimClock();
  readonly pool = createPool();
  readonly log: string[] = [];
  readonly roles: ResourceRole[] = [];
  /** What the cache still shows of them, when it lags. */
  cachedRoles: readonly ResourceRole[] | undefined;
  schedule: MaintenanceSchedule | undefined;
  taken: object = {};
  readonly agent: { -readonly [Key in keyof Agent]: Agent[Key] } = {
    apiVersion: 'mesos.tandem.dev/v1',
    kind: 'Agent',
    metadata: { name: 'n1', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: { agentID: 'a1', nodeName: 'n1' },
    status: { registeredTime: '' },
  };
  offers: OfferRecord[] = [];
  tasks: TaskRecord[] = [];
  used: Resources = [];
  registered = true;
  readonly unreachable = new Map<string, { sinceMs: number }>();
  readonly gone = new Map<string, { sinceMs: number }>();
  readonly frameworks = new Map<string, FrameworkRecord>();
  readonly roleRecords = new Map<string, RoleRecord>();
  #version = 1;
  readonly operator: Operator = new Operator(this.host());

  get kept(): Resources {
    return this.agent.spec.resources ?? [];
  }
  get total(): Resources {
    return sumResources(subtractResources(machineTotal, flattened(this.kept)), this.kept);
  }

  record(): AgentRecord {
    return {
      id: 'a1',
      nodeName: 'n1',
      info: { hostname: 'h1', id: { value: 'a1' } },
      pid: 'slave(1)@10.0.0.1:5051',
      ip: '10.0.0.1',
      port: 5051,
      version: '1',
      connected: true,
      active: true,
      deactivated: false,
      drain: this.drain(),
      registeredMs: 0,
      reregisteredMs: undefined,
      capabilities: agentCapabilities,
      totalResources: () => this.total,
      usedResources: () => this.used,
      podResources: () => [],
      offeredResources: () => this.offers.flatMap(({ offer }) => offer.resources ?? []),
    };
  }

  drain(): AgentRecord['drain'] {
    const { drain } = this.agent.spec;
    return (
      drain && {
        state: drain.state,
        maxGracePeriodNanoseconds: drain.maxGracePeriodNanoseconds,
        markGone: drain.markGone === true,
        startedMs: 0,
      }
    );
  }

  state(): MasterState {
    const registered = (): boolean => this.registered;
    const agent = (): AgentRecord => this.record();
    const offers = (): readonly OfferRecord[] => this.offers;
    return {
      masterID: 'm',
      startedMs: 0,
      electedMs: 0,
      frameworks: this.frameworks,
      completedFrameworks: [],
      get agents(): ReadonlyMap<string, AgentRecord> {
        return new Map(registered() ? [['a1', agent()]] : []);
      },
      recoveredAgents: new Map(),
      unreachableAgents: this.unreachable,
      goneAgents: this.gone,
      get offers(): ReadonlyMap<string, OfferRecord> {
        return new Map(offers().map((offer) => [offer.id, offer]));
      },
      inverseOffers: new Map(),
      roles: this.roleRecords,
      schedule: {},
    };
  }

  offer(text: string, role = 'eng'): OfferRecord {
    const id = `O${this.offers.length}`;
    const resources = allocateResources(parseResources(text), role);
    const record: OfferRecord = {
      id,
      frameworkID: 'f1',
      agentID: 'a1',
      role,
      offer: {
        id: { value: id },
        framework_id: { value: 'f1' },
        agent_id: { value: 'a1' },
        hostname: 'h1',
        resources,
      },
    };
    this.offers.push(record);
    return record;
  }

  host(): OperatorHost {
    return {
      clock: this.clock,
      logger: silentLogger,
      pool: this.pool,
      state: this.state(),
      write: (group) => this.write(group),
      removeFramework: async (id) => void this.log.push(`remove ${id}`),
      storedAgent: (id) => (id === 'a1' ? this.agent : undefined),
      changeAgent: async (id, change) => {
        if (id !== 'a1') return false;
        this.agent.spec = (change(this.agent) ?? this.agent).spec;
        return true;
      },
      kept: () => this.kept,
      setKept: async (_id, kept) => {
        this.agent.spec = { ...this.agent.spec, resources: kept };
      },
      freeOn: () => {
        const offered = this.offers.flatMap(({ offer }) => offer.resources ?? []);
        return subtractResources(this.total, [...stripped(this.used), ...stripped(offered)]);
      },
      applied: () => {},
      offersOn: () => [...this.offers],
      rescind: (offer) => {
        this.offers = this.offers.filter((other) => other !== offer);
        this.log.push(`rescind ${offer.id}`);
      },
      storedRoles: () => this.cachedRoles ?? this.roles,
      roleChanged: (role, settings) =>
        void this.log.push(`role ${role} ${JSON.stringify(settings ?? null)}`),
      storedSchedule: () => this.schedule,
      scheduleTaken: (schedule) => void (this.taken = schedule),
      unavailabilityChanged: (id) => void this.log.push(`unavailability ${id}`),
      removeAgent: (id, cause) => {
        this.registered = false;
        this.log.push(`remove ${id}: ${cause}`);
      },
      admitAgents: () => void (this.registered = true),
      killTask: (task, kill) => void this.log.push(`kill ${task.taskID} ${graceText(kill)}`),
      tasksOn: () => this.tasks,
    };
  }

  async write(group: WriteGroup): Promise<readonly (KubeObject | undefined)[]> {
    return group.map((write) => {
      const resourceVersion = String(++this.#version);
      if ('delete' in write) {
        const at = this.roles.findIndex(({ metadata }) => metadata.name === write.target.name);
        this.roles.splice(at, 1);
        return undefined;
      }
      if ('create' in write) {
        const object = structuredClone(write.create) as unknown as KubeObject;
        const made = { ...object, metadata: { ...object.metadata, resourceVersion } };
        if (object.kind === 'ResourceRole') this.roles.push(made as ResourceRole);
        else this.schedule = made as MaintenanceSchedule;
        return made;
      }
      const found =
        write.resource.plural === 'resourceroles'
          ? this.roles.find(({ metadata }) => metadata.name === write.target.name)
          : this.schedule;
      assert.ok(found);
      write.change(found as never);
      Object.assign(found.metadata, { resourceVersion });
      return found;
    });
  }
}

function graceText(kill: TaskKill): string {
  return `${kill.gracePeriodNanoseconds ?? 'own'} ${kill.reason}`;
}
function stripped(resources: Resources): Resources {
  return resources.map(({ allocation_info: _allocation, ...rest }) => rest);
}
function flattened(resources: Resources): Resources {
  return flattenResources(
    resources.map(({ disk: _disk, shared: _shared, ...resource }) => resource),
  );
}

async function rejection(action: Promise<void>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof CallRejected) return `${error.status} ${error.message}`;
    throw error;
  }
  return 'nothing';
}

const reserved = (text: string, principal?: string): Resource[] =>
  parseResources(text).map((resource) => ({
    ...resource,
    reservations: [
      { type: 'DYNAMIC', role: 'eng', ...(principal === undefined ? {} : { principal }) },
    ],
  }));
const reserve = (text: string): OfferOperation => ({
  type: 'RESERVE',
  reserve: { resources: reserved(text) },
});
const volume: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 64 },
  reservations: [{ type: 'DYNAMIC', role: 'eng' }],
  disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'p' } },
};

test('an operator reserves, makes a volume of it, and gives it all back', async () => {
  const world = new World();
  const { operator } = world;
  await operator.operation('a1', reserve('cpus:1;disk:100'), undefined);
  assert.ok(sameResources(world.kept, reserved('cpus:1;disk:100')));
  await operator.operation('a1', { type: 'CREATE', create: { volumes: [volume] } }, undefined);
  assert.ok(containsResources(world.kept, [volume]));
  await operator.operation(
    'a1',
    {
      type: 'GROW_VOLUME',
      grow_volume: { volume, addition: reserved('disk:36')[0] ?? volume },
    },
    undefined,
  );
  const grown = { ...volume, scalar: { value: 100 } };
  assert.ok(sameResources(world.kept, sumResources([grown], reserved('cpus:1'))));
  await operator.operation(
    'a1',
    { type: 'SHRINK_VOLUME', shrink_volume: { volume: grown, subtract: { value: 36 } } },
    undefined,
  );
  await operator.operation('a1', { type: 'DESTROY', destroy: { volumes: [volume] } }, undefined);
  await operator.operation(
    'a1',
    { type: 'UNRESERVE', unreserve: { resources: reserved('cpus:1;disk:100') } },
    undefined,
  );
  assert.deepEqual(world.kept, []);
});

test('an operator may speak in the old form of reservations', async () => {
  const world = new World();
  const [cpus] = parseResources('cpus:1');
  assert.ok(cpus);
  await world.operator.operation(
    'a1',
    {
      type: 'RESERVE',
      reserve: { resources: [{ ...cpus, role: 'eng', reservation: { principal: 'p' } }] },
    },
    'p',
  );
  assert.ok(sameResources(world.kept, reserved('cpus:1', 'p')));
});

test('offers in the way are rescinded, no more than that; what is used is not taken', async () => {
  const world = new World();
  world.offer('cpus:1');
  world.offer('mem:1000');
  world.offer('cpus:2;mem:1000');
  world.offer('cpus:1');
  await world.operator.operation('a1', reserve('cpus:2'), undefined);
  assert.deepEqual(world.log, ['rescind O0', 'rescind O2']);
  world.used = allocateResources(parseResources('cpus:2'), '*');
  const problem = await rejection(world.operator.operation('a1', reserve('cpus:1'), undefined));
  assert.match(problem, /^409 .* does not contain cpus:1$/);
  assert.ok(sameResources(world.kept, reserved('cpus:2')));
});

const refusals: readonly (readonly [string, string, OfferOperation, string])[] = [
  ['an unknown agent', 'a2', reserve('cpus:1'), '400 No agent found with specified ID'],
  [
    'a shapeless operation',
    'a1',
    { type: 'CREATE' },
    '400 A CREATE offer operation must have the Offer.Operation.create field set.',
  ],
  [
    'a wrong RESERVE',
    'a1',
    { type: 'RESERVE', reserve: { resources: [...parseResources('cpus:1')] } },
    '400 Invalid RESERVE operation on agent a1 at slave(1)@10.0.0.1:5051 (h1): Resource cpus:1 is not dynamically reserved',
  ],
  [
    'a wrong UNRESERVE',
    'a1',
    { type: 'UNRESERVE', unreserve: { resources: [...parseResources('cpus:1')] } },
    '400 Invalid UNRESERVE operation: Resource cpus:1 is not dynamically reserved',
  ],
  [
    'a DESTROY of nothing',
    'a1',
    { type: 'DESTROY', destroy: { volumes: [volume] } },
    '400 Invalid DESTROY operation: Persistent volumes not found',
  ],
];
for (const [name, agentID, operation, want] of refusals) {
  test(`an operator's operation with ${name} is refused`, async () => {
    assert.equal(
      await rejection(new World().operator.operation(agentID, operation, undefined)),
      want,
    );
  });
}

test('TEARDOWN needs a framework', async () => {
  const world = new World();
  assert.equal(
    await rejection(world.operator.teardown('f1')),
    '400 No framework found with specified ID',
  );
});

test('weights are kept, told to the allocator and checked', async () => {
  const world = new World();
  const { operator } = world;
  await operator.updateWeights([
    { role: ' eng ', weight: 2 },
    { role: 'ops', weight: 0.5 },
  ]);
  assert.deepEqual(
    world.roles.map(({ spec }) => spec),
    [
      { role: 'eng', weight: 2 },
      { role: 'ops', weight: 0.5 },
    ],
  );
  assert.deepEqual(world.log, ['role eng {"weight":2}', 'role ops {"weight":0.5}']);
  assert.equal(
    await rejection(operator.updateWeights([{ role: '/a', weight: 1 }])),
    "400 Failed to validate update weights request JSON: Invalid role '/a': Role '/a' cannot start with a slash",
  );
  assert.equal(
    await rejection(operator.updateWeights([{ role: 'a', weight: 0 }])),
    "400 Failed to validate update weights request JSON for role 'a': Invalid weight '0': Weights must be positive",
  );
});

const record = (name: string, more: Partial<RoleRecord> = {}): RoleRecord => ({
  name,
  weight: 1,
  quota: undefined,
  frameworks: new Set(['f1']),
  allocatedResources: () => [],
  offeredResources: () => [],
  reservedResources: () => [],
  consumed: () => new Map(),
  ...more,
});

test('a new weight of a role in use rescinds all offers', async () => {
  const world = new World();
  world.offer('cpus:1', 'other');
  await world.operator.updateWeights([{ role: 'eng', weight: 2 }]);
  assert.equal(world.offers.length, 1);
  world.roleRecords.set('eng', record('eng'));
  await world.operator.updateWeights([{ role: 'eng', weight: 3 }]);
  assert.equal(world.offers.length, 0);
});

test('a quota is kept for the allocator and the pool, and goes when it is empty', async () => {
  const world = new World();
  const { operator } = world;
  await operator.updateWeights([{ role: 'eng', weight: 2 }]);
  world.log.length = 0;
  await operator.updateQuota(
    [
      {
        role: 'eng',
        guarantees: { cpus: { value: 1 } },
        limits: { cpus: { value: 2.5 }, mem: { value: 64 } },
      },
      { role: 'ops', limits: { disk: { value: 0 } } },
    ],
    false,
  );
  assert.deepEqual(
    world.roles.map(({ spec }) => spec),
    [
      { role: 'eng', weight: 2, guarantees: { cpus: 1 }, limits: { cpus: 2.5, mem: 64 } },
      { role: 'ops', limits: { disk: 0 } },
    ],
  );
  assert.deepEqual(world.log, [
    'role eng {"weight":2,"guarantees":{"cpus":1000},"limits":{"cpus":2500,"mem":64000}}',
    'role ops {"limits":{"disk":0}}',
  ]);
  await operator.removeQuota('eng');
  await operator.removeQuota('ops');
  await operator.removeQuota('none');
  assert.deepEqual(
    world.roles.map(({ spec }) => spec),
    [{ role: 'eng', weight: 2 }],
  );
});

const quotas: readonly (readonly [string, Parameters<Operator['updateQuota']>[0], string])[] = [
  [
    'below a role',
    [{ role: 'a/b' }],
    "400 Updating quota on nested role 'a/b' is not supported yet",
  ],
  [
    'of no role',
    [{ role: '' }],
    "400 Invalid QuotaConfig: Invalid 'QuotaConfig.role': Role names cannot be the empty string",
  ],
  [
    'of much memory',
    [{ role: 'a', guarantees: { mem: { value: 2 ** 41 } } }],
    "400 Invalid QuotaConfig: Invalid 'QuotaConfig.guarantees': {'mem': 2199023255552} is invalid: values greater than 1 exabyte (1099511627776) are not supported",
  ],
  [
    'of many cpus',
    [{ role: 'a', limits: { cpus: { value: 2e12 } } }],
    "400 Invalid QuotaConfig: Invalid 'QuotaConfig.limits': {'cpus': 2000000000000} is invalid: values greater than 1 trillion (1000000000000) are not supported",
  ],
  [
    'of less than nothing',
    [{ role: 'a', guarantees: { cpus: { value: -1 } } }],
    "400 Invalid QuotaConfig: Invalid guarantee configuration {'cpus': -1}: Negative values not supported",
  ],
  [
    'with a limit that is no number',
    [{ role: 'a', limits: { cpus: { value: Number.NaN } } }],
    "400 Invalid QuotaConfig: Invalid limit configuration {'cpus': nan}: NaN not supported",
  ],
  [
    'with limits below guarantees',
    [{ role: 'a', guarantees: { cpus: { value: 2 } }, limits: { cpus: { value: 1 } } }],
    "400 Invalid QuotaConfig: 'QuotaConfig.guarantees' {cpus: 2} is not contained within the 'QuotaConfig.limits' {cpus: 1}",
  ],
  [
    'below what is used',
    [{ role: 'busy', limits: { cpus: { value: 1 } } }],
    "400 Invalid QuotaConfig: Role 'busy' is already consuming 'cpus:3'; this is more than the requested limits 'cpus:1' (use 'force' flag to bypass this check)",
  ],
  [
    'of more than there is',
    [
      { role: 'a', guarantees: { cpus: { value: 3 } } },
      { role: 'b', guarantees: { cpus: { value: 2 } } },
    ],
    "400 Invalid QuotaConfig: total quota guarantees 'cpus:5' exceed cluster capacity 'cpus:4; disk:1000; mem:4096' (use 'force' flag to bypass this check)",
  ],
];
for (const [name, configs, want] of quotas) {
  test(`a quota ${name} is refused, and nothing is kept`, async () => {
    const world = new World();
    const used = allocateResources(parseResources('cpus:3'), 'busy');
    world.roleRecords.set('busy', record('busy', { allocatedResources: () => used }));
    assert.equal(await rejection(world.operator.updateQuota(configs, false)), want);
    assert.deepEqual(world.roles, []);
  });
}

test('Pods of a role count for its quota', async () => {
  const world = new World();
  world.pool.setNode({ name: 'n1', amounts: { cpu: 4000, memory: 4096 * 2 ** 20, pods: 9 } });
  const [verdict] = world.pool.commit([
    {
      owner: 'pod/default/web',
      node: 'n1',
      epoch: 0,
      amounts: { cpu: 1500, memory: 2 ** 20 + 1, pods: 1 },
      ports: [],
      role: 'eng/web',
    },
  ]);
  assert.equal(verdict?.ok, true);
  assert.equal(
    await rejection(
      world.operator.updateQuota([{ role: 'eng', limits: { cpus: { value: 1 } } }], false),
    ),
    "400 Invalid QuotaConfig: Role 'eng' is already consuming 'cpus:1.5; mem:1.001'; this is more than the requested limits 'cpus:1' (use 'force' flag to bypass this check)",
  );
});

test('force allows more than there is, and less than is used', async () => {
  const world = new World();
  await world.operator.updateQuota([{ role: 'a', guarantees: { cpus: { value: 99 } } }], true);
  assert.equal(world.roles.length, 1);
});

test('a quota rescinds its own offers above the limit, others for the guarantee', async () => {
  const world = new World();
  world.offer('cpus:1', 'eng/dev');
  world.offer('cpus:1', 'eng');
  world.offer('cpus:1', 'ops');
  world.offer('cpus:1', 'ops');
  await world.operator.updateQuota([{ role: 'eng', limits: { cpus: { value: 1 } } }], false);
  assert.deepEqual(
    world.offers.map(({ id }) => id),
    ['O1', 'O2', 'O3'],
  );
  await world.operator.updateQuota([{ role: 'eng', guarantees: { cpus: { value: 2 } } }], false);
  assert.deepEqual(
    world.offers.map(({ id }) => id),
    ['O1', 'O3'],
  );
});

const guarantee = (text: string): Resource[] => [...parseResources(text)];
const requests: readonly (readonly [string, Parameters<Operator['setQuota']>[0], string])[] = [
  ['without role', { guarantee: guarantee('cpus:1') }, 'QuotaInfo must specify a role'],
  [
    'with a bad role',
    { role: 'a/', guarantee: guarantee('cpus:1') },
    "QuotaInfo with invalid role: Role 'a/' cannot end with a slash",
  ],
  [
    'with a bad resource',
    { role: 'a', guarantee: [{ name: '', type: 'SCALAR', scalar: { value: 1 } }] },
    "QuotaInfo with invalid resource: Resource ':1' is invalid: Empty resource name",
  ],
  ['of nothing', { role: 'a' }, "QuotaInfo with empty 'guarantee'"],
  [
    'of reserved resources',
    { role: 'a', guarantee: reserved('cpus:1') },
    'QuotaInfo must not contain any ReservationInfo',
  ],
  [
    'of a disk',
    { role: 'a', guarantee: [{ ...volume, reservations: [] }] },
    'QuotaInfo must not contain DiskInfo',
  ],
  [
    'of revocable resources',
    { role: 'a', guarantee: guarantee('cpus:1').map((one) => ({ ...one, revocable: {} })) },
    'QuotaInfo must not contain RevocableInfo',
  ],
  [
    'of ports',
    { role: 'a', guarantee: guarantee('ports:[1-2]') },
    'QuotaInfo must not include non-scalar resources',
  ],
  [
    'of cpus twice',
    { role: 'a', guarantee: [...guarantee('cpus:1'), ...guarantee('cpus:1')] },
    "QuotaInfo contains duplicate resource name 'cpus'",
  ],
  [
    'for a role that has one',
    { role: 'has', guarantee: guarantee('cpus:1') },
    "Cannot set quota for role 'has' which already has quota",
  ],
];
for (const [name, request, want] of requests) {
  test(`SET_QUOTA ${name} is refused`, async () => {
    const world = new World();
    await world.operator.updateQuota([{ role: 'has', limits: { cpus: { value: 1 } } }], false);
    assert.equal(
      await rejection(world.operator.setQuota(request)),
      `400 Failed to validate set quota request: ${want}`,
    );
  });
}

test('SET_QUOTA makes guarantees limits, within what there is', async () => {
  const world = new World();
  const { operator } = world;
  assert.equal(
    await rejection(operator.setQuota({ role: 'a/b', guarantee: guarantee('cpus:1') })),
    "400 Setting quota on nested role 'a/b' is not supported yet",
  );
  assert.equal(
    await rejection(operator.setQuota({ role: 'a', guarantee: guarantee('cpus:9') })),
    "409 Quota guarantees overcommit the cluster (use 'force' to bypass this check): Total quota guarantees 'cpus:9' exceed cluster capacity 'cpus:4; disk:1000; mem:4096'",
  );
  await operator.setQuota({ role: 'a', guarantee: guarantee('cpus:2'), force: false });
  assert.deepEqual(world.roles[0]?.spec, {
    role: 'a',
    guarantees: { cpus: 2 },
    limits: { cpus: 2 },
  });
});

test('own writes are believed before the cache shows them', async () => {
  const world = new World();
  const { operator, roles } = world;
  world.cachedRoles = [];
  await operator.updateQuota([{ role: 'a', limits: { cpus: { value: 1 } } }], false);
  assert.match(
    await rejection(operator.setQuota({ role: 'a', guarantee: guarantee('cpus:1') })),
    /already has quota/,
  );
  world.cachedRoles = structuredClone(roles);
  await operator.updateWeights([{ role: 'a', weight: 2 }]);
  world.log.length = 0;
  operator.rolesChanged();
  assert.deepEqual(world.log, []);
  await operator.removeQuota('a');
  await operator.updateQuota([{ role: 'a', limits: { cpus: { value: 3 } } }], false);
  assert.deepEqual(roles[0]?.spec, { role: 'a', weight: 2, limits: { cpus: 3 } });
  world.cachedRoles = undefined;
  world.log.length = 0;
  operator.rolesChanged();
  assert.deepEqual(world.log, []);
});

const h1: MachineID = { hostname: 'H1', ip: '10.0.0.1' };
const other: MachineID = { hostname: 'h2' };
const windowOf = (...machines: MachineID[]) => ({
  windows: [{ machine_ids: machines, unavailability: { start: { nanoseconds: 5 } } }],
});
const schedules: readonly (readonly [Parameters<Operator['updateSchedule']>[0], string])[] = [
  [windowOf(), 'List of machines in the maintenance window is empty'],
  [
    {
      windows: [
        {
          machine_ids: [h1],
          unavailability: { start: { nanoseconds: 0 }, duration: { nanoseconds: -1 } },
        },
      ],
    },
    "Unavailability 'duration' is negative",
  ],
  [windowOf({}), "Both 'hostname' and 'ip' for a machine are empty"],
  [windowOf({ hostname: 'h', ip: '1.2.3' }), 'Failed to parse IPv4: 1.2.3'],
  [
    windowOf(h1, { hostname: 'h1', ip: '10.0.0.1' }),
    `Machine '{"hostname":"h1","ip":"10.0.0.1"}' appears more than once in the schedule`,
  ],
];
for (const [schedule, want] of schedules) {
  test(`a schedule is refused: ${want}`, async () => {
    assert.equal(await rejection(new World().operator.updateSchedule(schedule)), `400 ${want}`);
  });
}

test('a machine goes from UP to DRAINING to DOWN and back', async () => {
  const world = new World();
  const { operator } = world;
  await operator.updateSchedule(windowOf(h1, other));
  assert.deepEqual(world.log, ['unavailability a1']);
  assert.deepEqual(operator.unavailabilityOf(world.record()), { start: { nanoseconds: 5 } });
  operator.inverseOfferAnswered('a1', {
    status: 'ACCEPT',
    framework_id: { value: 'f1' },
    timestamp: { nanoseconds: 7 },
  });
  assert.deepEqual(operator.maintenanceStatus(), {
    draining_machines: [
      {
        id: h1,
        statuses: [
          { status: 'ACCEPT', framework_id: { value: 'f1' }, timestamp: { nanoseconds: 7 } },
        ],
      },
      { id: other },
    ],
    down_machines: [],
  });
  assert.equal(
    await rejection(operator.stopMaintenance([h1])),
    `400 Machine '{"hostname":"H1","ip":"10.0.0.1"}' is not in DOWN mode and cannot be brought up`,
  );
  await operator.startMaintenance([h1]);
  assert.deepEqual(world.log.slice(1), ["remove a1: Operator initiated 'Machine DOWN'"]);
  assert.ok(operator.isDown({ hostname: 'h1', ip: '10.0.0.1' }));
  assert.equal(
    await rejection(operator.startMaintenance([h1])),
    `400 Machine '{"hostname":"H1","ip":"10.0.0.1"}' is not in DRAINING mode and cannot be brought down`,
  );
  assert.equal(
    await rejection(operator.updateSchedule({})),
    `400 Machine '{"hostname":"H1","ip":"10.0.0.1"}' is deactivated and cannot be removed from the schedule`,
  );
  assert.deepEqual(operator.maintenanceStatus(), {
    draining_machines: [{ id: other }],
    down_machines: [h1],
  });
  await operator.stopMaintenance([h1]);
  assert.ok(world.registered);
  assert.deepEqual(operator.schedule.windows?.[0]?.machine_ids, [other]);
  assert.equal(operator.isDown(h1), false);
  assert.equal(await rejection(operator.startMaintenance([])), '400 List of machines is empty');
  assert.equal(
    await rejection(operator.startMaintenance([h1])),
    `400 Machine '{"hostname":"H1","ip":"10.0.0.1"}' is not part of a maintenance schedule`,
  );
  await operator.updateSchedule({});
  assert.deepEqual(operator.schedule, {});
});

test('a schedule that others wrote is followed, an older one is not', async () => {
  const world = new World();
  const { operator } = world;
  await operator.updateSchedule(windowOf(other));
  const late = structuredClone(world.schedule);
  await operator.updateSchedule(windowOf(h1));
  const current = world.schedule;
  world.schedule = late;
  operator.scheduleChanged();
  assert.deepEqual(operator.schedule, windowOf(h1));
  assert.ok(current);
  world.schedule = {
    ...current,
    metadata: { ...current.metadata, resourceVersion: '99' },
    spec: { windows: [] },
    status: {},
  };
  operator.scheduleChanged();
  assert.deepEqual(operator.schedule, {});
});

const task = (id: string, grace?: number): TaskRecord => ({
  frameworkID: 'f1',
  taskID: id,
  agentID: 'a1',
  executorID: id,
  execution: 'Command',
  info: {
    name: id,
    task_id: { value: id },
    agent_id: { value: 'a1' },
    ...(grace !== undefined && { kill_policy: { grace_period: { nanoseconds: grace } } }),
  },
  role: 'eng',
  state: 'TASK_RUNNING',
  statusUpdateState: 'TASK_RUNNING',
  statusUpdateUUID: undefined,
  statuses: [],
  healthy: undefined,
  podName: id,
  container: id,
});

test('draining kills every task in time and ends when none is left', async () => {
  const world = new World();
  world.tasks = [
    task('t1'),
    task('t2', 1),
    task('t3', 99),
    { ...task('t4'), state: 'TASK_KILLED' },
  ];
  await world.operator.drainAgent('a1', {
    maxGracePeriod: { nanoseconds: 10 },
    markGone: false,
  });
  assert.equal(world.agent.spec.deactivated, true);
  assert.deepEqual(world.log, [
    'kill t1 10 REASON_AGENT_DRAINING',
    'kill t2 1 REASON_AGENT_DRAINING',
    'kill t3 10 REASON_AGENT_DRAINING',
  ]);
  assert.equal(
    await rejection(world.operator.reactivateAgent('a1')),
    '400 Agent is still in the DRAINING state',
  );
  world.tasks = [];
  world.operator.agentChanged('a1');
  await Promise.resolve();
  assert.equal(world.agent.spec.drain?.state, 'DRAINED');
  await world.operator.reactivateAgent('a1');
  assert.deepEqual(world.agent.spec, { agentID: 'a1', nodeName: 'n1' });
});

test('an agent without tasks is drained at once, or gone when that was asked', async () => {
  const world = new World();
  await world.operator.drainAgent('a1', { markGone: true });
  await Promise.resolve();
  assert.equal(world.agent.spec.gone, true);
});

test('an agent under maintenance, or that nobody knows, is not drained', async () => {
  const world = new World();
  const { operator } = world;
  await operator.updateSchedule(windowOf({ hostname: 'h1', ip: '10.0.0.1' }));
  assert.equal(
    await rejection(operator.drainAgent('a1', { markGone: false })),
    '400 Agent a1 is part of a maintenance schedule under Machine h1 (10.0.0.1)',
  );
  assert.equal(
    await rejection(operator.drainAgent('a2', { markGone: false })),
    '400 Unknown agent',
  );
  assert.equal(await rejection(operator.deactivateAgent('a2')), '400 Unknown agent');
  assert.equal(await rejection(operator.reactivateAgent('a1')), '400 Agent is not deactivated');
  assert.equal(await rejection(operator.markAgentGone('a2')), "404 Agent 'a2' not found");
});

test('an unreachable agent is deactivated and reactivated, though it is not there', async () => {
  const world = new World();
  world.registered = false;
  world.unreachable.set('a1', { sinceMs: 0 });
  await world.operator.deactivateAgent('a1');
  assert.equal(world.agent.spec.deactivated, true);
  assert.equal(
    await rejection(world.operator.reactivateAgent('a1')),
    '409 Agent removed while processing the call',
  );
  assert.equal(world.agent.spec.deactivated, undefined);
});

test('a killed task of a draining agent says why, and is gone where that was asked', () => {
  const drain = {
    state: 'DRAINING',
    maxGracePeriodNanoseconds: 1,
    markGone: true,
    startedMs: 0,
  } as const;
  const killed: TaskStatus = {
    task_id: { value: 't' },
    state: 'TASK_KILLED',
    source: 'SOURCE_EXECUTOR',
  };
  const told = (status: TaskStatus, partitionAware: boolean, markGone: boolean): string => {
    const { state, reason } = drainedStatus(status, {
      drain: { ...drain, markGone },
      partitionAware,
    });
    return `${state} ${reason}`;
  };
  assert.equal(told(killed, true, true), 'TASK_GONE_BY_OPERATOR REASON_AGENT_DRAINING');
  assert.equal(told(killed, false, true), 'TASK_KILLED REASON_AGENT_DRAINING');
  assert.equal(told(killed, true, false), 'TASK_KILLED REASON_AGENT_DRAINING');
  const finished: TaskStatus = { ...killed, state: 'TASK_FINISHED' };
  assert.equal(told(finished, true, true), 'TASK_FINISHED undefined');
  assert.equal(drainedStatus(killed, { drain: undefined, partitionAware: true }), killed);
});

test('an agent is given up once', async () => {
  const world = new World();
  const first = world.operator.markAgentGone('a1');
  const second = rejection(world.operator.markAgentGone('a1'));
  const third = rejection(world.operator.drainAgent('a1', { markGone: false }));
  assert.equal(await second, "503 Agent 'a1' is already being transitioned to gone");
  assert.equal(await third, '409 Agent is currently being marked gone');
  await first;
  assert.equal(world.agent.spec.gone, true);
  world.gone.set('a1', { sinceMs: 0 });
  await world.operator.markAgentGone('a1');
});
