/** A framework of the benches: takes offers and fills them with tasks. */
import { setTimeout as sleep } from 'node:timers/promises';

export const waitMsMax = 180_000;
const callers = 32;

export interface Offer {
  readonly id: { readonly value: string };
  readonly agent_id: { readonly value: string };
}

export class BenchFramework {
  readonly #master: string;
  readonly #headers: Record<string, string> = { 'content-type': 'application/json' };
  readonly #offers: Offer[] = [];
  readonly #stop = new AbortController();
  #id = '';
  #wake: () => void = () => undefined;

  private constructor(master: string) {
    this.#master = master;
  }

  static async subscribe(master: string): Promise<BenchFramework> {
    const framework = new BenchFramework(master);
    const info = {
      user: 'nobody',
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
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  #handle(record: string): void {
    const event = JSON.parse(record) as {
      readonly subscribed?: { readonly framework_id: { readonly value: string } };
      readonly offers?: { readonly offers: readonly Offer[] };
    };
    if (event.subscribed !== undefined) this.#id = event.subscribed.framework_id.value;
    this.#offers.push(...(event.offers?.offers ?? []));
    this.#wake();
  }

  async offersUntil(count: number): Promise<readonly Offer[]> {
    const late = performance.now() + waitMsMax;
    while (this.#offers.length < count) {
      if (performance.now() > late) throw new Error(`${this.#offers.length} of ${count} offers`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(1000)]);
    }
    return this.#offers.slice(0, count);
  }

  /** `count` tasks on each offer, many calls at a time. */
  async launchAll(offers: readonly Offer[], count: number): Promise<void> {
    let next = 0;
    await Promise.all(
      Array.from({ length: callers }, async () => {
        for (let index = next++; index < offers.length; index = next++) {
          const offer = offers[index];
          if (offer !== undefined) await this.#launch(offer, { index, count });
        }
      }),
    );
  }

  async #launch(
    offer: Offer,
    { index, count }: { readonly index: number; readonly count: number },
  ): Promise<void> {
    const scalar = (name: string, value: number) => ({ name, type: 'SCALAR', scalar: { value } });
    const task_infos = Array.from({ length: count }, (_, at) => ({
      name: `task-${index}-${at}`,
      task_id: { value: `task-${index}-${at}` },
      agent_id: offer.agent_id,
      command: { value: 'sleep 1000' },
      resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    }));
    const operations = [{ type: 'LAUNCH', launch: { task_infos } }];
    const response = await fetch(`${this.#master}/api/v1/scheduler`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify({
        framework_id: { value: this.#id },
        type: 'ACCEPT',
        accept: { offer_ids: [offer.id], operations },
      }),
    });
    if (response.status !== 202) throw new Error(await response.text());
    await response.arrayBuffer();
  }

  close(): void {
    this.#stop.abort();
  }
}
