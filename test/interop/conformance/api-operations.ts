/** The one shape that most "API operations" tests have, as a table of kinds. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { list, names, type Case, type World } from './kit.ts';

interface Kind {
  readonly groupVersion: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced?: boolean;
  readonly covers: readonly string[];
  /** Fields beside metadata; `index` tells several apart. */
  readonly fields: (index: number, namespace: string) => object;
  readonly objectName?: (index: number) => string;
  /** A merge patch of the status, and what must be in the answer. */
  readonly status?: object;
  /** A write of the status changes metadata too. */
  readonly keepsAnnotations?: boolean;
}

const machinery = '[sig-api-machinery] ';
const policyRules = {
  matchConstraints: {
    resourceRules: [
      {
        apiGroups: ['apps'],
        apiVersions: ['v1'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['deployments'],
      },
    ],
  },
};
const never = {
  matchResources: { namespaceSelector: { matchLabels: { 'conformance.none': 'true' } } },
};
const address = randomBytes(1)[0] ?? 1;
const conditions = {
  conditions: [
    {
      type: 'ConformanceChecked',
      status: 'False',
      reason: 'E2E',
      message: 'Set from a case',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
};

/** A request for a certificate of CN=conformance, made once with openssl: nobody has its key. */
export const csr =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIUk1IZ0NBUUF3RmpFVU1CSUdBMVVFQXd3TFkyOX' +
  'VabTl5YldGdVkyVXdXVEFUQmdjcWhrak9QUUlCQmdncQpoa2pPUFFNQkJ3TkNBQVJRQ3FLQnRWbm0wMzBrbndEN1F2' +
  'RGVpcGZHTDVtS05lTk5zWmUwWTY5ZjdHRmtrRmovCjlrVHUzUEErVlJzQWJ6eE9KRGQ2R1h5WDZwL2FWcXprRHdJQ2' +
  '9BQXdDZ1lJS29aSXpqMEVBd0lEU1FBd1JnSWgKQVBmQkJZakNJZS9tb2ZpSHBhYWh0alVFM25RUit3WkpkQzZLTWZW' +
  'TEk1L2FBaUVBbzltYW9tSEhkcmlKb0x0bApsQjYrOXJmM0VWZlVTbkgwR3hIb040SVJhYm89Ci0tLS0tRU5EIENFUl' +
  'RJRklDQVRFIFJFUVVFU1QtLS0tLQo=';

export const kinds: readonly Kind[] = [
  {
    groupVersion: 'flowcontrol.apiserver.k8s.io/v1',
    plural: 'flowschemas',
    kind: 'FlowSchema',
    covers: [`${machinery}API priority and fairness should support FlowSchema API operations`],
    fields: () => ({
      spec: { matchingPrecedence: 10_000, priorityLevelConfiguration: { name: 'global-default' } },
    }),
    status: conditions,
  },
  {
    groupVersion: 'flowcontrol.apiserver.k8s.io/v1',
    plural: 'prioritylevelconfigurations',
    kind: 'PriorityLevelConfiguration',
    covers: [
      `${machinery}API priority and fairness should support PriorityLevelConfiguration API operations`,
    ],
    fields: () => ({
      spec: {
        type: 'Limited',
        limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } },
      },
    }),
    status: conditions,
  },
  {
    groupVersion: 'admissionregistration.k8s.io/v1',
    plural: 'validatingadmissionpolicies',
    kind: 'ValidatingAdmissionPolicy',
    covers: [
      `${machinery}ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicy API operations`,
    ],
    fields: () => ({
      spec: { ...policyRules, validations: [{ expression: 'object.spec.replicas <= 100000' }] },
    }),
    status: { conditions: conditions.conditions },
  },
  {
    groupVersion: 'admissionregistration.k8s.io/v1',
    plural: 'validatingadmissionpolicybindings',
    kind: 'ValidatingAdmissionPolicyBinding',
    covers: [
      `${machinery}ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should support ValidatingAdmissionPolicyBinding API operations`,
    ],
    fields: () => ({
      spec: { policyName: 'conformance.none', validationActions: ['Deny'], ...never },
    }),
  },
  {
    groupVersion: 'networking.k8s.io/v1',
    plural: 'ingresses',
    kind: 'Ingress',
    namespaced: true,
    covers: ['[sig-network] Ingress API should support creating Ingress API operations'],
    fields: () => ({
      spec: { defaultBackend: { service: { name: 'default-backend', port: { number: 80 } } } },
    }),
    keepsAnnotations: true,
    status: { loadBalancer: { ingress: [{ ip: '169.1.1.1' }] } },
  },
  {
    groupVersion: 'networking.k8s.io/v1',
    plural: 'ingressclasses',
    kind: 'IngressClass',
    covers: ['[sig-network] IngressClass API should support creating IngressClass API operations'],
    fields: () => ({ spec: { controller: 'example.com/controller' } }),
  },
  {
    groupVersion: 'networking.k8s.io/v1',
    plural: 'ipaddresses',
    kind: 'IPAddress',
    covers: ['[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations'],
    objectName: (index) => (index === 0 ? '255.255.255.255' : `2001:db8::${address}:${index}`),
    fields: () => ({
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'none' } },
    }),
  },
  {
    groupVersion: 'networking.k8s.io/v1',
    plural: 'servicecidrs',
    kind: 'ServiceCIDR',
    covers: [
      '[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations',
    ],
    fields: (index) => ({ spec: { cidrs: [`10.2${index}.${address}.0/24`] } }),
    status: conditions,
  },
  {
    groupVersion: 'discovery.k8s.io/v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
    covers: ['[sig-network] EndpointSlice should support creating EndpointSlice API operations'],
    fields: () => ({ addressType: 'IPv4', endpoints: [{ addresses: ['1.2.3.4', '5.6.7.8'] }] }),
  },
  {
    groupVersion: 'certificates.k8s.io/v1',
    plural: 'certificatesigningrequests',
    kind: 'CertificateSigningRequest',
    covers: [],
    fields: () => ({
      spec: {
        request: csr,
        signerName: 'example.com/conformance',
        expirationSeconds: 3600,
        usages: ['digital signature', 'key encipherment', 'server auth'],
      },
    }),
  },
  {
    groupVersion: 'node.k8s.io/v1',
    plural: 'runtimeclasses',
    kind: 'RuntimeClass',
    covers: ['[sig-node] RuntimeClass should support RuntimeClasses API operations'],
    fields: () => ({ handler: 'oci', overhead: { podFixed: { cpu: '1m' } } }),
  },
  {
    groupVersion: 'batch/v1',
    plural: 'cronjobs',
    kind: 'CronJob',
    namespaced: true,
    covers: ['[sig-apps] CronJob should support CronJob API operations'],
    fields: () => ({
      spec: {
        schedule: '0 0 1 1 *',
        suspend: true,
        jobTemplate: {
          spec: {
            template: {
              spec: {
                restartPolicy: 'OnFailure',
                containers: [{ name: 'c', image: 'conformance/busybox:1' }],
              },
            },
          },
        },
      },
    }),
    keepsAnnotations: true,
    status: { lastScheduleTime: '2026-01-01T00:00:00Z' },
  },
  {
    groupVersion: 'v1',
    plural: 'podtemplates',
    kind: 'PodTemplate',
    namespaced: true,
    covers: [
      '[sig-node] PodTemplates should run the lifecycle of PodTemplates',
      '[sig-node] PodTemplates should replace a pod template',
      '[sig-node] PodTemplates should delete a collection of pod templates',
    ],
    fields: () => ({
      template: { spec: { containers: [{ name: 'c', image: 'conformance/busybox:1' }] } },
    }),
  },
  {
    groupVersion: 'v1',
    plural: 'configmaps',
    kind: 'ConfigMap',
    namespaced: true,
    covers: [
      '[sig-node] ConfigMap should run through a ConfigMap lifecycle',
      '[sig-node] ConfigMap should update ConfigMap successfully',
    ],
    fields: () => ({ data: { key: 'value' } }),
  },
  {
    groupVersion: 'v1',
    plural: 'secrets',
    kind: 'Secret',
    namespaced: true,
    covers: ['[sig-node] Secrets should patch a secret'],
    fields: () => ({ type: 'Opaque', data: { key: 'dmFsdWU=' } }),
  },
  {
    groupVersion: 'v1',
    plural: 'serviceaccounts',
    kind: 'ServiceAccount',
    namespaced: true,
    covers: [
      '[sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount',
      '[sig-auth] ServiceAccounts should update a ServiceAccount',
    ],
    fields: () => ({ automountServiceAccountToken: false }),
  },
  {
    groupVersion: 'v1',
    plural: 'endpoints',
    kind: 'Endpoints',
    namespaced: true,
    covers: ['[sig-network] Endpoints should test the lifecycle of an Endpoint'],
    fields: () => ({
      subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports: [{ name: 'http', port: 80 }] }],
    }),
  },
  {
    groupVersion: 'v1',
    plural: 'limitranges',
    kind: 'LimitRange',
    namespaced: true,
    covers: [
      '[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection',
    ],
    fields: () => ({ spec: { limits: [{ type: 'Pod', max: { cpu: '7' } }] } }),
  },
  {
    groupVersion: 'v1',
    plural: 'resourcequotas',
    kind: 'ResourceQuota',
    namespaced: true,
    covers: ['[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota'],
    fields: () => ({ spec: { hard: { pods: '5' } } }),
  },
  {
    groupVersion: 'v1',
    plural: 'events',
    kind: 'Event',
    namespaced: true,
    covers: [
      '[sig-instrumentation] Events should manage the lifecycle of an event',
      '[sig-instrumentation] Events should delete a collection of events',
    ],
    fields: (_index, namespace) => ({
      involvedObject: { namespace },
      reason: 'Test',
      message: 'This is a test event',
      type: 'Normal',
    }),
  },
  {
    groupVersion: 'coordination.k8s.io/v1',
    plural: 'leases',
    kind: 'Lease',
    namespaced: true,
    covers: ['[sig-node] Lease lease API should be available'],
    fields: () => ({
      spec: {
        holderIdentity: 'holder',
        leaseDurationSeconds: 30,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:05.000000Z',
        leaseTransitions: 0,
      },
    }),
  },
  {
    groupVersion: 'apps/v1',
    plural: 'controllerrevisions',
    kind: 'ControllerRevision',
    namespaced: true,
    covers: [],
    fields: (index) => ({ revision: index + 1, data: { spec: { index } } }),
  },
  {
    groupVersion: 'policy/v1',
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    namespaced: true,
    covers: [
      '[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets',
    ],
    fields: () => ({ spec: { minAvailable: 1, selector: { matchLabels: { app: 'none' } } } }),
  },
  {
    groupVersion: 'storage.k8s.io/v1',
    plural: 'csidrivers',
    kind: 'CSIDriver',
    covers: ['[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver'],
    fields: () => ({ spec: { volumeLifecycleModes: ['Ephemeral'] } }),
  },
  {
    groupVersion: 'storage.k8s.io/v1',
    plural: 'csinodes',
    kind: 'CSINode',
    covers: [
      '[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode',
    ],
    fields: () => ({ spec: { drivers: [] } }),
  },
  {
    groupVersion: 'storage.k8s.io/v1',
    plural: 'csistoragecapacities',
    kind: 'CSIStorageCapacity',
    namespaced: true,
    covers: ['[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations'],
    fields: () => ({ storageClassName: 'conformance', capacity: '1Gi' }),
  },
  {
    groupVersion: 'storage.k8s.io/v1',
    plural: 'storageclasses',
    kind: 'StorageClass',
    covers: [
      '[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass',
    ],
    fields: () => ({ provisioner: 'example.com/conformance' }),
  },
  {
    groupVersion: 'storage.k8s.io/v1',
    plural: 'volumeattachments',
    kind: 'VolumeAttachment',
    covers: [
      '[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment',
      '[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status',
    ],
    fields: () => ({
      spec: {
        attacher: 'example.com',
        nodeName: 'none',
        source: { persistentVolumeName: 'none' },
      },
    }),
    status: { attached: true },
  },
  {
    groupVersion: 'resource.k8s.io/v1',
    plural: 'deviceclasses',
    kind: 'DeviceClass',
    covers: ['[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass'],
    fields: () => ({ spec: {} }),
  },
  {
    groupVersion: 'resource.k8s.io/v1',
    plural: 'resourceclaims',
    kind: 'ResourceClaim',
    namespaced: true,
    covers: ['[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim'],
    fields: () => ({
      spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } },
    }),
  },
  {
    groupVersion: 'resource.k8s.io/v1',
    plural: 'resourceclaimtemplates',
    kind: 'ResourceClaimTemplate',
    namespaced: true,
    covers: ['[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate'],
    fields: () => ({
      spec: { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } } },
    }),
  },
  {
    groupVersion: 'resource.k8s.io/v1',
    plural: 'resourceslices',
    kind: 'ResourceSlice',
    covers: ['[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice'],
    fields: (index) => ({
      spec: {
        driver: 'dra.example.com',
        nodeName: 'none',
        pool: { name: `pool-${index}`, generation: 1, resourceSliceCount: 1 },
        devices: [],
      },
    }),
  },
  {
    groupVersion: 'scheduling.k8s.io/v1',
    plural: 'priorityclasses',
    kind: 'PriorityClass',
    covers: [],
    fields: () => ({ value: 10 }),
  },
];

