import type {
  Draft,
  GroupResult,
  KindDeclaration,
  KubeObject,
  NewObject,
  SystemDelete,
  SystemUpdate,
  SystemWrite,
  WriteGroup,
} from '#machinery';
import { StatusError, alreadyExists, invalid, notFound } from '#machinery';
import type { StoredObject } from './cache/stored-object.ts';
import { type Core, draftOf, keyOf, timeText } from './core.ts';
import { kindOf } from './reader.ts';
import { commitWrites, encodeDraft, isSame } from './verbs/commit.ts';
import { checkMeta, checkMetaUpdate } from './verbs/machine.ts';
import { generatedName } from './verbs/metadata.ts';
import { endsDeletion } from './verbs/update.ts';

/** So often a group is made again after others were faster. */
const attemptsMax = 20;
/** Groups that are made ready without letting others have a turn; a few milliseconds of work. */
const groupsPerTurn = 32;

/** A new object as it will be stored, made once: its bytes do not depend on what else is there. */
export interface PreparedCreate {
  readonly prepared: true;
  readonly kind: KindDeclaration;
  readonly key: string;
  readonly draft: Draft<KubeObject>;
  readonly value: Uint8Array;
}
export type PreparedGroup = readonly (SystemWrite | PreparedCreate)[];

/** One write of a group, ready for the store. */
interface Ready {
  readonly kind: KindDeclaration;
  readonly key: string;
  readonly draft: Draft<KubeObject> | undefined;
  /** Undefined: the key goes. */
  readonly value: Uint8Array | undefined;
  /** 0: the key must not exist. */
  readonly expected: number;
}
interface Open {
  readonly at: number;
  readonly group: PreparedGroup;
  readonly attempts: number;
}
/** A group whose writes are ready; `undefined` stands for a write that changes nothing. */
interface ReadyGroup extends Open {
  readonly writes: readonly (Ready | StoredObject | undefined)[];
  /** Those of them that go to the store. */
  readonly ready: readonly Ready[];
}

/** All groups; see `SystemWriter`. */
export async function writeMany(
  core: Core,
  groups: readonly (WriteGroup | PreparedGroup)[],
): Promise<readonly GroupResult[]> {
  const results: (GroupResult | undefined)[] = groups.map(() => undefined);
  let open: readonly Open[] = groups.map((group, at) => ({ group, at, attempts: 0 }));
  while (open.length > 0) {
    const turns: Promise<readonly Open[]>[] = [];
    const again: Open[] = [];
    const taken = new Set<string>();
    for (let from = 0; from < open.length; from += groupsPerTurn) {
      if (from > 0) await core.clock.sleep(0);
      const ready: ReadyGroup[] = [];
      for (const one of open.slice(from, from + groupsPerTurn)) {
        const made = attempt(core, one, results);
        if (made === undefined) continue;
        // Two groups of one object take turns: the second is made from what the first has written.
        if (takeKeys(taken, made)) ready.push(made);
        else again.push({ ...one, group: made.group });
      }
      turns.push(commitGroups(core, ready, results));
    }
    for (const lost of await Promise.all(turns))
      for (const one of lost) again.push({ ...one, attempts: one.attempts + 1 });
    open = again.filter(({ attempts }) => attempts < attemptsMax).toSorted((a, b) => a.at - b.at);
  }
  return results.map((result) => result ?? { ok: false, error: overtaken() });
}

function overtaken(): StatusError {
  return new StatusError('Conflict', 'Cannot write objects: others kept changing them');
}

/** Takes the keys of a group; false when another group has one of them. */
function takeKeys(taken: Set<string>, { writes }: ReadyGroup): boolean {
  const free = !writes.some((write) => write !== undefined && taken.has(write.key));
  for (const write of writes) if (write !== undefined) taken.add(write.key);
  return free;
}

