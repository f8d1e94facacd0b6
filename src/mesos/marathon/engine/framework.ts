import type { Cancel, Clock, Logger } from '#base';
import type {
  FrameworkInfo,
  Offer,
  SchedulerCall,
  SchedulerConnection,
  SchedulerEvent,
  SchedulerLink,
  TaskStatus,
} from '#mesos/protocol';
import type { EventBus } from './events.ts';
import type { MarathonSettings } from './options.ts';
import type { Tallies } from './tallies.ts';

/** What the engine does with what the master says. Called one at a time, outside the master's calls. */
export interface FrameworkHandlers {
  subscribed(): void;
  disconnected(): void;
  offers(offers: readonly Offer[]): void;
  rescinded(offerID: string): void;
  updated(status: TaskStatus): void;
  executorEnded(executorID: string): void;
}

/** Marathon as a framework: connects with the first need, and again whenever the stream is lost. */
export interface Framework {
  readonly id: string | undefined;
  readonly connected: boolean;
  /** The master's host name, when it told it. */
  readonly region: string | undefined;
  /** Connects if that was not done yet. */
  need(): void;
  /** Resolves when it has an id: at once, or when the master has registered it. */
  identified(): Promise<void>;
  /** Rejects with `CallRejected`, or when there is no connection. */
  call(call: SchedulerCall): Promise<void>;
  /** Roles with something to launch: offers of all others are suppressed. */
  demand(roles: ReadonlySet<string>): void;
  /** Something new waits for offers of this role: what was declined is worth another look. */
  revive(role: string): void;
  /** Hangs up and subscribes anew. */
  reconnect(): void;
  run(signal: AbortSignal): Promise<void>;
}

export interface FrameworkOptions {
  readonly link: SchedulerLink;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly settings: MarathonSettings;
  readonly tallies: Tallies;
  readonly webuiURL: string;
  readonly handlers: FrameworkHandlers;
  /** The stored id, and storing one; undefined forgets it. */
  readonly storedID: () => string | undefined;
  storeID(id: string | undefined): Promise<void>;
}

const retryMsMin = 500;
const retryMsMax = 30_000;

export function createFramework(options: FrameworkOptions): Framework {
  return new MarathonFramework(options);
}

class MarathonFramework implements Framework {
  readonly #options: FrameworkOptions;
  readonly #inbox: SchedulerEvent[] = [];
  /** Every role ever needed; the framework is subscribed to all of them. */
  readonly #roles: Set<string>;
  readonly #lastReviveMs = new Map<string, number>();
  readonly #reviveTimers = new Map<string, Cancel>();
  #wanted: ReadonlySet<string> = new Set();
  #connection: SchedulerConnection | undefined;
  #registered = false;
  #needed = Promise.withResolvers<void>();
  #isNeeded = false;
  readonly #identified = Promise.withResolvers<void>();
  #lost = Promise.withResolvers<void>();
  #draining = false;
  region: string | undefined;

  constructor(options: FrameworkOptions) {
    this.#options = options;
    this.#roles = new Set([options.settings.mesos_role]);
  }

  get id(): string | undefined {
    return this.#options.storedID();
  }
  get connected(): boolean {
    return this.#connection !== undefined && this.#registered;
  }