export const operationCases: readonly Case[] = kinds.map((kind) => ({
  name: `${kind.kind} of ${kind.groupVersion} can be found, created, listed, watched, changed and deleted`,
  covers: kind.covers,
  run: (world) => operate(world, kind),
}));

async function operate(world: World, kind: Kind): Promise<void> {
  const { groupVersion, plural } = kind;
  const root = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
  await isDiscovered(world, kind);
  const space = kind.namespaced === true ? await world.namespace('operations') : undefined;
  const collection = `${root}${space === undefined ? '' : `/namespaces/${space.name}`}/${plural}`;
  const run = randomBytes(4).toString('hex');
  const label = `conformance-run=${run}`;
  const nameOf = kind.objectName ?? ((index: number) => `object-${run}-${index}`);
  const created: string[] = [];
  for (const index of [0, 1, 2]) {
    const object = await world.post(collection, {
      apiVersion: groupVersion,
      kind: kind.kind,
      metadata: { name: nameOf(index), labels: { 'conformance-run': run } },
      ...kind.fields(index, space?.name ?? ''),
    });
    created.push(String(object.metadata?.name));
  }
  const [first = ''] = created;
  const path = `${collection}/${encodeURIComponent(first)}`;
  assert.equal((await world.get(path)).kind, kind.kind);
  const listed = await world.get(`${collection}?labelSelector=${label}`);
  assert.equal(listed.kind, `${kind.kind}List`);
  assert.deepEqual(names(list(listed.items)), created.toSorted());
  assert.equal((await world.items(`${root}/${plural}?labelSelector=${label}`)).length, 3);

  const from = `labelSelector=${label}&resourceVersion=${listed.metadata?.resourceVersion}`;
  const changed = await world.patch(path, { metadata: { annotations: { patched: 'true' } } });
  assert.ok(
    Number(changed.metadata?.resourceVersion) > Number(listed.metadata?.resourceVersion),
    'a change raises the resource version',
  );
  const annotations = { ...changed.metadata?.annotations, updated: 'true' };
  const updated = await world.put(path, {
    ...changed,
    metadata: { ...changed.metadata, annotations },
  });
  assert.equal(updated.metadata?.annotations?.updated, 'true');
  const seen = await world.events(
    `${collection}?${from}`,
    1,
    ({ type, object }) =>
      type === 'MODIFIED' && object.metadata?.annotations?.updated === ('true' as unknown),
  );
  assert.equal(seen[0]?.object.metadata?.annotations?.patched, 'true');
  if (kind.status !== undefined) await changeStatus(world, path, kind);

  await world.delete(path);
  await world.gone(path);
  await world.delete(`${collection}?labelSelector=${label}`);
  await world.whenAll(`${collection}?labelSelector=${label}`, (items) =>
    items.every((item) => item.metadata?.deletionTimestamp !== undefined),
  );
}

