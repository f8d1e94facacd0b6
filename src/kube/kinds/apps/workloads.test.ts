import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cells, created, testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import { namePartText, notNegativeText, percentText, subdomainText } from '../texts.test.ts';
import { controllerRevisions } from './controller-revision.ts';
import { daemonSets } from './daemon-set.ts';
import { deployments } from './deployment.ts';
import { replicaSets } from './replica-set.ts';
import { statefulSets } from './stateful-set.ts';

const labels = { app: 'a' };
const template = (spec: Json = {}): Json => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const set = (spec: Json = {}, metadata: Json = {}): Json => ({
  metadata: { name: 'a', namespace: 'd', ...metadata },
  spec: { selector: { matchLabels: labels }, template: template(), ...spec },
});
const noMatch =
  'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`';
const deadline = (kind: string) =>
  `spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ${kind} is not Supported`;
const always =
  'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"';
const other = { matchLabels: { app: 'b' } };

for (const kind of [deployments, replicaSets])
  testRules(kind, [
    [set()],
    [set({ replicas: -1 }), `spec.replicas: Invalid value: -1: ${notNegativeText}`],
    [set({ minReadySeconds: -1 }), `spec.minReadySeconds: Invalid value: -1: ${notNegativeText}`],
    [set({}, { name: 'A' }), `metadata.name: Invalid value: "A": ${subdomainText}`],
    [set({ selector: other }), noMatch],
    [
      set({ selector: {} }),
      'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
    ],
    [set({ template: template({ restartPolicy: 'Never' }) }), always],
    [set({ template: template({ activeDeadlineSeconds: 1 }) }), deadline('ReplicaSet')],
    [
      set({ template: template({ ephemeralContainers: [{ name: 'e', image: 'i' }] }) }),
      'spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template',
    ],
    [
      set({ template: { ...template(), metadata: { labels: { ...labels, '-': 'x' } } } }),
      `spec.template.labels: Invalid value: "-": ${namePartText}`,
    ],
  ]);

testRules(deployments, [
  [
    set({ strategy: { type: 'x' } }),
    'spec.strategy: Unsupported value: {"Type":"x","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
  ],
  [
    set({ strategy: { type: 'Recreate', rollingUpdate: {} } }),
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ],
  [
    set({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }),
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
  ],
  [
    set({ strategy: { rollingUpdate: { maxUnavailable: '101%' } } }),
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ],
  [
    set({ strategy: { rollingUpdate: { maxSurge: 'x' } } }),
    `spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": ${percentText}`,
  ],
  [
    set({ revisionHistoryLimit: -1 }),
    `spec.revisionHistoryLimit: Invalid value: -1: ${notNegativeText}`,
  ],
  [
    set({ minReadySeconds: 10, progressDeadlineSeconds: 10 }),
    'spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds',
  ],
]);

const status = (one: Json) => ({ from: set(), to: { ...set(), status: one }, through: 'status' });
const tooMany = 'cannot be greater than status.replicas';
for (const kind of [deployments, replicaSets])
  testChanges(kind, [
    [{ from: set(), to: set({ replicas: 5 }) }],
    [
      {
        from: set(),
        to: set({
          selector: other,
          template: { ...template(), metadata: { labels: { app: 'b' } } },
        }),
      },
      'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
    ],
    [status({ replicas: 3, readyReplicas: 2, availableReplicas: 1 })],
    [
      status({ observedGeneration: -1 }),
      `status.observedGeneration: Invalid value: -1: ${notNegativeText}`,
    ],
    [
      status({ replicas: 1, readyReplicas: 2 }),
      `status.readyReplicas: Invalid value: 2: ${tooMany}`,
    ],
    [
      status({ replicas: 2, readyReplicas: 1, availableReplicas: 2 }),
      'status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas',
    ],
  ]);
testChanges(deployments, [
  [
    {
      from: set(),
      stored: { status: { collisionCount: 2 } },
      to: { ...set(), status: { collisionCount: 1 } },
      through: 'status',
    },
    'status.collisionCount: Invalid value: 1: cannot be decremented',
  ],
  [
    status({ replicas: 1, updatedReplicas: 2 }),
    `status.updatedReplicas: Invalid value: 2: ${tooMany}`,
  ],
]);

