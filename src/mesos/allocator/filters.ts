import type { Parcel, Ranges } from './allocator.ts';
import type { Client } from './sorter.ts';
import { covers, coversRanges, type Vector } from './quantities.ts';

const defaultMs = 5_000;
const yearMs = 31_536_000_000;
/** Longer than the reference's durations can be. */
const secondsMax = 2 ** 63 / 1e9;

/** How long `refuse_seconds` keeps an offer away; 0: not at all (master.cpp and hierarchical.cpp). */
export function refuseMs(seconds: number | undefined, intervalMs: number): number {
  if (seconds === 0) return 0;
  const valid = seconds !== undefined && seconds > 0 && seconds < secondsMax;
  const ms = valid ? Math.min(seconds * 1000, yearMs) : defaultMs;
  return Math.max(ms, intervalMs);
}

/** What would be offered. */
export interface Offered {
  readonly amounts: readonly number[];
  readonly ranges: Ranges | undefined;
  readonly parcels: readonly Parcel[];
}

interface Filter {
  readonly client: Client;
  readonly row: number;
  readonly amounts: Vector;
  readonly ranges: Ranges | undefined;
  readonly parcels: ReadonlyMap<string, Parcel['quantities']>;
  readonly untilMs: number;
}

/** Refused resources, and until when: an offer that is contained in one of them is not made. */
export class Filters {
  /** By client's number and agent's row. */
  readonly #byClient: Map<number, Filter[]>[] = [];
  /** By the second in which they end. */
  readonly #ends = new Map<number, Set<Filter>>();
  /** Of inverse offers: by framework and row, until when. */
  readonly #inverse = new Map<string, Map<number, number>>();

  add(filter: Filter): void {
    const rows = (this.#byClient[filter.client.index] ??= new Map<number, Filter[]>());
    const there = rows.get(filter.row);
    if (there === undefined) rows.set(filter.row, [filter]);
    else there.push(filter);
    const second = Math.floor(filter.untilMs / 1000);
    const ending = this.#ends.get(second);
    if (ending === undefined) this.#ends.set(second, new Set([filter]));
    else ending.add(filter);
  }

  /** Removes what ended before `nowMs`; what ends now still holds. */
  expire(nowMs: number, gone: (client: Client, row: number) => void): void {
    const second = Math.floor(nowMs / 1000);
    for (const [end, filters] of this.#ends) {
      if (end > second) continue;
      for (const filter of filters) {
        if (filter.untilMs >= nowMs) continue;
        this.#drop(filter);
        gone(filter.client, filter.row);
      }
    }
  }

  has(client: Client, row: number): boolean {
    return this.#byClient[client.index]?.has(row) === true;
  }

  contains(client: Client, row: number, offered: Offered): boolean {
    const filters = this.#byClient[client.index]?.get(row);
    return filters !== undefined && filters.some((filter) => refuses(filter, offered));
  }

  count(client: Client): number {
    let count = 0;
    for (const filters of this.#byClient[client.index]?.values() ?? []) count += filters.length;
    return count;
  }

  clearClient(client: Client): void {
    for (const filters of this.#byClient[client.index]?.values() ?? [])
      for (const filter of filters) this.#forget(filter);
    this.#byClient[client.index]?.clear();
  }

  clearRow(row: number): void {
    for (const rows of this.#byClient) {
      for (const filter of rows?.get(row) ?? []) this.#forget(filter);
      rows?.delete(row);
    }
    for (const rows of this.#inverse.values()) rows.delete(row);
  }

  addInverse(framework: string, row: number, untilMs: number): void {
    const rows = this.#inverse.get(framework) ?? new Map<number, number>();
    rows.set(row, Math.max(untilMs, rows.get(row) ?? 0));
    this.#inverse.set(framework, rows);
  }

  hasInverse(options: { framework: string; row: number; nowMs: number }): boolean {
    const rows = this.#inverse.get(options.framework);
    const untilMs = rows?.get(options.row);
    if (rows === undefined || untilMs === undefined) return false;
    if (untilMs >= options.nowMs) return true;
    rows.delete(options.row);
    return false;
  }

  clearInverse(framework: string): void {
    this.#inverse.delete(framework);
  }

  #drop(filter: Filter): void {
    this.#forget(filter);
    const rows = this.#byClient[filter.client.index];
    const left = rows?.get(filter.row)?.filter((other) => other !== filter) ?? [];
    if (left.length === 0) rows?.delete(filter.row);
    else rows?.set(filter.row, left);
  }

  #forget(filter: Filter): void {
    const second = Math.floor(filter.untilMs / 1000);
    const ending = this.#ends.get(second);
    ending?.delete(filter);
    if (ending?.size === 0) this.#ends.delete(second);
  }
}

function refuses(filter: Filter, { amounts, ranges, parcels }: Offered): boolean {
  if (!covers(filter.amounts, amounts) || !coversRanges(filter.ranges, ranges)) return false;
  return parcels.every(({ id, quantities }) => {
    const refused = filter.parcels.get(id);
    if (refused === undefined) return false;
    return Object.entries(quantities).every(([name, amount]) => amount <= (refused[name] ?? 0));
  });
}
