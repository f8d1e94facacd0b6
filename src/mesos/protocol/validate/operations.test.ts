import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyOperation } from '../resources/conversions.ts';
import { sameResources, sumResources } from '../resources/arithmetic.ts';
import type { OfferOperation, Resource } from '../types.ts';
import { validateOperation, validateOperationShape, type OperationContext } from './operations.ts';

const every = new Set(['HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT', 'RESIZE_VOLUME']);
const operator: OperationContext = {
  principal: undefined,
  agentCapabilities: every,
  checkpointed: [],
  used: [],
};
const framework: OperationContext = {
  ...operator,
  framework: { id: 'f1', roles: new Set(['eng']), capabilities: new Set() },
};
const cpus: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } };
const disk: Resource = { name: 'disk', type: 'SCALAR', scalar: { value: 64 } };
const reserved = (resource: Resource, role = 'eng', principal?: string): Resource => ({
  ...resource,
  reservations: [{ type: 'DYNAMIC', role, ...(principal === undefined ? {} : { principal }) }],
});
const allocated = (resource: Resource, role = 'eng'): Resource => ({
  ...resource,
  allocation_info: { role },
});
const volumeOf = (resource: Resource, id = 'v', more: Partial<Resource> = {}): Resource => ({
  ...resource,
  disk: { persistence: { id }, volume: { mode: 'RW', container_path: 'p' } },
  ...more,
});
const volume = volumeOf(reserved(disk));
const bad: Resource = { ...cpus, scalar: { value: -1 } };
const badText =
  "Invalid resources: Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0";
const provided = (id: string): Resource => ({ ...reserved(cpus), provider_id: { value: id } });

const reserve = (resources: Resource[], source: Resource[] = []): OfferOperation => ({
  type: 'RESERVE',
  reserve: { resources, ...(source.length > 0 && { source }) },
});
const unreserve = (...resources: Resource[]): OfferOperation => ({
  type: 'UNRESERVE',
  unreserve: { resources },
});
const create = (...volumes: Resource[]): OfferOperation => ({
  type: 'CREATE',
  create: { volumes },
});
const destroy = (...volumes: Resource[]): OfferOperation => ({
  type: 'DESTROY',
  destroy: { volumes },
});
const grow = (grown: Resource, addition: Resource): OfferOperation => ({
  type: 'GROW_VOLUME',
  grow_volume: { volume: grown, addition },
});
const shrink = (shrunk: Resource, value: number): OfferOperation => ({
  type: 'SHRINK_VOLUME',
  shrink_volume: { volume: shrunk, subtract: { value } },
});

type Case = readonly [string, OfferOperation, OperationContext, string | undefined];
const incapable = { ...operator, agentCapabilities: new Set<string>() };
const mount = { source: { type: 'MOUNT' as const, mount: { root: '/m' } } };
const raw = (more: object = {}): Resource => ({
  ...disk,
  provider_id: { value: 'p' },
  disk: { source: { type: 'RAW', ...more } },
});
const noMode = volumeOf(reserved(disk), 'v', {
  disk: { persistence: { id: 'v' }, volume: { mode: 'RO', container_path: 'p' } },
});

