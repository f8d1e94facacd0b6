import type { Node } from '#kube/kinds';
import type { HostPort, Pool, PoolColumns } from '#pool';

/** Values of one label over all rows: row to the number of its value, -1 where it is missing. */
export interface Domains {
  of: Int32Array;
  readonly ids: Map<string, number>;
}

/**
 * The scheduler's view of the machines, in columns: what the pool says is free, minus what this
 * batch has placed and not yet committed. Rows are the table's own and never move, so that what
 * was remembered by row stays true when nodes come and go.
 */
export class NodeTable {
  /** Rows in use or free for reuse; all columns are at least this long. */
  rows = 0;
  readonly names: string[] = [];
  readonly nodes: (Node | undefined)[] = [];
  readonly row = new Map<string, number>();
  /** Counts changes of labels, taints and the like on a row. */
  stamp = new Uint32Array(64);
  /** Counts every change on a row, room included. */
  version = new Uint32Array(64);
  /** 1 for nodes that exist and that the pool knows. */
  alive = new Uint8Array(64);
  extraCpu = new Float64Array(64);
  extraMemory = new Float64Array(64);
  readonly ports: HostPort[][] = [];
  readonly #free = new Map<string, Float64Array>();
  readonly #allocatable = new Map<string, Float64Array>();
  readonly #domains = new Map<string, Domains>();
  readonly #dirty = new Set<string>();
  readonly #spare: number[] = [];
  readonly #pool: Pool;
  readonly #columns: PoolColumns;
  /** Room became free somewhere since this was last set to false. */
  roomFreed = false;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#columns = pool.columns;
  }

  /** Follows the pool until disposed. */
  follow(listener: () => void): Disposable {
    return this.#pool.onChange((node) => {
      this.#dirty.add(node);
      listener();
    });
  }

  get count(): number {
    return this.row.size;
  }

  put(node: Node): void {
    const { name } = node.metadata;
    const row = this.row.get(name) ?? this.#newRow(name);
    this.nodes[row] = node;
    this.#bump(row);
    for (const [key, domains] of this.#domains) domains.of[row] = domainId(domains, node, key);
    this.#dirty.add(name);
  }

  remove(name: string): void {
    const row = this.row.get(name);
    if (row === undefined) return;
    this.row.delete(name);
    this.nodes[row] = undefined;
    this.alive[row] = 0;
    this.extraCpu[row] = 0;
    this.extraMemory[row] = 0;
    for (const domains of this.#domains.values()) domains.of[row] = -1;
    this.#bump(row);
    this.#spare.push(row);
  }

  /** Reads again the rows that the pool has changed. */
  refresh(): void {
    for (const name of this.#dirty) {
      const row = this.row.get(name);
      if (row !== undefined) this.#read(name, row);
    }
    this.#dirty.clear();
  }

  /** The pool's row of a node is read again at the next refresh: what was placed there is undone. */
  reread(name: string): void {
    this.#dirty.add(name);
  }

  epoch(name: string): number {
    const at = this.#columns.row.get(name);
    return at === undefined ? 0 : (this.#columns.epoch[at] ?? 0);
  }

  free(resource: string): Float64Array {
    return column(this.#free, resource, this.version.length);
  }

  allocatable(resource: string): Float64Array {
    return column(this.#allocatable, resource, this.version.length);
  }

  /** Takes room in this view only; the pool decides later. */
  take(
    row: number,
    wanted: { amounts: Readonly<Record<string, number>>; ports: readonly HostPort[] },
  ): void {
    for (const name in wanted.amounts) {
      const free = this.free(name);
      free[row] = (free[row] ?? 0) - (wanted.amounts[name] ?? 0);
    }
    if (wanted.ports.length > 0) this.ports[row] = [...(this.ports[row] ?? []), ...wanted.ports];
    this.version[row] = (this.version[row] ?? 0) + 1;
  }

  addExtra(row: number, cpu: number, memory: number): void {
    this.extraCpu[row] = (this.extraCpu[row] ?? 0) + cpu;
    this.extraMemory[row] = (this.extraMemory[row] ?? 0) + memory;
    this.version[row] = (this.version[row] ?? 0) + 1;
  }

  domains(topologyKey: string): Domains {
    let domains = this.#domains.get(topologyKey);
    if (domains === undefined) {
      domains = { of: new Int32Array(this.version.length).fill(-1), ids: new Map() };
      for (const row of this.row.values())
        domains.of[row] = domainId(domains, this.nodes[row], topologyKey);
      this.#domains.set(topologyKey, domains);
    }
    return domains;
  }

  #read(name: string, row: number): void {
    const at = this.#columns.row.get(name);
    this.alive[row] = at === undefined ? 0 : 1;
    this.version[row] = (this.version[row] ?? 0) + 1;
    if (at === undefined) return;
    for (const [resource, values] of this.#columns.free) {
      const mine = this.free(resource);
      const now = values[at] ?? 0;
      if (now > (mine[row] ?? 0)) this.roomFreed = true;
      mine[row] = now;
    }
    for (const [resource, values] of this.#columns.allocatable)
      this.allocatable(resource)[row] = values[at] ?? 0;
    this.ports[row] = [...this.#columns.ports(at)];
  }

  #newRow(name: string): number {
    const row = this.#spare.pop() ?? this.rows++;
    if (row >= this.version.length) this.#grow();
    this.names[row] = name;
    this.ports[row] = [];
    this.row.set(name, row);
    for (const free of this.#free.values()) free[row] = 0;
    return row;
  }

  #bump(row: number): void {
    this.stamp[row] = (this.stamp[row] ?? 0) + 1;
    this.version[row] = (this.version[row] ?? 0) + 1;
  }

  #grow(): void {
    const length = this.version.length * 2;
    this.stamp = grown(this.stamp, new Uint32Array(length));
    this.version = grown(this.version, new Uint32Array(length));
    this.alive = grown(this.alive, new Uint8Array(length));
    this.extraCpu = grown(this.extraCpu, new Float64Array(length));
    this.extraMemory = grown(this.extraMemory, new Float64Array(length));
    for (const columns of [this.#free, this.#allocatable])
      for (const [name, values] of columns)
        columns.set(name, grown(values, new Float64Array(length)));
    for (const domains of this.#domains.values())
      domains.of = grown(domains.of, new Int32Array(length).fill(-1));
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

function column(columns: Map<string, Float64Array>, name: string, length: number): Float64Array {
  let values = columns.get(name);
  if (values === undefined) {
    values = new Float64Array(length);
    columns.set(name, values);
  }
  return values;
}

function domainId(domains: Domains, node: Node | undefined, key: string): number {
  const value = node?.metadata.labels?.[key];
  if (value === undefined) return -1;
  let id = domains.ids.get(value);
  if (id === undefined) {
    id = domains.ids.size;
    domains.ids.set(value, id);
  }
  return id;
}
