import type { Sink, StreamBody } from '#base';

/**
 * A reply that goes on: every record is one write. Records that come before the reply has begun wait.
 * A client that does not read is cut off at a limit; nobody waits for it.
 */
export class EventStream {
  readonly #backlogBytesMax: number;
  readonly #gone: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sink: Sink | undefined;
  #state: 'open' | 'ended' | 'gone' | 'cut' = 'open';
  #wake: () => void = () => undefined;

  /** `gone` is called once when the client hung up or was cut off, not when we end the stream. */
  constructor(options: { readonly backlogBytesMax: number; gone(): void }) {
    this.#backlogBytesMax = options.backlogBytesMax;
    this.#gone = () => options.gone();
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  write(record: Uint8Array): void {
    if (this.#state !== 'open') return;
    if (this.#sink === undefined) {
      this.#waiting.push(record);
      this.#waitingBytes += record.length;
    } else this.#sink.write(record);
    if ((this.#sink?.backlogBytes ?? this.#waitingBytes) > this.#backlogBytesMax)
      this.#leave('cut');
  }

  /** Our side is done: what was written is sent, then the stream ends. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake();
  }

  readonly body: StreamBody = async (sink, signal) => {
    this.#sink = sink;
    for (const record of this.#waiting.splice(0)) sink.write(record);
    const leave = (): void => this.#leave('gone');
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    if (this.#state === 'open')
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    signal.removeEventListener('abort', leave);
    // Throwing is how a face cuts a connection: an orderly end would wait for the client to read.
    if (this.#state === 'cut') throw new Error('Stream was cut off: its client does not read');
  };

  #leave(how: 'gone' | 'cut'): void {
    if (this.#state !== 'open') return;
    this.#state = how;
    this.#waiting = [];
    this.#wake();
    this.#gone();
  }
}
