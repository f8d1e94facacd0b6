import type { ColumnDeclaration, KindDeclaration, KubeObject } from '#machinery';
import type { ListMeta, View } from './encode.ts';
import { partialOf } from './encode.ts';

interface TableContext {
  readonly nowMs: number;
  readonly meta: ListMeta;
  readonly withColumns?: boolean;
}

/** meta.k8s.io Table: what `kubectl get` prints. */
export function tableOf(view: View, objects: readonly KubeObject[], context: TableContext): object {
  const { kind, accepted } = view;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${accepted.metaVersion}`,
    metadata: context.meta,
    columnDefinitions: context.withColumns === false ? null : columnDefinitionsOf(kind),
    rows: objects.map((object) => rowOf(view, object, context.nowMs)),
  };
}

export function columnDefinitionsOf(kind: KindDeclaration): readonly object[] {
  return (kind.table?.columns ?? genericColumns).map(
    ({ name, type, format, description, priority }) => ({
      name,
      type,
      format: format ?? '',
      description: description ?? '',
      priority: priority ?? 0,
    }),
  );
}

export function rowOf(view: View, object: KubeObject, nowMs: number): object {
  const { kind, includeObject } = view;
  const conditions = kind.table?.rowConditions?.(object) ?? [];
  const shown =
    includeObject === 'None'
      ? null
      : includeObject === 'Object'
        ? object
        : partialOf(object, view.accepted);
  return {
    cells: (kind.table?.columns ?? genericColumns).map((column) => column.cell(object, nowMs)),
    ...(conditions.length > 0 ? { conditions } : {}),
    object: shown,
  };
}

// printers of kinds without columns of their own (registry/rest/table.go).
const genericColumns: readonly ColumnDeclaration<KubeObject>[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name must be unique within a namespace.',
    cell: ({ metadata }) => metadata.name,
  },
  {
    name: 'Created At',
    type: 'date',
    description: 'When the object was created.',
    cell: ({ metadata }) => metadata.creationTimestamp,
  },
];
