import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemText } from '#machinery';
import type { Draft, KindDeclaration, KubeObject } from '#machinery';
import {
  builtinKinds,
  configMaps,
  deployments,
  kindFacts,
  pods,
  podRequests,
  secrets,
  services,
} from './index.ts';
import { emptyStruct } from './facts.ts';
import { humanDuration } from './shared/columns.ts';

const context = { nowMs: Date.UTC(2026, 0, 2), namespace: 'default', subresource: '' };

/** Structs that a client left out are there after decoding: objects of these tests get them here. */
function withStructs(kind: KindDeclaration, object: object): Record<string, unknown> {
  return merged(emptyStruct(kind.type), structuredClone(object));
}
function merged(base: Record<string, unknown>, given: object): Record<string, unknown> {
  for (const [key, value] of Object.entries(given)) {
    const before = base[key];
    const isStruct = typeof before === 'object' && before !== null && !Array.isArray(before);
    base[key] = isStruct ? merged({ ...before }, value) : value;
    if (key === 'containers') for (const container of value) container.resources ??= {};
  }
  return base;
}

/** Defaults and prepares as the server does before it validates. */
function created<T extends KubeObject>(kind: KindDeclaration<T>, object: object): T {
  // The test's objects are written by hand: what they are is said by the kind they are given to.
  const draft = withStructs(kind, object) as unknown as Draft<T>;
  kind.defaults?.(draft);
  kind.prepareForCreate?.(draft, context);
  return draft as unknown as T;
}
function problems<T extends KubeObject>(kind: KindDeclaration<T>, object: object): string[] {
  return (kind.validateCreate?.(created(kind, object)) ?? []).map(problemText);
}

const meta = { name: 'a', namespace: 'default' };
function pod(spec: object, container: object = {}): object {
  const containers = [{ name: 'c', image: 'nginx', ...container }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: meta, spec: { containers, ...spec } };
}

test('Every served kind of the facts is declared once', () => {
  const served = kindFacts.filter((fact) => fact.served).map(({ type }) => type);
  assert.deepEqual(builtinKinds.map(({ type }) => type).toSorted(), served.toSorted());
});

test('A Pod that is in order has no problems and gets the defaults', () => {
  const { spec, status } = created(pods, pod({}, { resources: { limits: { cpu: '1' } } }));
  assert.deepEqual(problems(pods, pod({})), []);
  assert.equal(spec.restartPolicy, 'Always');
  assert.equal(spec.containers[0]?.imagePullPolicy, 'Always');
  assert.deepEqual(spec.containers[0]?.resources.requests, { cpu: '1' });
  assert.deepEqual(status, { phase: 'Pending', qosClass: 'Burstable' });
  assert.deepEqual(podRequests({ spec }), { cpu: 1000, pods: 1 });
});

const podCases: { readonly object: object; readonly want: readonly string[] }[] = [
  {
    object: pod({ restartPolicy: 'x' }),
    want: [
      'spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"',
    ],
  },
  { object: pod({}, { image: '' }), want: ['spec.containers[0].image: Required value'] },
  { object: pod({ runtimeClassName: 'process' }, { image: '' }), want: [] },
  {
    object: pod({}, { volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    want: ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
  },
  {
    object: pod({}, { resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    want: [
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
  },
  {
    object: pod({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
    want: ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  },
  {
    object: pod({}, { livenessProbe: { periodSeconds: -1, exec: { command: ['x'] } } }),
    want: [
      'spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
  },
  {
    object: pod({ tolerations: [{ key: 'k', operator: 'Exists', value: 'v' }] }),
    want: [
      'spec.tolerations[0].operator: Invalid value: "v": value must be empty when `operator` is \'Exists\'',
    ],
  },
];
for (const { object, want } of podCases)
  test(`Pod validation says ${want[0] ?? 'nothing of a process without image'}`, () => {
    assert.deepEqual(problems(pods, object), want);
  });

test('A Pod update may change an image and nothing else of a container', () => {
  const old = created(pods, pod({}));
  const image = created(pods, pod({}, { image: 'nginx:2' }));
  assert.deepEqual(
    pods.validateUpdate?.(
      {
        ...image,
        spec: { ...old.spec, containers: old.spec.containers.map((c) => ({ ...c, image: 'b' })) },
      },
      old,
    ),
    [],
  );
  const other = created(pods, pod({}, { command: ['x'] }));
  const [problem] = pods.validateUpdate?.(other, old) ?? [];
  assert.match(problem?.detail ?? '', /^pod updates may not change fields other than/);
});

test('A Deployment keeps its selector and its template must match it', () => {
  const object = (app: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta,
    spec: {
      selector: { matchLabels: { app: 'a' } },
      template: {
        metadata: { labels: { app } },
        spec: { containers: [{ name: 'c', image: 'i' }] },
      },
    },
  });
  assert.deepEqual(problems(deployments, object('a')), []);
  assert.deepEqual(problems(deployments, object('b')), [
    'spec.template.metadata.labels: Invalid value: {"app":"b"}: `selector` does not match template `labels`',
  ]);
  const deployment = created(deployments, object('a'));
  assert.equal(deployment.metadata.generation, 1);
  assert.deepEqual(deployment.spec.strategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
  });
});

test('Services, ConfigMaps and Secrets are held to the texts of the reference', () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: meta, spec: {} };
  assert.deepEqual(problems(services, service), ['spec.ports: Required value']);
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data: { '..': 'x' } };
  assert.deepEqual(problems(configMaps, map), [
    'data[..]: Invalid value: "..": must not be \'..\'',
  ]);
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: meta, type: 'kubernetes.io/tls' };
  assert.deepEqual(problems(secrets, secret), [
    'data[tls.crt]: Required value',
    'data[tls.key]: Required value',
  ]);
});

test('Durations are told in at most two units', () => {
  const cases: readonly (readonly [number, string])[] = [
    [119, '119s'],
    [125, '2m5s'],
    [600, '10m'],
    [3 * 3600 + 60, '3h1m'],
    [9 * 3600, '9h'],
    [49 * 3600, '2d1h'],
    [9 * 86_400, '9d'],
    [800 * 86_400, '2y70d'],
    [-5, '<invalid>'],
  ];
  assert.deepEqual(
    cases.map(([seconds]) => humanDuration(seconds * 1000)),
    cases.map(([, text]) => text),
  );
});
