import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Attribute, Offer, Resource } from '#mesos/protocol';
import { seededRandom } from '#sim';
import { appFromJson } from '../app/definition.ts';
import type { Instance } from '../instance.ts';
import { podFromJson } from '../pod/definition.ts';
import { emptyRoot, type RunSpec } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import type { Constraint } from '../types.ts';
import { meetsConstraint } from './constraints.ts';
import { type Match, type MatchRequest, matchOffer } from './match.ts';
import { remainingOffer } from './resources.ts';

const context = { root: emptyRoot(''), settings: defaultSettings, forceRole: false };
const version = '2020-01-01T00:00:00.000Z';

function app(json: object = {}): RunSpec {
  const spec = appFromJson({ id: '/g/a', role: 'g', cmd: 'sleep 1', ...json }, context);
  return { kind: 'app', spec: { ...spec, version } };
}

function scalar(name: string, value: number, more: Partial<Resource> = {}): Resource {
  return { name, type: 'SCALAR', scalar: { value }, allocation_info: { role: 'g' }, ...more };
}

function ports(begin: number, end: number, more: Partial<Resource> = {}): Resource {
  const allocation = { role: 'g' };
  return {
    name: 'ports',
    type: 'RANGES',
    ranges: { range: [{ begin, end }] },
    allocation_info: allocation,
    ...more,
  };
}

const plenty = [
  scalar('cpus', 4),
  scalar('mem', 1000),
  scalar('disk', 1000),
  ports(31_000, 31_009),
];

function offer(more: Partial<Offer> = {}): Offer {
  return {
    id: { value: 'o' },
    framework_id: { value: 'f' },
    agent_id: { value: 's' },
    hostname: 'h1',
    allocation_info: { role: 'g' },
    resources: plenty,
    ...more,
  };
}

function request(more: Partial<MatchRequest> = {}): MatchRequest {
  return {
    offer: offer(),
    runSpec: app(),
    instances: [],
    settings: defaultSettings,
    nowMs: 1_000_000,
    random: seededRandom(1),
    ...more,
  };
}

function matched(more: Partial<MatchRequest> = {}): Match {
  const match = matchOffer(request(more));
  assert(match.ok, JSON.stringify(match));
  return match;
}

function reasonsOf(more: Partial<MatchRequest>): readonly string[] {
  const match = matchOffer(request(more));
  return match.ok ? ['matches'] : match.reasons;
}

function amount(resources: readonly Resource[], wanted: string): number {
  return resources
    .filter(({ name }) => name === wanted)
    .reduce((sum, { scalar: value }) => sum + (value?.value ?? 0), 0);
}

function portsOf(resources: readonly Resource[]): number[] {
  return resources.flatMap(({ ranges }) =>
    (ranges?.range ?? []).flatMap(({ begin, end }) =>
      Array.from({ length: end - begin + 1 }, (_, index) => begin + index),
    ),
  );
}

test('matchOffer() takes what an app asks for, and a port', () => {
  const match = matched();
  assert.equal(amount(match.resources, 'cpus'), 1);
  assert.equal(amount(match.resources, 'mem'), 128);
  assert.equal(amount(match.resources, 'disk'), 0);
  assert.equal(match.hostPorts.length, 1);
  assert.deepEqual(portsOf(match.resources), match.hostPorts);
  assert.equal(match.resources[0]?.allocation_info?.role, 'g');
  assert.equal(match.toReserve, false);
});

const rest = offer({ resources: [scalar('mem', 1000), scalar('cpus', 0.5), ports(1, 2)] });
const gpu = offer({ resources: [...plenty, scalar('gpus', 1)] });
const reserved = { reservations: [{ type: 'STATIC', role: 'other' }] } as const;
const far = offer({
  domain: { fault_domain: { region: { name: 'far' }, zone: { name: 'z' } } },
});
const ours = {
  labels: {
    labels: [
      { key: 'marathon_framework_id', value: 'f' },
      { key: 'marathon_task_id', value: 'g_a.instance-1' },
    ],
  },
};
const held = plenty.map((one) => ({
  ...one,
  reservations: [{ type: 'DYNAMIC', role: 'g', ...ours }] as const,
}));

