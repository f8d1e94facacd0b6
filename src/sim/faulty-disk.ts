import type { Clock } from '#base';
import { BackendError, type LogBackend, type LogRecord, type LogState } from '#store';
import type { SeededRandom } from './random.ts';

/** The twin of the SQLite log: a disk in memory that is slow, full, failing or gone when told. */
export class FaultyDisk {
  /** Everything that ever became durable, in order; compaction does not touch it. */
  readonly truth: LogRecord[] = [];
  full = false;
  failingPercent = 0;
  slowMsMax = 2;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #kept = new Map<number, LogRecord>();
  #compacted = 0;
  #swept = 0;
  /** Moves with each crash: what an earlier life was about to do does not happen. */
  #life = 0;

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Power off: what is not durable is lost, and nobody hears of what is. */
  crash(): void {
    this.#life += 1;
  }

  open(): LogBackend {
    const life = this.#life;
    const state: LogState = {
      revision: this.truth.at(-1)?.revision ?? 0,
      compactedRevision: this.#compacted,
    };
    return {
      state,
      load: (each) => {
        for (const record of this.#kept.values()) each({ ...record, value: undefined });
      },
      append: (records) => this.#append(records, life),
      read: (revision) => this.#kept.get(revision),
      page: (after, upTo, limit) =>
        [...this.#kept.values()]
          .filter(({ revision }) => revision > after && revision <= upTo)
          .slice(0, limit),
      compact: (revision) => this.#compact(revision, life),
      probe: () => this.#disk(life),
      backup: () => Promise.reject(new BackendError('failed', 'the twin has no backup')),
      close: () => Promise.resolve(),
    };
  }

  async #append(records: readonly LogRecord[], life: number): Promise<void> {
    const last = this.truth.at(-1)?.revision ?? 0;
    await this.#disk(life);
    if (records[0]?.revision !== last + 1)
      throw new Error(`Groups follow one another: ${records[0]?.revision} after ${last}`);
    for (const record of records) {
      this.truth.push(record);
      this.#kept.set(record.revision, record);
    }
    // Durable, but the news of it travels too.
    await this.#pause(life);
  }

  /** In slices, as the real one: a crash may leave the work half done. */
  async #compact(upTo: number, life: number): Promise<void> {
    while (this.#swept < upTo) {
      await this.#disk(life);
      this.#compacted = Math.max(this.#compacted, upTo);
      const end = Math.min(upTo, this.#swept + 5);
      const slice = this.truth.filter((r) => r.revision > this.#swept && r.revision <= end);
      for (const { previous, created, revision } of slice) {
        this.#kept.delete(previous);
        if (created === 0) this.#kept.delete(revision);
      }
      this.#swept = end;
    }
  }

  async #disk(life: number): Promise<void> {
    await this.#pause(life);
    if (this.full) throw new BackendError('refused', 'the disk is full');
    if (this.#random.chance(this.failingPercent)) throw new BackendError('refused', 'fsync failed');
  }

  async #pause(life: number): Promise<void> {
    await this.#clock.sleep(this.#random.below(this.slowMsMax + 1));
    // Nobody is left who could hear of it.
    if (life !== this.#life) await new Promise<never>(() => undefined);
  }
}
