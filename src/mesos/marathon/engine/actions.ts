import type { Instance, RunSpec } from '../model/index.ts';
import {
  instancesOf,
  instancesToStart,
  isResident,
  selectToKill,
  upgradeNumbers,
} from '../model/index.ts';
import type { Backoff } from './backoff.ts';
import type { EventBus } from './events.ts';
import type { Killer } from './killer.ts';
import { hasHealthChecks, versionOf } from './run-spec.ts';
import { counts, endOf } from './starter.ts';
import type { Tracker } from './tracker.ts';
import { hasLiveTasks, isScheduled } from './transitions.ts';

/** One action of a deployment. It looks at what is, does what is next, and says whether it is done. */
export interface ActionRun {
  /** Called at the beginning and whenever something of the run spec changed. */
  advance(): boolean;
}

export interface ActionContext {
  readonly tracker: Tracker;
  readonly killer: Killer;
  readonly backoff: Backoff;
  readonly events: EventBus;
  /** The deployment began in an earlier life of this process. */
  readonly resumed: boolean;
  start(runSpec: RunSpec, count: number): readonly string[];
  /** Healthy, and ready when there are readiness checks. */
  isReady(instance: Instance, runSpec: RunSpec): boolean;
  isHealthy(instance: Instance): boolean | undefined;
}

/** Only the definition was stored; instances come by scaling. */
export const startAction: ActionRun = { advance: () => true };

/** First all kills, then what is missing is started; done when that is ready (DeploymentActor.scala). */
export function scaleAction(
  context: ActionContext,
  runSpec: RunSpec,
  wanted: { readonly scaleTo: number; readonly sentenced: readonly string[] },
): ActionRun {
  const { tracker, killer } = context;
  const { id } = runSpec.spec;
  let ending: readonly string[] | undefined;
  let awaited: Set<string> | undefined;
  let toBeReady = 0;
  const living = (): Instance[] => [...tracker.of(id).values()].filter(counts);
  const begin = (): void => {
    const { scaleTo, sentenced } = wanted;
    const victims = selectToKill({ runSpec, instances: living(), scaleTo, sentenced });
    ending = victims.map(({ instanceID }) => instanceID);
    for (const victim of victims) void killer.setGoal(victim.instanceID, endOf(victim));
  };
  const hasEnded = (instanceID: string): boolean => {
    const instance = tracker.get(instanceID);
    return instance === undefined || instance.goal === 'Running' || !hasLiveTasks(instance);
  };
  const startMissing = (): void => {
    const there = living();
    const missing = Math.max(0, wanted.scaleTo - there.length);
    if (awaited === undefined) {
      const unready = context.resumed ? there.filter((one) => !context.isReady(one, runSpec)) : [];
      awaited = new Set(unready.map(({ instanceID }) => instanceID));
      toBeReady = awaited.size + missing;
    }
    if (missing > 0) for (const one of context.start(runSpec, missing)) awaited.add(one);
  };
  return {
    advance() {
      if (ending === undefined) begin();
      if (ending?.every(hasEnded) !== true) return false;
      startMissing();
      if (toBeReady === 0) return true;
      let ready = 0;
      for (const one of awaited ?? []) {
        const instance = tracker.get(one);
        if (instance === undefined) awaited?.delete(one);
        else if (context.isReady(instance, runSpec)) ready++;
      }
      return ready >= toBeReady;
    },
  };
}

/** Everything ends; done when nothing is left. */
export function stopAction(context: ActionContext, id: string): ActionRun {
  const { tracker, killer, backoff, events } = context;
  let begun = false;
  return {
    advance() {
      if (!begun) {
        begun = true;
        for (const one of tracker.of(id).keys()) void killer.setGoal(one, 'Decommissioned');
      }
      if (tracker.of(id).size > 0) return false;
      backoff.reset(id);
      events.publish('app_terminated_event', () => ({ appId: id }));
      return true;
    },
  };
}

/** Old instances give way to new ones within the bounds of the upgrade strategy (TaskReplaceActor.scala). */
export function restartAction(context: ActionContext, runSpec: RunSpec): ActionRun {
  return new Restart(context, runSpec);
}

class Restart implements ActionRun {
  readonly #context: ActionContext;
  readonly #runSpec: RunSpec;
  /** Old instances that were running when this began; those that still hold room. */
  readonly #old = new Set<string>();
  /** Of the old ones, who goes next. */
  #queue: string[] = [];
  /** New instances that were ready when last looked at. */
  readonly #ready = new Set<string>();
  #maxCapacity = 0;
  #begun = false;

