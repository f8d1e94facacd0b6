import { badRequest, StatusError, type Patch } from '#machinery';

/** Applies the two patch types that are defined without knowledge of a kind (RFC 7386, RFC 6902). */
export function applyFakePatch(object: unknown, patch: Patch): unknown {
  if (patch.type === 'merge') return mergePatch(object, patch.body);
  if (patch.type === 'json' && Array.isArray(patch.body))
    return patch.body.reduce<unknown>(jsonOperation, structuredClone(object));
  throw new StatusError('UnsupportedMediaType', `the fake API takes no ${patch.type} patches`);
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return structuredClone(patch);
  const result: Record<string, unknown> = isFields(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

interface Operation {
  readonly op?: string;
  readonly path?: string;
  readonly value?: unknown;
}

function jsonOperation(document: unknown, operation: Operation): unknown {
  const path = (operation.path ?? '')
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = path.pop();
  if (last === undefined) throw badRequest('the fake API patches no whole document');
  let parent = document;
  for (const part of path) parent = isParent(parent) ? Reflect.get(parent, part) : undefined;
  if (!isParent(parent)) throw invalidPatch(operation, 'the path does not exist');
  if (operation.op === 'test') {
    if (JSON.stringify(Reflect.get(parent, last)) !== JSON.stringify(operation.value))
      throw invalidPatch(operation, 'test failed');
    return document;
  }
  if (operation.op !== 'add' && !Object.hasOwn(parent, last))
    throw invalidPatch(operation, 'the path does not exist');
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : Number(last);
    if (operation.op === 'remove') parent.splice(at, 1);
    else parent.splice(at, operation.op === 'replace' ? 1 : 0, operation.value);
  } else if (operation.op === 'remove') Reflect.deleteProperty(parent, last);
  else Reflect.set(parent, last, operation.value);
  return document;
}

function invalidPatch(operation: Operation, text: string): StatusError {
  return new StatusError('Invalid', `cannot ${operation.op} "${operation.path}": ${text}`);
}

function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return isParent(value) && !Array.isArray(value);
}