const refused: { name: string; more: Partial<MatchRequest>; want: string[] }[] = [
  { name: 'too little of a scalar', more: { offer: rest }, want: ['InsufficientCpus'] },
  {
    name: 'too little of all',
    more: { runSpec: app({ mem: 2000, disk: 5000, gpus: 1, cpus: 9 }) },
    want: ['InsufficientCpus', 'InsufficientMemory', 'InsufficientDisk', 'InsufficientGpus'],
  },
  {
    name: 'too little and the wrong place',
    more: { runSpec: app({ mem: 2000, constraints: [['hostname', 'UNLIKE', 'h.*']] }) },
    want: ['UnfulfilledConstraint', 'InsufficientMemory'],
  },
  {
    name: 'no free port',
    more: { offer: offer({ resources: plenty.slice(0, 3) }) },
    want: ['InsufficientPorts'],
  },
  {
    name: 'ports that are required',
    more: { runSpec: app({ requirePorts: true, portDefinitions: [{ port: 80 }] }) },
    want: ['InsufficientPorts'],
  },
  {
    name: 'a mapping to a port that is not offered',
    more: {
      runSpec: app({
        networks: [{ mode: 'container/bridge' }],
        container: { type: 'MESOS', portMappings: [{ hostPort: 80 }] },
      }),
    },
    want: ['InsufficientPorts'],
  },
  {
    name: 'resources of another role',
    more: { offer: offer({ resources: plenty.map((one) => ({ ...one, ...reserved })) }) },
    want: ['UnfulfilledRole', 'InsufficientCpus', 'InsufficientMemory'],
  },
  {
    name: 'an offer to another role',
    more: { offer: offer({ allocation_info: { role: '*' } }) },
    want: ['UnfulfilledRole'],
  },
  {
    name: 'what is reserved for a resident',
    more: { offer: offer({ resources: held }) },
    want: ['UnfulfilledRole', 'InsufficientCpus', 'InsufficientMemory'],
  },
  {
    name: 'a constraint',
    more: { runSpec: app({ constraints: [['hostname', 'UNLIKE', 'h.*']] }) },
    want: ['UnfulfilledConstraint'],
  },
  {
    name: 'another region',
    more: { offer: far, localRegion: 'near' },
    want: ['UnfulfilledConstraint'],
  },
  {
    name: 'maintenance',
    more: { offer: offer({ unavailability: { start: { nanoseconds: 5e11 } } }) },
    want: ['UnfulfilledConstraint', 'AgentMaintenance'],
  },
  { name: 'GPUs that nobody needs', more: { offer: gpu }, want: ['DeclinedScarceResources'] },
  {
    name: 'a reservation that is not offered',
    more: {
      relaunch: {
        instanceID: 'g_a.instance-1',
        reservation: {
          state: 'Reserved',
          volumes: [{ runSpecID: '/g/a', containerPath: 'd', uuid: 'u', persistenceID: 'x' }],
        },
      },
    },
    want: [
      'UnfulfilledRole',
      'NoCorrespondingReservationFound',
      'InsufficientCpus',
      'InsufficientMemory',
    ],
  },
];
for (const { name, more, want } of refused) {
  test(`matchOffer() refuses ${name}`, () => {
    assert.deepEqual(reasonsOf(more), want);
  });
}

const accepted: { name: string; more: Partial<MatchRequest> }[] = [
  {
    name: 'another region that a constraint names',
    more: { offer: far, runSpec: app({ constraints: [['@region', 'IS', 'far']] }) },
  },
  {
    name: 'GPUs by label',
    more: { offer: gpu, runSpec: app({ labels: { GPU_SCHEDULING_BEHAVIOR: 'unrestricted' } }) },
  },
  { name: 'GPUs that are needed', more: { offer: gpu, runSpec: app({ gpus: 1 }) } },
  {
    name: 'maintenance that is over',
    more: {
      offer: offer({
        unavailability: { start: { nanoseconds: 5e11 }, duration: { nanoseconds: 1e11 } },
      }),
    },
  },
  {
    name: 'maintenance to come',
    more: { offer: offer({ unavailability: { start: { nanoseconds: 2e12 } } }) },
  },
  {
    name: 'required ports that are offered',
    more: { runSpec: app({ requirePorts: true, portDefinitions: [{ port: 31_005 }] }) },
  },
];
for (const { name, more } of accepted) {
  test(`matchOffer() accepts ${name}`, () => {
    assert.deepEqual(reasonsOf(more), ['matches']);
  });
}

