import { testChanges, testRules } from '../fixture.test.ts';
import type { Json } from '../fixture.test.ts';
import { customResourceDefinitions } from './custom-resource-definition.ts';

const version = {
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: 'object' } },
};
const names = { plural: 'things', kind: 'Thing' };
const crd = (spec: Json, name = 'things.a.b'): Json => ({
  metadata: { name },
  spec: { group: 'a.b', scope: 'Namespaced', names, versions: [version], ...spec },
});
testRules(customResourceDefinitions, [
  [crd({})],
  [
    crd({}, 'x.a.b'),
    'metadata.name: Invalid value: "x.a.b": must be spec.names.plural+"."+spec.group',
  ],
  [
    crd({ group: 'a' }, 'things.a'),
    'spec.group: Invalid value: "a": should be a domain with at least one dot',
  ],
  [
    crd({ scope: 'x' }),
    'spec.scope: Unsupported value: "x": supported values: "Cluster", "Namespaced"',
  ],
  [
    crd({ versions: [{ ...version, schema: undefined }] }),
    'spec.versions[0].schema.openAPIV3Schema: Required value',
  ],
  [
    crd({ versions: [version, { ...version, name: 'v2' }] }),
    'spec.versions: Invalid value: ["v1","v2"]: must have exactly one version marked as storage version',
  ],
  [
    crd({ names: { ...names, listKind: 'Thing' } }),
    'spec.names.listKind: Invalid value: "Thing": kind and listKind may not be the same',
  ],
]);
testChanges(customResourceDefinitions, [
  [{ from: crd({}), to: crd({ versions: [version, { ...version, name: 'v2', storage: false }] }) }],
]);
