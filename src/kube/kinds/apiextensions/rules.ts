import { dns1035Label, dns1123Subdomain } from '#machinery';
import type { Problem } from '#machinery';
import { isConditionTrue } from '../shared/conditions.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from '../types/apiextensions-v1.ts';

type Crd = CustomResourceDefinition;

/** Name, group, scope, names and versions of a definition; schemas are judged where they are used. */
export function validateDefinition(definition: Crd): readonly Problem[] {
  const { metadata, spec, status } = definition;
  const root = rootField();
  const field = root.at('spec');
  if (metadata.name !== `${spec.names.plural}.${spec.group}`)
    root.at('metadata.name').invalid(metadata.name, 'must be spec.names.plural+"."+spec.group');
  checkVersions(definition, field);
  const at = field.at('group');
  if (spec.group === '') at.required();
  else if (dns1123Subdomain(spec.group).length > 0)
    at.invalid(spec.group, dns1123Subdomain(spec.group).join(','));
  else if (!spec.group.includes('.'))
    at.invalid(spec.group, 'should be a domain with at least one dot');
  field.at('scope').oneOf(spec.scope, ['Cluster', 'Namespaced']);
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const)
    if (!spec.names[name]) field.at('names').at(name).required();
  checkNames(spec.names, field.at('names'));
  const { strategy } = spec.conversion ?? { strategy: '' };
  field.at('conversion.strategy').oneOf(strategy, ['None', 'Webhook']);
  checkStored(definition, root.at('status.storedVersions'));
  if (status.acceptedNames !== undefined)
    checkNames(status.acceptedNames, root.at('status.acceptedNames'));
  return root.found;
}

function checkVersions({ spec }: Crd, field: Field): void {
  const versions = spec.versions ?? [];
  const at = field.at('versions');
  for (const [index, { name, schema }] of versions.entries()) {
    if (schema?.openAPIV3Schema === undefined) at.at(index).at('schema.openAPIV3Schema').required();
    if (dns1035Label(name).length > 0)
      at.at(index).at('name').invalid(name, dns1035Label(name).join(','));
  }
  const names = versions.map(({ name }) => name);
  if (new Set(names).size !== names.length) at.invalid(names, 'must contain unique version names');
  if (versions.filter(({ storage }) => storage).length !== 1)
    at.invalid(names, 'must have exactly one version marked as storage version');
}

function checkNames(names: CustomResourceDefinitionNames, field: Field): void {
  const check = (value: string | undefined, at: Field): void => {
    const problems = value ? dns1035Label(value) : [];
    if (problems.length > 0) at.invalid(value, problems.join(','));
  };
  check(names.plural, field.at('plural'));
  check(names.singular, field.at('singular'));
  for (const list of ['shortNames', 'categories'] as const)
    for (const [index, value] of (names[list] ?? []).entries())
      check(value, field.at(list).at(index));
  for (const name of ['kind', 'listKind'] as const) {
    const problems = names[name] ? dns1035Label((names[name] ?? '').toLowerCase()) : [];
    if (problems.length > 0)
      field
        .at(name)
        .invalid(
          names[name],
          `may have mixed case, but should otherwise match: ${problems.join(',')}`,
        );
  }
  if (names.listKind && names.listKind === names.kind)
    field.at('listKind').invalid(names.listKind, 'kind and listKind may not be the same');
}

function checkStored({ spec, status }: Crd, field: Field): void {
  const stored = status.storedVersions ?? [];
  if (stored.length === 0) field.invalid(stored, 'must have at least one stored version');
  const storage = (spec.versions ?? []).find((version) => version.storage)?.name;
  if (storage !== undefined && !stored.includes(storage))
    field.invalid(stored, `must have the storage version ${storage}`);
  for (const [index, name] of stored.entries())
    if (!(spec.versions ?? []).some((version) => version.name === name))
      field
        .at(index)
        .invalid(
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
        );
}

/** What stays as it is once objects may be stored under it. */
export function validateDefinitionUpdate(definition: Crd, old: Crd): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  const { spec } = definition;
  if (isConditionTrue(old.status.conditions, 'Established')) {
    if (spec.scope !== old.spec.scope) field.at('scope').immutable(spec.scope);
    if (spec.names.kind !== old.spec.names.kind) field.at('names.kind').immutable(spec.names.kind);
  }
  if (spec.group !== old.spec.group) field.at('group').immutable(spec.group);
  if (spec.names.plural !== old.spec.names.plural)
    field.at('names.plural').immutable(spec.names.plural);
  return [...validateDefinition(definition), ...root.found];
}