const cases: readonly Case[] = [
  ['RESERVE by an operator', reserve([reserved(cpus)]), operator, undefined],
  ['RESERVE by a framework', reserve([allocated(reserved(cpus))]), framework, undefined],
  ['RESERVE of nonsense', reserve([bad]), operator, `Invalid resources: ${badText}`],
  [
    'RESERVE from nonsense',
    reserve([reserved(cpus)], [bad]),
    operator,
    `Invalid source: ${badText}`,
  ],
  [
    'RESERVE of nothing, from something',
    reserve([], [cpus]),
    operator,
    'Invalid resources: Resource cannot be empty',
  ],
  [
    'RESERVE to mixed reservations',
    reserve([reserved(cpus), reserved(disk, 'ops')], [cpus, disk]),
    operator,
    'Invalid resources: Mixed reservations are not supported[{"name":"cpus","reservations":[{"role":"eng","type":"DYNAMIC"}],"scalar":{"value":1.0},"type":"SCALAR"},{"name":"disk","reservations":[{"role":"ops","type":"DYNAMIC"}],"scalar":{"value":64.0},"type":"SCALAR"}]',
  ],
  [
    'RESERVE to other quantities',
    reserve([reserved(cpus)], [{ ...cpus, scalar: { value: 2 } }]),
    operator,
    'Source and target resources should refer to identical resource quantities: cpus:2 vs. cpus:1',
  ],
  [
    'RESERVE for another role',
    reserve([reserved(cpus)], [reserved(cpus, 'ops')]),
    operator,
    undefined,
  ],
  [
    'RESERVE of two providers',
    reserve([provided('a'), provided('b')]),
    operator,
    'Invalid resources: The resources have multiple resource providers: a, b',
  ],
  [
    'RESERVE with and without provider',
    reserve([provided('a'), reserved(cpus)]),
    operator,
    'Invalid resources: Some resources have a resource provider and some do not',
  ],
  [
    'RESERVE of what is static',
    reserve([{ ...cpus, reservations: [{ type: 'STATIC', role: 'eng' }] }]),
    operator,
    'Resource cpus(reservations: [(STATIC,eng)]):1 is not dynamically reserved',
  ],
  [
    'RESERVE for a role below another',
    reserve([reserved(cpus, 'a/b')]),
    incapable,
    "Resource cpus(reservations: [(DYNAMIC,a/b)]):1 with reservation for hierarchical role 'a/b' cannot be reserved on an agent without HIERARCHICAL_ROLE capability",
  ],
  [
    'RESERVE of a refinement',
    reserve([
      {
        ...cpus,
        reservations: [
          { type: 'DYNAMIC', role: 'a' },
          { type: 'DYNAMIC', role: 'a/b' },
        ],
      },
    ]),
    { ...operator, agentCapabilities: new Set(['HIERARCHICAL_ROLE']) },
    'Resource cpus(reservations: [(DYNAMIC,a),(DYNAMIC,a/b)]):1 with reservation refinement cannot be reserved on an agent without RESERVATION_REFINEMENT capability',
  ],
  [
    'RESERVE without principal',
    reserve([reserved(cpus)]),
    { ...operator, principal: 'p' },
    "A reserve operation was attempted by principal 'p', but there is a reserved resource in the request with no principal set",
  ],
  [
    'RESERVE by another principal',
    reserve([reserved(cpus, 'eng', 'q')]),
    { ...operator, principal: 'p' },
    "A reserve operation was attempted by authenticated principal 'p', which does not match a reserved resource in the request with principal 'q'",
  ],
  [
    'RESERVE of what is not allocated',
    reserve([reserved(cpus)]),
    framework,
    'A reserve operation was attempted on unallocated resource cpus(reservations: [(DYNAMIC,eng)]):1, but frameworks can only perform reservations on allocated resources',
  ],
  [
    'RESERVE for a role it is not allocated to',
    reserve([allocated(reserved(cpus), 'ops')]),
    framework,
    "A reserve operation was attempted for a resource with role 'eng', but the resource was allocated to role 'ops'",
  ],
  [
    'RESERVE for a role it does not have',
    reserve([allocated(reserved(cpus, 'ops'), 'ops')]),
    framework,
    "A reserve operation was attempted for a resource allocated to role 'ops', but the framework only has roles '{ eng }'",
  ],
  [
    'RESERVE of what is allocated',
    reserve([allocated(reserved(cpus))]),
    operator,
    'A reserve operation was attempted with an allocated resource, but the operator API only allows reservations to be made to unallocated resources',
  ],
  [
    'RESERVE for two roles',
    reserve([allocated(reserved(cpus)), allocated(reserved(disk, 'ops'), 'ops')]),
    {
      ...framework,
      framework: { id: 'f1', roles: new Set(['eng', 'ops']), capabilities: new Set() },
    },
    "Invalid reservation resources: The resources have multiple allocation roles ('ops' and 'eng') but only one allocation role is allowed",
  ],
  ['UNRESERVE', unreserve(reserved(cpus)), operator, undefined],
  [
    'UNRESERVE of what is not reserved',
    unreserve(cpus),
    operator,
    'Resource cpus:1 is not dynamically reserved',
  ],
  [
    'UNRESERVE of a volume',
    unreserve(volume),
    operator,
    'A dynamically reserved persistent volume disk(reservations: [(DYNAMIC,eng)])[v:p]:64 cannot be unreserved directly. Please destroy the persistent volume first then unreserve the resource',
  ],
  ['UNRESERVE of nonsense', unreserve(bad), operator, `Invalid resources: ${badText}`],
  ['CREATE', create(volume), operator, undefined],
  ['CREATE of nonsense', create(bad), operator, `Invalid resources: ${badText}`],
  [
    'CREATE without disk',
    create(reserved(cpus)),
    operator,
    'Not a persistent volume: Resource cpus(reservations: [(DYNAMIC,eng)]):1 does not have DiskInfo',
  ],
  [
    'CREATE without persistence',
    create({ ...reserved(disk), disk: mount }),
    operator,
    "Not a persistent volume: 'persistence' is not set in DiskInfo",
  ],
  [
    'CREATE of a volume to read',
    create(noMode),
    operator,
    'Not a persistent volume: Read-only persistent volume not supported',
  ],
  [
    'CREATE of two with one id',
    create(volume, volume),
    operator,
    "Persistence ID 'v' is not unique",
  ],
  [
    'CREATE of what is there',
    create(volume),
    { ...operator, checkpointed: [volume] },
    "Persistence ID 'v' is not unique",
  ],
  [
    'CREATE of a shared volume',
    create(allocated({ ...volume, shared: {} })),
    framework,
    "Create volume operation for 'disk(allocated: eng)(reservations: [(DYNAMIC,eng)])[v:p]<SHARED>:64' has been attempted by framework 'f1' with no SHARED_RESOURCES capability",
  ],
  [
    'CREATE below another role',
    create(volumeOf(reserved(disk, 'a/b'))),
    incapable,
    "Volume disk(reservations: [(DYNAMIC,a/b)])[v:p]:64 with reservation for hierarchical role 'a/b' cannot be created on an agent without HIERARCHICAL_ROLE capability",
  ],
  [
    'CREATE on a refinement',
    create({
      ...volume,
      reservations: [
        { type: 'DYNAMIC', role: 'a' },
        { type: 'DYNAMIC', role: 'a/b' },
      ],
    }),
    { ...operator, agentCapabilities: new Set(['HIERARCHICAL_ROLE']) },
    'Volume disk(reservations: [(DYNAMIC,a),(DYNAMIC,a/b)])[v:p]:64 with reservation refinement cannot be created on an agent without RESERVATION_REFINEMENT capability',
  ],
  [
    'CREATE without principal',
    create(volume),
    { ...operator, principal: 'p' },
    "Create volume operation attempted by principal 'p', but there is a volume in the operation with no principal set in 'disk.persistence'",
  ],
  [
    'CREATE by another principal',
    create({
      ...volume,
      disk: { ...volume.disk, persistence: { id: 'v', principal: 'q' } },
    }),
    { ...operator, principal: 'p' },
    "Create volume operation attempted by authenticated principal 'p', which does not match a volume in the operation with principal 'q' set in 'disk.persistence'",
  ],
  [
    'CREATE of what is not allocated',
    create(volume),
    framework,
    'Invalid volume resources: The resources are not allocated to a role',
  ],
  ['DESTROY', destroy(volume), { ...operator, checkpointed: [volume] }, undefined],
  [
    'DESTROY of what is no volume',
    destroy(reserved(disk)),
    operator,
    'Not a persistent volume: Resource disk(reservations: [(DYNAMIC,eng)]):64 does not have DiskInfo',
  ],
  ['DESTROY of what is not there', destroy(volume), operator, 'Persistent volumes not found'],
  [
    'DESTROY of what is used',
    destroy(allocated(volume)),
    { ...framework, checkpointed: [volume], used: [[allocated(volume)]] },
    'Persistent volumes in use',
  ],
  ['GROW_VOLUME', grow(volume, reserved(disk)), operator, undefined],
  [
    'GROW_VOLUME of nonsense',
    grow(bad, disk),
    operator,
    "Invalid resource in the 'GrowVolume.volume' field: Invalid scalar resource: value <= 0",
  ],
  [
    'GROW_VOLUME by nonsense',
    grow(volume, bad),
    operator,
    "Invalid resource in the 'GrowVolume.addition' field: Invalid scalar resource: value <= 0",
  ],
  [
    'GROW_VOLUME by nothing',
    grow(volume, { ...reserved(disk), scalar: { value: 0 } }),
    operator,
    "The size of 'GrowVolume.addition' field must be greater than zero",
  ],
  [
    'GROW_VOLUME of a provider',
    grow({ ...volume, provider_id: { value: 'p' } }, reserved(disk)),
    operator,
    'Growing a volume from a resource provider is not supported',
  ],
  [
    'GROW_VOLUME of what is no volume',
    grow(reserved(disk), reserved(disk)),
    operator,
    "Invalid persistent volume in the 'GrowVolume.volume' field: Resource disk(reservations: [(DYNAMIC,eng)]):64 does not have DiskInfo",
  ],
  [
    'GROW_VOLUME of a shared one',
    grow({ ...volume, shared: {} }, reserved(disk)),
    operator,
    'Growing a shared persistent volume is not supported',
  ],
  [
    'GROW_VOLUME by another disk',
    grow(volume, reserved(disk, 'ops')),
    operator,
    "Incompatible resources in the 'GrowVolume.volume' and 'GrowVolume.addition' fields",
  ],
  [
    'GROW_VOLUME on a simple agent',
    grow(volume, reserved(disk)),
    incapable,
    'Volume disk(reservations: [(DYNAMIC,eng)])[v:p]:64 cannot be grown on an agent without RESIZE_VOLUME capability',
  ],
  ['SHRINK_VOLUME', shrink(volume, 32), operator, undefined],
  [
    'SHRINK_VOLUME of nonsense',
    shrink(bad, 1),
    operator,
    "Invalid resource in the 'ShrinkVolume.volume' field: Invalid scalar resource: value <= 0",
  ],
  [
    'SHRINK_VOLUME by nothing',
    shrink(volume, 0),
    operator,
    "Value of 'ShrinkVolume.subtract' must be greater than zero",
  ],
  [
    'SHRINK_VOLUME to nothing',
    shrink(volume, 64),
    operator,
    "Value of 'ShrinkVolume.subtract' must be smaller than the size of 'ShrinkVolume.volume'",
  ],
  [
    'SHRINK_VOLUME of a provider',
    shrink({ ...volume, provider_id: { value: 'p' } }, 1),
    operator,
    'Shrinking a volume from a resource provider is not supported',
  ],
  [
    'SHRINK_VOLUME of a MOUNT disk',
    shrink({ ...volume, disk: { ...volume.disk, ...mount } }, 1),
    operator,
    'Shrinking a volume on a MOUNT disk is not supported',
  ],
  [
    'SHRINK_VOLUME of what is no volume',
    shrink(reserved(disk), 1),
    operator,
    "Invalid persistent volume in the 'ShrinkVolume.volume' field: Resource disk(reservations: [(DYNAMIC,eng)]):64 does not have DiskInfo",
  ],
  [
    'SHRINK_VOLUME of a shared one',
    shrink({ ...volume, shared: {} }, 1),
    operator,
    'Shrinking a shared persistent volume is not supported',
  ],
  [
    'SHRINK_VOLUME on a simple agent',
    shrink(volume, 1),
    incapable,
    'Volume disk(reservations: [(DYNAMIC,eng)])[v:p]:64 cannot be shrunk on an agent without RESIZE_VOLUME capability',
  ],
  [
    'CREATE_DISK without provider',
    { type: 'CREATE_DISK', create_disk: { source: disk, target_type: 'MOUNT' } },
    operator,
    "'source' is not managed by a resource provider",
  ],
  [
    'CREATE_DISK of what is not raw',
    {
      type: 'CREATE_DISK',
      create_disk: { source: { ...raw(), disk: mount }, target_type: 'MOUNT' },
    },
    operator,
    "'source' is not a RAW disk resource",
  ],
  [
    'CREATE_DISK of a strange type',
    { type: 'CREATE_DISK', create_disk: { source: raw(), target_type: 'PATH' } },
    operator,
    "'target_type' is neither MOUNT or BLOCK",
  ],
  [
    'CREATE_DISK with two profiles',
    {
      type: 'CREATE_DISK',
      create_disk: { source: raw({ profile: 'a' }), target_type: 'MOUNT', target_profile: 'b' },
    },
    operator,
    "'target_profile' must not be set when 'source' has a profile",
  ],
  [
    'CREATE_DISK without profile',
    { type: 'CREATE_DISK', create_disk: { source: raw(), target_type: 'MOUNT' } },
    operator,
    "'target_profile' must be set when 'source' has no profile",
  ],
  [
    'DESTROY_DISK without provider',
    { type: 'DESTROY_DISK', destroy_disk: { source: disk } },
    operator,
    "'source' is not managed by a resource provider",
  ],
  [
    'DESTROY_DISK of a path',
    {
      type: 'DESTROY_DISK',
      destroy_disk: { source: { ...raw(), disk: { source: { type: 'PATH' } } } },
    },
    operator,
    "'source' is neither a MOUNT, BLOCK or RAW disk resource",
  ],
  [
    'DESTROY_DISK without identity',
    { type: 'DESTROY_DISK', destroy_disk: { source: raw() } },
    operator,
    "'source' is not backed by a CSI volume",
  ],
  [
    'DESTROY_DISK of a volume',
    {
      type: 'DESTROY_DISK',
      destroy_disk: {
        source: {
          ...volume,
          provider_id: { value: 'p' },
          disk: { ...volume.disk, source: { type: 'MOUNT', id: 'i' } },
        },
      },
    },
    operator,
    'A disk resource containing a persistent volume disk(reservations: [(DYNAMIC,eng)])[MOUNT(,i,),v:p]:64 cannot be destroyed directly. Please destroy the persistent volume first then destroy the disk resource',
  ],
];
for (const [name, operation, context, want] of cases) {
  test(`${name} is judged: ${want?.slice(0, 60) ?? 'fine'}`, () => {
    assert.equal(validateOperation(operation, context), want);
  });
}