test('matchOffer() uses up what is reserved for the role first', () => {
  const own = { reservations: [{ type: 'STATIC', role: 'g' }] } as const;
  const resources = [scalar('cpus', 1), scalar('cpus', 0.4, own), scalar('mem', 500), ports(1, 9)];
  const { resources: taken } = matched({ offer: offer({ resources }) });
  const cpus = taken.filter(({ name }) => name === 'cpus');
  assert.deepEqual(
    cpus.map(({ scalar: value, reservations }) => [value?.value, reservations?.[0]?.role]),
    [
      [0.4, 'g'],
      [0.6, undefined],
    ],
  );
});

test('matchOffer() gives the executor and each container of a pod its part', () => {
  const json = {
    id: '/g/p',
    role: 'g',
    containers: [
      { name: 'a', resources: { cpus: 1, mem: 100 }, endpoints: [{ name: 'e', hostPort: 0 }] },
      { name: 'b', resources: { cpus: 0.5, mem: 50, disk: 5 } },
    ],
  };
  const spec = podFromJson(json, context);
  const match = matched({ runSpec: { kind: 'pod', spec } });
  assert.equal(amount(match.executorResources, 'cpus'), 0.1);
  assert.equal(amount(match.executorResources, 'disk'), 10);
  assert.deepEqual(portsOf(match.executorResources), match.hostPorts);
  assert.deepEqual(
    match.taskResources.map((one) => [
      amount(one, 'cpus'),
      amount(one, 'mem'),
      amount(one, 'disk'),
    ]),
    [
      [1, 100, 0],
      [0.5, 50, 5],
    ],
  );
});

const disks = [
  scalar('disk', 100),
  scalar('disk', 50, { disk: { source: { type: 'PATH', path: { root: '/p1' } } } }),
  scalar('disk', 80, { disk: { source: { type: 'PATH', path: { root: '/p2' } } } }),
  scalar('disk', 30, { disk: { source: { type: 'MOUNT', mount: { root: '/m1' } } } }),
  scalar('disk', 20, { disk: { source: { type: 'MOUNT', mount: { root: '/m2' } } } }),
];

function resident(info: object): RunSpec {
  return app({
    container: {
      type: 'MESOS',
      volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 10, ...info } }],
    },
  });
}

const volumes: { name: string; info: object; want: (string | number | undefined)[] }[] = [
  { name: 'the root disk', info: {}, want: [undefined, 10] },
  { name: 'the largest path', info: { type: 'path' }, want: ['/p2', 10] },
  {
    name: 'a path by constraint',
    info: { type: 'path', constraints: [['path', 'LIKE', '.*1']] },
    want: ['/p1', 10],
  },
  { name: 'the smallest mount, whole', info: { type: 'mount' }, want: ['/m2', 20] },
  {
    name: 'a mount that is large enough',
    info: { type: 'mount', size: 25, maxSize: 40 },
    want: ['/m1', 30],
  },
  { name: 'no mount small enough', info: { type: 'mount', size: 25, maxSize: 26 }, want: [] },
];
for (const { name, info, want } of volumes) {
  test(`matchOffer() makes a new volume of ${name}`, () => {
    const resources = [scalar('cpus', 4), scalar('mem', 999), ports(1, 9), ...disks];
    const match = matchOffer(request({ runSpec: resident(info), offer: offer({ resources }) }));
    const disk = match.ok ? match.newVolumes[0]?.disk : undefined;
    const source = disk?.disk?.source;
    const got = [source?.path?.root ?? source?.mount?.root, disk?.scalar?.value];
    assert.deepEqual(match.ok ? got : [], want);
    if (match.ok) assert.equal(match.toReserve, true);
    else assert.deepEqual(match.reasons, ['InsufficientDisk']);
  });
}

test('matchOffer() launches a resident on its own reservation only', () => {
  const volume = {
    ...scalar('disk', 10),
    reservations: held[0]?.reservations ?? [],
    disk: { persistence: { id: 'g_a#data#u' }, volume: { container_path: 'data', mode: 'RW' } },
  } as const;
  const relaunch = {
    instanceID: 'g_a.instance-1',
    reservation: {
      state: 'Reserved',
      volumes: [
        { runSpecID: '/g/a', containerPath: 'data', uuid: 'u', persistenceID: 'g_a#data#u' },
      ],
    },
  } as const;
  const resources = [...plenty, ...held, volume];
  const match = matched({ runSpec: resident({}), offer: offer({ resources }), relaunch });
  assert.equal(match.toReserve, false);
  assert(match.resources.every(({ reservations }) => reservations?.[0]?.role === 'g'));
  assert(match.resources.includes(volume));
  const other = { ...relaunch, instanceID: 'g_a.instance-2' };
  const reasons = reasonsOf({
    runSpec: resident({}),
    offer: offer({ resources }),
    relaunch: other,
  });
  assert.equal(reasons[0], 'UnfulfilledRole');
});

