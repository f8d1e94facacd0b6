import assert from 'node:assert/strict';
import test from 'node:test';
import { kindFacts, typeTables } from '#kube/kinds';
import { createCodec } from '#wire';
import type { KindDeclaration } from './kind.ts';
import { createScheme, groupKind, groupResource } from './scheme.ts';

function declared(group: string, version: string, kind: string): KindDeclaration {
  const fact = kindFacts.find(
    (one) => one.group === group && one.version === version && one.kind === kind,
  );
  assert.ok(fact);
  return {
    group,
    version,
    kind,
    plural: fact.plural ?? '',
    singular: fact.singular ?? '',
    namespaced: fact.namespaced === true,
    listKind: fact.listKind ?? '',
    shortNames: [],
    categories: [],
    verbs: [],
    subresources: fact.subresources ?? [],
    type: fact.type,
    listType: fact.listType ?? '',
    storagePrefix: fact.plural ?? '',
  };
}

test('A scheme finds kinds by URL, by object and by list, versions in the order of preference', () => {
  const kinds = [
    declared('apps', 'v1', 'Deployment'),
    declared('autoscaling', 'v1', 'HorizontalPodAutoscaler'),
    declared('autoscaling', 'v2', 'HorizontalPodAutoscaler'),
    declared('', 'v1', 'Pod'),
  ];
  const scheme = createScheme({
    kinds,
    codec: createCodec(typeTables),
    tables: typeTables,
    groupOrder: [
      { group: 'autoscaling', preferred: 'v2', versions: ['v2', 'v1'] },
      { group: 'apps', preferred: 'v1', versions: ['v1'] },
    ],
  });
  assert.deepEqual(
    scheme.groups.map((one) => one.group),
    ['', 'autoscaling', 'apps'],
  );
  assert.equal(scheme.byPlural('', 'v1', 'pods')?.kind, 'Pod');
  assert.equal(scheme.byKind('apps/v1', 'Deployment')?.plural, 'deployments');
  assert.equal(scheme.byListKind('v1', 'PodList')?.kind, 'Pod');
  assert.equal(scheme.preferred('autoscaling', 'horizontalpodautoscalers')?.version, 'v2');
  assert.equal(scheme.typeOf('policy/v1', 'Eviction'), 'k8s.io.api.policy.v1.Eviction');
  assert.equal(
    scheme.typeOf('apps/v1', 'DeleteOptions'),
    'k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  );
  assert.equal(scheme.typeOf('apps/v1', 'toString'), undefined);
  assert.equal(groupResource({ group: 'apps', plural: 'deployments' }), 'deployments.apps');
  assert.equal(groupKind({ group: '', kind: 'Pod' }), 'Pod');
});
