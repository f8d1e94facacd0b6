import type { Clock, Logger } from '#base';
import { silentLogger } from '#base';
import { StatusError, type Api, type KubeObject, type ResourceName } from '#machinery';
import { keyOf } from './informer.ts';

/** Writes Events about objects; equal ones within a while are counted up, floods are bounded. */
export interface EventRecorder {
  event(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    about: { reason: string; message: string; action?: string; fieldPath?: string },
  ): void;
}
export interface ClosableRecorder extends EventRecorder {
  /** Resolves when everything recorded so far was written or given up. */
  flush(): Promise<void>;
}
export interface RecorderOptions {
  readonly api: Api;
  readonly clock: Clock;
  /** `deployment-controller`, `kubelet`, `default-scheduler`. */
  readonly component: string;
  /** The node's name for a kubelet, else empty. */
  readonly host?: string | undefined;
  /** Which shape is written: core/v1 with counts (client-go record), or events.k8s.io/v1 with series. */
  readonly style?: 'core' | 'events' | undefined;
  readonly logger?: Logger | undefined;
  /** Waiting events past this many are dropped. */
  readonly queueMax?: number | undefined;
}

interface StoredEvent extends KubeObject {
  readonly count?: number;
}
const coreEvents: ResourceName<StoredEvent> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};
const newEvents: ResourceName<StoredEvent> = { ...coreEvents, group: 'events.k8s.io' };

// client-go tools/record/events_cache.go: more than 10 similar events in 10 minutes become one;
// a source may write 25 events about an object at once, then one every 5 minutes.
const similarMax = 10;
const similarMs = 600_000;
const burstMax = 25;
const refillMs = 300_000;
// tools/events: an event seen again within 6 minutes joins its series.
const seriesMs = 360_000;
const cacheEntriesMax = 4096;
const queueEventsMax = 1000;
const writersMax = 8;
const attemptsMax = 3;

export function createRecorder(options: RecorderOptions): ClosableRecorder {
  return new Recorder(options);
}

interface Seen {
  name: string;
  namespace: string;
  count: number;
  firstMs: number;
  lastMs: number;
}
interface Recorded {
  readonly object: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly action: string;
  readonly fieldPath: string | undefined;
  readonly atMs: number;
}

