import type { MarathonJson } from '#mesos/kinds';
import type { App, Plan, Pod, Root } from '../model/index.ts';
import { runSpecOf } from '../model/index.ts';
import type { Versions } from './versions.ts';

/**
 * A plan as it is stored: definitions before and after by their versions, which are stored anyway. One
 * deployment may change thousands of apps, and an object must stay small.
 */
interface StoredPlan extends Omit<Plan, 'changes'> {
  readonly changes: readonly {
    readonly id: string;
    readonly kind: 'app' | 'pod';
    readonly before?: string;
    readonly after?: string;
  }[];
}

export function packPlan(plan: Plan): MarathonJson {
  const stored: StoredPlan = {
    ...plan,
    changes: plan.changes.map(({ id, kind, before, after }) => ({
      id,
      kind,
      ...(before !== undefined && { before: before.version ?? '' }),
      ...(after !== undefined && { after: after.version ?? '' }),
    })),
  };
  return stored as unknown as MarathonJson;
}

/** A version that is kept no more is taken as none: what it would be undone to is not known. */
export async function unpackPlan(
  json: MarathonJson,
  { root, versions }: { readonly root: Root; readonly versions: Versions },
): Promise<Plan> {
  const stored = json as unknown as StoredPlan;
  const definition = async (
    of: 'app' | 'pod',
    id: string,
    version: string | undefined,
  ): Promise<App | Pod | undefined> => {
    if (version === undefined) return undefined;
    const now = runSpecOf(root, id);
    if (now?.spec.version === version) return now.spec;
    const found = await versions.get({ of, id, version });
    return found as App | Pod | undefined;
  };
  const changes = [];
  for (const { id, kind, before, after } of stored.changes)
    changes.push({
      id,
      kind,
      before: await definition(kind, id, before),
      after: await definition(kind, id, after),
    });
  return { ...stored, changes };
}
