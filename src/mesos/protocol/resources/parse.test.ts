import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '../types.ts';
import { parseAttributes, parseResources, parseValue } from './parse.ts';
import { downgradeResource, endpointResource, upgradeResource } from './reservations.ts';
import { resourcesText, resourceText } from './text.ts';

test('--resources in its short form', () => {
  const resources = parseResources(
    'cpus:8.5; mem(eng):1024;ports:[31000-32000, 33000-33010];z:{a,b}',
  );
  assert.equal(
    resourcesText(resources),
    'cpus:8.5; mem(reservations: [(STATIC,eng)]):1024; ports:[31000-32000, 33000-33010]; z:{a, b}',
  );
  assert.equal(
    resourcesText(parseResources('cpus:1;mem(*):5', { defaultRole: 'ops' })),
    'cpus(reservations: [(STATIC,ops)]):1; mem:5',
  );
  assert.deepEqual(parseResources(''), []);
});

test('--resources as JSON', () => {
  const fromJson = (json: readonly unknown[]): readonly Resource[] => json as Resource[];
  const text = JSON.stringify([{ name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, role: 'a' }]);
  assert.equal(
    resourcesText(parseResources(text, { fromJson })),
    'cpus(reservations: [(STATIC,a)]):2',
  );
  const revocable = JSON.stringify([
    { name: 'cpus', type: 'SCALAR', scalar: { value: 2 }, revocable: {} },
  ]);
  assert.throws(() => parseResources(revocable, { fromJson }), /Revocable resources cannot be/);
});

const mistakes: { text: string; message: string }[] = [
  { text: 'cpus', message: "Bad value for resources, missing or extra ':' in cpus" },
  { text: 'cpus:1:2', message: "Bad value for resources, missing or extra ':' in cpus:1:2" },
  { text: 'cpus(a:1', message: 'Bad value for resources, mismatched parentheses in cpus(a:1' },
  { text: 'cpus:abc', message: 'Bad type for resource cpus value abc type TEXT' },
  {
    text: 'cpus: ',
    message: 'Failed to parse resource cpus value   error Expecting non-empty string',
  },
  {
    text: 'ports:[1-2',
    message: 'Failed to parse resource ports value [1-2 error Mismatched brackets',
  },
  {
    text: 'ports:[1-2,3]',
    message: 'Failed to parse resource ports value [1-2,3] error Expecting one or more "ranges"',
  },
  {
    text: 'ports:[a-2]',
    message:
      "Failed to parse resource ports value [a-2] error Expecting non-negative integers in 'a'",
  },
  { text: 'x:a{b}', message: "Failed to parse resource x value a{b} error Unexpected '{' found" },
  {
    text: 'a:1;a:{b}',
    message: "Resources with the same name ('a') but different types are not allowed",
  },
];
for (const { text, message } of mistakes) {
  test(`--resources ${JSON.stringify(text)} is refused`, () => {
    assert.throws(
      () => parseResources(text),
      (error: Error) => {
        assert.equal(error.message, message.replace('value   error', 'value   error'));
        return true;
      },
    );
  });
}

test('--attributes', () => {
  assert.deepEqual(parseAttributes('rack:abc;level:10;keys:[1000-1500];rack:d:e'), [
    { name: 'rack', type: 'TEXT', text: { value: 'abc' } },
    { name: 'level', type: 'SCALAR', scalar: { value: 10 } },
    { name: 'keys', type: 'RANGES', ranges: { range: [{ begin: 1000, end: 1500 }] } },
    { name: 'rack', type: 'TEXT', text: { value: 'd:e' } },
  ]);
  assert.throws(() => parseAttributes('rack'), /Invalid attribute key:value pair 'rack'/);
  assert.throws(
    () => parseAttributes('rack:{a}'),
    /Bad type for attribute rack text \{a\} type SET/,
  );
  assert.deepEqual(parseValue('-5'), { type: 'TEXT', text: { value: '-5' } });
});

test('both forms of a reservation turn into each other', () => {
  const cpus: Resource = { name: 'cpus', type: 'SCALAR', scalar: { value: 1 } };
  const old: Resource[] = [
    { ...cpus, role: '*' },
    { ...cpus, role: 'eng' },
    { ...cpus, role: 'eng', reservation: { principal: 'p' } },
    { ...cpus, role: 'eng', reservation: { labels: { labels: [{ key: 'k' }] } } },
  ];
  for (const resource of old) {
    const upgraded = upgradeResource(resource);
    assert.ok(!('role' in upgraded) && !('reservation' in upgraded));
    assert.deepEqual(downgradeResource(upgraded), resource);
    assert.deepEqual(upgradeResource(endpointResource(upgraded)), upgraded);
    assert.equal(upgradeResource(upgraded), upgraded);
  }
});

test('a resource names all that belongs to it', () => {
  const resource: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 64.5 },
    allocation_info: { role: 'a/b' },
    reservations: [
      { type: 'STATIC', role: 'a' },
      {
        type: 'DYNAMIC',
        role: 'a/b',
        principal: 'p',
        labels: { labels: [{ key: 'k', value: 'v' }] },
      },
    ],
    disk: {
      source: { type: 'MOUNT', mount: { root: '/m' } },
      persistence: { id: 'id1' },
      volume: { mode: 'RW', container_path: 'path' },
    },
    shared: {},
    revocable: {},
  };
  assert.equal(
    resourceText(resource),
    'disk(allocated: a/b)(reservations: [(STATIC,a),(DYNAMIC,a/b,p,{k: v})])[MOUNT:/m,id1:path]{REV}<SHARED>:64.5',
  );
  const csi: Resource = {
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 1 },
    disk: { source: { type: 'RAW', vendor: 'v', id: 'i', profile: 'p' } },
  };
  assert.equal(resourceText(csi), 'disk[RAW(v,i,p)]:1');
});
