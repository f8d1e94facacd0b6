import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deployment, ReplicaSet } from '#kube/kinds';
import { newSetReplicas } from './rolling.ts';

const metadata = { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
const template = { metadata: {}, spec: { containers: [] } };
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: { replicas: 4, selector: {}, template, strategy: { type: 'RollingUpdate' } },
  status: {},
} as unknown as Deployment;
const set = (replicas: number): ReplicaSet =>
  ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata,
    spec: { replicas, selector: {}, template },
    status: {},
  }) as unknown as ReplicaSet;

test('a new set grows into the room there is, and what somebody scaled up shrinks again', () => {
  const size = (now: number, others: number): number => {
    const newSet = set(now);
    return newSetReplicas(deployment, [newSet, set(others)], newSet);
  };
  assert.equal(size(0, 4), 1);
  assert.equal(size(2, 3), 2);
  assert.equal(size(4, 0), 4);
  assert.equal(size(7, 0), 4);
});
