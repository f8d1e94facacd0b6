/** A framework of the benches: takes offers and fills them with tasks. */
import { setTimeout as sleep } from 'node:timers/promises';

export const waitMsMax = 180_000;
const callers = 32;

export interface Offer {
  readonly id: { readonly value: string };
  readonly agent_id: { readonly value: string };
}
/** As far as a bench looks at it. */
export interface Update {
  readonly task_id: { readonly value: string };
  readonly agent_id: { readonly value: string };
  readonly state: string;
  readonly uuid?: string;
  readonly message?: string;
  /** Seconds since the epoch: when the agent made it. */
  readonly timestamp: number;
}
export interface BenchTask {
  readonly id: string;
  readonly command: string;
  readonly cpus: number;
  readonly container?: Readonly<Record<string, unknown>> | undefined;
}
export interface FrameworkOptions {
  readonly user?: string;
  /** Updates are acknowledged at once when somebody wants to see them. */
  readonly told?: (update: Update) => void;
}

export class BenchFramework {
  readonly #master: string;
  readonly #headers: Record<string, string> = { 'content-type': 'application/json' };
  readonly #offers: Offer[] = [];
  readonly #stop = new AbortController();
  readonly #told: ((update: Update) => void) | undefined;
  #id = '';
  #broken: unknown;
  #wake: () => void = () => undefined;

  private constructor(master: string, told: ((update: Update) => void) | undefined) {
    this.#master = master;
    this.#told = told;
  }

  static async subscribe(master: string, options: FrameworkOptions = {}): Promise<BenchFramework> {
    const framework = new BenchFramework(master, options.told);
    const info = {
      user: options.user ?? 'nobody',
      name: 'bench',
      roles: ['*'],
      capabilities: [{ type: 'MULTI_ROLE' }],
    };
    const response = await fetch(`${master}/api/v1/scheduler`, {
      method: 'POST',
      headers: framework.#headers,
      body: JSON.stringify({ type: 'SUBSCRIBE', subscribe: { framework_info: info } }),
      signal: framework.#stop.signal,
    });
    if (response.status !== 200 || response.body === null) throw new Error(await response.text());
    framework.#headers['mesos-stream-id'] = response.headers.get('mesos-stream-id') ?? '';
    void framework.#read(response.body);
    return framework;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let unread = Buffer.alloc(0);
    try {
      for await (const chunk of body) {
        unread = Buffer.concat([unread, chunk]);
        for (let end = unread.indexOf(10); end >= 0; end = unread.indexOf(10)) {
          const length = Number(unread.subarray(0, end).toString());
          if (unread.length < end + 1 + length) break;
          this.#handle(unread.subarray(end + 1, end + 1 + length).toString());
          unread = unread.subarray(end + 1 + length);
        }
      }
    } catch (error) {
      // Told to whoever waits for an offer: a server that is being ended is no failure of its own.
      this.#broken ??= error;
      this.#wake();
    }
  }

  #handle(record: string): void {
    const event = JSON.parse(record) as {
      readonly subscribed?: { readonly framework_id: { readonly value: string } };
      readonly offers?: { readonly offers: readonly Offer[] };
      readonly update?: { readonly status: Update };
      readonly rescind?: { readonly offer_id: { readonly value: string } };
    };
    if (event.subscribed !== undefined) this.#id = event.subscribed.framework_id.value;
    this.#offers.push(...(event.offers?.offers ?? []));
    const gone = event.rescind?.offer_id.value;
    const at = this.#offers.findIndex(({ id }) => id.value === gone);
    if (at >= 0) this.#offers.splice(at, 1);
    if (event.update !== undefined && this.#told !== undefined) {
      this.#told(event.update.status);
      void this.#acknowledge(event.update.status);
    }
    this.#wake();
  }

  async #acknowledge({ task_id, agent_id, uuid }: Update): Promise<void> {
    if (uuid === undefined) return;
    try {
      await this.#call({ type: 'ACKNOWLEDGE', acknowledge: { task_id, agent_id, uuid } });
    } catch (error) {
      // Closed: a framework without a stream is gone.
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async #call(call: Readonly<Record<string, unknown>>): Promise<void> {
    const response = await fetch(`${this.#master}/api/v1/scheduler`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify({ framework_id: { value: this.#id }, ...call }),
    });
    if (response.status !== 202) throw new Error(await response.text());
    await response.arrayBuffer();
  }

  async offersUntil(count: number): Promise<readonly Offer[]> {
    const late = performance.now() + waitMsMax;
    while (this.#offers.length < count) {
      if (this.#broken !== undefined) throw this.#broken;
      if (performance.now() > late) throw new Error(`${this.#offers.length} of ${count} offers`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(1000)]);
    }
    return this.#offers.slice(0, count);
  }

  /** Onto all that is offered of one agent, the rest of which is offered again at once. */
  async launch(tasks: readonly BenchTask[]): Promise<void> {
    await this.offersUntil(1);
    await this.#accept(this.#offers.splice(0), tasks, { refuse_seconds: 0 });
  }

  /** `count` tasks on each offer, many calls at a time. */
  async launchAll(offers: readonly Offer[], count: number): Promise<void> {
    let next = 0;
    await Promise.all(
      Array.from({ length: callers }, async () => {
        for (let index = next++; index < offers.length; index = next++) {
          const offer = offers[index];
          const tasks = Array.from({ length: count }, (_, at) => ({
            id: `task-${index}-${at}`,
            command: 'sleep 1000',
            cpus: 0.1,
          }));
          if (offer !== undefined) await this.#accept([offer], tasks);
        }
      }),
    );
  }

  async #accept(
    offers: readonly Offer[],
    tasks: readonly BenchTask[],
    filters?: { readonly refuse_seconds: number },
  ): Promise<void> {
    const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value } });
    const task_infos = tasks.map(({ id, command, cpus, container }) => ({
      name: id,
      task_id: { value: id },
      agent_id: offers[0]?.agent_id,
      command: { value: command },
      ...(container === undefined ? {} : { container }),
      resources: [scalar('cpus', cpus), scalar('mem', 32)],
    }));
    await this.#call({
      type: 'ACCEPT',
      accept: {
        offer_ids: offers.map(({ id }) => id),
        operations: [{ type: 'LAUNCH', launch: { task_infos } }],
        ...(filters === undefined ? {} : { filters }),
      },
    });
  }

  async teardown(): Promise<void> {
    await this.#call({ type: 'TEARDOWN' });
    this.close();
  }

  close(): void {
    this.#stop.abort();
  }
}