class Recorder implements ClosableRecorder {
  readonly #options: RecorderOptions;
  readonly #logger: Logger;
  readonly #seen = new Map<string, Seen>();
  readonly #similar = new Map<string, { messages: Set<string>; lastMs: number }>();
  readonly #tokens = new Map<string, { tokens: number; atMs: number }>();
  readonly #queue: Recorded[] = [];
  /** Events with one key are written one after the other. */
  readonly #busy = new Set<string>();
  #writers = 0;
  #sequence = 0;
  #idle: (() => void)[] = [];

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  event(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    about: { reason: string; message: string; action?: string; fieldPath?: string },
  ): void {
    if (this.#queue.length >= (this.#options.queueMax ?? queueEventsMax)) return;
    const { reason, message, action = reason, fieldPath } = about;
    const atMs = this.#options.clock.nowMs();
    this.#queue.push({ object, type, reason, message, action, fieldPath, atMs });
    if (this.#writers < writersMax) void this.#drain();
  }

  flush(): Promise<void> {
    if (this.#writers === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #drain(): Promise<void> {
    this.#writers++;
    for (;;) {
      const at = this.#queue.findIndex((one) => !this.#busy.has(subjectKey(one)));
      const [recorded] = at < 0 ? [] : this.#queue.splice(at, 1);
      if (recorded === undefined) break;
      const key = subjectKey(recorded);
      this.#busy.add(key);
      try {
        await this.#write(recorded);
      } catch (error) {
        this.#logger.warn('Cannot write event', { error, reason: recorded.reason });
      } finally {
        this.#busy.delete(key);
      }
    }
    this.#writers--;
    if (this.#writers > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #write(recorded: Recorded): Promise<void> {
    if (this.#options.style === 'events') {
      await this.#writeSeries(recorded);
      return;
    }
    const { key, message } = this.#aggregate(recorded);
    if (!this.#allowed(recorded)) return;
    const known = this.#seen.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastMs = recorded.atMs;
      const body = { count: known.count, lastTimestamp: seconds(recorded.atMs), message };
      if (await this.#patch(coreEvents, known, body)) return;
    }
    const seen = this.#start(recorded);
    await this.#retry(() =>
      this.#options.api.create(coreEvents, this.#core(recorded, seen, message)),
    );
    this.#remember(key, seen);
  }

  /** client-go EventAggregator: many messages that differ only in their text become one event. */
  #aggregate(recorded: Recorded): { key: string; message: string } {
    const group = `${subjectKey(recorded)}|${recorded.type}|${recorded.reason}`;
    let similar = this.#similar.get(group);
    if (similar === undefined || recorded.atMs - similar.lastMs > similarMs) {
      similar = { messages: new Set(), lastMs: recorded.atMs };
      bound(this.#similar);
      this.#similar.set(group, similar);
    }
    similar.lastMs = recorded.atMs;
    if (similar.messages.size < similarMax || similar.messages.has(recorded.message)) {
      similar.messages.add(recorded.message);
      return { key: `${group}|${recorded.message}`, message: recorded.message };
    }
    return { key: group, message: `(combined from similar events): ${recorded.message}` };
  }

  /** client-go EventSourceObjectSpamFilter: a token bucket for each object. */
  #allowed(recorded: Recorded): boolean {
    const key = subjectKey(recorded);
    const bucket = this.#tokens.get(key) ?? { tokens: burstMax, atMs: recorded.atMs };
    const gained = (recorded.atMs - bucket.atMs) / refillMs;
    bucket.tokens = Math.min(burstMax, bucket.tokens + Math.max(0, gained));
    bucket.atMs = recorded.atMs;
    if (!this.#tokens.has(key)) bound(this.#tokens);
    this.#tokens.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  async #writeSeries(recorded: Recorded): Promise<void> {
    const key = `${subjectKey(recorded)}|${recorded.type}|${recorded.reason}|${recorded.action}`;
    const known = this.#seen.get(key);
    if (known !== undefined && recorded.atMs - known.lastMs < seriesMs) {
      known.count++;
      known.lastMs = recorded.atMs;
      const series = { count: known.count, lastObservedTime: micros(recorded.atMs) };
      if (await this.#patch(newEvents, known, { series, note: recorded.message })) return;
    }
    const seen = this.#start(recorded);
    await this.#retry(() => this.#options.api.create(newEvents, this.#series(recorded, seen)));
    this.#remember(key, seen);
  }

  #start(recorded: Recorded): Seen {
    this.#sequence = (this.#sequence + 1) % 1_000_000;
    // fmt.Sprintf("%v.%x", name, now.UnixNano()): the clock's milliseconds, made unique below them.
    const nanos = BigInt(recorded.atMs) * 1_000_000n + BigInt(this.#sequence);
    return {
      name: `${recorded.object.metadata.name}.${nanos.toString(16)}`,
      namespace: recorded.object.metadata.namespace || 'default',
      count: 1,
      firstMs: recorded.atMs,
      lastMs: recorded.atMs,
    };
  }

  #remember(key: string, seen: Seen): void {
    bound(this.#seen);
    this.#seen.set(key, seen);
  }

  /** False when the event is gone from the server: it is written anew. */
  async #patch(resource: ResourceName<StoredEvent>, seen: Seen, body: object): Promise<boolean> {
    const { name, namespace } = seen;
    try {
      await this.#retry(() =>
        this.#options.api.patch(resource, { name, namespace }, { type: 'merge', body }),
      );
      return true;
    } catch (error) {
      if (error instanceof StatusError && error.reason === 'NotFound') return false;
      throw error;
    }
  }

  async #retry(write: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await write();
        return;
      } catch (error) {
        // What the server refused stays refused; only an unreachable or busy one is asked again.
        const passing =
          error instanceof StatusError && (error.code >= 500 || error.reason === 'TooManyRequests');
        if (!passing || attempt >= attemptsMax) throw error;
        await this.#options.clock.sleep(1000 * attempt);
      }
    }
  }

  #core(recorded: Recorded, seen: Seen, message: string): KubeObject {
    const { component, host } = this.#options;
    return draft({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: seen.name, namespace: seen.namespace },
      involvedObject: reference(recorded),
      reason: recorded.reason,
      message,
      source: { component, ...(host === undefined ? {} : { host }) },
      firstTimestamp: seconds(seen.firstMs),
      lastTimestamp: seconds(seen.lastMs),
      count: seen.count,
      type: recorded.type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: host ?? '',
    });
  }

  #series(recorded: Recorded, seen: Seen): KubeObject {
    const { component, host } = this.#options;
    return draft({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: seen.name, namespace: seen.namespace },
      eventTime: micros(recorded.atMs),
      reportingController: component,
      reportingInstance: host === undefined ? component : `${component}-${host}`,
      action: recorded.action,
      reason: recorded.reason,
      regarding: reference(recorded),
      note: recorded.message,
      type: recorded.type,
    });
  }
}

/** The event goes out as JSON: what the type of a stored object asks more is the server's to fill in. */
function draft(event: Readonly<Record<string, unknown>>): KubeObject {
  return event as unknown as KubeObject;
}

function reference({ object, fieldPath }: Recorded): object {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    apiVersion: object.apiVersion,
    resourceVersion,
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

function subjectKey({ object, fieldPath }: Recorded): string {
  return `${object.kind}|${keyOf(object)}|${object.metadata.uid}|${fieldPath ?? ''}`;
}

/** Forgets the oldest entry of a full cache. */
function bound(map: Map<string, unknown>): void {
  if (map.size < cacheEntriesMax) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

/** metav1.Time: whole seconds. */
export function seconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime. */
export function micros(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
