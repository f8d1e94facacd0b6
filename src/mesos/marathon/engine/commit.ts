import type { Draft, KubeObject, SystemWrite, SystemWriter } from '#machinery';
import { creation, deletion } from '#machinery';
import type { Commit, CommitOp } from './options.ts';

/** Commits of whole objects by the system's own door. */
export function createCommit(writer: SystemWriter): Commit {
  return async (ops) => {
    const seen = new Set<string>();
    const writes: SystemWrite[] = [];
    const places: number[] = [];
    for (const [at, op] of ops.entries()) {
      const key = keyOf(op);
      // The door takes an object once: of two deletes of one version either will do.
      if (op.op === 'delete' && seen.has(key)) continue;
      seen.add(key);
      writes.push(writeOf(op));
      places.push(at);
    }
    const [result] = await writer.writeMany([writes]);
    if (result === undefined) throw new Error('Cannot write objects: no result');
    if (!result.ok) throw result.error;
    const objects: (KubeObject | undefined)[] = Array.from({ length: ops.length });
    for (const [index, at] of places.entries()) objects[at] = result.objects[index];
    return objects;
  };
}

function keyOf(op: CommitOp): string {
  const name = op.op === 'delete' ? op.target.name : (op.object.metadata.name ?? '');
  return op.op === 'create' ? `${op.object.kind}/${name}` : `${op.resource.kind}/${name}`;
}

function writeOf(op: CommitOp): SystemWrite {
  if (op.op === 'create') return creation(op.object);
  if (op.op === 'delete') return deletion(op.resource, op.target);
  const { object, resource } = op;
  const { name = '', namespace, annotations } = object.metadata;
  return {
    resource,
    target: { name, namespace },
    change(draft) {
      const body: Draft<KubeObject> & { spec?: unknown; status?: unknown } = draft;
      if ('spec' in object) body.spec = object.spec;
      if ('status' in object && object.status !== undefined) body.status = object.status;
      if (annotations !== undefined)
        body.metadata.annotations = { ...body.metadata.annotations, ...annotations };
    },
    validated: true,
  };
}