  constructor(context: ActionContext, runSpec: RunSpec) {
    this.#context = context;
    this.#runSpec = runSpec;
  }

  advance(): boolean {
    const wanted = instancesOf(this.#runSpec);
    if (wanted === 0) return true;
    if (!this.#begun) this.#begin();
    this.#dropEnded();
    const fresh = this.#noteReady();
    this.#startMore(wanted);
    return this.#ready.size === wanted && fresh === wanted && this.#old.size === 0;
  }

  #members(): Instance[] {
    return [...this.#context.tracker.of(this.#runSpec.spec.id).values()];
  }

  #isOld({ runSpecVersion }: Instance): boolean {
    return runSpecVersion !== versionOf(this.#runSpec);
  }

  #isConsideredHealthy(instance: Instance): boolean {
    if (isScheduled(instance)) return false;
    return !hasHealthChecks(this.#runSpec) || this.#context.isHealthy(instance) === true;
  }

  #begin(): void {
    this.#begun = true;
    const running = this.#members().filter(({ goal }) => goal === 'Running');
    const old = running.filter((one) => this.#isOld(one));
    const healthy = running.filter((one) => this.#isConsideredHealthy(one)).length;
    const numbers = upgradeNumbers({
      runSpec: this.#runSpec,
      current: running.length,
      consideredHealthy: healthy,
    });
    this.#maxCapacity = numbers.maxCapacity;
    const sick = old.filter((one) => !this.#isConsideredHealthy(one));
    const well = old.filter((one) => this.#isConsideredHealthy(one));
    this.#queue = [...sick, ...well].map(({ instanceID }) => instanceID);
    for (const id of this.#queue) this.#old.add(id);
    for (let left = numbers.killNow; left > 0; left--) this.#killNext();
    this.#context.backoff.reset(this.#runSpec.spec.id);
  }

  #killNext(): void {
    const { tracker } = this.#context;
    for (let id = this.#queue.shift(); id !== undefined; id = this.#queue.shift()) {
      const instance = tracker.get(id);
      if (instance === undefined || instance.goal !== 'Running') continue;
      this.#end(instance);
      return;
    }
  }

  #end(instance: Instance): void {
    const goal = isResident(this.#runSpec) ? endOf(instance) : 'Decommissioned';
    void this.#context.killer.setGoal(instance.instanceID, goal);
  }

  /** Also an old one that ended by itself is not started again. */
  #dropEnded(): void {
    for (const id of this.#old) {
      const instance = this.#context.tracker.get(id);
      if (instance !== undefined && instance.goal === 'Running' && isScheduled(instance))
        this.#end(instance);
      const now = this.#context.tracker.get(id);
      if (now === undefined || (now.goal !== 'Running' && !hasLiveTasks(now))) this.#old.delete(id);
    }
  }

  /** Each new instance that gets ready lets an old one go. Gives the number of new ones. */
  #noteReady(): number {
    let fresh = 0;
    const seen = new Set<string>();
    for (const instance of this.#members()) {
      if (this.#isOld(instance) || !counts(instance)) continue;
      fresh++;
      if (!this.#context.isReady(instance, this.#runSpec)) continue;
      seen.add(instance.instanceID);
      if (this.#ready.has(instance.instanceID)) continue;
      this.#ready.add(instance.instanceID);
      this.#killNext();
    }
    for (const id of this.#ready) if (!seen.has(id)) this.#ready.delete(id);
    return fresh;
  }

  #startMore(wanted: number): void {
    const started = this.#members().filter((one) => !this.#isOld(one) && counts(one)).length;
    const surplus = started - wanted;
    if (surplus > 0) {
      this.#endSurplus(surplus);
      return;
    }
    const count = instancesToStart({
      wanted,
      maxCapacity: this.#maxCapacity,
      oldActive: this.#old.size,
      started,
    });
    if (count > 0) this.#context.start(this.#runSpec, count);
  }

  /** More of the new version than wanted: an interrupted deployment began them. */
  #endSurplus(surplus: number): void {
    const instances = this.#members().filter((one) => !this.#isOld(one) && counts(one));
    const victims = selectToKill({
      runSpec: this.#runSpec,
      instances,
      scaleTo: instances.length - surplus,
      sentenced: [],
    });
    for (const one of victims) void this.#context.killer.setGoal(one.instanceID, endOf(one));
  }
}
