/** What suites about lost machines ask of a cluster: its master, its Marathon, its nodes. */
import assert from 'node:assert/strict';
import { kill, until } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import { TestFramework, scalar } from './mesos-framework.ts';
import type { Event, FrameworkOptions, Offer } from './mesos-framework.ts';

export interface Got {
  readonly status: number;
  readonly text: string;
}
interface Ask {
  readonly method?: string;
  readonly json?: unknown;
}

/** A cluster of several nodes and its faces. */
export class Lab {
  readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  get masterURL(): string {
    return `http://127.0.0.1:${5050 + this.cluster.offset}`;
  }

  master(path: string, ask: Ask = {}): Promise<Got> {
    return request(`${this.masterURL}${path}`, ask);
  }
  marathon(path: string, ask: Ask = {}): Promise<Got> {
    return request(`http://127.0.0.1:${8080 + this.cluster.offset}${path}`, ask);
  }

  async read(path: string): Promise<Json> {
    const { status, text } = await this.master(path);
    assert.equal(status, 200, text);
    return JSON.parse(text) as Json;
  }

  /** A call of the operator API; `fields` is what its own member holds. */
  operator(type: string, fields?: unknown): Promise<Got> {
    const json = { type, ...(fields !== undefined && { [type.toLowerCase()]: fields }) };
    return this.master('/api/v1', { json });
  }
  aboutAgent(type: string, id: string, more: object = {}): Promise<Got> {
    return this.operator(type, { agent_id: { value: id }, ...more });
  }

  /** The number of a node is the end of its name. */
  node(number: number): string {
    return `${this.cluster.name}-${number}`;
  }

  /** As `/slaves` shows it; undefined when it is not registered. */
  async agent(number: number): Promise<Json | undefined> {
    const node = await this.cluster.call('GET', `/api/v1/nodes/${this.node(number)}`);
    const addresses = [...node['status']!['addresses']!];
    const found = addresses.find((one) => String(one['type']) === 'InternalIP');
    const slaves = await this.read('/slaves');
    return [...slaves['slaves']!].find(
      (one) => String(one['hostname']) === String(found?.['address']),
    );
  }
  registered(number: number): Promise<Json> {
    return until(`the agent of node ${number}`, () => this.agent(number));
  }

  framework(options: Omit<FrameworkOptions, 'master'>): TestFramework {
    return new TestFramework({ master: this.masterURL, ...options });
  }

  /**
   * The machine falls silent: its agent stands still, as after a cut cable, and the time until the
   * cluster believes it has passed. Gives what brings it back.
   */
  async lose(number: number): Promise<() => void> {
    const name = this.node(number);
    const pid = this.cluster.pid(name);
    kill(pid, 'SIGSTOP');
    await this.silent(name);
    return () => kill(pid, 'SIGCONT');
  }

  /** What is written of a node that was silent for two minutes, without the wait. */
  async silent(name: string): Promise<void> {
    const node = await this.cluster.call('GET', `/api/v1/nodes/${name}`);
    const since = new Date(Date.now() - 76_000).toISOString().replace(/\.\d+Z$/, 'Z');
    const unknown = { status: 'Unknown', reason: 'NodeStatusUnknown', lastTransitionTime: since };
    const conditions = [...node['status']!['conditions']!].map((one) =>
      String(one['type']) === 'Ready' ? Object.assign({}, one, unknown) : one,
    );
    await this.cluster.call('PATCH', `/api/v1/nodes/${name}/status`, { status: { conditions } });
  }

  /** Names of Pods of a namespace that have not ended. */
  async livePods(namespace: string): Promise<readonly string[]> {
    const list = await this.cluster.call('GET', `/api/v1/namespaces/${namespace}/pods`);
    return [...list['items']!]
      .filter((pod) => !/Succeeded|Failed/.test(String(pod['status']!['phase'])))
      .map((pod) => String(pod['metadata']!['name']));
  }
}

/** Events of the operator API's stream, until it is disposed of. */
export class Watcher implements Disposable {
  readonly events: Json[] = [];
  readonly #abort = new AbortController();
  readonly ended: Promise<void>;

