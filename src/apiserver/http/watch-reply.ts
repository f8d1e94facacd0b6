import type { FaceReply, Sink } from '#base';
import { limits } from '#base';
import type { KindDeclaration } from '#machinery';
import { StatusError, apiVersionOf, toStatus } from '#machinery';
import type { Batch } from '../cache/topics.ts';
import type { Core } from '../core.ts';
import {
  backlogBytesMax,
  openWatch,
  type WatchItem,
  type WatchRequest,
  type WatchStart,
} from '../verbs/watch.ts';
import { type View, type WatchForm, watchFormOf } from './encode.ts';

export interface WatchLife {
  /** Ends every watch when the server stops. */
  readonly stopping: AbortSignal;
  readonly timeoutSeconds: number | undefined;
}

// k8s --min-request-timeout: a random time in [1800, 3600) seconds.
const shortestSeconds = 1800;

/** GET with watch=true: a stream of events until its time is over, the client leaves or lags. */
export async function watchReply(
  core: Core,
  view: View,
  { request, life }: { readonly request: WatchRequest; readonly life: WatchLife },
): Promise<FaceReply> {
  const form = watchFormOf(core, view);
  const headers = { 'content-type': form.contentType };
  let start: WatchStart;
  try {
    start = await openWatch(core, view.kind, request);
  } catch (error) {
    if (!(error instanceof StatusError) || (error.code !== 410 && error.code !== 504)) throw error;
    // The reference has sent its head by then: what is too old or too new comes as an event.
    const body = form.value('ERROR', toStatus(error));
    return { status: 200, headers, body: async (sink) => void sink.write(body) };
  }
  const watcher = new Watcher(core, form, { kind: view.kind, start, request, life });
  return { status: 200, headers, body: (sink, signal) => watcher.run(sink, signal) };
}

interface Facts {
  readonly kind: KindDeclaration;
  readonly start: WatchStart;
  readonly request: WatchRequest;
  readonly life: WatchLife;
}

class Watcher {
  readonly #core: Core;
  readonly #form: WatchForm;
  readonly #facts: Facts;

  constructor(core: Core, form: WatchForm, facts: Facts) {
    this.#core = core;
    this.#form = form;
    this.#facts = facts;
  }

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    const { start, life, request } = this.#facts;
    const { clock, random } = this.#core;
    const seconds = life.timeoutSeconds ?? shortestSeconds + random.below(shortestSeconds);
    const cancels: (() => void)[] = [() => start.stop()];
    let finish = (): void => {};
    const ended = new Promise<void>((resolve) => {
      finish = resolve;
    });
    for (const one of [signal, life.stopping]) {
      if (one.aborted) finish();
      one.addEventListener('abort', finish, { once: true });
      cancels.push(() => one.removeEventListener('abort', finish));
    }
    cancels.push(clock.after(seconds * 1000, finish));
    try {
      let open = true;
      void ended.then(() => {
        open = false;
      });
      for (const item of start.first) {
        if (!open) return;
        this.#write(sink, item);
        await Promise.race([sink.drained(), ended]);
      }
      if (request.allowBookmarks) this.#bookmarks(sink, { seconds, cancels });
      const kept = start.follow((batch) => {
        sink.write(this.#encoded(batch));
        // Nobody else waits for a slow reader: it is cut off and comes back from its last version.
        if (sink.backlogBytes > backlogBytesMax) finish();
      });
      if (!kept) return;
      await ended;
    } finally {
      for (const cancel of cancels) cancel();
    }
  }

  #encoded(batch: Batch): Uint8Array {
    const form = this.#form;
    if (form.id === '') return form.events(batch.events);
    return batch.encoded(form.id, (events) => form.events(events));
  }

  #write(sink: Sink, item: WatchItem): void {
    if ('batch' in item) sink.write(this.#encoded(item.batch));
    else sink.write(this.#bookmark(item.bookmark, item.initialEnd));
  }

  #bookmarks(sink: Sink, { seconds, cancels }: { seconds: number; cancels: (() => void)[] }): void {
    const { clock, cache } = this.#core;
    let cancel = (): void => {};
    const again = (): void => {
      cancel = clock.after(limits.watchBookmarkMs, () => {
        sink.write(this.#bookmark(cache.revision, false));
        again();
      });
    };
    again();
    cancels.push(() => cancel());
    // One more shortly before the end, so that the client comes back from there.
    if (seconds > 4)
      cancels.push(
        clock.after((seconds - 2) * 1000, () => sink.write(this.#bookmark(cache.revision, false))),
      );
  }

  #bookmark(revision: number, initialEnd: boolean): Uint8Array {
    const { kind } = this.#facts;
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const bare = {
      kind: kind.kind,
      apiVersion: apiVersionOf(kind.group, kind.version),
      metadata: { resourceVersion: String(revision), ...(initialEnd ? { annotations } : {}) },
    };
    const { value } = this.#core.codec.canonical(kind.type, bare);
    return this.#form.value('BOOKMARK', value);
  }
}
