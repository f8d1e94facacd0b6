import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { typeTables } from '#kube/kinds';
import { createCodec } from '#wire';
import type { FieldWrite } from './apply.ts';
import { applyConfiguration, updateManagedFields } from './apply.ts';
import type { FieldSet, MaybeSet } from './field-set.ts';
import { difference, equalSets, intersection, union } from './field-set.ts';
import { schemaOf } from './schema.ts';

const codec = createCodec(typeTables);
const nowMs = Date.UTC(2024, 0, 1);

function writeOf(type: string, manager: string, more: Partial<FieldWrite> = {}): FieldWrite {
  return {
    schema: schemaOf(typeTables, type),
    empty: codec.canonical(type, {}).value,
    manager,
    apiVersion: 'apps/v1',
    subresource: '',
    nowMs,
    ...more,
  };
}
const deployment = 'k8s.io.api.apps.v1.Deployment';
const configMap = 'k8s.io.api.core.v1.ConfigMap';

function deploymentOf(image: string, replicas: number | undefined) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image, ports: [{ containerPort: 80 }] }] },
      },
    },
  };
}

test('A create is owned as the reference writes it down', () => {
  const { value } = codec.canonical(deployment, deploymentOf('nginx', 1));
  const ignored = { 'f:status': {} };
  const entries = updateManagedFields(
    undefined,
    value,
    writeOf(deployment, 'kubectl', { ignored }),
  );
  assert.deepEqual(entries, [
    {
      manager: 'kubectl',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: '2024-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"c"}': {
                  '.': {},
                  'f:image': {},
                  'f:name': {},
                  'f:ports': {
                    '.': {},
                    'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
                  },
                  'f:resources': {},
                },
              },
            },
          },
        },
      },
    },
  ]);
});

test('Applying, conflicting, forcing and leaving a field', () => {
  const apply = (
    live: object | undefined,
    config: Record<string, unknown>,
    manager: string,
    force = false,
  ) => applyConfiguration(live, config, { ...writeOf(deployment, manager), force });
  const first = apply(undefined, deploymentOf('nginx', 3), 'a');
  const live = {
    ...first.object,
    metadata: { ...(first.object['metadata'] as object), managedFields: first.managedFields },
  };
  const again = apply(live, deploymentOf('nginx', 3), 'a');
  assert.equal(again.changed, false);
  assert.throws(() => apply(live, deploymentOf('nginx', 5), 'b'), {
    reason: 'Conflict',
    message: 'Apply failed with 1 conflict: conflict with "a": .spec.replicas',
  });
  assert.throws(() => apply(live, deploymentOf('other', 5), 'b'), {
    message:
      'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.replicas\n- .spec.template.spec.containers[name="c"].image',
  });
  const forced = apply(live, deploymentOf('nginx', 5), 'b', true);
  assert.equal((forced.object['spec'] as { replicas: number }).replicas, 5);
  const owner = forced.managedFields.find((one) => one.manager === 'a');
  assert.equal(JSON.stringify(owner?.fieldsV1).includes('f:replicas'), false);
  const after = {
    ...forced.object,
    metadata: { ...(forced.object['metadata'] as object), managedFields: forced.managedFields },
  };
  const left = apply(after, deploymentOf('nginx', undefined), 'b');
  assert.equal((left.object['spec'] as { replicas?: number }).replicas, undefined);
  assert.equal((left.object['metadata'] as { name: string }).name, 'web');
});

test('An update takes what it changes from its owners; a no-op keeps the list as it is', () => {
  const live = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { a: '1', b: '2' },
  };
  const applied = applyConfiguration(undefined, live, { ...writeOf(configMap, 'a'), force: false });
  const stored = {
    ...applied.object,
    metadata: { name: 'c', managedFields: applied.managedFields },
  };
  assert.equal(
    updateManagedFields(stored, stored, writeOf(configMap, 'b')),
    stored.metadata.managedFields,
  );
  const next = { ...stored, data: { a: '9', b: '2' } };
  const entries = updateManagedFields(stored, next, writeOf(configMap, 'b')) ?? [];
  assert.deepEqual(
    entries.map((one) => [one.manager, one.operation, one.fieldsV1]),
    [
      ['a', 'Apply', { 'f:data': { 'f:b': {} } }],
      ['b', 'Update', { 'f:data': { 'f:a': {} } }],
    ],
  );
  const untracked = { ...live, data: { a: '9' } };
  assert.equal(updateManagedFields(live, untracked, writeOf(configMap, 'b')), undefined);
});

