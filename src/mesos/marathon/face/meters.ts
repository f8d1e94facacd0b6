import type { Clock } from '#base';
import type { raml } from '../model/index.ts';

/** Rates and durations as Dropwizard's metrics have them, reckoned when they are read. */

const tickMs = 5_000;
const minutes = [1, 5, 15] as const;

export interface Rates {
  readonly count: number;
  readonly m1_rate: number;
  readonly m5_rate: number;
  readonly m15_rate: number;
  readonly mean_rate: number;
}

/** How often something happens in a second: since the beginning, and lately (EWMA of 5 s steps). */
export class Meter {
  readonly #clock: Clock;
  readonly #startMs: number;
  #count = 0;
  #lastTickMs: number;
  #sinceTick = 0;
  /** Undefined before the first step is over. */
  #rates: number[] | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
    this.#lastTickMs = this.#startMs;
  }

  mark(): void {
    this.#tick();
    this.#count += 1;
    this.#sinceTick += 1;
  }

  rates(): Rates {
    this.#tick();
    const seconds = (this.#clock.monotonicMs() - this.#startMs) / 1000;
    const [m1 = 0, m5 = 0, m15 = 0] = this.#rates ?? [];
    return {
      count: this.#count,
      m1_rate: m1,
      m5_rate: m5,
      m15_rate: m15,
      mean_rate: this.#count === 0 || seconds <= 0 ? 0 : this.#count / seconds,
    };
  }

  #tick(): void {
    const ticks = Math.floor((this.#clock.monotonicMs() - this.#lastTickMs) / tickMs);
    if (ticks === 0) return;
    this.#lastTickMs += ticks * tickMs;
    const rate = (this.#sinceTick * 1000) / tickMs;
    this.#sinceTick = 0;
    const old = this.#rates;
    // In steps without anything a rate only fades.
    this.#rates = minutes.map((one, at) => {
      const fade = Math.exp(-tickMs / (one * 60_000));
      const before = old?.[at];
      const first = before === undefined ? rate : rate + (before - rate) * fade;
      return first * fade ** (ticks - 1);
    });
  }
}

/** Percentiles are of so many of the last durations. */
const samplesMax = 1_028;

export interface Durations extends Rates, raml.Histogram {}

/** How long something takes, in seconds, and how often it happens. */
export class Timer {
  readonly #meter: Meter;
  readonly #samples: number[] = [];
  #next = 0;

  constructor(clock: Clock) {
    this.#meter = new Meter(clock);
  }

  add(seconds: number): void {
    this.#meter.mark();
    this.#samples[this.#next] = seconds;
    this.#next = (this.#next + 1) % samplesMax;
  }

  durations(): Durations {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    const { length } = sorted;
    const at = (part: number): number =>
      sorted[Math.min(length - 1, Math.floor(part * length))] ?? 0;
    const mean = length === 0 ? 0 : sorted.reduce((sum, one) => sum + one, 0) / length;
    const squares = sorted.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    return {
      ...this.#meter.rates(),
      min: sorted[0] ?? 0,
      mean,
      max: sorted.at(-1) ?? 0,
      p50: at(0.5),
      p75: at(0.75),
      p95: at(0.95),
      p98: at(0.98),
      p99: at(0.99),
      p999: at(0.999),
      stddev: length === 0 ? 0 : Math.sqrt(squares / length),
    };
  }
}
