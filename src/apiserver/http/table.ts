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
  const { kind, accepted, includeObject } = view;
  const columns = kind.table?.columns ?? genericColumns;
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${accepted.metaVersion}`,
    metadata: context.meta,
    columnDefinitions:
      context.withColumns === false
        ? null
        : columns.map(({ name, type, format, description, priority }) => ({
            name,
            type,
            format: format ?? '',
            description: description ?? '',
            priority: priority ?? 0,
          })),
    rows: objects.map((object) =>
      rowOf(kind, object, { ...context, columns, accepted, includeObject }),
    ),
  };
}

function rowOf(
  kind: KindDeclaration,
  object: KubeObject,
  context: TableContext &
    Pick<View, 'accepted' | 'includeObject'> & {
      readonly columns: readonly ColumnDeclaration<KubeObject>[];
    },
): object {
  const conditions = kind.table?.rowConditions?.(object) ?? [];
  const shown =
    context.includeObject === 'None'
      ? null
      : context.includeObject === 'Object'
        ? object
        : partialOf(object, context.accepted);
  return {
    cells: context.columns.map((column) => column.cell(object, context.nowMs)),
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
