import type { KindDeclaration, KubeObject, WatchEvent, WatchOptions } from '#machinery';
import { apiVersionOf } from '#machinery';
import { limits } from '#base';
import type { Batch } from './cache/topics.ts';
import { type Core, viewOf } from './core.ts';
import { typed } from './reader.ts';
import { openWatch } from './verbs/watch.ts';

/** A batch more than this behind and the watch ends: the informer comes back from its last version. */
const backlogBatchesMax = 10_000;

/** The events of a watch as objects, in the groups in which they were committed. */
export async function* watchInProcess<T extends KubeObject>(
  core: Core,
  kind: KindDeclaration,
  options: WatchOptions,
): AsyncGenerator<readonly WatchEvent<T>[]> {
  const { signal } = options;
  if (signal.aborted) return;
  const start = await openWatch(core, kind, {
    namespace: options.namespace ?? '',
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    allowBookmarks: options.allowWatchBookmarks === true,
  });
  const queue: (readonly WatchEvent<T>[])[] = [];
  let wake = (): void => {};
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  const cancels = [() => start.stop(), () => signal.removeEventListener('abort', onAbort)];
  const put = (events: readonly WatchEvent<T>[]): void => {
    queue.push(events);
    wake();
  };
  try {
    for (const item of start.first) if ('batch' in item) yield eventsOf<T>(kind, item.batch);
    start.follow((batch) => put(eventsOf<T>(kind, batch)));
    if (options.allowWatchBookmarks === true)
      cancels.push(bookmarks(core, () => put([bookmarkOf<T>(core, kind)])));
    while (!signal.aborted && queue.length <= backlogBatchesMax) {
      const next = queue.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        // An abort or a batch may have come since the last look.
        if (signal.aborted || queue.length > 0) resolve();
      });
    }
  } finally {
    for (const cancel of cancels) cancel();
  }
}

function eventsOf<T extends KubeObject>(
  kind: KindDeclaration,
  batch: Batch,
): readonly WatchEvent<T>[] {
  return batch.events.map(({ type, object }) => ({ type, object: typed<T>(viewOf(kind, object)) }));
}

function bookmarkOf<T extends KubeObject>(core: Core, kind: KindDeclaration): WatchEvent<T> {
  const bare = {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind.group, kind.version),
    metadata: {
      name: '',
      uid: '',
      creationTimestamp: '',
      resourceVersion: String(core.cache.revision),
    },
  };
  return { type: 'BOOKMARK', object: typed<T>(bare) };
}

function bookmarks(core: Core, send: () => void): () => void {
  let cancel = (): void => {};
  const again = (): void => {
    cancel = core.clock.after(limits.watchBookmarkMs, () => {
      send();
      again();
    });
  };
  again();
  return () => cancel();
}
