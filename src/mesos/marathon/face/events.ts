import type { FaceReply, Sink } from '#base';
import type { MarathonEvent } from '../engine/events.ts';
import type { Call } from './http.ts';
import { demand } from './http.ts';

/** `/v2/events`: server-sent events, each stream with its own filter and a bounded backlog. */

const heartbeatMs = 10_000;
/** A frame's bytes wait in the socket as well: no stream may hold more than this there. */
const backlogBytesMax = 4 * 1024 * 1024;
const encoder = new TextEncoder();

export function streamEvents(call: Call): FaceReply {
  const { request, query, engine } = call;
  const accept = request.headers['accept'] ?? '';
  if (!accept.includes('text/event-stream'))
    return {
      status: 405,
      headers: { 'Content-Type': 'text/html;charset=iso-8859-1', Allow: 'GET, HEAD, OPTIONS' },
      body: encoder.encode(
        '<html><head><title>Error 405 Method Not Allowed</title></head>' +
          '<body><h2>HTTP ERROR 405</h2><p>Reason: Method Not Allowed</p></body></html>\n',
      ),
    };
  demand(call, { action: 'view', on: 'system', id: '' });
  const wanted = new Set(query.getAll('event_type'));
  return {
    status: 200,
    headers: { 'Content-Type': 'text/event-stream;charset=utf-8' },
    body: (sink, signal) => stream(call, { sink, signal, wanted }),
  };

  function stream(
    { request: { peer } }: Call,
    target: { readonly sink: Sink; readonly signal: AbortSignal; readonly wanted: Set<string> },
  ): Promise<void> {
    const { event_stream_max_outstanding_messages: waitingMax } = engine.settings;
    const open = new EventStream(target, waitingMax, (bytes) =>
      engine.tallies.add('http.responses.event-stream.size', bytes),
    );
    const leave = engine.events.listen((event) => open.offer(event));
    const attached = (type: string): void =>
      engine.events.publish(type, () => ({ remoteAddress: peer.address }));
    attached('event_stream_attached');
    return run();

    async function run(): Promise<void> {
      try {
        await open.run(engine.options.clock);
      } finally {
        leave();
        attached('event_stream_detached');
      }
    }
  }
}

class EventStream {
  readonly #sink: Sink;
  readonly #signal: AbortSignal;
  readonly #wanted: ReadonlySet<string>;
  readonly #backlogMax: number;
  readonly #sent: (bytes: number) => void;
  readonly #waiting: MarathonEvent[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(
    target: {
      readonly sink: Sink;
      readonly signal: AbortSignal;
      readonly wanted: ReadonlySet<string>;
    },
    backlogMax: number,
    sent: (bytes: number) => void,
  ) {
    this.#sent = sent;
    this.#sink = target.sink;
    this.#signal = target.signal;
    this.#wanted = target.wanted;
    this.#backlogMax = backlogMax;
  }

  offer(event: MarathonEvent): void {
    if (this.#wanted.size > 0 && !this.#wanted.has(event.type)) return;
    // Who reads slower than things happen is hung up on.
    if (this.#waiting.length >= this.#backlogMax) this.#closed = true;
    else this.#waiting.push(event);
    this.#wake();
  }

  /** Returns when the client left or was too slow. */
  async run(clock: { after(delayMs: number, action: () => void): () => void }): Promise<void> {
    const wake = (): void => this.#wake();
    this.#signal.addEventListener('abort', wake, { once: true });
    let due = false;
    const beat = (): (() => void) =>
      clock.after(heartbeatMs, () => {
        due = true;
        cancel = beat();
        wake();
      });
    let cancel = beat();
    try {
      while (!this.#signal.aborted && !this.#closed) {
        const text = this.#take() + (due ? '\r\n' : '');
        due = false;
        if (text !== '') {
          const bytes = encoder.encode(text);
          this.#sent(bytes.length);
          this.#sink.write(bytes);
          if (this.#sink.backlogBytes > backlogBytesMax) await this.#drained();
          continue;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      cancel();
      this.#signal.removeEventListener('abort', wake);
    }
  }

  async #drained(): Promise<void> {
    const stop = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#closed || this.#signal.aborted) resolve();
      };
    });
    await Promise.race([this.#sink.drained(), stop]);
  }

  #take(): string {
    return this.#waiting
      .splice(0)
      .map(({ type, json }) => `event: ${type}\r\ndata: ${json}\r\n\r\n`)
      .join('');
  }
}
