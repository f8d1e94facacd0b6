import type { Clock, FaceReply, Sink } from '#base';

/** Work between two looks at the clock ends after this: nobody else waits longer. */
const sliceMs = 3;
const chunkBytes = 64 * 1024;
/** Up to this a document is sent whole, with its length. */
const wholeBytesMax = 256 * 1024;

export interface DocumentOptions {
  readonly clock: Clock;
  readonly contentType?: string | undefined;
  /** Name of a function to call with the document. */
  readonly jsonp?: string | undefined;
}

/**
 * A document made of pieces while it is sent: small ones whole, large ones as a stream, and never a
 * long stretch of work at once. What changes meanwhile shows in the pieces that are made later.
 */
export async function documentReply(
  pieces: Iterable<string>,
  options: DocumentOptions,
): Promise<FaceReply> {
  const { jsonp } = options;
  const contentType =
    jsonp === undefined ? (options.contentType ?? 'application/json') : 'text/javascript';
  const source = new Pieces(jsonp === undefined ? pieces : called(jsonp, pieces), options.clock);
  const begin: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= wholeBytesMax) {
    const chunk = await source.next();
    if (chunk === undefined) {
      const body = begin.length === 1 ? begin[0] : Buffer.concat(begin, bytes);
      return {
        status: 200,
        headers: { 'Content-Type': contentType },
        ...(body === undefined ? {} : { body }),
      };
    }
    begin.push(chunk);
    bytes += chunk.length;
  }
  const body = (sink: Sink, signal: AbortSignal): Promise<void> =>
    send(source, begin, { sink, signal });
  return { status: 200, headers: { 'Content-Type': contentType }, body };
}

async function send(
  source: Pieces,
  begin: readonly Uint8Array[],
  { sink, signal }: { readonly sink: Sink; readonly signal: AbortSignal },
): Promise<void> {
  for (const chunk of begin) sink.write(chunk);
  while (!signal.aborted) {
    await sink.drained();
    const chunk = await source.next();
    if (chunk === undefined) return;
    sink.write(chunk);
  }
}

function* called(jsonp: string, pieces: Iterable<string>): Iterable<string> {
  yield `${jsonp}(`;
  yield* pieces;
  yield ')';
}

/** Gathers pieces into chunks and gives others their turn. */
class Pieces {
  readonly #pieces: Iterator<string>;
  readonly #clock: Clock;
  #untilMs: number;

  constructor(pieces: Iterable<string>, clock: Clock) {
    this.#pieces = pieces[Symbol.iterator]();
    this.#clock = clock;
    this.#untilMs = clock.monotonicMs() + sliceMs;
  }

  async next(): Promise<Uint8Array | undefined> {
    let text = '';
    for (let count = 0; text.length < chunkBytes; count++) {
      if (count % 4 === 3) await this.#breathe();
      const piece = this.#pieces.next();
      if (piece.done === true) break;
      text += piece.value;
    }
    return text === '' ? undefined : Buffer.from(text);
  }

  async #breathe(): Promise<void> {
    if (this.#clock.monotonicMs() < this.#untilMs) return;
    await this.#clock.sleep(0);
    this.#untilMs = this.#clock.monotonicMs() + sliceMs;
  }
}
