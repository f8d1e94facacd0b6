import type { HostPort, PoolColumns } from './pool.ts';
import type { ResourceNumbers } from './resources.ts';

const rowsAtFirst = 64;

/** The columns that both schedulers read, and the few ways to write them. */
export class Columns implements PoolColumns {
  size = 0;
  layout = 0;
  newestEpoch = 0;
  readonly names: string[] = [];
  readonly row = new Map<string, number>();
  epoch = new Uint32Array(rowsAtFirst);
  readonly allocatable = new Map<string, Float64Array>();
  readonly free = new Map<string, Float64Array>();
  /** The same columns by resource number. */
  readonly freeByNumber: Float64Array[] = [];
  readonly allocatableByNumber: Float64Array[] = [];
  /** Of what is free on all rows, without those that owe; by resource number. */
  readonly freeSums: number[] = [];
  readonly #numbers: ResourceNumbers;
  readonly #portsOf: (name: string) => readonly HostPort[];

  constructor(numbers: ResourceNumbers, portsOf: (name: string) => readonly HostPort[]) {
    this.#numbers = numbers;
    this.#portsOf = portsOf;
    this.addResources();
  }

  ports(row: number): readonly HostPort[] {
    const name = this.names[row];
    return name === undefined ? [] : this.#portsOf(name);
  }

  /** Makes columns for resources that were named since the last call. */
  addResources(): void {
    for (let number = this.freeByNumber.length; number < this.#numbers.names.length; number++) {
      this.allocatableByNumber.push(new Float64Array(this.epoch.length));
      this.freeByNumber.push(new Float64Array(this.epoch.length));
      this.#publish(number);
      this.layout += 1;
    }
  }

  setFree(number: number, row: number, amount: number): void {
    const column = this.freeByNumber[number];
    if (column === undefined) return;
    const before = column[row] ?? 0;
    column[row] = amount;
    this.freeSums[number] =
      (this.freeSums[number] ?? 0) + Math.max(0, amount) - Math.max(0, before);
  }

  addRow(name: string): number {
    const row = this.size;
    if (row === this.epoch.length) this.#grow();
    this.names.push(name);
    this.row.set(name, row);
    this.size += 1;
    this.layout += 1;
    return row;
  }

  /** The last row takes the place of the one that goes; the result is its name, if it moved. */
  removeRow(row: number): string | undefined {
    const last = this.size - 1;
    const gone = this.names[row];
    const moved = this.names[last];
    if (gone === undefined || moved === undefined) return undefined;
    for (const number of this.freeByNumber.keys()) this.setFree(number, row, 0);
    for (const column of [...this.freeByNumber, ...this.allocatableByNumber, this.epoch]) {
      column[row] = column[last] ?? 0;
      column[last] = 0;
    }
    this.names[row] = moved;
    this.names.pop();
    this.row.set(moved, row);
    this.row.delete(gone);
    this.size = last;
    this.layout += 1;
    return row === last ? undefined : moved;
  }

  touch(row: number): void {
    this.newestEpoch = (this.newestEpoch + 1) >>> 0;
    this.epoch[row] = this.newestEpoch;
  }

  #grow(): void {
    const rows = this.epoch.length * 2;
    const epoch = new Uint32Array(rows);
    epoch.set(this.epoch);
    this.epoch = epoch;
    for (const number of this.freeByNumber.keys()) {
      this.freeByNumber[number] = grown(this.freeByNumber[number], rows);
      this.allocatableByNumber[number] = grown(this.allocatableByNumber[number], rows);
      this.#publish(number);
    }
  }

  #publish(number: number): void {
    const name = this.#numbers.names[number];
    const free = this.freeByNumber[number];
    const allocatable = this.allocatableByNumber[number];
    if (name === undefined || free === undefined || allocatable === undefined) return;
    this.free.set(name, free);
    this.allocatable.set(name, allocatable);
  }
}

function grown(column: Float64Array | undefined, rows: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(rows);
  if (column !== undefined) larger.set(column);
  return larger;
}
