import type { FakeApi } from '#client';
import { StatusError } from '#machinery';
import type { KubeObject, Patch, ResourceName, Target } from '#machinery';

type Fields = Readonly<Record<string, unknown>>;
/** Lists that a strategic patch merges by a key; all others are replaced. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  podIPs: 'ip',
  hostIPs: 'ip',
  addresses: 'type',
};

/** What happens just before a patch reaches the server. */
export interface PatchHooks {
  before?: (body: unknown) => Promise<void>;
}

/** The fake API with as much of strategic merge patches as the kubelet uses. */
export function withStrategicPatches(api: FakeApi, hooks: PatchHooks = {}): FakeApi {
  const patch = async <T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    body: Patch,
  ): Promise<T> => {
    if (body.type !== 'strategic') return await api.patch(resource, target, body);
    await hooks.before?.(body.body);
    const current = await api.get(resource, { name: target.name, namespace: target.namespace });
    const { metadata, ...rest } = fields(body.body);
    const uid = fields(metadata)['uid'];
    if (uid !== undefined && uid !== current.metadata.uid)
      throw new StatusError(
        'Conflict',
        `the UID in the precondition (${String(uid)}) does not match`,
      );
    const version = fields(metadata)['resourceVersion'];
    const change = merged(fields(current), rest);
    return await api.patch(resource, target, {
      type: 'merge',
      // Somebody may have been faster since the look above.
      body: version === undefined ? change : { ...change, metadata: { resourceVersion: version } },
    });
  };
  return new Proxy(api, {
    get: (on, name) => {
      if (name === 'patch') return patch;
      const value: unknown = Reflect.get(on, name, on);
      return typeof value === 'function' ? value.bind(on) : value;
    },
  });
}

/** The merge patch that does what the strategic one means. */
function merged(current: Fields, patch: Fields): Fields {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(patch)) {
    const mergeKey = mergeKeys[key];
    if (Array.isArray(value) && mergeKey !== undefined)
      result[key] = mergeLists(list(current[key]), list(value), mergeKey);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      result[key] = merged(fields(current[key]), fields(value));
    else result[key] = value;
  }
  return result;
}

function mergeLists(current: readonly Fields[], patch: readonly Fields[], key: string): Fields[] {
  const result = new Map(current.map((item) => [item[key], item]));
  for (const item of patch) {
    if (item['$patch'] === 'delete') result.delete(item[key]);
    else {
      const whole = { ...result.get(item[key]), ...item };
      const kept = Object.entries(whole).filter(([, value]) => value !== null);
      result.set(item[key], Object.fromEntries(kept));
    }
  }
  return [...result.values()];
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