test('remainingOffer() keeps the form of the offer', () => {
  const old = plenty.map((one) => ({ ...one, role: '*' }));
  const { resources: taken } = matched({ offer: offer({ resources: old }) });
  const left = remainingOffer(offer({ resources: old }), taken);
  assert.equal(amount(left.resources ?? [], 'cpus'), 3);
  assert.equal(portsOf(left.resources ?? []).length, 9);
  assert(left.resources?.every(({ role }) => role === '*'));
});

const wishes = fc.array(
  fc.oneof(fc.constant(undefined), fc.constant(0), fc.integer({ min: 31_000, max: 31_009 })),
  { maxLength: 8 },
);

test('ports of one host never overlap, are offered, and named ones are kept', () => {
  fc.assert(
    fc.property(fc.array(wishes, { maxLength: 5 }), fc.integer(), (launches, seed) => {
      let current = offer({
        resources: [scalar('cpus', 99), scalar('mem', 9999), ...plenty.slice(3)],
      });
      const used = new Set<number>();
      const random = seededRandom(seed);
      for (const wished of launches) {
        const named = wished.filter((port) => port !== undefined && port !== 0);
        if (new Set(named).size < named.length) continue;
        const portMappings = wished.map((hostPort) => (hostPort === undefined ? {} : { hostPort }));
        const runSpec = app({
          networks: [{ mode: 'container', name: 'n' }],
          container: { type: 'MESOS', portMappings },
        });
        const match = matchOffer(request({ offer: current, runSpec, random }));
        const free = 10 - used.size;
        if (!match.ok) {
          const wanted = wished.filter((port) => port !== undefined).length;
          assert(wanted > free || named.some((port) => used.has(port ?? 0)));
          continue;
        }
        for (const [index, port] of match.hostPorts.entries()) {
          const wish = wished[index];
          assert.equal(port === undefined, wish === undefined);
          if (port === undefined) continue;
          if (wish !== 0) assert.equal(port, wish);
          assert(port >= 31_000 && port <= 31_009 && !used.has(port));
          used.add(port);
        }
        current = remainingOffer(current, match.resources);
      }
    }),
    { numRuns: 200 },
  );
});

function placed(...values: readonly (string | undefined)[]): Instance[] {
  return values.map((value, index) => ({
    instanceID: `i${index}`,
    runSpecID: '/g/a',
    role: 'g',
    runSpecVersion: version,
    goal: 'Running',
    condition: 'Running',
    since: version,
    agent: {
      host: value ?? `h${index}`,
      attributes: value === undefined ? [] : [textAttribute('rack', value)],
    },
    tasks: [],
  }));
}

function textAttribute(name: string, value: string): Attribute {
  return { name, type: 'TEXT', text: { value } };
}

const attributes: Attribute[] = [
  textAttribute('rack', 'r1'),
  { name: 'size', type: 'SCALAR', scalar: { value: 2.5 } },
  { name: 'level', type: 'SCALAR', scalar: { value: 3 } },
  { name: 'set', type: 'SET', set: { item: ['b', 'a'] } },
  {
    name: 'range',
    type: 'RANGES',
    ranges: {
      range: [
        { begin: 5, end: 6 },
        { begin: 1, end: 2 },
      ],
    },
  },
];

