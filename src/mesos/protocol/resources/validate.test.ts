import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource, ResourceReservationInfo } from '../types.ts';
import { validateUsable } from '../validate/usage.ts';
import { validateResource, validateResources } from './validate.ts';

const cpus: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } };
const disk: Resource = { name: 'disk', type: 'SCALAR', scalar: { value: 64 } };
const ports = (...range: [number, number][]): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: range.map(([begin, end]) => ({ begin, end })) },
});
const dynamic = (role: string, more: ResourceReservationInfo = {}): ResourceReservationInfo => ({
  type: 'DYNAMIC',
  role,
  ...more,
});
const stacked = (...reservations: ResourceReservationInfo[]): Resource => ({
  ...cpus,
  reservations,
});
const format = 'Invalid resource format: ';

const cases: readonly (readonly [Resource, string | undefined])[] = [
  [cpus, undefined],
  [{ ...cpus, scalar: { value: 0 } }, undefined],
  [{ ...cpus, role: 'eng', reservation: { principal: 'p' } }, undefined],
  [ports([1, 2], [3, 4]), undefined],
  [{ ...cpus, name: '' }, 'Empty resource name'],
  // @ts-expect-error a type of the future
  [{ ...cpus, type: 'MATRIX' }, 'Invalid resource type'],
  [{ ...cpus, scalar: undefined }, 'Invalid scalar resource'],
  [{ ...cpus, set: {} }, 'Invalid scalar resource'],
  [{ ...cpus, scalar: { value: -1 } }, 'Invalid scalar resource: value <= 0'],
  [{ ...cpus, scalar: { value: 0.0001 } }, 'Invalid scalar resource: value <= 0'],
  [{ ...cpus, scalar: { value: Number.NaN } }, 'Invalid scalar resource: value <= 0'],
  [{ ...cpus, scalar: { value: Infinity } }, 'Invalid scalar resource: value <= 0'],
  [{ name: 'ports', type: 'RANGES' }, 'Invalid ranges resource'],
  [ports([5, 4]), 'Invalid ranges resource: begin > end'],
  [ports([4, 8], [1, 4]), 'Invalid ranges resource: overlapping ranges'],
  [{ name: 'z', type: 'SET' }, 'Invalid set resource'],
  [
    { name: 'z', type: 'SET', set: { item: ['a', 'a'] } },
    'Invalid set resource: duplicated elements',
  ],
  [{ name: 't', type: 'TEXT' }, 'Unsupported resource type'],
  [{ ...cpus, disk: {} }, 'DiskInfo should not be set for cpus resource'],
  [
    { ...disk, disk: { source: { type: 'BLOCK', mount: {} } } },
    'Mount should not be set for BLOCK disk source',
  ],
  [
    { ...disk, disk: { source: { type: 'RAW', path: {} } } },
    'Path should not be set for RAW disk source',
  ],
  [
    { ...disk, disk: { source: { type: 'UNKNOWN' } } },
    "Unsupported 'DiskInfo.Source.Type' in 'UNKNOWN'",
  ],
  [{ ...cpus, role: '/a' }, "Role '/a' cannot start with a slash"],
  [
    { ...cpus, role: 'a', reservation: { type: 'DYNAMIC' } },
    "'Resource.ReservationInfo.type' must not be set for the 'Resource.reservation' field",
  ],
  [
    { ...cpus, role: 'a', reservation: { role: 'a' } },
    "'Resource.ReservationInfo.role' must not be set for the 'Resource.reservation' field",
  ],
  [{ ...cpus, reservation: {} }, 'Invalid reservation: role "*" cannot be dynamically reserved'],
  [
    stacked({ role: 'a' }),
    "Invalid reservation: 'Resource.ReservationInfo.type' field must be set.",
  ],
  [
    stacked({ type: 'DYNAMIC' }),
    "Invalid reservation: 'Resource.ReservationInfo.role' field must be set.",
  ],
  [stacked(dynamic('a//b')), "Role 'a//b' cannot contain two adjacent slashes"],
  [stacked(dynamic('*')), 'Invalid reservation: role "*" cannot be reserved'],
  [
    stacked(dynamic('a'), { type: 'STATIC', role: 'a/b' }),
    'Invalid refined reservation: A refined reservation cannot be STATIC',
  ],
  [
    stacked(dynamic('a'), dynamic('ab')),
    "Invalid refined reservation: role 'ab' is not a refinement of 'a'",
  ],
  [stacked(dynamic('a'), dynamic('a/b')), undefined],
  [
    { ...stacked(dynamic('a')), role: 'b' },
    `${format}'Resource.role' field with 'b' does not match the role 'a' in 'Resource.reservations'`,
  ],
  [
    { ...stacked({ type: 'STATIC', role: 'a' }), reservation: {} },
    `${format}'Resource.reservation' must not be set if the single reservation in 'Resource.reservations' is STATIC`,
  ],
  [
    { ...stacked(dynamic('a')), role: 'a' },
    `${format}'Resource.role' and 'Resource.reservation' must either be both set or both not set if the single reservation in 'Resource.reservations' is DYNAMIC`,
  ],
  [
    { ...stacked(dynamic('a', { principal: 'p' })), role: 'a', reservation: { principal: 'q' } },
    `${format}'Resource.reservation.principal' field with 'q' does not match the principal 'p' in 'Resource.reservations'`,
  ],
  [
    {
      ...stacked(dynamic('a')),
      role: 'a',
      reservation: { labels: { labels: [{ key: 'k', value: 'v' }] } },
    },
    `${format}'Resource.reservation.labels' field with '{k: v}' does not match the labels '{}' in 'Resource.reservations'`,
  ],
  [
    { ...stacked(dynamic('a'), dynamic('a/b')), role: 'a' },
    `${format}'Resource.role' must not be set if there is more than one reservation in 'Resource.reservations'`,
  ],
  [
    { ...stacked(dynamic('a'), dynamic('a/b')), reservation: {} },
    `${format}'Resource.reservation' must not be set if there is more than one reservation in 'Resource.reservations'`,
  ],
  [stacked({ type: 'UNKNOWN', role: 'a' }), "Unsupported 'Resource.ReservationInfo.Type'"],
  [{ ...cpus, shared: {} }, 'Resource cpus cannot be shared'],
  [{ ...disk, shared: {} }, 'Only persistent volumes can be shared'],
];
for (const [resource, want] of cases) {
  test(`resource ${JSON.stringify(resource)} is judged: ${want ?? 'fine'}`, () => {
    assert.equal(validateResource(resource), want);
  });
}

