import type { Cancel, Clock, Logger } from '#base';
import type { Instance, Root } from '../model/index.ts';
import { instancesOf, isTerminal, runSpecOf, selectToKill } from '../model/index.ts';
import type { Deployments } from './deployments.ts';
import type { Framework } from './framework.ts';
import type { Killer } from './killer.ts';
import type { MarathonSettings } from './options.ts';
import { unreachableOf } from './run-spec.ts';
import { counts, endOf } from './starter.ts';
import type { Tracker } from './tracker.ts';
import { unreachableFor, withTask } from './transitions.ts';

/** What has to be looked at from time to time, and only while there is something to look at. */
export interface Upkeep {
  /** The framework is registered (again). */
  subscribed(): void;
  disconnected(): void;
  /** Starts or ends instances until there are as many as wanted; not while a deployment is at it. */
  scaleCheck(runSpecID: string): void;
  /** Instances that should have come up by now. */
  readonly overdue: number;
  stop(): void;
}

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: MarathonSettings;
  readonly framework: Framework;
  readonly tracker: Tracker;
  readonly killer: Killer;
  readonly deployments: Deployments;
  root(): Root;
  start(runSpecID: string, count: number): void;
}

// OverdueInstancesActor.scala.
const overdueFirstMs = 30_000;
const overdueIntervalMs = 5_000;
const reconcileChunk = 1_000;

export function createUpkeep(options: UpkeepOptions): Upkeep {
  return new Caretaker(options);
}