const shapes: readonly (readonly [OfferOperation, string])[] = [
  [
    { type: 'RESERVE' },
    'A RESERVE offer operation must have the Offer.Operation.reserve field set.',
  ],
  [
    { type: 'UNRESERVE' },
    'An UNRESERVE offer operation must have the Offer.Operation.unreserve field set.',
  ],
  [{ type: 'CREATE' }, 'A CREATE offer operation must have the Offer.Operation.create field set.'],
  [
    { type: 'DESTROY' },
    'A DESTROY offer operation must have the Offer.Operation.destroy field set.',
  ],
  [
    { type: 'GROW_VOLUME' },
    'A GROW_VOLUME operation must have the Offer.Operation.grow_volume field set',
  ],
  [
    { type: 'SHRINK_VOLUME' },
    'A SHRINK_VOLUME offer operation must have the Offer.Operation.shrink_volume field set',
  ],
  [
    { type: 'CREATE_DISK' },
    'A CREATE_DISK offer operation must have the Offer.Operation.create_disk field set.',
  ],
  [
    { type: 'DESTROY_DISK' },
    'A DESTROY_DISK offer operation must have the Offer.Operation.destroy_disk field set.',
  ],
  [{ type: 'LAUNCH' }, 'A LAUNCH offer operation must have the Offer.Operation.launch field set.'],
  [
    { type: 'LAUNCH_GROUP' },
    'A LAUNCH_GROUP offer operation must have the Offer.Operation.launch_group field set.',
  ],
  [{}, 'Unknown offer operation'],
  [unreserve(bad), "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0"],
  [
    {
      type: 'LAUNCH',
      launch: {
        task_infos: [
          { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' }, resources: [bad] },
        ],
      },
    },
    "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0",
  ],
];
for (const [operation, want] of shapes) {
  test(`the shape of ${operation.type ?? 'nothing'} is judged: ${want.slice(0, 40)}`, () => {
    assert.equal(validateOperationShape(operation), want);
  });
}

const free = sumResources([
  { ...cpus, scalar: { value: 4 } },
  { ...disk, scalar: { value: 1000 } },
]);
test('resources go from nobody to a role, become a volume, grow, shrink, and go back', () => {
  const steps = [
    reserve([reserved(cpus), reserved({ ...disk, scalar: { value: 100 } })]),
    create(volume),
    grow(volume, reserved({ ...disk, scalar: { value: 30 } })),
    shrink({ ...volume, scalar: { value: 94 } }, 30),
    destroy(volume),
    unreserve(reserved(cpus), reserved({ ...disk, scalar: { value: 100 } })),
  ];
  let resources = free;
  for (const step of steps) {
    const applied = applyOperation(resources, step);
    assert.ok(applied.ok, applied.ok ? '' : applied.message);
    resources = applied.resources;
  }
  assert.ok(sameResources(resources, free));
});

test('what is not there cannot be turned into something', () => {
  assert.deepEqual(applyOperation([], reserve([reserved(cpus)])), {
    ok: false,
    message: '{} does not contain cpus:1',
  });
  const shared = { ...volume, shared: {} };
  assert.deepEqual(applyOperation([shared, shared], destroy(shared)), {
    ok: false,
    message:
      'Persistent volume disk(reservations: [(DYNAMIC,eng)])[v:p]<SHARED>:64 cannot be removed due to additional shared copies',
  });
  const launched = applyOperation(free, { type: 'LAUNCH' });
  assert.equal(launched.ok, false);
});

test('a reservation is refined, changed from one role to another, and popped once', () => {
  const refined: Resource = {
    ...cpus,
    reservations: [
      { type: 'DYNAMIC', role: 'eng' },
      { type: 'DYNAMIC', role: 'eng/dev' },
    ],
  };
  const done = applyOperation([reserved(cpus)], reserve([refined]));
  assert.deepEqual(done, { ok: true, resources: [refined] });
  const moved = applyOperation(
    [reserved(cpus)],
    reserve([reserved(cpus, 'ops')], [reserved(cpus)]),
  );
  assert.deepEqual(moved, { ok: true, resources: [reserved(cpus, 'ops')] });
  assert.deepEqual(applyOperation([refined], unreserve(refined)), {
    ok: true,
    resources: [reserved(cpus)],
  });
});