function attempt(
  core: Core,
  one: Open,
  results: (GroupResult | undefined)[],
): ReadyGroup | undefined {
  try {
    // What is new is made once, however often the group has to be tried.
    const group = one.group.map((write) =>
      'create' in write ? prepareCreate(core, write.create) : write,
    );
    const writes = group.map((write) => readyOf(core, write));
    return { ...one, group, writes, ready: writes.filter(isReady) };
  } catch (error) {
    results[one.at] = { ok: false, error: statusOf(error) };
    return undefined;
  }
}

function isReady(write: Ready | StoredObject | undefined): write is Ready {
  return write !== undefined && 'expected' in write;
}

function readyOf(core: Core, write: PreparedGroup[number]): Ready | StoredObject | undefined {
  if ('prepared' in write) return { ...write, expected: 0 };
  if ('create' in write) return { ...prepareCreate(core, write.create), expected: 0 };
  const kind = kindOf(core.scheme, write.resource);
  const { name, namespace = '' } = write.target;
  const key = keyOf(kind, name, namespace);
  const current = core.cache.of(kind).get(key);
  if ('delete' in write) return removal(write, kind, { key, current });
  if (current === undefined) throw notFound(kind, name);
  return change(core, write, { kind, key, current });
}

function removal(
  write: SystemDelete,
  kind: KindDeclaration,
  at: { readonly key: string; readonly current: StoredObject | undefined },
): Ready | undefined {
  const { key, current } = at;
  if (current === undefined) {
    if (write.ifPresent) return undefined;
    throw notFound(kind, write.target.name);
  }
  if (
    (current.object.metadata.finalizers ?? []).length > 0 ||
    kind.gracePeriodSeconds !== undefined
  )
    throw new StatusError(
      'BadRequest',
      `Cannot delete ${kind.plural} "${write.target.name}" at once: it ends in steps of its own`,
    );
  return { kind, key, draft: undefined, value: undefined, expected: current.revision };
}

function change(
  core: Core,
  write: SystemUpdate,
  at: { readonly kind: KindDeclaration; readonly key: string; readonly current: StoredObject },
): Ready | StoredObject {
  const { kind, key, current } = at;
  const old = current.object;
  const draft = draftOf(old);
  write.change(draft);
  kind.defaults?.(draft);
  const encoded = encodeDraft(core, { kind }, key, draft);
  if (isSame(encoded, current)) return current;
  if (write.validated) {
    const object = encoded.draft as KubeObject;
    const problems = [
      ...checkMetaUpdate(kind, withVersion(object, old), old),
      ...(kind.validateUpdate?.(object, old) ?? []),
    ];
    if (problems.length > 0) throw invalid(kind, write.target.name, problems);
  }
  const ends = endsDeletion(encoded.draft);
  const { value } = encoded;
  return {
    kind,
    key,
    draft: encoded.draft,
    value: ends ? undefined : value,
    expected: current.revision,
  };
}

