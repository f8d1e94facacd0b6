import type { Draft, KubeObject } from '#machinery';
import { notFound } from '#machinery';
import { type Call, type Core, draftOf, keyOf, viewOf } from './core.ts';
import { kindOf, typed } from './reader.ts';
import type { UserInfo } from './seams.ts';
import type { ObjectUpdate, UpdateResult } from './server-types.ts';
import { type PendingWrite, commitWrites, encodeDraft, isSame } from './verbs/commit.ts';
import type { StoredObject } from './cache/stored-object.ts';
import { endsDeletion } from './verbs/update.ts';

const roundsMax = 20;
const system: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] };

interface Pending<T extends KubeObject> {
  readonly at: number;
  readonly call: Call;
  readonly current: StoredObject;
  readonly write: PendingWrite;
  /** The change took the last finalizer of an object that is being deleted. */
  readonly ends: boolean;
  readonly update: ObjectUpdate<T>;
}

/** Many objects in one commit; those that somebody else changed meanwhile are done again. */
export async function updateMany<T extends KubeObject>(
  core: Core,
  updates: readonly ObjectUpdate<T>[],
): Promise<readonly UpdateResult<T>[]> {
  const results: UpdateResult<T>[] = Array.from({ length: updates.length });
  let open = updates.map((update, at) => ({ update, at }));
  for (let round = 0; open.length > 0; round++) {
    const pending: Pending<T>[] = [];
    for (const { update, at } of open) {
      const prepared = prepare(core, update, at);
      if ('ok' in prepared) results[at] = prepared;
      else pending.push(prepared);
    }
    let refused: readonly Pending<T>[];
    try {
      refused = await commitAll(core, pending, results);
    } catch (error) {
      // A store that takes no writes: each is told so, nobody has to expect a throw.
      for (const { at } of pending) results[at] ??= { ok: false, error };
      break;
    }
    open = refused.map(({ update, at }) => ({ update, at }));
    if (round < roundsMax) continue;
    const error = new Error('Cannot update objects: others kept changing them');
    for (const { at } of open) results[at] = { ok: false, error };
    break;
  }
  return results;
}

function prepare<T extends KubeObject>(
  core: Core,
  update: ObjectUpdate<T>,
  at: number,
): Pending<T> | UpdateResult<T> {
  const kind = kindOf(core.scheme, update.resource);
  const { name, namespace = '' } = update;
  const key = keyOf(kind, name, namespace);
  const current = core.cache.of(kind).get(key);
  if (current === undefined) return { ok: false, error: notFound(kind, name) };
  const call: Call = {
    kind,
    user: system,
    namespace,
    name,
    subresource: '',
    dryRun: false,
    fieldManager: 'tandem',
    options: {},
    warn() {},
  };
  try {
    const draft = draftOf(viewOf(kind, current));
    update.change(draft as unknown as Draft<T>);
    const write = encodeDraft(core, call, key, draft as Draft<KubeObject>);
    if (isSame(write, current)) return { ok: true, object: typed<T>(viewOf(kind, current)) };
    return { at, call, current, write, update, ends: endsDeletion(write.draft) };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Commits all in one group; without those that lost, again. Gives back the ones to be redone. */
async function commitAll<T extends KubeObject>(
  core: Core,
  pending: readonly Pending<T>[],
  results: UpdateResult<T>[],
): Promise<readonly Pending<T>[]> {
  const refused: Pending<T>[] = [];
  let rest = [...pending];
  while (rest.length > 0) {
    for (const { write } of rest) core.cache.remember(write.value, write.draft);
    const result = await commitWrites(
      core,
      rest.map(({ write, call, current, ends }) => ({
        key: write.key,
        value: ends ? undefined : write.value,
        expected: current.revision,
        ttlMs: call.kind.ttlMs,
      })),
    );
    if (result.ok) {
      for (const [index, { at, call, current, write, ends }] of rest.entries()) {
        if (ends) {
          write.draft.metadata.resourceVersion = String(current.revision);
          results[at] = { ok: true, object: typed<T>(write.draft as KubeObject) };
          continue;
        }
        const revision = result.revisions[index] ?? 0;
        const resource = core.cache.of(call.kind);
        const now = resource.get(write.key);
        const stored =
          now?.revision === revision
            ? now
            : resource.stored({ key: write.key, revision, value: write.value });
        results[at] = { ok: true, object: typed<T>(viewOf(call.kind, stored)) };
      }
      break;
    }
    const loser = rest[result.index];
    if (loser !== undefined) refused.push(loser);
    if (result.current !== undefined) await core.cache.waitFor(result.current.revision, 5000);
    rest = rest.filter((_one, index) => index !== result.index);
  }
  return refused;
}
