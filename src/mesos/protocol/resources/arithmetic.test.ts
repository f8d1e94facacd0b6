import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Resource } from '../types.ts';
import {
  addResources,
  allocatableResources,
  allocateResources,
  containsResources,
  flattenResources,
  rangesOf,
  reservationsByRole,
  sameResources,
  scalarOf,
  scalarQuantities,
  shrinkResource,
  subtractResources,
  sumResources,
  unallocateResources,
} from './arithmetic.ts';
import { parseResources } from './parse.ts';
import { kindKey, sameKind } from './same.ts';
import { resourcesText } from './text.ts';
import {
  validateRevocableMix,
  validateUniquePersistence,
  validateUsable,
} from '../validate/usage.ts';
import {
  coalesce,
  containsRanges,
  decimalText,
  fromFixed,
  scalarText,
  subtractRanges,
  toFixed,
} from './values.ts';

const scalar = (name: string, value: number, more: Partial<Resource> = {}): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  ...more,
});
const eng = { reservations: [{ type: 'DYNAMIC', role: 'eng', principal: 'p' }] } as const;
const volume = (id: string, mb = 64): Resource =>
  scalar('disk', mb, {
    ...eng,
    disk: { persistence: { id }, volume: { mode: 'RW', container_path: 'data' } },
  });
const sharedVolume = (id: string): Resource => ({ ...volume(id), shared: {} });
const mount = (root: string, mb: number): Resource =>
  scalar('disk', mb, { disk: { source: { type: 'MOUNT', mount: { root } } } });

const arbitraryRanges = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 6 })), {
    maxLength: 6,
  })
  .map((pairs) => pairs.map(([begin, size]) => ({ begin, end: begin + size })));
const arbitraryReservation = fc.constantFrom<Partial<Resource>>({}, eng, {
  reservations: [{ type: 'STATIC', role: 'ops' }],
});
const arbitraryResource: fc.Arbitrary<Resource> = fc.oneof(
  fc
    .tuple(fc.constantFrom('cpus', 'mem'), fc.integer({ min: 1, max: 9999 }), arbitraryReservation)
    .map(([name, thousandths, more]) => scalar(name, thousandths / 1000, more)),
  fc.tuple(arbitraryRanges, arbitraryReservation).map(
    ([range, more]): Resource => ({
      name: 'ports',
      type: 'RANGES',
      ranges: { range: coalesce(range) },
      ...more,
    }),
  ),
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd')).map((item): Resource => {
    return { name: 'zones', type: 'SET', set: { item } };
  }),
  fc.constantFrom('v1', 'v2').map(sharedVolume),
  fc.constantFrom(mount('/a', 10), mount('/b', 20)),
);
const arbitrarySum = fc
  .array(arbitraryResource, { maxLength: 8 })
  .map((list) => sumResources(list));

function numbersOf(ranges: readonly { begin: number; end: number }[]): Set<number> {
  const all = new Set<number>();
  for (const { begin, end } of ranges) for (let n = begin; n <= end; n++) all.add(n);
  return all;
}

test('ranges behave as sets of numbers', () => {
  fc.assert(
    fc.property(arbitraryRanges, arbitraryRanges, (left, right) => {
      const ours = numbersOf(left);
      const theirs = numbersOf(right);
      assert.deepEqual(numbersOf(coalesce(left)), ours);
      assert.deepEqual(
        numbersOf(subtractRanges({ range: left }, { range: right }).range ?? []),
        new Set([...ours].filter((n) => !theirs.has(n))),
      );
      assert.equal(
        containsRanges({ range: left }, { range: right }),
        [...theirs].every((n) => ours.has(n)),
      );
    }),
  );
});

/** Sets and ranges that overlap are one when added, so that taking one off takes both. */
function overlap(a: readonly Resource[], b: readonly Resource[]): boolean {
  const both = scalarQuantities(a);
  const count = (list: readonly Resource[]): number =>
    list.reduce((sum, one) => {
      if (one.type === 'SET') return sum + (one.set?.item?.length ?? 0);
      return sum + (one.ranges?.range ?? []).reduce((n, { begin, end }) => n + end - begin + 1, 0);
    }, 0);
  return both !== undefined && count(addResources(a, b)) !== count(a) + count(b);
}

test('what was added can be taken off again', () => {
  fc.assert(
    fc.property(arbitrarySum, arbitrarySum, (a, b) => {
      fc.pre(!overlap(a, b));
      const sum = addResources(a, b);
      assert.ok(containsResources(sum, a));
      assert.ok(containsResources(sum, b));
      assert.ok(sameResources(subtractResources(sum, b), a), resourcesText(sum));
      assert.deepEqual(
        scalarQuantities(sum)['cpus'] ?? 0,
        (scalarQuantities(a)['cpus'] ?? 0) + (scalarQuantities(b)['cpus'] ?? 0),
      );
    }),
  );
});

test('a part is contained, and what it is a part of is not contained in it', () => {
  fc.assert(
    fc.property(arbitrarySum, arbitrarySum, (a, b) => {
      const rest = subtractResources(a, b);
      assert.ok(containsResources(a, rest));
      if (containsResources(rest, a)) assert.ok(sameResources(rest, a));
    }),
  );
});

