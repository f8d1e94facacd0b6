/** Writes from many connections, each remembered by its client, against a server that may be killed. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Json } from './cluster.ts';
import { isBroken } from './cluster.ts';

const absent = 'absent';
const storePath = '/api/v1/namespaces/storm/configmaps';

export interface StormReport {
  readonly acknowledged: number;
  readonly broken: number;
}

/**
 * What a key may hold: one state once a write was acknowledged, two while one is in doubt (its
 * connection broke before the answer). The truth may be any of them, and nothing else.
 */
export class Storm {
  readonly #cluster: Cluster;
  readonly #allowed = new Map<string, readonly string[]>();
  /** Acknowledged creates and updates by resourceVersion: each must be an event of the watch. */
  readonly written = new Map<number, string>();
  #turn = 0;
  #acknowledged = 0;
  #broken = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async begin(): Promise<void> {
    await this.#cluster.call('POST', '/api/v1/namespaces', { metadata: { name: 'storm' } });
  }

  get report(): StormReport {
    return { acknowledged: this.#acknowledged, broken: this.#broken };
  }

  /** Writes from 32 connections until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: 32 }, () => this.#worker(signal)));
  }

  /** A life of a ConfigMap: created, updated, for the most part deleted; given up when in doubt. */
  async #worker(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const turn = this.#turn++;
      const name = `s-${turn}`;
      if (!(await this.#write('POST', name, 'one'))) {
        await sleep(5);
        continue;
      }
      if (!(await this.#write('PUT', name, `two-${turn % 7}`))) continue;
      if (turn % 10 !== 0) await this.#write('DELETE', name, absent);
    }
  }

  async #write(method: 'POST' | 'PUT' | 'DELETE', name: string, state: string): Promise<boolean> {
    const before = this.#allowed.get(name) ?? [absent];
    this.#allowed.set(name, [...before, state]);
    const path = method === 'POST' ? storePath : `${storePath}/${name}`;
    try {
      const answer = await this.#cluster.api(
        method,
        path,
        method === 'DELETE' ? undefined : objectOf(name, state),
      );
      // Whatever else a server says while it starts or ends, it is no acknowledgement.
      if (answer.status >= 300) {
        this.#broken++;
        return false;
      }
      this.#allowed.set(name, [state]);
      this.#acknowledged++;
      if (method !== 'DELETE')
        this.written.set(
          Number(answer.json()['metadata']?.['resourceVersion']),
          `${name}=${state}`,
        );
      return true;
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#broken++;
      return false;
    }
  }

  /** Reads everything back: gives a line for each object that is not what it must be. */
  async problems(): Promise<readonly string[]> {
    const list = await this.#cluster.call('GET', storePath);
    const found = new Map<string, string>();
    const problems: string[] = [];
    for (const object of list['items'] ?? []) {
      const name = String(object['metadata']?.['name']);
      if (name === 'kube-root-ca.crt') continue;
      const state = wholeState(object);
      if (state === undefined) problems.push(`${name} is half-written: ${JSON.stringify(object)}`);
      else found.set(name, state);
    }
    for (const [name, allowed] of this.#allowed) {
      const state = found.get(name) ?? absent;
      if (!allowed.includes(state))
        problems.push(`${name} is ${state}, acknowledged was ${allowed.join(' or ')}`);
      this.#allowed.set(name, [state]);
      found.delete(name);
    }
    for (const name of found.keys()) problems.push(`${name} was never written`);
    return problems;
  }
}

function objectOf(name: string, state: string): object {
  const filling = 'x'.repeat(300);
  return { metadata: { name }, data: { state, filling, sum: sumOf(name, state, filling) } };
}

/** The state in an object, or undefined when its fields are not of one write. */
export function wholeState(object: Json): string | undefined {
  const { state, filling, sum } = (object['data'] ?? {}) as Partial<Record<string, unknown>>;
  const name = String(object['metadata']?.['name']);
  return sum === sumOf(name, String(state), String(filling)) ? String(state) : undefined;
}
function sumOf(...texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('/')).digest('hex');
}

/** Follows the storm's objects through every death of the server. */
export class Follower {
  readonly #cluster: Cluster;
  readonly seen = new Map<number, string>();
  readonly problems: string[] = [];
  #version = '0';
  #last = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async run(signal: AbortSignal): Promise<void> {
    const list = await this.#cluster.call('GET', storePath);
    this.#version = String(list['metadata']?.['resourceVersion']);
    while (!signal.aborted) {
      try {
        await this.#watch(signal);
      } catch (error) {
        if (!isBroken(error) && !/answered 5\d\d/.test(String(error)))
          this.problems.push(String(error));
      }
      if (!signal.aborted) await sleep(10);
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const path = `${storePath}?watch=1&allowWatchBookmarks=true&resourceVersion=${this.#version}`;
    for await (const event of this.#cluster.watch(path, signal)) {
      const type = String(event['type']);
      if (type === 'ERROR') throw new Error(JSON.stringify(event['object']));
      const object = event['object'];
      const version = Number(object?.['metadata']?.['resourceVersion']);
      if (type !== 'BOOKMARK' && object !== undefined) {
        if (version <= this.#last) this.problems.push(`event ${version} came after ${this.#last}`);
        this.#last = version;
        if (type !== 'DELETED')
          this.seen.set(version, `${String(object['metadata']?.['name'])}=${wholeState(object)}`);
      }
      this.#version = String(version);
    }
  }

  /** True when everything up to a version is here. */
  reached(version: number): boolean {
    return Number(this.#version) >= version;
  }
}
