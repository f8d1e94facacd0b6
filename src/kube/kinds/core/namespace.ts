import { dns1123Label, nameCheck, qualifiedName } from '#machinery';
import type { Draft, Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { checkCoreMeta, standardFinalizers } from '../shared/meta.ts';
import type { Namespace } from '../types/core-v1.ts';

const nameLabel = 'kubernetes.io/metadata.name';

export const namespaces = declareKind<Namespace>('v1/Namespace', {
  nameProblems: nameCheck(dns1123Label),
  defaults: (namespace) => {
    labelWithName(namespace);
    namespace.status.phase ||= 'Active';
  },
  prepareForCreate: (namespace) => {
    // A generated name exists only now.
    labelWithName(namespace);
    namespace.status = { phase: 'Active' };
    const finalizers = namespace.spec.finalizers ?? [];
    if (!finalizers.includes('kubernetes'))
      namespace.spec.finalizers = [...finalizers, 'kubernetes'];
  },
  prepareForUpdate: (namespace, old, { subresource }) => {
    labelWithName(namespace);
    if (subresource === 'finalize') return;
    // Only the finalize subresource changes these.
    if (old.spec.finalizers === undefined) delete namespace.spec.finalizers;
    else namespace.spec.finalizers = [...old.spec.finalizers];
  },
  prepareForDelete: (namespace) => {
    namespace.status.phase = 'Terminating';
  },
  validateCreate: validate,
  validateUpdate: validate,
  validateStatusUpdate: (namespace) => {
    const root = rootField();
    const { phase } = namespace.status;
    // The reference spells this path with a capital.
    if (namespace.metadata.deletionTimestamp === undefined) {
      if (phase !== 'Active')
        root
          .at('status.Phase')
          .invalid(phase ?? '', "may only be 'Active' if `deletionTimestamp` is empty");
    } else if (phase !== 'Terminating')
      root
        .at('status.Phase')
        .invalid(phase ?? '', "may only be 'Terminating' if `deletionTimestamp` is not empty");
    return root.found;
  },
  selectableFields: { 'status.phase': ({ status }) => status.phase ?? '' },
  table: {
    columns: [nameColumn, column('Status', ({ status }) => status.phase ?? ''), ageColumn],
  },
});

function labelWithName(namespace: Draft<Namespace>): void {
  const { name } = namespace.metadata;
  if (!name || namespace.metadata.labels?.[nameLabel] === name) return;
  namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: name };
}

function validate(namespace: Namespace): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(namespace.metadata, root);
  const field = root.at('spec.finalizers');
  for (const name of namespace.spec.finalizers ?? []) checkFinalizer(name, field);
  return root.found;
}

/** Problems of what `PUT namespaces/x/finalize` brings. */
export function finalizeProblems(namespace: Namespace): readonly Problem[] {
  const root = rootField();
  for (const [index, name] of (namespace.spec.finalizers ?? []).entries())
    checkFinalizer(name, root.at('spec.finalizers').at(index));
  return root.found;
}

function checkFinalizer(name: string, field: ReturnType<typeof rootField>): void {
  const problems = qualifiedName(name);
  field.invalidAll(name, problems);
  if (problems.length === 0 && !name.includes('/') && !standardFinalizers.has(name))
    field.invalid(name, 'name is neither a standard finalizer name nor is it fully qualified');
}
