import { limits } from '#base';
import type { KindDeclaration, Problem } from '#machinery';
import { expired, invalid } from '#machinery';
import { type Change, CompactedError } from '#store';
import type { CacheEvent } from '../cache/history.ts';
import { Batch, type TopicEvent, seenBy } from '../cache/topics.ts';
import type { Core } from '../core.ts';
import { parseVersion, reached } from './list.ts';
import { type KindSelection, type Wanted, selectionOf } from './selection.ts';

export interface WatchRequest extends Wanted {
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly allowBookmarks: boolean;
}
/** What a watcher is sent, in order. */
export type WatchItem =
  | { readonly batch: Batch }
  | { readonly bookmark: number; readonly initialEnd: boolean };

export interface WatchStart {
  /** What is sent before anything live: in slices, so that nobody waits for a long list. */
  readonly first: Iterable<WatchItem>;
  /**
   * From now on; may be called before `first` is through. Call once. False: so much happened while
   * `first` was read that it was not kept, and the watch is over.
   */
  follow(listener: (batch: Batch) => void): boolean;
  readonly stop: () => void;
}

const sliceEvents = 500;

/**
 * Opens a watch: everything after the version asked for, without gap or double. Rejects with 410
 * when that is no longer kept.
 */
export async function openWatch(
  core: Core,
  kind: KindDeclaration,
  request: WatchRequest,
): Promise<WatchStart> {
  checkWatchOptions(request);
  const selection = selectionOf(kind, request);
  const asked = parseVersion(request.resourceVersion);
  const fresh = asked === undefined || asked === 0;
  // WatchList: without a version the server itself sends the current state first.
  const initial = request.sendInitialEvents ?? fresh;
  const endMark = request.sendInitialEvents === true && request.allowBookmarks;
  if (asked !== undefined) await reached(core, asked);
  if (initial) return startWithState(core, kind, { selection, endMark });
  return await startAfter(core, kind, { selection, revision: fresh ? core.cache.revision : asked });
}

/** Live batches are kept until somebody follows. */
function subscribe(core: Core, kind: KindDeclaration, selection: KindSelection) {
  const early: Batch[] = [];
  let bytes = 0;
  let deliver = (batch: Batch): void => {
    for (const { object } of batch.events) bytes += object.bytes.length;
    early.push(batch);
    if (bytes <= backlogBytesMax) return;
    early.length = 0;
    subscription[Symbol.dispose]();
  };
  const subscription = core.cache.of(kind).watch(selection, (batch) => deliver(batch));
  return {
    follow: (listener: (batch: Batch) => void) => {
      for (const batch of early) listener(batch);
      early.length = 0;
      deliver = listener;
      return bytes <= backlogBytesMax;
    },
    stop: () => subscription[Symbol.dispose](),
  };
}

function startWithState(
  core: Core,
  kind: KindDeclaration,
  { selection, endMark }: { selection: KindSelection; endMark: boolean },
): WatchStart {
  const { revision } = core.cache;
  const objects = [...core.cache.of(kind).select(selection)];
  const events = objects.map(
    (object): TopicEvent => ({ type: 'ADDED', object, revision: object.revision }),
  );
  const live = subscribe(core, kind, selection);
  return { ...live, first: firstItems(events, endMark ? revision : undefined) };
}

function* firstItems(
  events: readonly TopicEvent[],
  endRevision: number | undefined,
): Generator<WatchItem> {
  for (let from = 0; from < events.length; from += sliceEvents)
    yield { batch: new Batch(events.slice(from, from + sliceEvents)) };
  if (endRevision !== undefined) yield { bookmark: endRevision, initialEnd: true };
}

async function startAfter(
  core: Core,
  kind: KindDeclaration,
  { selection, revision }: { selection: KindSelection; revision: number },
): Promise<WatchStart> {
  const resource = core.cache.of(kind);
  const live = subscribe(core, kind, selection);
  try {
    const past =
      resource.lastChange <= revision
        ? []
        : resource.history.covers(revision)
          ? resource.history.after(revision)
          : await pastFromStore(core, kind, revision);
    const seen = past
      .map((event) => seenBy(selection, event, core.cache.pool))
      .filter((event) => event !== undefined);
    return { ...live, first: firstItems(seen, undefined) };
  } catch (error) {
    live.stop();
    throw error;
  }
}

/** Changes after `revision` up to what the cache has now, from the store's history. */
async function pastFromStore(
  core: Core,
  kind: KindDeclaration,
  revision: number,
): Promise<readonly CacheEvent[]> {
  const resource = core.cache.of(kind);
  const until = resource.lastChange;
  const changes: Change[] = [];
  let finish = (): void => {};
  const complete = new Promise<void>((resolve) => {
    finish = resolve;
  });
  try {
    using _subscription = await core.store.subscribe(resource.prefix, revision, (group) => {
      for (const change of group) if (change.revision <= until) changes.push(change);
      if ((group.at(-1)?.revision ?? 0) >= until) finish();
    });
    await complete;
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    throw expired(`too old resource version: ${revision} (${error.compactedRevision})`);
  }
  return changes.map((change) => resource.pastEvent(change)).filter((event) => event !== undefined);
}

function checkWatchOptions(request: WatchRequest): void {
  const { resourceVersionMatch: match = '', sendInitialEvents } = request;
  const problems: Problem[] = [];
  const forbid = (path: string, detail: string): void => {
    problems.push({ type: 'FieldValueForbidden', path, detail });
  };
  if (sendInitialEvents !== undefined && match === '')
    forbid(
      'resourceVersionMatch',
      'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  if (sendInitialEvents === undefined && match !== '')
    forbid(
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    );
  else if (match !== '' && match !== 'NotOlderThan')
    problems.push({
      type: 'FieldValueNotSupported',
      path: 'resourceVersionMatch',
      value: match,
      detail: '',
      supported: ['NotOlderThan'],
    });
  if (problems.length > 0)
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', problems);
}

/** A client that reads slower than this much behind is cut off; it comes back from its last version. */
export const backlogBytesMax = limits.watchBacklogBytesMax;
