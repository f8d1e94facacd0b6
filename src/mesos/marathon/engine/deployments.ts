import type { Clock, Logger } from '#base';
import type { Instance, Plan, PlanAction, RunSpec, raml } from '../model/index.ts';
import { affectedIDs, deploymentInfo, planSteps } from '../model/index.ts';
import type { ActionContext, ActionRun } from './actions.ts';
import { restartAction, scaleAction, startAction, stopAction } from './actions.ts';
import type { EventBus } from './events.ts';
import type { HealthChecks } from './health.ts';
import type { ReadinessChecks } from './readiness.ts';
import type { Tracker } from './tracker.ts';

/** Running deployments: their steps one after the other, the actions of a step side by side. */
export interface Deployments {
  /** `resumed`: it was stored by an earlier life of this process. */
  start(plan: Plan, options: { readonly resumed: boolean }): void;
  /** Their ids; oldest first. */
  conflictingWith(plan: Plan): readonly string[];
  /** They end as failed; the store is the caller's business. */
  cancel(ids: readonly string[]): void;
  isLocked(runSpecID: string): boolean;
  /** Ids of the deployments that change it. */
  of(runSpecID: string): readonly string[];
  get(id: string): Plan | undefined;
  list(): readonly raml.DeploymentStepInfo[];
  readonly size: number;
  /** Something of a run spec changed that the tracker does not tell: health, readiness. */
  poke(runSpecID: string): void;
  readonly plans: Iterable<Plan>;
  /** Every lock belongs to a running deployment; throws when one does not. */
  check(): void;
}

export interface DeploymentsOptions extends Omit<ActionContext, 'resumed' | 'isReady'> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly tracker: Tracker;
  readonly health: HealthChecks;
  readonly readiness: ReadinessChecks;
  /** A deployment came to its end: it is to be removed from the store. */
  finished(id: string): Promise<void>;
  /** The step it is at, for people who look at the object. */
  stepped(plan: Plan, step: number): void;
}

interface Running {
  readonly plan: Plan;
  readonly resumed: boolean;
  /** Counted from 1; 0 before the first. */
  step: number;
  /** Of the current step, by run spec. */
  readonly actions: Map<string, ActionRun>;
  /** Began, and has not ended yet. */
  live: boolean;
  /** As answers show it, by step: people ask often, and plans may be large. */
  shown: { readonly step: number; readonly info: raml.DeploymentStepInfo } | undefined;
}

export function createDeployments(options: DeploymentsOptions): Deployments {
  return new DeploymentManager(options);
}

class DeploymentManager implements Deployments {
  readonly #options: DeploymentsOptions;
  readonly #running = new Map<string, Running>();
  /** Deployments by the run specs they change; at most one each, but while one is being cancelled. */
  readonly #bySpec = new Map<string, Set<Running>>();
  readonly #dirty = new Set<string>();
  #soon = false;

  constructor(options: DeploymentsOptions) {
    this.#options = options;
    options.tracker.onChange(({ old, now }) => {
      const id = (now ?? old)?.runSpecID;
      if (id !== undefined) this.poke(id);
    });
    options.readiness.onChange((runSpecID) => this.poke(runSpecID));
  }

