import type { RoleTree } from './sorter.ts';
import { Client } from './sorter.ts';

/** The name under which Pods of Kubernetes compete in a role. */
export const kube = 'kube';

/** Frameworks in roles, each with a small number that is its bit in the rows of agents. */
export class ClientTable {
  readonly byIndex: (Client | undefined)[] = [];
  readonly #byFramework = new Map<string, Map<string, Client>>();
  readonly #freed: number[] = [];
  readonly #tree: RoleTree;

  constructor(tree: RoleTree) {
    this.#tree = tree;
  }

  find(framework: string, role: string): Client | undefined {
    return this.#byFramework.get(framework)?.get(role);
  }

  of(framework: string): Iterable<Client> {
    return this.#byFramework.get(framework)?.values() ?? [];
  }

  get(framework: string, role: string): Client {
    const roles = this.#byFramework.get(framework) ?? new Map<string, Client>();
    const known = roles.get(role);
    if (known !== undefined) return known;
    const index = this.#freed.pop() ?? this.byIndex.length;
    const client = new Client(framework, this.#tree.get(role), index);
    this.byIndex[index] = client;
    client.role.clients.push(client);
    roles.set(role, client);
    this.#byFramework.set(framework, roles);
    return client;
  }

  /** Forgets clients that are not subscribed and hold nothing; `gone` is told before. */
  prune(gone: (client: Client) => void): void {
    for (const client of this.byIndex) {
      if (client === undefined || client.active || client.facts !== undefined) continue;
      if (client.held.some((amount) => amount !== 0)) continue;
      gone(client);
      this.#remove(client);
    }
  }

  #remove(client: Client): void {
    const { framework, role, index } = client;
    role.clients.splice(role.clients.indexOf(client), 1);
    this.byIndex[index] = undefined;
    this.#freed.push(index);
    const roles = this.#byFramework.get(framework);
    roles?.delete(role.name);
    if (roles?.size === 0) this.#byFramework.delete(framework);
  }
}

/** A bit for each agent and client: set when there is nothing on the agent for the client. */
export class ClosedBits {
  #words = 1;
  #rows = 64;
  #bits = new Uint32Array(64);

  fit(rows: number, clients: number): void {
    const words = Math.ceil(Math.max(1, clients) / 32);
    if (rows <= this.#rows && words <= this.#words) return;
    const newRows = rows <= this.#rows ? this.#rows : Math.max(rows, this.#rows * 2);
    const newWords = words <= this.#words ? this.#words : Math.max(words, this.#words * 2);
    const bits = new Uint32Array(newRows * newWords);
    for (let row = 0; row < this.#rows; row++)
      bits.set(this.#bits.subarray(row * this.#words, (row + 1) * this.#words), row * newWords);
    this.#bits = bits;
    this.#rows = newRows;
    this.#words = newWords;
  }

  has(row: number, client: number): boolean {
    const word = this.#bits[row * this.#words + (client >>> 5)] ?? 0;
    return (word & (1 << (client & 31))) !== 0;
  }

  close(row: number, client: number): void {
    const at = row * this.#words + (client >>> 5);
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (client & 31));
  }

  open(row: number, client: number): void {
    const at = row * this.#words + (client >>> 5);
    this.#bits[at] = (this.#bits[at] ?? 0) & ~(1 << (client & 31));
  }

  openRow(row: number): void {
    this.#bits.fill(0, row * this.#words, (row + 1) * this.#words);
  }

  openClient(client: number): void {
    for (let row = 0; row < this.#rows; row++) this.open(row, client);
  }

  /** Is the row closed to every client whose bit is set in `mask`? */
  allClosed(row: number, mask: Uint32Array): boolean {
    for (let word = 0; word < mask.length; word++)
      if (((mask[word] ?? 0) & ~(this.#bits[row * this.#words + word] ?? 0)) !== 0) return false;
    return true;
  }
}
