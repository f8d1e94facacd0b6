/** A framework for the suites: keeps what it is told of its tasks, and comes back when the master dies. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Status {
  readonly task_id: { readonly value: string };
  readonly agent_id?: { readonly value: string };
  readonly state: string;
  readonly uuid?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly source?: string;
  readonly unreachable_time?: { readonly nanoseconds: number };
}
export interface Offer {
  readonly id: { readonly value: string };
  readonly agent_id: { readonly value: string };
  readonly framework_id?: { readonly value: string };
  readonly unavailability?: unknown;
  readonly resources: readonly {
    readonly name: string;
    readonly scalar?: { readonly value: number };
  }[];
}
export interface InverseOffer {
  readonly id: { readonly value: string };
  readonly agent_id: { readonly value: string };
  readonly unavailability: unknown;
}
export interface Event {
  readonly type: string;
  readonly subscribed?: { readonly framework_id: { readonly value: string } };
  readonly offers?: { readonly offers: readonly Offer[] };
  readonly update?: { readonly status: Status };
  readonly error?: { readonly message: string };
  readonly rescind?: { readonly offer_id: { readonly value: string } };
  readonly inverse_offers?: { readonly inverse_offers: readonly InverseOffer[] };
  readonly rescind_inverse_offer?: { readonly inverse_offer_id: { readonly value: string } };
  readonly failure?: {
    readonly agent_id?: { readonly value: string };
    readonly executor_id?: { readonly value: string };
    readonly status?: number;
  };
}

export interface FrameworkOptions {
  readonly master: string;
  readonly name: string;
  readonly roles?: readonly string[];
  readonly user?: string;
  /** Its tasks outlive the agent's absence (the default). */
  readonly checkpoint?: boolean;
  /** Beside MULTI_ROLE. */
  readonly capabilities?: readonly string[];
  /** Operations for an offer; none declines it, undefined keeps it. */
  onOffer(offer: Offer): readonly unknown[] | undefined;
  onStatus?(status: Status): void;
  /** Seconds that declined offers stay away. */
  readonly refuseSeconds?: number;
  /** Of a framework that was there before. */
  readonly id?: string;
  /** Seconds that it may be away. */
  readonly failoverTimeout?: number;
  /** Which updates it acknowledges; all of them unless told otherwise. */
  acknowledges?(status: Status): boolean;
  onAcknowledged?(status: Status): void;
  onSubscribed?(id: string): void;
}

const terminal = /FINISHED|FAILED|KILLED|ERROR|LOST|DROPPED|GONE|UNKNOWN/;

export class TestFramework {
  readonly #options: FrameworkOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #headers: Record<string, string> = { 'content-type': 'application/json' };
  #id: string | undefined;
  #leaving = false;
  /** Updates by task, in order of arrival, repeated ones once. */
  readonly updates = new Map<string, Status[]>();
  /** All but heartbeats, in order. */
  readonly events: Event[] = [];
  subscriptions = 0;

  constructor(options: FrameworkOptions) {
    this.#options = options;
    this.#id = options.id;
    this.#ended = this.#run();
  }

  get id(): string {
    return this.#id ?? '';
  }

  /** The terminal state of a task, when it has one. */
  ended(task: string): Status | undefined {
    return this.updates.get(task)?.find(({ state }) => terminal.test(state));
  }

  async call(type: string, fields: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const response = await fetch(`${this.#options.master}/api/v1/scheduler`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify({ type, framework_id: { value: this.#id }, ...fields }),
      signal: AbortSignal.timeout(10_000),
    });
    await response.arrayBuffer();
    return response.status;
  }

  reconcile(tasks: readonly string[]): Promise<number> {
    return this.call('RECONCILE', {
      reconcile: { tasks: tasks.map((value) => ({ task_id: { value } })) },
    });
  }

  async teardown(): Promise<void> {
    this.#leaving = true;
    await this.call('TEARDOWN');
    await this.close();
  }
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && !this.#leaving) {
      try {
        await this.#subscribe();
      } catch (error) {
        if (error instanceof FrameworkError) throw error;
        // The master is away, or was just now: again in a moment.
      }
      await sleep(50);
    }
  }

  async #subscribe(): Promise<void> {
    const { name, roles = ['*'], user = 'nobody', master } = this.#options;
    const { capabilities = ['PARTITION_AWARE'], checkpoint = true } = this.#options;
    const id = this.#id === undefined ? undefined : { value: this.#id };
    const framework_info = {
      user,
      name,
      id,
      roles,
      failover_timeout: this.#options.failoverTimeout ?? 600,
      checkpoint,
      capabilities: ['MULTI_ROLE', ...capabilities].map((type) => ({ type })),
    };
    const response = await fetch(`${master}/api/v1/scheduler`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'SUBSCRIBE', framework_id: id, subscribe: { framework_info } }),
      signal: this.#stop.signal,
    });
    if (response.status !== 200 || response.body === null) {
      await response.arrayBuffer();
      return;
    }
    this.#headers = {
      'content-type': 'application/json',
      'mesos-stream-id': response.headers.get('mesos-stream-id') ?? '',
    };
    let unread = Buffer.alloc(0);
    for await (const chunk of response.body) {
      unread = Buffer.concat([unread, chunk]);
      for (let end = unread.indexOf(10); end >= 0; end = unread.indexOf(10)) {
        const length = Number(unread.subarray(0, end).toString());
        if (unread.length < end + 1 + length) break;
        const record = unread.subarray(end + 1, end + 1 + length).toString();
        unread = unread.subarray(end + 1 + length);
        await this.#handle(JSON.parse(record) as Event);
      }
    }
  }

  async #handle(event: Event): Promise<void> {
    if (event.type !== 'HEARTBEAT') this.events.push(event);
    if (event.error !== undefined) throw new FrameworkError(event.error.message);
    if (event.subscribed !== undefined) {
      this.#id = event.subscribed.framework_id.value;
      this.subscriptions++;
      this.#options.onSubscribed?.(this.#id);
    }
    for (const offer of event.offers?.offers ?? []) {
      const operations = this.#options.onOffer(offer);
      if (operations === undefined) continue;
      const filters = { refuse_seconds: this.#options.refuseSeconds ?? 1 };
      await this.call('ACCEPT', { accept: { offer_ids: [offer.id], operations, filters } });
    }
    if (event.update !== undefined) await this.#told(event.update.status);
  }

  async #told(status: Status): Promise<void> {
    const { task_id, agent_id, uuid } = status;
    const known = this.updates.get(task_id.value) ?? [];
    if (uuid === undefined || !known.some((one) => one.uuid === uuid)) known.push(status);
    this.updates.set(task_id.value, known);
    this.#options.onStatus?.(status);
    if (uuid === undefined || this.#options.acknowledges?.(status) === false) return;
    const taken = await this.call('ACKNOWLEDGE', { acknowledge: { task_id, agent_id, uuid } });
    if (taken === 202) this.#options.onAcknowledged?.(status);
  }
}

class FrameworkError extends Error {
  override readonly name = 'FrameworkError';
}

export function scalar(name: string, value: number) {
  return { name, type: 'SCALAR', scalar: { value } };
}

/** How much of a scalar an offer holds, over all roles. */
export function amountOf(offer: Offer, name: string): number {
  return offer.resources
    .filter((one) => one.name === name)
    .reduce((sum, one) => sum + (one.scalar?.value ?? 0), 0);
}