const keys = fc.constantFrom('a', 'b', 'c', 'd');
const data = fc.dictionary(keys, fc.constantFrom('1', '2', '3'));
test('Laws of apply: a repeat changes nothing; the result holds the configuration; what is no more said goes', () => {
  fc.assert(
    fc.property(data, data, data, (one, two, three) => {
      const config = (values: Record<string, string>) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c' },
        data: values,
      });
      let live: Record<string, unknown> | undefined;
      const run = (manager: string, values: Record<string, string>) => {
        const write = { ...writeOf(configMap, manager), force: true };
        const done = applyConfiguration(live, config(values), write);
        live = { ...done.object, metadata: { name: 'c', managedFields: done.managedFields } };
        return done;
      };
      run('x', one);
      run('y', two);
      const last = run('x', three);
      const result = (last.object['data'] ?? {}) as Record<string, string>;
      assert.deepEqual({ ...two, ...three }, { ...result });
      assert.equal(run('x', three).changed, false);
    }),
  );
});

test('Laws of field sets', () => {
  const set: fc.Arbitrary<FieldSet> = fc.letrec<{ node: FieldSet }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      fc.constant<FieldSet>({}),
      fc.dictionary(
        keys.map((key) => `f:${key}`),
        tie('node'),
      ),
    ),
  })).node;
  fc.assert(
    fc.property(set, set, (a, b) => {
      const both: MaybeSet = union(a, b);
      assert.ok(equalSets(both, union(b, a)));
      assert.ok(equalSets(union(difference(a, b), intersection(a, b)), a));
      assert.equal(intersection(difference(a, b), b), undefined);
    }),
  );
});

test('A configuration that does not fit the schema is refused with the text of the reference', () => {
  const write = { ...writeOf(deployment, 'a'), force: false };
  const config = { ...deploymentOf('nginx', 1), foo: 1 };
  assert.throws(() => applyConfiguration(undefined, config, write), {
    code: 500,
    message:
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .foo: field not declared in schema',
  });
  const doubled = deploymentOf('nginx', 1);
  doubled.spec.template.spec.containers.push({ name: 'c', image: 'x', ports: [] });
  assert.throws(
    () => applyConfiguration(undefined, doubled, write),
    /: \.spec\.template\.spec\.containers: duplicate entries for key \[name="c"\]$/,
  );
});

test('kubectl takes over what it applied from the client side, annotation included', () => {
  const key = 'kubectl.kubernetes.io/last-applied-configuration';
  const config = deploymentOf('nginx:1', 1);
  const first = codec.canonical(deployment, {
    ...config,
    metadata: { ...config.metadata, annotations: { [key]: `${JSON.stringify(config)}\n` } },
  }).value;
  const write = writeOf(deployment, 'kubectl-client-side-apply');
  const managedFields = updateManagedFields(undefined, first, write);
  const metadata = { ...(first['metadata'] as object), managedFields };
  const live = { ...first, metadata };
  const next = deploymentOf('nginx:2', 3);
  const done = applyConfiguration(live, next, { ...writeOf(deployment, 'kubectl'), force: false });
  assert.equal(done.changed, true);
  const { annotations } = done.object['metadata'] as { annotations: Record<string, string> };
  const text = annotations[key] ?? '';
  assert.deepEqual(JSON.parse(text), next);
  assert.match(text, /^\{"apiVersion":"apps\/v1","kind":"Deployment","metadata":\{"labels"[^]*\n$/);
  const owner = done.managedFields.find((one) => one.manager === 'kubectl');
  assert.equal(owner?.operation, 'Apply');
  assert.doesNotMatch(JSON.stringify(owner), /last-applied/, 'the annotation is not its field');
});
