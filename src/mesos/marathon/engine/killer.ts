import type { Cancel, Clock, Logger } from '#base';
import type { Condition, Goal, Instance } from '../model/index.ts';
import { isTerminal } from '../model/index.ts';
import type { Framework } from './framework.ts';
import type { InstanceChange, Tracker } from './tracker.ts';
import { hasLiveTasks } from './transitions.ts';

/** Ends tasks: of instances that are not wanted any more, and of those that are to start afresh. */
export interface Killer {
  /** Kills the tasks; with goal Running the instance starts anew. */
  kill(instance: Instance): void;
  /** A task that belongs to no instance. */
  killTask(taskID: string, agentID: string | undefined): void;
  /** Changes the goal and sees to what follows from it. Resolves when that is stored. */
  setGoal(instanceID: string, goal: Goal): Promise<void>;
  /** Looks at every instance: what was under way when the process began. */
  resume(): void;
  /** Kills that nobody confirmed yet, and how often they were sent. */
  readonly inFlight: { readonly kills: number; readonly attempts: number };
  stop(): void;
}

export interface KillerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly framework: Framework;
  readonly tracker: Tracker;
}

// KillConfig.scala: kill_chunk_size, kill_retry_timeout.
const inFlightMax = 100;
const retryMs = 30_000;

/** Nobody is there to answer a kill: the instance is forgotten at once (KillAction.scala). */
const lost: ReadonlySet<Condition> = new Set([
  'Unknown',
  'Unreachable',
  'UnreachableInactive',
  'Dropped',
  'Gone',
]);

export function createKiller(options: KillerOptions): Killer {
  return new KillService(options);
}

class KillService implements Killer {
  readonly #options: KillerOptions;
  /** In the order in which they were asked for. */
  readonly #queue = new Set<string>();
  readonly #inFlight = new Map<string, { readonly sentMs: number; readonly attempts: number }>();
  #timer: Cancel | undefined;

  constructor(options: KillerOptions) {
    this.#options = options;
    options.tracker.onChange((change) => this.#changed(change));
  }

  get inFlight(): { readonly kills: number; readonly attempts: number } {
    let attempts = 0;
    for (const one of this.#inFlight.values()) attempts += one.attempts;
    return { kills: this.#inFlight.size, attempts };
  }

  kill(instance: Instance): void {
    const { tracker } = this.#options;
    if (lost.has(instance.condition)) {
      if (instance.reservation !== undefined && instance.goal !== 'Decommissioned') return;
      void tracker.expunge({ ...instance, goal: 'Decommissioned', condition: 'Killed' });
      return;
    }
    if (!hasLiveTasks(instance) || this.#inFlight.has(instance.instanceID)) return;
    this.#queue.add(instance.instanceID);
    this.#pump();
  }

  killTask(taskID: string, agentID: string | undefined): void {
    void this.#call(taskID, agentID);
  }

  setGoal(instanceID: string, goal: Goal): Promise<void> {
    const { tracker } = this.#options;
    const instance = tracker.get(instanceID);
    if (instance === undefined || instance.goal === goal) return Promise.resolve();
    const next = { ...instance, goal };
    if (goal === 'Decommissioned' && !hasLiveTasks(instance)) return tracker.expunge(next);
    if (goal === 'Decommissioned' && lost.has(instance.condition))
      return tracker.expunge({ ...next, condition: 'Killed' });
    const stored = tracker.put(next);
    if (goal === 'Running') return stored;
    return this.#killWhenStored(stored, instanceID);
  }

  resume(): void {
    for (const instance of this.#options.tracker.all()) {
      if (instance.goal === 'Running') continue;
      if (instance.goal === 'Decommissioned' && !hasLiveTasks(instance))
        void this.#options.tracker.expunge(instance);
      else this.kill(instance);
    }
  }

  stop(): void {
    this.#timer?.();
  }

  async #killWhenStored(stored: Promise<void>, instanceID: string): Promise<void> {
    try {
      await stored;
    } catch (error) {
      // The engine begins again from what is stored.
      this.#options.logger.warn('Cannot end an instance', { id: instanceID, error });
      return;
    }
    const instance = this.#options.tracker.get(instanceID);
    if (instance !== undefined && instance.goal !== 'Running') this.kill(instance);
  }

  #changed({ id, now }: InstanceChange): void {
    if (now !== undefined && hasLiveTasks(now) && !lost.has(now.condition)) return;
    this.#queue.delete(id);
    if (this.#inFlight.delete(id)) this.#pump();
  }

  #pump(): void {
    for (const id of this.#queue) {
      if (this.#inFlight.size >= inFlightMax) break;
      this.#queue.delete(id);
      const instance = this.#options.tracker.get(id);
      if (instance === undefined || !hasLiveTasks(instance)) continue;
      this.#inFlight.set(id, { sentMs: this.#options.clock.monotonicMs(), attempts: 1 });
      this.#send(instance);
    }
    this.#watch();
  }

  #send(instance: Instance): void {
    for (const { taskID, condition } of instance.tasks)
      if (!isTerminal(condition)) void this.#call(taskID, instance.agent?.agentID);
  }

  async #call(taskID: string, agentID: string | undefined): Promise<void> {
    const { framework, logger } = this.#options;
    try {
      await framework.call({
        type: 'KILL',
        kill: {
          task_id: { value: taskID },
          ...(agentID !== undefined && { agent_id: { value: agentID } }),
        },
      });
    } catch (error) {
      logger.info('Cannot kill a task yet', { task: taskID, error });
    }
  }

  /** What is not confirmed is asked for again. */
  #watch(): void {
    if (this.#timer !== undefined || this.#inFlight.size === 0) return;
    const { clock, tracker } = this.#options;
    this.#timer = clock.after(retryMs, () => {
      this.#timer = undefined;
      const nowMs = clock.monotonicMs();
      for (const [id, { sentMs, attempts }] of this.#inFlight) {
        const instance = tracker.get(id);
        if (instance === undefined) this.#inFlight.delete(id);
        else if (nowMs - sentMs >= retryMs) {
          this.#inFlight.set(id, { sentMs: nowMs, attempts: attempts + 1 });
          this.#send(instance);
        }
      }
      this.#pump();
    });
  }
}