const rules: {
  constraint: [string, Constraint['operator'], string?];
  values?: (string | undefined)[];
  wanted?: number;
  want: boolean;
}[] = [
  { constraint: ['rack', 'UNIQUE'], values: ['r2'], want: true },
  { constraint: ['rack', 'UNIQUE'], values: ['r1'], want: false },
  { constraint: ['rack', 'UNIQUE'], values: [undefined], want: true },
  { constraint: ['hostname', 'UNIQUE'], values: ['h1'], want: false },
  { constraint: ['@hostname', 'UNIQUE'], values: ['h2'], want: true },
  { constraint: ['rack', 'CLUSTER', 'r1'], want: true },
  { constraint: ['rack', 'CLUSTER', 'r2'], want: false },
  { constraint: ['rack', 'CLUSTER'], want: true },
  { constraint: ['rack', 'CLUSTER'], values: ['r1'], want: true },
  { constraint: ['rack', 'CLUSTER'], values: ['r2'], want: false },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 4, values: ['r1'], want: true },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 4, values: ['r1', 'r1'], want: false },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 5, values: ['r1', 'r1'], want: true },
  {
    constraint: ['rack', 'GROUP_BY', '2'],
    wanted: 5,
    values: ['r1', 'r1', 'r2', 'r2', 'r2'],
    want: false,
  },
  { constraint: ['rack', 'GROUP_BY', '2'], wanted: 4, values: ['r2', 'r3'], want: false },
  { constraint: ['rack', 'GROUP_BY', 'inf'], wanted: 4, values: ['r2', 'r3'], want: true },
  { constraint: ['rack', 'GROUP_BY', 'inf'], wanted: 4, values: ['r1'], want: false },
  { constraint: ['rack', 'GROUP_BY'], wanted: 4, values: ['r1', 'r2'], want: true },
  { constraint: ['rack', 'GROUP_BY'], wanted: 4, values: ['r1', 'r1', 'r2'], want: false },
  { constraint: ['rack', 'MAX_PER', '2'], values: ['r1'], want: true },
  { constraint: ['rack', 'MAX_PER', '2'], values: ['r1', 'r1'], want: false },
  { constraint: ['rack', 'LIKE', 'r[0-9]'], want: true },
  { constraint: ['rack', 'LIKE', 'r'], want: false },
  { constraint: ['rack', 'LIKE', '(?i)R1'], want: true },
  { constraint: ['rack', 'UNLIKE', 'r[0-9]'], want: false },
  { constraint: ['rack', 'UNLIKE', 'r'], want: true },
  { constraint: ['none', 'UNLIKE', '.*'], want: true },
  { constraint: ['none', 'LIKE', '.*'], want: false },
  { constraint: ['none', 'UNIQUE'], want: false },
  { constraint: ['rack', 'IS', 'r1'], want: true },
  { constraint: ['rack', 'IS', 'r2'], want: false },
  { constraint: ['size', 'IS', '2.500'], want: true },
  { constraint: ['level', 'IS', '3.0'], want: true },
  { constraint: ['set', 'CLUSTER', '{a,b}'], want: true },
  { constraint: ['range', 'CLUSTER', '[1-2,5-6]'], want: true },
];
for (const { constraint, values = [], wanted = 1, want } of rules) {
  test(`meetsConstraint() ${constraint.join(' ')} beside [${values.join()}] of ${wanted}`, () => {
    const [fieldName, operator, value] = constraint;
    const rule = { fieldName, operator, ...(value === undefined ? {} : { value }) };
    const placement = { offer: offer({ attributes }), instances: placed(...values), wanted };
    assert.equal(meetsConstraint(rule, placement), want);
  });
}

test('instances of an older definition do not count for constraints', () => {
  const runSpec = app({ constraints: [['hostname', 'UNIQUE']] });
  const [here] = placed('h1');
  assert(here !== undefined);
  assert.deepEqual(reasonsOf({ runSpec, instances: [here] }), ['UnfulfilledConstraint']);
  const older = { ...here, runSpecVersion: '2019-01-01T00:00:00.000Z' };
  assert.deepEqual(reasonsOf({ runSpec, instances: [older] }), ['matches']);
});

test('GROUP_BY fills its groups evenly, whatever the order of offers', () => {
  const racks = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.array(racks, { maxLength: 60 }),
      (wanted, order) => {
        const constraint = { fieldName: 'hostname', operator: 'GROUP_BY', value: '3' } as const;
        const values: string[] = [];
        for (const hostname of [
          ...order,
          ...Array.from({ length: 9 }, () => ['a', 'b', 'c']).flat(),
        ]) {
          if (values.length === wanted) break;
          const placement = { offer: offer({ hostname }), instances: placed(...values), wanted };
          if (meetsConstraint(constraint, placement)) values.push(hostname);
        }
        const counts = ['a', 'b', 'c'].map((rack) => values.filter((one) => one === rack).length);
        assert.equal(values.length, wanted);
        assert(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
      },
    ),
  );
});