/** What is stored carries no version; metadata rules ask for the one it is made from. */
function withVersion(object: KubeObject, old: KubeObject): KubeObject {
  const { resourceVersion } = old.metadata;
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

/** Defaults, checks and encodes a new object. Throws what is wrong with it. */
export function prepareCreate(core: Core, object: NewObject): PreparedCreate {
  const kind = core.scheme.byKind(object.apiVersion, object.kind);
  if (kind === undefined || kind.storedAs !== undefined)
    throw new StatusError('BadRequest', `no stored kind ${object.apiVersion} ${object.kind}`);
  const { metadata } = object;
  const prefix = metadata.generateName ?? '';
  const name = metadata.name ?? (prefix === '' ? '' : generatedName(prefix, core.random));
  const nowMs = core.clock.nowMs();
  // The uid has its place before labels and owners, so it has to be there from the start.
  const whole = {
    ...object,
    metadata: {
      ...metadata,
      name,
      uid: metadata.uid ?? core.random.uuid(),
      creationTimestamp: timeText(nowMs),
    },
  };
  // A copy but for free JSON inside, which is shared and frozen with what is stored.
  const { value } = core.codec.canonical(kind.type, whole);
  const draft = value as unknown as Draft<KubeObject>;
  const namespace = metadata.namespace ?? '';
  kind.defaults?.(draft);
  kind.prepareForCreate?.(draft, { nowMs, namespace, subresource: '' });
  const checked = draft as KubeObject;
  const problems = [...checkMeta(kind, checked), ...(kind.validateCreate?.(checked) ?? [])];
  if (problems.length > 0) throw invalid(kind, name, problems);
  const key = keyOf(kind, name, namespace);
  const encoded = encodeDraft(core, { kind }, key, draft);
  return { prepared: true, kind, key, draft: encoded.draft, value: encoded.value };
}

/** One commit for all; without the group that lost, again. Gives back the groups to be redone. */
async function commitGroups(
  core: Core,
  ready: readonly ReadyGroup[],
  results: (GroupResult | undefined)[],
): Promise<readonly Open[]> {
  const lost: Open[] = [];
  let rest = ready;
  while (rest.length > 0) {
    const writes = rest.flatMap(({ ready: own }) => own);
    for (const { draft, value } of writes)
      if (draft !== undefined && value !== undefined) core.cache.remember(value, draft);
    try {
      const result =
        writes.length === 0 ? nothingWritten : await commitWrites(core, writes.map(storeWrite));
      if (result.ok) {
        settle(core, rest, { revisions: result.revisions, results });
        break;
      }
      const loser = groupOfWrite(rest, result.index);
      if (result.current !== undefined) await core.cache.waitFor(result.current.revision, 5000);
      const error = refusalOf(core, writes[result.index]);
      if (error === undefined) lost.push(loser);
      else results[loser.at] = { ok: false, error };
      rest = rest.filter((group) => group !== loser);
    } catch (error) {
      for (const { at } of rest) results[at] = { ok: false, error: statusOf(error) };
      break;
    }
  }
  return lost;
}

const nothingWritten = { ok: true, revisions: [] } as const;

function storeWrite({ key, value, expected, kind }: Ready) {
  return { key, value, expected, ttlMs: kind.ttlMs };
}

function groupOfWrite(groups: readonly ReadyGroup[], index: number): ReadyGroup {
  let before = 0;
  for (const group of groups) {
    before += group.ready.length;
    if (index < before) return group;
  }
  throw new Error('Cannot find the group of a write that the store refused');
}

/** A new object that is there already will not go away by waiting. */
function refusalOf(core: Core, write: Ready | undefined): StatusError | undefined {
  if (write === undefined || write.expected !== 0) return undefined;
  const name = write.key.slice(write.key.lastIndexOf('/') + 1);
  const error = alreadyExists(write.kind, name);
  const existing = core.cache.of(write.kind).get(write.key);
  if (existing?.object.metadata.deletionTimestamp === undefined) return error;
  return new StatusError('AlreadyExists', `object is being deleted: ${error.message}`, {
    details: error.details ?? {},
  });
}

function settle(
  core: Core,
  groups: readonly ReadyGroup[],
  done: {
    readonly revisions: readonly number[];
    readonly results: (GroupResult | undefined)[];
  },
): void {
  let next = 0;
  for (const group of groups) {
    const seen = group.writes.map((write): StoredObject | undefined => {
      if (!isReady(write)) return write;
      const revision = done.revisions[next++] ?? 0;
      if (write.value === undefined) return undefined;
      const resource = core.cache.of(write.kind);
      const now = resource.get(write.key);
      if (now?.revision === revision) return now;
      // Somebody wrote again within the same group of commits: ours is already history.
      return resource.stored({ key: write.key, revision, value: write.value });
    });
    done.results[group.at] = {
      ok: true,
      // Decoded and frozen when somebody looks at it.
      get objects() {
        return seen.map((stored) => stored?.object);
      },
    };
  }
}

function statusOf(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new StatusError('InternalError', `Internal error occurred: ${text}`, { cause: error });
}
