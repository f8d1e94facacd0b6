import type { Clock } from '#base';
import type { SchedulerEvent } from '#mesos/protocol';
import type { RecordStream } from './record-stream.ts';

/** Offers in one record: clients exist that refuse records of more than 4 MiB. */
const offersMax = 500;
/** Encoding goes on for so long before others get a turn. */
const sliceMs = 3;

/**
 * Puts events on a stream in their order, at once while that is quick. The offers of thousands of
 * agents come as several OFFERS, and other work gets its turn between them.
 */
export class EventWriter {
  readonly #stream: RecordStream;
  readonly #encode: (event: SchedulerEvent) => Uint8Array;
  readonly #clock: Clock;
  /** What waits while a long run of offers is written. */
  #waiting: SchedulerEvent[] = [];
  #writing = false;
  #ending = false;
  #untilMs = 0;

  constructor(
    stream: RecordStream,
    of: { readonly clock: Clock; readonly encode: (event: SchedulerEvent) => Uint8Array },
  ) {
    this.#stream = stream;
    this.#clock = of.clock;
    this.#encode = of.encode;
  }

  write(event: SchedulerEvent): void {
    const count = event.offers?.offers?.length ?? 0;
    if (!this.#writing && count <= offersMax) {
      this.#stream.write(this.#encode(event));
      return;
    }
    for (const part of parts(event)) this.#waiting.push(part);
    if (!this.#writing) this.#begin();
  }

  /** After what waits. */
  end(): void {
    this.#ending = true;
    if (!this.#writing) this.#stream.end();
  }

  /** Up to the first pause at once. */
  #begin(): void {
    this.#writing = true;
    this.#untilMs = this.#clock.monotonicMs() + sliceMs;
    this.#work();
  }

  #work(): void {
    while (this.#waiting.length > 0 && !this.#stream.gone) {
      const event = this.#waiting.shift();
      if (event !== undefined) this.#stream.write(this.#encode(event));
      if (this.#clock.monotonicMs() < this.#untilMs) continue;
      this.#clock.after(0, () => this.#begin());
      return;
    }
    this.#waiting = [];
    this.#writing = false;
    if (this.#ending) this.#stream.end();
  }
}

function* parts(event: SchedulerEvent): Iterable<SchedulerEvent> {
  const offers = event.offers?.offers ?? [];
  if (offers.length <= offersMax) yield event;
  else
    for (let at = 0; at < offers.length; at += offersMax)
      yield { ...event, offers: { offers: offers.slice(at, at + offersMax) } };
}
