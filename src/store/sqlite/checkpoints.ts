import { Worker } from 'node:worker_threads';
import type { Cancel, Clock, Logger } from '#base';
import type { CheckpointReply } from './messages.ts';

const startBytes = 4 * 1024 * 1024;
const framesForWriterMax = 256;
const roundsMax = 4;
const idleMs = 5000;

export interface CheckpointsOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The writer moves the last pages itself, between two groups, and starts its log anew. */
  readonly finish: () => Promise<void>;
}

/** Keeps the write-ahead log short; has a thread only while there is something to do. */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #worker: Worker | undefined;
  #cancelIdle: Cancel | undefined;
  #running: Promise<void> | undefined;
  /** What the log grew by since it was last empty, roughly. */
  #bytes = 0;
  #closed = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  grown(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < startBytes || this.#running !== undefined || this.#closed) return;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#cancelIdle?.();
    this.#stop();
  }

  async #run(): Promise<void> {
    this.#cancelIdle?.();
    const { clock, logger, finish, path } = this.#options;
    try {
      this.#worker ??= startWorker(path);
      for (let round = 0; round < roundsMax; round++) {
        this.#bytes = 0;
        const reply = await ask(this.#worker);
        if (reply.error !== undefined) throw new Error(reply.error);
        if (reply.framesLeft < framesForWriterMax) break;
      }
      await finish();
    } catch (cause) {
      // The log grows until it goes through; a full disk is told by the writes themselves.
      logger.warn('Cannot checkpoint the store', { cause });
      this.#stop();
    }
    this.#cancelIdle = clock.after(idleMs, () => this.#stop());
    this.#running = undefined;
  }

  #stop(): void {
    this.#worker?.postMessage('close');
    this.#worker = undefined;
  }
}

function startWorker(path: string): Worker {
  const worker = new Worker(new URL('./checkpointer.ts', import.meta.url), {
    workerData: { path },
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  // Told to whoever asks it next; unheard it would end the process.
  worker.on('error', () => void worker.terminate());
  return worker;
}

function ask(worker: Worker): Promise<CheckpointReply> {
  return new Promise((resolve) => {
    const ended = (): void => resolve({ framesLeft: 0, error: 'the checkpointer ended' });
    worker.once('exit', ended);
    worker.once('message', (reply: CheckpointReply) => {
      worker.off('exit', ended);
      resolve(reply);
    });
    worker.postMessage('checkpoint');
  });
}