class Caretaker implements Upkeep {
  readonly #options: UpkeepOptions;
  readonly #timers = new Map<string, Cancel>();
  readonly #toScale = new Set<string>();
  #scaleSoon = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    options.tracker.onChange(({ old, now }) => this.#changed(old, now));
  }

  subscribed(): void {
    const { settings } = this.#options;
    this.#arm('reconcile', settings.reconciliation_initial_delay, () => this.#reconcile());
    this.#arm('scale', settings.scale_apps_initial_delay, () => this.#scaleAll());
    for (const instance of this.#options.tracker.all()) this.#watch(instance);
  }

  disconnected(): void {
    for (const name of ['reconcile', 'scale']) this.#disarm(name);
  }

  stop(): void {
    for (const name of this.#timers.keys()) this.#disarm(name);
  }

  get overdue(): number {
    const nowMs = this.#options.clock.nowMs();
    let count = 0;
    for (const instance of this.#options.tracker.all())
      if (this.#isOverdue(instance, nowMs)) count++;
    return count;
  }

  #isOverdue(instance: Instance, nowMs: number): boolean {
    const limitMs = limitOf(instance, this.#options.settings);
    return limitMs !== undefined && nowMs >= Date.parse(instance.since) + limitMs;
  }

  scaleCheck(runSpecID: string): void {
    this.#toScale.add(runSpecID);
    if (this.#scaleSoon) return;
    this.#scaleSoon = true;
    queueMicrotask(() => {
      this.#scaleSoon = false;
      const ids = [...this.#toScale];
      this.#toScale.clear();
      for (const id of ids) this.#scale(id);
    });
  }

  #changed(old: Instance | undefined, now: Instance | undefined): void {
    const { settings, framework } = this.#options;
    if (now !== undefined && now.condition !== old?.condition) this.#watch(now);
    if (old === undefined && framework.connected) {
      this.#arm('reconcile', settings.reconciliation_interval, () => this.#reconcile());
      this.#arm('scale', settings.scale_apps_interval, () => this.#scaleAll());
    }
    const id = (now ?? old)?.runSpecID ?? '';
    const back = old?.condition === 'UnreachableInactive' && now?.condition !== old.condition;
    // One that was launched makes room for another to wait.
    const launched = old?.condition === 'Scheduled' && now?.condition === 'Provisioned';
    const more = launched && this.#wantsMore(id);
    if (now === undefined || now.condition === 'UnreachableInactive' || back || more)
      this.scaleCheck(id);
  }

  #wantsMore(id: string): boolean {
    const runSpec = runSpecOf(this.#options.root(), id);
    return runSpec !== undefined && this.#options.tracker.of(id).size < instancesOf(runSpec);
  }

  #watch({ condition }: Instance): void {
    const { settings } = this.#options;
    if (condition === 'Provisioned' || condition === 'Staging' || condition === 'Starting')
      this.#arm('overdue', overdueFirstMs, () => this.#overdue());
    if (condition === 'Unreachable' || condition === 'UnreachableInactive')
      this.#arm('lost', settings.task_lost_expunge_interval, () => this.#lost());
  }

  #arm(name: string, delayMs: number, action: () => void): void {
    if (this.#timers.has(name)) return;
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(name);
      action();
    });
    this.#timers.set(name, cancel);
  }

  #disarm(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  /** Explicitly for all that is known, then implicitly for what is not. */
  #reconcile(): void {
    const { framework, tracker, settings, logger } = this.#options;
    const tasks: { readonly task_id: { value: string }; readonly agent_id?: { value: string } }[] =
      [];
    for (const instance of tracker.all())
      for (const { taskID, condition } of instance.tasks)
        if (!isTerminal(condition)) {
          const agentID = instance.agent?.agentID;
          tasks.push({
            task_id: { value: taskID },
            ...(agentID !== undefined && { agent_id: { value: agentID } }),
          });
        }
    const run = async (): Promise<void> => {
      for (let at = 0; at < tasks.length; at += reconcileChunk)
        await framework.call({
          type: 'RECONCILE',
          reconcile: { tasks: tasks.slice(at, at + reconcileChunk) },
        });
      await framework.call({ type: 'RECONCILE', reconcile: { tasks: [] } });
    };
    run().catch((error: unknown) => logger.info('Cannot reconcile yet', { error }));
    // With no instance there is nothing to be wrong about: the next one sets this going again.
    if (tracker.size > 0)
      this.#arm('reconcile', settings.reconciliation_interval, () => this.#reconcile());
  }

  #scaleAll(): void {
    const { settings, tracker, root } = this.#options;
    for (const id of tracker.runSpecIDs) {
      if (runSpecOf(root(), id) === undefined) this.#endOrphans(id);
      else this.scaleCheck(id);
    }
    for (const id of [...root().apps.keys(), ...root().pods.keys()]) this.scaleCheck(id);
    if (tracker.size > 0) this.#arm('scale', settings.scale_apps_interval, () => this.#scaleAll());
  }

  #endOrphans(id: string): void {
    const { tracker, killer, deployments } = this.#options;
    if (deployments.isLocked(id)) return;
    for (const one of tracker.of(id).keys()) void killer.setGoal(one, 'Decommissioned');
  }

  #scale(id: string): void {
    const { tracker, killer, deployments, root, start } = this.#options;
    const runSpec = runSpecOf(root(), id);
    if (runSpec === undefined || deployments.isLocked(id)) return;
    const instances = [...tracker.of(id).values()].filter(counts);
    const wanted = instancesOf(runSpec);
    if (instances.length < wanted) start(id, wanted - instances.length);
    if (instances.length <= wanted) return;
    const victims = selectToKill({ runSpec, instances, scaleTo: wanted, sentenced: [] });
    for (const victim of victims) void killer.setGoal(victim.instanceID, endOf(victim));
  }

  /** Launches that nobody confirmed, and tasks that do not come up. */
  #overdue(): void {
    const { tracker, killer, settings, clock, logger } = this.#options;
    const nowMs = clock.nowMs();
    let waits = false;
    for (const instance of tracker.all()) {
      if (limitOf(instance, settings) === undefined) continue;
      waits = true;
      if (!this.#isOverdue(instance, nowMs)) continue;
      logger.info('Killing an overdue instance', { id: instance.instanceID });
      killer.kill(instance);
    }
    if (waits) this.#arm('overdue', overdueIntervalMs, () => this.#overdue());
  }

  #lost(): void {
    const { tracker, clock, root, settings } = this.#options;
    const nowMs = clock.nowMs();
    let waits = false;
    for (const instance of tracker.all()) {
      if (!instance.condition.startsWith('Unreachable')) continue;
      waits = true;
      const unreachable = unreachableOf(runSpecOf(root(), instance.runSpecID));
      if (unreachable === 'disabled') continue;
      if (unreachableFor(instance.tasks, nowMs, unreachable.expungeAfterSeconds)) {
        void tracker.expunge({ ...instance, condition: 'Killed' });
        continue;
      }
      const [task] = instance.tasks;
      if (task === undefined || instance.condition !== 'Unreachable') continue;
      const next = withTask(instance, task, { unreachable, nowMs });
      if (next.condition !== instance.condition) void tracker.put(next);
    }
    if (waits) this.#arm('lost', settings.task_lost_expunge_interval, () => this.#lost());
  }
}

function limitOf({ condition, goal }: Instance, settings: MarathonSettings): number | undefined {
  if (goal !== 'Running') return undefined;
  if (condition === 'Provisioned') return settings.task_launch_confirm_timeout;
  if (condition === 'Staging' || condition === 'Starting') return settings.task_launch_timeout;
  return undefined;
}
