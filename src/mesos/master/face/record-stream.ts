import type { Sink, StreamBody } from '#base';

/**
 * A reply that goes on: every record is one write and one chunk. Records that come before the reply
 * has begun wait. A client that does not read is cut off at a limit; nobody waits for it.
 */
export class RecordStream {
  #backlogBytesMax: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #sink: Sink | undefined;
  #ended = false;
  #gone = false;
  #overflow = false;
  #wake: (() => void) | undefined;
  #onGone: (() => void) | undefined;

  constructor(backlogBytesMax: number) {
    this.#backlogBytesMax = backlogBytesMax;
  }

  /** The client hung up or was cut off. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Runs once when the client hung up or was cut off, not when our side ended the stream. */
  onGone(action: () => void): void {
    if (this.#gone) action();
    else this.#onGone = action;
  }

  /** A record that is large by nature: the limit counts from it on. */
  writeLarge(record: Uint8Array): void {
    this.#backlogBytesMax += record.length;
    this.write(record);
  }

  write(record: Uint8Array): void {
    if (this.#ended || this.#gone) return;
    const sink = this.#sink;
    if (sink === undefined) {
      this.#waiting.push(record);
      this.#waitingBytes += record.length;
    } else sink.write(record);
    const backlog = sink?.backlogBytes ?? this.#waitingBytes;
    if (backlog <= this.#backlogBytesMax) return;
    this.#overflow = true;
    this.#leave();
  }

  /** Our side is done: what was written is sent, then the stream ends. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  readonly body: StreamBody = async (sink, signal) => {
    this.#sink = sink;
    for (const record of this.#waiting) sink.write(record);
    this.#waiting = [];
    const leave = (): void => this.#leave();
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    if (!this.#ended && !this.#gone)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    signal.removeEventListener('abort', leave);
    // Throwing is how a face cuts a connection: an orderly end would wait for the client to read.
    if (this.#overflow) throw new Error('Stream was cut off: its client does not read');
  };

  #leave(): void {
    if (this.#gone || this.#ended) return;
    this.#gone = true;
    this.#waiting = [];
    this.#wake?.();
    this.#onGone?.();
  }
}