async function changeStatus(world: World, path: string, kind: Kind): Promise<void> {
  const { status = {} } = kind;
  const patched = await world.patch(`${path}/status`, {
    metadata: { annotations: { patchedstatus: 'true' } },
    status,
  });
  const kept = patched.metadata?.annotations?.patchedstatus;
  assert.equal(kept, kind.keepsAnnotations === true ? 'true' : undefined);
  const [field = ''] = Object.keys(status);
  assert.deepEqual(patched.status?.[field], (status as Record<string, unknown>)[field]);
  const again = await world.put(`${path}/status`, patched);
  assert.deepEqual(again.status?.[field], patched.status?.[field]);
  assert.equal((await world.get(`${path}/status`)).kind, patched.kind);
}

async function isDiscovered(world: World, { groupVersion, plural, kind }: Kind): Promise<void> {
  if (groupVersion !== 'v1') {
    const [group = '', version = ''] = groupVersion.split('/');
    const groups = list((await world.get('/apis')).groups);
    const found = groups.find((it) => String(it.name) === group);
    assert.ok(found, `/apis has ${group}`);
    const served = list((await world.get(`/apis/${group}`)).versions);
    assert.ok(served.some((it) => String(it.version) === version));
  }
  const root = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
  const resources = list((await world.get(root)).resources);
  assert.equal(resources.find((it) => String(it.name) === plural)?.kind, kind);
}
