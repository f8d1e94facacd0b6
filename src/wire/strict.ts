import type { Field } from './fields.ts';
import type { DocumentNode } from './json.ts';
import type { StructCodec } from './structs.ts';
import type { ValueCodec } from './values.ts';

/** Go's decoder stops collecting here. */
const problemsMax = 100;

/**
 * What strict field validation says of a document, in its order: keys that no struct declares and
 * keys that come twice (sigs.k8s.io/json). Values of free form are not looked into.
 */
export function strictProblems(struct: StructCodec, node: DocumentNode): readonly string[] {
  const problems: string[] = [];
  walkStruct({ struct, problems }, node, '');
  return problems;
}

interface Walk {
  readonly struct: StructCodec;
  readonly problems: string[];
}

function report(problems: string[], text: string): void {
  if (problems.length < problemsMax) problems.push(text);
}
function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function walkStruct(walk: Walk, node: DocumentNode, path: string): void {
  if (node === undefined || !('entries' in node)) return;
  const seen = new Set<string>();
  for (const [key, child] of node.entries) {
    const field = walk.struct.byKey.get(key);
    const meta = walk.struct.typeMeta && (key === 'kind' || key === 'apiVersion');
    if (field === undefined && !meta) {
      report(walk.problems, `unknown field "${join(path, key)}"`);
      continue;
    }
    if (seen.has(key)) report(walk.problems, `duplicate field "${join(path, key)}"`);
    seen.add(key);
    if (field !== undefined)
      walkField(walk.problems, field, { node: child, path: join(path, key) });
  }
}

interface Place {
  readonly node: DocumentNode;
  readonly path: string;
}

function walkField(problems: string[], field: Field, { node, path }: Place): void {
  if (node === undefined) return;
  if (field.shape === 'single') walkValue(problems, field.codec, { node, path });
  else if (field.shape === 'list') {
    if (!('items' in node)) return;
    for (const [index, item] of node.items.entries())
      walkValue(problems, field.codec, { node: item, path: `${path}[${index}]` });
  } else if ('entries' in node) {
    const seen = new Set<string>();
    for (const [key, child] of node.entries) {
      if (seen.has(key)) report(problems, `duplicate field "${path}.${key}"`);
      seen.add(key);
      walkValue(problems, field.codec, { node: child, path: `${path}.${key}` });
    }
  }
}

function walkValue(problems: string[], codec: ValueCodec, { node, path }: Place): void {
  const struct = codec.structOf?.();
  if (struct === undefined || node === undefined) return;
  if ('items' in node) {
    // JSONSchemaPropsOrArray: a list of schemas.
    for (const [index, item] of node.items.entries())
      walkStruct({ struct, problems }, item, `${path}[${index}]`);
  } else walkStruct({ struct, problems }, node, path);
}