  get size(): number {
    return this.#running.size;
  }
  get plans(): Iterable<Plan> {
    return [...this.#running.values()].map(({ plan }) => plan);
  }

  check(): void {
    for (const [id, members] of this.#bySpec)
      for (const running of members)
        if (
          this.#running.get(running.plan.id) !== running ||
          !affectedIDs(running.plan).includes(id)
        )
          throw new Error(
            `"${id}" is locked by deployment ${running.plan.id}, which is not running`,
          );
  }

  start(plan: Plan, { resumed }: { readonly resumed: boolean }): void {
    const running: Running = {
      plan,
      resumed,
      step: 0,
      actions: new Map(),
      live: true,
      shown: undefined,
    };
    this.#running.set(plan.id, running);
    for (const id of affectedIDs(plan)) {
      const others = this.#bySpec.get(id);
      if (others === undefined) this.#bySpec.set(id, new Set([running]));
      else others.add(running);
    }
    this.#nextStep(running);
  }

  conflictingWith(plan: Plan): readonly string[] {
    const found = new Set<string>();
    for (const id of affectedIDs(plan))
      for (const { plan: other } of this.#bySpec.get(id) ?? []) found.add(other.id);
    return [...this.#running.keys()].filter((id) => found.has(id));
  }

  cancel(ids: readonly string[]): void {
    for (const id of ids) {
      const running = this.#running.get(id);
      if (running === undefined) continue;
      this.#forget(running);
      this.#options.events.publish('deployment_failed', () => ({
        id,
        plan: planFields(running.plan),
        reason: 'The upgrade has been cancelled',
      }));
    }
  }

  isLocked(runSpecID: string): boolean {
    return this.#bySpec.has(runSpecID);
  }

  of(runSpecID: string): readonly string[] {
    return [...(this.#bySpec.get(runSpecID) ?? [])].map(({ plan }) => plan.id);
  }

  get(id: string): Plan | undefined {
    return this.#running.get(id)?.plan;
  }

  list(): readonly raml.DeploymentStepInfo[] {
    return [...this.#running.values()].map((running) => this.#info(running));
  }

  #info(running: Running): raml.DeploymentStepInfo {
    const { plan, step, shown } = running;
    const { readiness } = this.#options;
    const results = new Map<string, readonly raml.TaskReadinessCheckResult[]>();
    for (const id of readiness.watched)
      if (this.#bySpec.get(id)?.has(running) === true) results.set(id, readiness.resultsOf(id));
    if (results.size > 0) return deploymentInfo(plan, { currentStep: step, readiness: results });
    if (shown?.step === step) return shown.info;
    const info = deploymentInfo(plan, { currentStep: step, readiness: results });
    running.shown = { step, info };
    return info;
  }

  poke(runSpecID: string): void {
    if (!this.#bySpec.has(runSpecID)) return;
    this.#dirty.add(runSpecID);
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(() => {
      this.#soon = false;
      const ids = [...this.#dirty];
      this.#dirty.clear();
      for (const id of ids) this.#advance(id);
    });
  }

  #advance(runSpecID: string): void {
    for (const running of this.#bySpec.get(runSpecID) ?? []) {
      const action = running.actions.get(runSpecID);
      if (action === undefined || !action.advance()) continue;
      running.actions.delete(runSpecID);
      this.#options.readiness.end(runSpecID);
      if (running.actions.size === 0 && running.live) this.#stepDone(running);
    }
  }

  #nextStep(running: Running): void {
    const { plan } = running;
    const step = plan.steps[running.step];
    if (step === undefined) {
      void this.#finish(running);
      return;
    }
    running.step += 1;
    const { events } = this.#options;
    events.publish('deployment_info', () => stepFields(running));
    if (running.step > 1) this.#options.stepped(plan, running.step);
    for (const action of step.actions) running.actions.set(action.id, this.#begin(running, action));
    // In a turn of their own: what an action does may end others of this step.
    for (const { id } of step.actions) this.poke(id);
    if (step.actions.length === 0) this.#stepDone(running);
  }

  #begin(running: Running, action: PlanAction): ActionRun {
    const { health, readiness } = this.#options;
    const context = this.#context(running);
    if (action.kind === 'stop') {
      health.remove(action.id);
      return stopAction(context, action.id);
    }
    const runSpec = specAfter(running.plan, action.id);
    if (runSpec === undefined) return startAction;
    if (runSpec.kind === 'app') health.add(runSpec.spec);
    if (action.kind === 'start') return startAction;
    if (runSpec.kind === 'app') readiness.begin(runSpec.spec);
    if (action.kind === 'restart') return restartAction(context, runSpec);
    if (action.kind !== 'scale') return startAction;
    const { scaleTo, toKill: sentenced = [] } = action;
    return scaleAction(context, runSpec, { scaleTo, sentenced });
  }

  #context({ resumed }: Running): ActionContext {
    const options = this.#options;
    return {
      tracker: options.tracker,
      killer: options.killer,
      backoff: options.backoff,
      events: options.events,
      resumed,
      start: (runSpec, count) => options.start(runSpec, count),
      isHealthy: (instance) => options.isHealthy(instance),
      isReady: (instance, runSpec) => this.#isReady(instance, runSpec),
    };
  }

  #isReady(instance: Instance, runSpec: RunSpec): boolean {
    if (instance.condition !== 'Running' || instance.goal !== 'Running') return false;
    if (this.#hasHealthChecks(runSpec) && this.#options.isHealthy(instance) !== true) return false;
    return runSpec.kind === 'pod' || this.#options.readiness.isReady(instance, runSpec.spec);
  }

  #hasHealthChecks(runSpec: RunSpec): boolean {
    if (runSpec.kind === 'app') return (runSpec.spec.healthChecks ?? []).length > 0;
    return runSpec.spec.containers.some(({ healthCheck }) => healthCheck !== undefined);
  }

  #stepDone(running: Running): void {
    this.#options.events.publish('deployment_step_success', () => stepFields(running));
    this.#nextStep(running);
  }

  async #finish(running: Running): Promise<void> {
    running.live = false;
    const { plan } = running;
    try {
      await this.#options.finished(plan.id);
    } catch (error) {
      // It is done again from its first step, where nothing is left to do.
      this.#options.logger.error('Cannot remove a finished deployment', { id: plan.id, error });
    }
    if (!this.#running.has(plan.id)) return;
    this.#forget(running);
    this.#options.events.publish('deployment_success', () => ({
      id: plan.id,
      plan: planFields(plan),
    }));
  }

  #forget(running: Running): void {
    running.live = false;
    running.actions.clear();
    this.#running.delete(running.plan.id);
    for (const id of affectedIDs(running.plan)) {
      const members = this.#bySpec.get(id);
      members?.delete(running);
      if (members?.size === 0) {
        this.#bySpec.delete(id);
        this.#options.readiness.end(id);
      }
    }
  }
}

function specAfter(plan: Plan, id: string): RunSpec | undefined {
  const change = plan.changes.find((one) => one.id === id);
  if (change?.after === undefined) return undefined;
  return { kind: change.kind, spec: change.after } as RunSpec;
}

function planFields(plan: Plan): Readonly<Record<string, unknown>> {
  return { id: plan.id, steps: planSteps(plan), version: plan.version };
}

function stepFields({ plan, step }: Running): Readonly<Record<string, unknown>> {
  return { plan: planFields(plan), currentStep: planSteps(plan)[step - 1] };
}
