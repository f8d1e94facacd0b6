import type { Cancel } from '#base';
import {
  CallRejected,
  type SchedulerCall,
  type SchedulerEvent,
  type Subscriber,
} from '#mesos/protocol';
import type { FrameworkBook, Stream } from './books.ts';
import { runCall } from './calls.ts';
import type { Core } from './core.ts';

const heartbeatMs = 15_000;

/** Opens a framework's stream; `start` sends SUBSCRIBED and the first heartbeat. */
export function openStream(
  core: Core,
  book: FrameworkBook,
  subscriber: Subscriber,
): FrameworkStream {
  return new FrameworkStream(core, book, subscriber);
}

export class FrameworkStream implements Stream {
  readonly frameworkID: string;
  readonly streamID: string;
  readonly subscriber: Subscriber;
  readonly #core: Core;
  readonly #book: FrameworkBook;
  #beat: Cancel | undefined;

  constructor(core: Core, book: FrameworkBook, subscriber: Subscriber) {
    this.#core = core;
    this.#book = book;
    this.subscriber = subscriber;
    this.frameworkID = book.id;
    this.streamID = core.options.random.uuid();
  }

  start(subscribed: SchedulerEvent): void {
    this.#core.frameworks.send(this.#book, subscribed);
    // A call in process needs no sign of life.
    if (this.subscriber.wire === 'http') this.#heartbeat();
  }

  /** Timed from the first one; other events do not postpone it. */
  #heartbeat(): void {
    this.#core.frameworks.send(this.#book, { type: 'HEARTBEAT' });
    this.#beat = this.#core.options.clock.after(heartbeatMs, () => this.#heartbeat());
  }

  end(): void {
    this.#beat?.();
    this.#beat = undefined;
  }

  async call(call: SchedulerCall): Promise<void> {
    const book = this.#book;
    if (book.removed) throw new CallRejected(400, 'Framework cannot be found');
    if (book.stream === undefined) throw new CallRejected(403, 'Framework is not subscribed');
    if (book.stream !== this)
      throw new CallRejected(
        400,
        `The stream ID '${this.streamID}' included in this request didn't match the stream ID currently associated with framework ID ${book.id}`,
      );
    await runCall(this.#core, book, call);
  }

  close(): void {
    this.#core.frameworks.disconnect(this.#book, this);
  }
}