  need(): void {
    if (this.#isNeeded) return;
    this.#isNeeded = true;
    this.#needed.resolve();
  }

  async identified(): Promise<void> {
    this.need();
    if (this.id === undefined) await this.#identified.promise;
  }

  async call(call: SchedulerCall): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) throw new Error('Cannot call the master: not connected');
    this.#options.tallies.called(call);
    await connection.call({ framework_id: { value: connection.frameworkID }, ...call });
  }

  demand(roles: ReadonlySet<string>): void {
    const before = this.#wanted;
    this.#wanted = new Set(roles);
    const isNew = [...roles].some((role) => !this.#roles.has(role));
    for (const role of roles) this.#roles.add(role);
    if (!this.connected) return;
    if (isNew) {
      this.#updateFramework();
      return;
    }
    const more = [...roles].filter((role) => !before.has(role));
    const less = [...before].filter((role) => !roles.has(role));
    if (less.length > 0) this.#tell({ type: 'SUPPRESS', suppress: { roles: less } });
    for (const role of less) this.#cancelRevive(role);
    for (const role of more) this.#reviveNow(role);
  }

  revive(role: string): void {
    if (!this.connected || !this.#wanted.has(role) || this.#reviveTimers.has(role)) return;
    const { clock, settings } = this.#options;
    const last = this.#lastReviveMs.get(role) ?? Number.NEGATIVE_INFINITY;
    const waitMs = last + settings.min_revive_offers_interval - clock.monotonicMs();
    if (waitMs <= 0) {
      this.#reviveNow(role);
      return;
    }
    const cancel = clock.after(waitMs, () => {
      this.#reviveTimers.delete(role);
      if (this.connected && this.#wanted.has(role)) this.#reviveNow(role);
    });
    this.#reviveTimers.set(role, cancel);
  }

  reconnect(): void {
    this.#connection?.close();
    this.#lost.resolve();
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => {
      this.#identified.resolve();
      this.#needed.resolve();
      this.#lost.resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
    await this.#needed.promise;
    let failures = 0;
    while (!signal.aborted) {
      const startMs = this.#options.clock.monotonicMs();
      try {
        await this.#connect(signal);
        if (signal.aborted) break;
        await this.#lost.promise;
        if (this.#options.clock.monotonicMs() - startMs > retryMsMax) failures = 0;
      } catch (error) {
        this.#options.logger.warn('Cannot subscribe to the master, trying again', { error });
      }
      this.#disconnected();
      if (signal.aborted) break;
      const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures++, 10));
      await this.#options.clock.sleep(delayMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    }
    for (const role of this.#reviveTimers.keys()) this.#cancelRevive(role);
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    this.#lost = Promise.withResolvers<void>();
    const { promise, resolve } = this.#lost;
    if (signal.aborted) return;
    void promise;
    const id = this.#options.storedID();
    const suppressed = [...this.#roles].filter((role) => !this.#wanted.has(role));
    this.#connection = await this.#options.link.subscribe(
      {
        type: 'SUBSCRIBE',
        ...(id !== undefined && { framework_id: { value: id } }),
        subscribe: {
          framework_info: this.#info(id),
          ...(suppressed.length > 0 && { suppressed_roles: suppressed }),
        },
      },
      {
        wire: 'local',
        principal: this.#options.settings.mesos_authentication_principal,
        event: (event) => {
          this.#inbox.push(event);
          this.#drainSoon();
        },
        closed: () => resolve(),
      },
    );
    this.#drainSoon();
  }

  #info(id: string | undefined): FrameworkInfo {
    const { settings, webuiURL } = this.#options;
    const { mesos_authentication_principal: principal, enable_features: features } = settings;
    return {
      user: settings.mesos_user,
      name: settings.framework_name,
      ...(id !== undefined && { id: { value: id } }),
      failover_timeout: settings.failover_timeout,
      checkpoint: settings.checkpoint,
      hostname: settings.hostname,
      roles: [...this.#roles],
      webui_url: settings.webui_url ?? webuiURL,
      ...(principal !== undefined && { principal }),
      capabilities: [
        { type: 'PARTITION_AWARE' },
        { type: 'REGION_AWARE' },
        { type: 'MULTI_ROLE' },
        ...(features.includes('task_killing') ? [{ type: 'TASK_KILLING_STATE' } as const] : []),
        ...(features.includes('gpu_resources') ? [{ type: 'GPU_RESOURCES' } as const] : []),
      ],
    };
  }

  #updateFramework(): void {
    const suppressed = [...this.#roles].filter((role) => !this.#wanted.has(role));
    this.#tell({
      type: 'UPDATE_FRAMEWORK',
      update_framework: {
        framework_info: this.#info(this.id),
        ...(suppressed.length > 0 && { suppressed_roles: suppressed }),
      },
    });
  }

  #reviveNow(role: string): void {
    this.#lastReviveMs.set(role, this.#options.clock.monotonicMs());
    this.#cancelRevive(role);
    this.#tell({ type: 'REVIVE', revive: { roles: [role] } });
  }

  #cancelRevive(role: string): void {
    this.#reviveTimers.get(role)?.();
    this.#reviveTimers.delete(role);
  }

  /** A call whose failure changes nothing but the log: the stream's end brings everything anew. */
  #tell(call: SchedulerCall): void {
    this.call(call).catch((error: unknown) => {
      this.#options.logger.warn('The master refused a call', { type: call.type, error });
    });
  }

  /** The master must not be called from within its own events: they are taken in a turn of their own. */
  #drainSoon(): void {
    if (this.#draining) return;
    this.#draining = true;
    queueMicrotask(() => {
      void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Until the subscription's promise has resolved there is nobody to answer to.
    while (this.#connection !== undefined && this.#inbox.length > 0) {
      const batch = this.#inbox.splice(0);
      for (const event of batch) {
        try {
          if (event.type === 'SUBSCRIBED') await this.#subscribed(event);
          else this.#take(event);
        } catch (error) {
          this.#options.logger.error('Cannot handle an event of the master', {
            error,
            type: event.type,
          });
        }
      }
    }
    this.#draining = false;
  }

  async #subscribed(event: SchedulerEvent): Promise<void> {
    const { events, handlers, storeID } = this.#options;
    const id = event.subscribed?.framework_id.value ?? this.#connection?.frameworkID;
    const isNew = id !== this.id;
    if (isNew && id !== undefined) await storeID(id);
    this.#identified.resolve();
    this.region = event.subscribed?.master_info?.domain?.fault_domain?.region.name;
    this.#registered = true;
    const master = event.subscribed?.master_info?.hostname ?? '';
    if (isNew) events.publish('scheduler_registered_event', () => ({ frameworkId: id, master }));
    else events.publish('scheduler_reregistered_event', () => ({ master }));
    handlers.subscribed();
    // What was wanted while the subscription was under way.
    const known = new Set(this.#roles);
    if (known.size > 1) this.#updateFramework();
    for (const role of this.#wanted) this.#reviveNow(role);
  }

  #take(event: SchedulerEvent): void {
    const { handlers, events, logger, tallies } = this.#options;
    tallies.heard(event);
    switch (event.type) {
      case 'OFFERS':
        handlers.offers(event.offers?.offers ?? []);
        return;
      case 'RESCIND':
        if (event.rescind !== undefined) handlers.rescinded(event.rescind.offer_id.value);
        return;
      case 'UPDATE':
        if (event.update !== undefined) handlers.updated(event.update.status);
        return;
      case 'MESSAGE':
        events.publish('framework_message_event', () => ({
          executorId: event.message?.executor_id.value,
          slaveId: event.message?.agent_id.value,
          message: [...Buffer.from(event.message?.data ?? '', 'base64')],
        }));
        return;
      case 'ERROR':
        this.#failed(event.error?.message ?? '');
        return;
      case 'FAILURE':
        logger.debug('The master reports a failure', { failure: event.failure });
        if (event.failure?.executor_id !== undefined)
          handlers.executorEnded(event.failure.executor_id.value);
        return;
      default:
        return;
    }
  }

  /** The original ends its process; here a removed framework is registered anew. */
  #failed(message: string): void {
    this.#options.logger.error('The master refuses this framework', { message });
    if (!message.includes('Framework has been removed') && !message.includes('has been removed'))
      return;
    this.#options.storeID(undefined).catch((error: unknown) => {
      this.#options.logger.error('Cannot forget the framework id', { error });
    });
  }

  #disconnected(): void {
    const was = this.#registered;
    this.#connection = undefined;
    this.#registered = false;
    this.#inbox.length = 0;
    if (!was) return;
    this.#options.events.publish('scheduler_disconnected_event', () => ({}));
    this.#options.handlers.disconnected();
  }
}
