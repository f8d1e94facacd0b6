import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ByteSocket } from '#base';
import type { Process } from '../runtime.ts';

/** A child process' input and output as one socket. */
export function socketOf(child: ChildProcess): ByteSocket {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('Cannot use child: it has no pipes');
  stdin.on('error', () => child.kill('SIGKILL'));
  return {
    incoming: stdout,
    write: (chunk) => stdin.writable && stdin.write(chunk),
    drained: () => drained(stdin),
    end: () => stdin.end(),
    destroy: () => {
      stdin.destroy();
      stdout.destroy();
      child.kill('SIGKILL');
    },
    closed: ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit');
}

export async function drained(stream: Writable): Promise<void> {
  if (stream.writableNeedDrain && !stream.destroyed)
    await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
}

export function inputOf(stream: Writable): NonNullable<Process['stdin']> {
  return {
    write: (chunk) => stream.writable && stream.write(chunk),
    drained: () => drained(stream),
    end: () => stream.end(),
  };
}

/** Hands chunks from a callback to one reader, with the backlog bounded by pausing the source. */
export class Channel implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  readonly #backlogMax: number;
  #wake: (() => void) | undefined;
  #room: (() => void) | undefined;
  #ended = false;

  constructor(backlogMax = 64) {
    this.#backlogMax = backlogMax;
  }
  /** Resolves when the source may go on. */
  async push(chunk: Uint8Array): Promise<void> {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#wake?.();
    if (this.#chunks.length < this.#backlogMax) return;
    await new Promise<void>((resolve) => {
      this.#room = resolve;
    });
  }
  end(): void {
    this.#ended = true;
    this.#wake?.();
    this.#room?.();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#room?.();
          yield chunk;
        } else if (this.#ended) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    } finally {
      this.end();
    }
  }
}

/** All of a stream up to a bound; what comes after is read and dropped. */
export async function readUpTo(stream: Readable, sink: Buffer[], bytesMax: number): Promise<void> {
  let room = bytesMax;
  for await (const chunk of stream) {
    const bytes: Buffer = chunk;
    if (room > 0) sink.push(bytes.subarray(0, room));
    room -= bytes.length;
  }
}

/** A connected or connecting TCP socket; resolves once it is connected. */
export async function overSocketOf(socket: Socket): Promise<ByteSocket> {
  await once(socket, 'connect'); // rejects when it fails
  socket.on('error', () => socket.destroy());
  return {
    incoming: socket,
    write: (chunk) => socket.writable && socket.write(chunk),
    drained: () => drained(socket),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    closed: socket.closed ? Promise.resolve() : once(socket, 'close').then(() => undefined),
  };
}
