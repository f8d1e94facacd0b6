import type { Clock, Random } from '#base';
import type { ModelSettings, Plan, Root } from '../model/index.ts';
import { MarathonFailure, affectedIDs, finishUpdate, makePlan } from '../model/index.ts';
import type { Deployments } from './deployments.ts';
import type { EventBus } from './events.ts';
import type { MarathonSettings } from './options.ts';
import type { MarathonState } from './state.ts';
import type { Tallies } from './tallies.ts';

/** A change of the tree of definitions, and the deployment that makes it come true. */
export interface RootUpdate {
  /** Of whose change `group_change_success` tells. */
  readonly groupID: string;
  readonly force: boolean;
  /** Gets the newest tree; gives back the same when nothing is to be done; may throw `MarathonFailure`. */
  change(root: Root, version: string): Root | Promise<Root>;
  /** To be replaced although nothing of their definitions changed. */
  readonly restarted?: readonly string[] | undefined;
  /** By run spec: instances to end first. */
  readonly toKill?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Announced once the change is stored, before its deployment begins. */
  announce?(root: Root): void;
}
export interface UpdateResult {
  readonly plan: Plan;
  readonly root: Root;
}

/** Changes of the tree one after the other, each on what the one before left. */
export interface Updates {
  apply(update: RootUpdate): Promise<UpdateResult>;
  /** What would be done. */
  dryRun(update: Pick<RootUpdate, 'change'>): Promise<Plan>;
  /** Stops a deployment where it is; nothing is undone. */
  cancel(id: string): Promise<void>;
}

export interface UpdatesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: MarathonSettings;
  readonly model: ModelSettings;
  readonly state: MarathonState;
  readonly deployments: Deployments;
  readonly events: EventBus;
  readonly tallies: Tallies;
}

// GroupManagerModule: internal.queue of root updates.
const queueMax = 500;

/** What the original's authorizer plugins answer (docs of the REST API). */
export const notAuthorizedText = 'Not Authorized to perform this action!';

export function createUpdates(options: UpdatesOptions): Updates {
  return new SerialUpdates(options);
}

class SerialUpdates implements Updates {
  readonly #options: UpdatesOptions;
  #last: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #lastVersionMs = 0;

  constructor(options: UpdatesOptions) {
    this.#options = options;
  }

  apply(update: RootUpdate): Promise<UpdateResult> {
    return this.#serial(() => this.#apply(update));
  }

  dryRun({ change }: Pick<RootUpdate, 'change'>): Promise<Plan> {
    return this.#serial(async () => {
      const { state, random, model } = this.#options;
      const version = this.#nextVersion();
      const changed = await change(state.root, version);
      const target = finishUpdate(state.root, changed, { version, settings: model });
      return makePlan(state.root, target, { id: random.uuid(), version });
    });
  }

  cancel(id: string): Promise<void> {
    return this.#serial(async () => {
      await this.#options.state.removeDeployment(id);
      this.#options.deployments.cancel([id]);
    });
  }

  #serial<T>(work: () => Promise<T>): Promise<T> {
    if (this.#queued >= queueMax)
      return Promise.reject(
        new MarathonFailure(503, { message: `More than ${queueMax} updates are waiting` }),
      );
    this.#queued += 1;
    const before = this.#last;
    const run = async (): Promise<T> => {
      try {
        await before;
        return await work();
      } finally {
        this.#queued -= 1;
      }
    };
    const result = run();
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #apply(update: RootUpdate): Promise<UpdateResult> {
    const { events } = this.#options;
    const version = this.#nextVersion();
    try {
      return await this.#deploy(update, version);
    } catch (error) {
      // Who may not change a group has not tried to.
      if (!(error instanceof MarathonFailure && error.body.message === notAuthorizedText))
        events.publish('group_change_failed', () => ({
          groupId: update.groupID,
          version,
          reason: error instanceof Error ? error.message : String(error),
        }));
      throw error;
    }
  }

  async #deploy(update: RootUpdate, version: string): Promise<UpdateResult> {
    const { state, deployments, events, model, random, tallies } = this.#options;
    const { force, restarted, toKill } = update;
    const original = state.root;
    const changed = await update.change(original, version);
    if (changed === original && restarted === undefined)
      return { plan: makePlan(original, original, { id: random.uuid(), version }), root: original };
    const target = finishUpdate(original, changed, {
      version,
      settings: model,
      ...(restarted !== undefined && { restarted }),
    });
    const plan = makePlan(original, target, { id: random.uuid(), version, toKill });
    const cancelled = this.#admit(plan, { force, target });
    const isEmpty = plan.steps.length === 0;
    await state.commitRoot(target, {
      ...(!isEmpty && { added: { plan, force } }),
      removed: cancelled,
    });
    deployments.cancel(cancelled);
    update.announce?.(target);
    events.publish('group_change_success', () => ({ groupId: update.groupID, version }));
    tallies.add('deployments');
    deployments.start(plan, { resumed: false });
    return { plan, root: target };
  }

  /** Gives the deployments that have to go first. */
  #admit(
    plan: Plan,
    { force, target }: { readonly force: boolean; readonly target: Root },
  ): readonly string[] {
    const { deployments, settings, tallies } = this.#options;
    const { max_running_deployments: max, max_apps: appsMax } = settings;
    if (!force && deployments.size >= max) {
      tallies.add('deployments.dismissed');
      throw tooManyDeployments(max);
    }
    if (appsMax !== undefined && target.apps.size > appsMax)
      throw new MarathonFailure(403, {
        message: `This Marathon instance may only handle up to ${appsMax} Apps! (Override with command line option --max_apps)`,
      });
    if (affectedIDs(plan).length === 0) return [];
    const conflicting = deployments.conflictingWith(plan);
    if (conflicting.length === 0 || force) return conflicting;
    throw new MarathonFailure(409, {
      message:
        "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
      deployments: conflicting.map((id) => ({ id })),
    });
  }

  /** Versions are times, and no two are the same. */
  #nextVersion(): string {
    const { clock, state } = this.#options;
    const last = Date.parse(state.root.groups.get('/')?.version ?? '') || 0;
    this.#lastVersionMs = Math.max(clock.nowMs(), last + 1, this.#lastVersionMs + 1);
    return new Date(this.#lastVersionMs).toISOString();
  }
}

function tooManyDeployments(max: number): MarathonFailure {
  return new MarathonFailure(403, {
    // The missing space is the original's.
    message:
      `Max number (${max}) of running deployments is achieved. Wait for existing deployments to ` +
      'complete or cancel one' +
      'using force=true parameter. You can increase max deployment number by using ' +
      '--max_running_deployments parameter but be advised that this can have negative effects on ' +
      'the performance.',
  });
}
