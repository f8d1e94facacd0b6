import type { Draft } from '#machinery';
import { declareKind } from '../declare.ts';
import type { CustomResourceDefinition } from '../types/apiextensions-v1.ts';
import { validateDefinition, validateDefinitionUpdate } from './rules.ts';

type Crd = CustomResourceDefinition;

export const customResourceDefinitions = declareKind<Crd>(
  'apiextensions.k8s.io/v1/CustomResourceDefinition',
  {
    defaults: (definition) => {
      const { names } = definition.spec;
      names.singular ||= names.kind.toLowerCase();
      if (names.kind) names.listKind ||= `${names.kind}List`;
      definition.spec.conversion ??= { strategy: 'None' };
      const service = definition.spec.conversion.webhook?.clientConfig?.service;
      if (service !== undefined) service.port ??= 443;
      if ((definition.status.storedVersions ?? []).length === 0) rememberVersion(definition);
    },
    prepareForCreate: rememberVersion,
    prepareForUpdate: rememberVersion,
    validateCreate: validateDefinition,
    validateUpdate: validateDefinitionUpdate,
  },
);

/** Whatever version objects may be stored in is remembered until a migration says otherwise. */
function rememberVersion({ spec, status }: Draft<Crd>): void {
  const version = (spec.versions ?? []).find(({ storage }) => storage)?.name;
  const known = status.storedVersions ?? [];
  if (version !== undefined && !known.includes(version))
    status.storedVersions = [...known, version];
}