testRules(statefulSets, [
  [set({ serviceName: 's' })],
  [
    set({ selector: {} }),
    'spec.selector: Invalid value: {}: empty selector is invalid for statefulset',
  ],
  [
    set({ podManagementPolicy: 'x' }),
    "spec.podManagementPolicy: Invalid value: \"x\": must be 'OrderedReady' or 'Parallel'",
  ],
  [
    set({ updateStrategy: { type: 'OnDelete', rollingUpdate: {} } }),
    'spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":0,"MaxUnavailable":null}: only allowed for updateStrategy \'RollingUpdate\'',
  ],
  [
    set({ updateStrategy: { rollingUpdate: { partition: -1 } } }),
    `spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: ${notNegativeText}`,
  ],
  [
    set({ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'x' } }),
    'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "x": supported values: "Retain", "Delete"',
  ],
  [set({ ordinals: { start: -1 } }), `spec.ordinals.start: Invalid value: -1: ${notNegativeText}`],
  [set({ template: template({ restartPolicy: 'Never' }) }), always],
  [set({ template: template({ activeDeadlineSeconds: 1 }) }), deadline('StatefulSet')],
]);
testChanges(statefulSets, [
  [{ from: set(), to: set({ replicas: 3, minReadySeconds: 5 }) }],
  [
    { from: set(), to: set({ serviceName: 'x' }) },
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ],
]);

testRules(daemonSets, [
  [set()],
  [set({ selector: other }), noMatch],
  [set({ template: template({ activeDeadlineSeconds: 1 }) }), deadline('DaemonSet')],
  [
    set({ updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } }),
    'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
  ],
  [
    set({ updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } }),
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
  ],
]);

testRules(controllerRevisions, [
  [{ data: { a: 1 }, revision: 1 }],
  [{ data: { a: 1 }, revision: -1 }, `revision: Invalid value: -1: ${notNegativeText}`],
  [{ revision: 1 }, 'data: Required value: data is mandatory'],
]);

test('Workloads that say nothing get the defaults of the reference', () => {
  const deployment = created(deployments, set());
  assert.equal(deployment.spec.replicas, 1);
  assert.equal(deployment.spec.revisionHistoryLimit, 10);
  assert.equal(deployment.spec.progressDeadlineSeconds, 600);
  assert.equal(deployment.metadata.generation, 1);
  const daemons = created(daemonSets, set());
  assert.deepEqual(daemons.spec.updateStrategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
  });
  const stateful = created(statefulSets, set());
  assert.deepEqual(stateful.spec.updateStrategy, {
    type: 'RollingUpdate',
    rollingUpdate: { partition: 0 },
  });
  assert.deepEqual(stateful.spec.persistentVolumeClaimRetentionPolicy, {
    whenDeleted: 'Retain',
    whenScaled: 'Retain',
  });
  assert.equal(created(replicaSets, set()).spec.replicas, 1);
});

test('Columns of workloads', () => {
  const counts = { replicas: 3, readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 };
  const wide = { Containers: 'c', Images: 'i', Selector: 'app=a' };
  assert.deepEqual(cells(deployments, { ...set({ replicas: 3 }), status: counts }), {
    Name: 'a',
    Ready: '2/3',
    'Up-to-date': 1,
    Available: 2,
    Age: '<unknown>',
    ...wide,
  });
  assert.deepEqual(
    cells(replicaSets, { ...set({ replicas: 4 }), status: { replicas: 3, readyReplicas: 2 } }),
    {
      Name: 'a',
      Desired: 4,
      Current: 3,
      Ready: 2,
      Age: '<unknown>',
      ...wide,
    },
  );
  const { Selector: _none, ...images } = wide;
  assert.deepEqual(cells(statefulSets, { ...set({ replicas: 4 }), status: { readyReplicas: 2 } }), {
    Name: 'a',
    Ready: '2/4',
    Age: '<unknown>',
    ...images,
  });
  assert.deepEqual(
    cells(daemonSets, {
      ...set({ template: template({ nodeSelector: { x: 'y' } }) }),
      status: { desiredNumberScheduled: 3, currentNumberScheduled: 2, numberReady: 1 },
    }),
    {
      Name: 'a',
      Desired: 3,
      Current: 2,
      Ready: 1,
      'Up-to-date': 0,
      Available: 0,
      'Node Selector': 'x=y',
      Age: '<unknown>',
      ...wide,
    },
  );
});