test('the resource at fault is named', () => {
  assert.equal(
    validateResources([cpus, { ...cpus, scalar: { value: -1 } }]),
    "Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0",
  );
});

const volume: Resource = {
  ...disk,
  reservations: [dynamic('eng')],
  disk: { persistence: { id: 'v' }, volume: { mode: 'RW', container_path: 'p' } },
};
const { disk: made = {} } = volume;
const usable: readonly (readonly [Resource, string | undefined])[] = [
  [volume, undefined],
  [
    { ...cpus, scalar: { value: -1 } },
    "Invalid resources: Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0",
  ],
  [
    { ...cpus, name: 'gpus', scalar: { value: 0.5 } },
    "Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer",
  ],
  [
    { ...volume, revocable: {} },
    'Invalid DiskInfo: Persistent volumes cannot be created from revocable resources',
  ],
  [
    { ...volume, reservations: [] },
    'Invalid DiskInfo: Persistent volumes cannot be created from unreserved resources',
  ],
  [
    { ...volume, disk: { persistence: { id: 'v' } } },
    "Invalid DiskInfo: Expecting 'volume' to be set for persistent volume",
  ],
  [
    { ...volume, disk: { ...made, volume: { mode: 'RW', container_path: 'p', host_path: '/h' } } },
    "Invalid DiskInfo: Expecting 'host_path' to be unset for persistent volume",
  ],
  [
    { ...volume, disk: { ...made, persistence: { id: 'a/b' } } },
    "Invalid DiskInfo: Invalid persistence ID for persistent volume: 'a/b' contains invalid characters",
  ],
  [
    { ...disk, disk: { volume: { mode: 'RW', container_path: 'p' } } },
    'Invalid DiskInfo: Non-persistent volume not supported',
  ],
  [{ ...disk, disk: {} }, 'Invalid DiskInfo: DiskInfo is set but empty'],
  [
    { ...cpus, reservations: [dynamic('eng')], revocable: {} },
    'Invalid ReservationInfo: Dynamically reserved resource cpus(reservations: [(DYNAMIC,eng)]){REV}:1 cannot be created from revocable resources',
  ],
];
for (const [resource, want] of usable) {
  test(`use of ${JSON.stringify(resource)} is judged: ${want ?? 'fine'}`, () => {
    assert.equal(validateUsable([resource]), want);
  });
}
