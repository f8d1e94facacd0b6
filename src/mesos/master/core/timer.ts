const samplesMax = 1000;
const percentiles: readonly (readonly [string, number])[] = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
  ['p9999', 0.9999],
];

/** Milliseconds of the last thousand runs of something, as libprocess' timers tell of them. */
export class Timer {
  readonly #samples: number[] = [];
  #next = 0;
  #last = 0;

  add(ms: number): void {
    this.#last = ms;
    this.#samples[this.#next] = ms;
    this.#next = (this.#next + 1) % samplesMax;
  }

  /** The last value by the name itself; statistics below it once there are any. */
  *entries(name: string): IterableIterator<readonly [string, number]> {
    yield [name, this.#last];
    const sorted = this.#samples.toSorted((a, b) => a - b);
    if (sorted.length === 0) return;
    yield [`${name}/count`, sorted.length];
    yield [`${name}/max`, sorted.at(-1) ?? 0];
    yield [`${name}/min`, sorted[0] ?? 0];
    for (const [label, part] of percentiles) yield [`${name}/${label}`, between(sorted, part)];
  }
}

/** Linear between the two nearest samples. */
function between(sorted: readonly number[], part: number): number {
  const at = part * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? 0;
  return low + (high - low) * (at - Math.floor(at));
}
