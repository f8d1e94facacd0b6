import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#sim';
import { podFromJson } from '../pod/definition.ts';
import { type RunSpec } from '../root.ts';
import { type MatchRequest, matchOffer } from './match.ts';
import { remainingOffer } from './resources.ts';

import {
  amount,
  app,
  matched,
  offer,
  plenty,
  ports,
  portsOf,
  reasonsOf,
  request,
  scalar,
  context,
} from './offer-kit.test.ts';

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