test('scalars are added as thousandths, half a thousandth going up', () => {
  const sum = sumResources([scalar('cpus', 0.1), scalar('cpus', 0.2)]);
  assert.equal(scalarOf(sum, 'cpus'), 0.3);
  assert.equal(toFixed(0.0005), 1);
  assert.equal(toFixed(-0.0005), -1);
  assert.equal(toFixed(0.0004), 0);
  assert.ok(toFixed(Number.NaN) < 0);
  assert.ok(toFixed(Infinity) < 0);
  assert.equal(fromFixed(1_000_001), 1000.001);
  assert.deepEqual(subtractResources(sum, [scalar('cpus', 0.3)]), []);
});

test('numbers are written as C++ streams write them', () => {
  assert.equal(scalarText(1.5), '1.5');
  assert.equal(scalarText(0.1 + 0.2), '0.3');
  assert.equal(scalarText(31000), '31000');
  assert.equal(decimalText(1e15, 15), '1e+15');
  assert.equal(decimalText(1234567, 6), '1.23457e+06');
  assert.equal(decimalText(0.00001, 6), '1e-05');
  assert.equal(decimalText(0.0001, 6), '0.0001');
  assert.equal(decimalText(-2.5, 6), '-2.5');
  assert.equal(decimalText(Number.NaN, 6), 'nan');
  assert.equal(decimalText(-Infinity, 6), '-inf');
});

test('copies of a shared volume are counted, its size only once', () => {
  const two = sumResources([sharedVolume('v'), sharedVolume('v')]);
  assert.equal(two.length, 2);
  assert.equal(scalarOf(two, 'disk'), 64);
  assert.ok(containsResources(two, [sharedVolume('v'), sharedVolume('v')]));
  assert.ok(!containsResources(subtractResources(two, [sharedVolume('v')]), two));
  assert.match(resourcesText(two), /<SHARED>:64<2>$/);
});

test('a MOUNT disk is neither cut nor joined', () => {
  const disks = sumResources([mount('/a', 100), mount('/b', 100)]);
  assert.equal(disks.length, 2);
  assert.ok(!containsResources(disks, [mount('/a', 50)]));
  assert.deepEqual(subtractResources(disks, [mount('/a', 50)]), disks);
  assert.equal(subtractResources(disks, [mount('/a', 100)]).length, 1);
  assert.equal(shrinkResource(mount('/a', 100), 50_000), undefined);
  assert.equal(shrinkResource(scalar('disk', 100), 50_000)?.scalar?.value, 50);
  assert.ok(!containsResources(disks, [mount('/a', 100), mount('/a', 100)]));
});

test('a volume is taken whole and only once', () => {
  const volumes = sumResources([volume('a'), volume('b')]);
  assert.ok(!containsResources(volumes, [volume('a', 32)]));
  assert.ok(!containsResources(volumes, [volume('a'), volume('a')]));
  assert.equal(subtractResources(volumes, [volume('a')]).length, 1);
});

test('reserved resources are for the role and those below it', () => {
  const all = [scalar('cpus', 1), scalar('cpus', 2, eng), scalar('mem', 5, { ...eng })];
  assert.deepEqual(allocatableResources(all, 'eng/dev'), all);
  assert.deepEqual(allocatableResources(all, 'engine'), [all[0]]);
  assert.equal(reservationsByRole(all).get('eng')?.length, 2);
  assert.equal(scalarOf(flattenResources(all), 'cpus'), 3);
  assert.equal(flattenResources(all).length, 2);
  const allocated = allocateResources(all, 'eng');
  assert.equal(allocated[0]?.allocation_info?.role, 'eng');
  assert.ok(sameResources(unallocateResources(allocated), sumResources(all)));
});

test('ports of all roles are one list of ranges', () => {
  const ports = parseResources('ports:[31000-31002,31005-31005];ports(eng):[31003-31003]');
  assert.deepEqual(rangesOf(ports, 'ports'), [
    { begin: 31000, end: 31003 },
    { begin: 31005, end: 31005 },
  ]);
});

test('long lists are summed as short ones are', () => {
  fc.assert(
    fc.property(fc.array(arbitraryResource, { minLength: 33, maxLength: 60 }), (list) => {
      const oneByOne = list.reduce<readonly Resource[]>((sum, one) => addResources(sum, [one]), []);
      assert.deepEqual(sumResources(list), oneByOne);
    }),
  );
});

test('resources are of one kind exactly when their keys are equal', () => {
  fc.assert(
    fc.property(arbitraryResource, arbitraryResource, (left, right) => {
      assert.equal(kindKey(left) === kindKey(right), sameKind(left, right));
    }),
  );
});

test('forty thousand resources of a stranger are judged without comparing all of them', () => {
  const many = Array.from({ length: 40_000 }, (_, at) => scalar(`r${at}`, 1, eng));
  const shared = Array.from({ length: 10_000 }, (_, at) => sharedVolume(`v${at}`));
  const before = process.cpuUsage();
  assert.equal(sumResources(many, many).length, 40_000);
  assert.equal(validateUsable(many), undefined);
  assert.equal(validateRevocableMix([...many, scalar('other', 1, { revocable: {} })]), undefined);
  assert.equal(validateUniquePersistence(shared), undefined);
  assert.ok(resourcesText(shared).endsWith('<SHARED>:64<1>'));
  // A busy machine takes its time, but not more work; by pairs it would be a minute of it.
  assert.ok(process.cpuUsage(before).user < 10e6);
});

test('a resource named like a field of objects does no harm', () => {
  const odd = sumResources([scalar('__proto__', 2), scalar('constructor', 1)]);
  assert.equal(Object.keys(scalarQuantities(odd)).length, 2);
});