  constructor(lab: Lab) {
    this.ended = this.#read(`${lab.masterURL}/api/v1`);
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  /** In short: what happened to which task or agent. */
  get story(): readonly string[] {
    return this.events.map((event) => {
      const type = String(event['type']);
      const task = event['task_added']?.['task'] ?? event['task_updated']?.['status'];
      if (task === undefined) return type;
      return `${type} ${String(task['task_id']!['value'])} ${String(task['state'])}`;
    });
  }

  async #read(url: string): Promise<void> {
    const { signal } = this.#abort;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'SUBSCRIBE' }),
        signal,
      });
      let unread = Buffer.alloc(0);
      for await (const chunk of response.body ?? []) {
        unread = Buffer.concat([unread, chunk as Uint8Array]);
        for (let end = unread.indexOf(10); end >= 0; end = unread.indexOf(10)) {
          const last = end + 1 + Number(unread.subarray(0, end).toString());
          if (unread.length < last) break;
          const event = JSON.parse(unread.subarray(end + 1, last).toString()) as Json;
          unread = unread.subarray(last);
          if (String(event['type']) !== 'HEARTBEAT') this.events.push(event);
        }
      }
    } catch (error) {
      // The stream ends with the server, or with the watcher.
      if (!(signal.aborted || error instanceof TypeError)) throw error;
    }
  }
}

/** Marathon's events by SSE, until it is disposed of. */
export class MarathonEvents implements Disposable {
  readonly events: { readonly type: string; readonly data: Json }[] = [];
  readonly #abort = new AbortController();
  readonly ended: Promise<void>;

  constructor(lab: Lab) {
    this.ended = this.#read(`http://127.0.0.1:${8080 + lab.cluster.offset}/v2/events`);
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  /** Conditions of instances of an app or pod, in order. */
  conditionsOf(runSpecID: string): readonly string[] {
    return this.events
      .filter(
        ({ type, data }) => type === 'instance_changed_event' && runSpecOf(data) === runSpecID,
      )
      .map(({ data }) => String(data['condition']));
  }

  async #read(url: string): Promise<void> {
    const { signal } = this.#abort;
    try {
      const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal });
      let rest = '';
      for await (const chunk of response.body ?? []) {
        const parts = (rest + Buffer.from(chunk as Uint8Array).toString()).split(/\r?\n\r?\n/);
        rest = parts.pop() ?? '';
        for (const part of parts) {
          const type = /^event: (.*)$/m.exec(part)?.[1]?.trim();
          const data = /^data: (.*)$/m.exec(part)?.[1];
          if (type === undefined || data === undefined) continue;
          this.events.push({ type, data: JSON.parse(data) as Json });
        }
      }
    } catch (error) {
      // The stream ends with the server, or with the watcher.
      if (!(signal.aborted || error instanceof TypeError)) throw error;
    }
  }
}
function runSpecOf(data: Json): string {
  return String(data['runSpecId']);
}

async function request(url: string, { method, json }: Ask): Promise<Got> {
  const body = json === undefined ? undefined : JSON.stringify(json);
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    ...(body !== undefined && { body, headers: { 'Content-Type': 'application/json' } }),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, text: await response.text() };
}

export interface Wish {
  readonly id: string;
  readonly command?: string;
  readonly graceSeconds?: number;
  readonly resources?: readonly unknown[];
}

/** Runs these tasks once, on one agent, and keeps every other offer. */
export function launchOn(agentID: string, wishes: readonly Wish[]): FrameworkOptions['onOffer'] {
  let launched = false;
  return (offer: Offer) => {
    if (launched || offer.agent_id.value !== agentID) return undefined;
    launched = true;
    const task_infos = wishes.map(
      ({ id, command = 'exec sleep 1000', graceSeconds, resources }) => ({
        name: id,
        task_id: { value: id },
        agent_id: offer.agent_id,
        command: { value: command },
        resources: resources ?? [scalar('cpus', 0.1), scalar('mem', 16)],
        ...(graceSeconds !== undefined && {
          kill_policy: { grace_period: { nanoseconds: graceSeconds * 1e9 } },
        }),
      }),
    );
    return [{ type: 'LAUNCH', launch: { task_infos } }];
  };
}

export function isRunning(framework: TestFramework, task: string): boolean {
  return framework.updates.get(task)?.at(-1)?.state === 'TASK_RUNNING';
}

/** What it heard since, in short and without the answers to its own questions. */
export function story(framework: TestFramework, since: number): readonly string[] {
  return framework.events.slice(since).flatMap((event: Event) => {
    const { status } = event.update ?? {};
    if (status === undefined) return [event.type];
    const why = status.reason === undefined ? '' : ` ${status.reason}`;
    return [`${status.task_id.value} ${status.state}${why}`];
  });
}
