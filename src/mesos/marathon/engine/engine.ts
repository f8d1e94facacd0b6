import type { Logger } from '#base';
import { appDeployments, appInstances } from '#mesos/kinds';
import type { ModelSettings, Plan, Root, RunSpec } from '../model/index.ts';
import { runSpecOf } from '../model/index.ts';
import type { Backoff } from './backoff.ts';
import { createBackoff } from './backoff.ts';
import { createCommit } from './commit.ts';
import type { Deployments } from './deployments.ts';
import { createDeployments } from './deployments.ts';
import type { EventBus } from './events.ts';
import { createEventBus } from './events.ts';
import type { Framework, FrameworkHandlers } from './framework.ts';
import { createFramework } from './framework.ts';
import type { HealthChecks } from './health.ts';
import { createHealthChecks } from './health.ts';
import type { Killer } from './killer.ts';
import type { LogLevels } from './levels.ts';
import { createLogLevels } from './levels.ts';
import { followOutside } from './outside.ts';
import { createKiller } from './killer.ts';
import type { Launcher } from './launcher.ts';
import { createLauncher } from './launcher.ts';
import type { Commit, MarathonOptions, MarathonSettings } from './options.ts';
import { defaultSettings } from './options.ts';
import type { ReadinessChecks } from './readiness.ts';
import { createReadinessChecks } from './readiness.ts';
import { startInstances } from './starter.ts';
import type { Loaded, MarathonState } from './state.ts';
import { bodyOf, createState } from './state.ts';
import { createStatusUpdates } from './status-updates.ts';
import type { Summaries } from './summaries.ts';
import { createSummaries } from './summaries.ts';
import type { Tallies } from './tallies.ts';
import { createTallies } from './tallies.ts';
import type { Tracker } from './tracker.ts';
import { createTracker } from './tracker.ts';
import type { Updates } from './updates.ts';
import { createUpdates } from './updates.ts';
import type { Upkeep } from './upkeep.ts';
import { createUpkeep } from './upkeep.ts';
import { createObjectWriter } from './writer.ts';

/** Marathon without any wire: what the face reads and asks for. */
export interface Engine {
  readonly options: MarathonOptions;
  readonly settings: MarathonSettings;
  readonly model: ModelSettings;
  readonly levels: LogLevels;
  readonly startedMs: number;
  readonly state: MarathonState;
  readonly events: EventBus;
  readonly tallies: Tallies;
  readonly tracker: Tracker;
  readonly framework: Framework;
  readonly backoff: Backoff;
  readonly killer: Killer;
  readonly launcher: Launcher;
  readonly health: HealthChecks;
  readonly readiness: ReadinessChecks;
  readonly deployments: Deployments;
  readonly updates: Updates;
  readonly summaries: Summaries;
  readonly upkeep: Upkeep;
  root(): Root;
  run(signal: AbortSignal): Promise<void>;
  check(): void;
}

export function modelSettings(settings: MarathonSettings): ModelSettings {
  return {
    mesosRole: settings.mesos_role,
    newGroupEnforceRole: settings.new_group_enforce_role,
    defaultNetworkName: settings.default_network_name,
    mesosBridgeName: settings.mesos_bridge_name,
    localPortMin: settings.local_port_min,
    localPortMax: settings.local_port_max,
    features: settings.enable_features,
    envVarsPrefix: settings.env_vars_prefix,
    executor: settings.executor,
    principal: settings.mesos_authentication_principal,
    acceptedResourceRolesDefault: settings.accepted_resource_roles_default_behavior,
    gpuScheduling: settings.gpu_scheduling_behavior,
    maintenanceMode: true,
    drainingSeconds: settings.draining_seconds,
  };
}

/** Reads what is stored, and goes on from there once `run` is called. */
export async function openEngine(options: MarathonOptions): Promise<Engine> {
  const { api, writer, clock, address } = options;
  const commit = createCommit(writer);
  const settings: MarathonSettings = {
    ...defaultSettings,
    hostname: address.hostname,
    ...options.settings,
  };
  const state = createState({
    api,
    commit,
    clock,
    frameworkName: settings.framework_name,
    versionsMax: settings.max_versions,
  });
  const loaded = await state.load();
  return assemble({ options, settings, state, loaded, commit });
}

interface Opened {
  readonly options: MarathonOptions;
  readonly settings: MarathonSettings;
  readonly state: MarathonState;
  readonly loaded: Loaded;
  readonly commit: Commit;
}

/** What everything else stands on. */
function coreOf({ options, settings, state, loaded, commit }: Opened) {
  const { clock, random } = options;
  const model = modelSettings(settings);
  const levels = createLogLevels(options.logger);
  const { logger } = levels;
  const events = createEventBus(clock);
  const tallies = createTallies();
  const { namespace } = state;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  const writer = createObjectWriter({
    resource: appInstances,
    namespace,
    commit,
    failed: (error) => failure.reject(error),
    retried: (error) => logger.info('Cannot write instances together', { error }),
  });
  const tracker = createTracker({ writer, namespace, events });
  tracker.load(loaded.instances);
  // Filled in below: they call the master, whose events they take.
  const takers: Partial<FrameworkHandlers> = {};
  const framework = createFramework({
    link: options.link,
    clock,
    logger,
    events,
    settings,
    tallies,
    webuiURL: `http://${options.address.hostname}:${options.address.port}`,
    storedID: () => state.frameworkID,
    storeID: (id) => state.storeFrameworkID(id),
    handlers: {
      subscribed: () => takers.subscribed?.(),
      disconnected: () => takers.disconnected?.(),
      offers: (offers) => takers.offers?.(offers),
      rescinded: (id) => takers.rescinded?.(id),
      updated: (status) => takers.updated?.(status),
      executorEnded: (id) => takers.executorEnded?.(id),
    },
  });
  const root = (): Root => state.root;
  const shared = { clock, random, logger, settings, model, events, tallies };
  const common = { ...shared, tracker, framework, root };
  return { common, levels, writer, takers, failed: failure.promise };
}

/** The loops that start and end instances, and what they ask. */
function loopsOf({ options, state, loaded }: Opened, { common }: ReturnType<typeof coreOf>) {
  const { clock, random, tracker, settings, logger } = common;
  const { writer, net } = options;
  const { namespace } = state;
  const { failures } = loaded;
  const summaries = createSummaries({ ...common, writer, namespace, failures });
  const killer = createKiller(common);
  const backoff = createBackoff(clock);
  const launcher = createLauncher({ ...common, backoff });
  const health = createHealthChecks({
    ...common,
    net,
    killer,
    killed: (instance, task, reason) => summaries.unhealthy(instance, task, reason),
  });
  const readiness = createReadinessChecks({ clock, net, tracker });
  const starter = { clock, random, tracker, defaultRole: settings.mesos_role };
  const start = (runSpec: RunSpec, count: number): readonly string[] =>
    startInstances(starter, runSpec, count);
  const deployments = createDeployments({
    ...common,
    killer,
    backoff,
    health,
    readiness,
    start,
    isHealthy: ({ healthy }) => healthy,
    finished: async (id) => {
      if (state.isStoredDeployment(id)) await state.removeDeployment(id);
    },
    stepped: (plan, step) => noteStep(options, { plan, step, namespace, logger }),
  });
  const statuses = createStatusUpdates({
    ...common,
    killer,
    backoff,
    noted: (instance, task) => summaries.ended(instance, task),
  });
  const upkeep = createUpkeep({
    ...common,
    killer,
    deployments,
    start: (id, count) => {
      const runSpec = runSpecOf(state.root, id);
      if (runSpec !== undefined) start(runSpec, count);
    },
  });
  const updates = createUpdates({ ...common, state, deployments });
  const asked = { summaries, killer, backoff, launcher, health, readiness };
  return { ...asked, deployments, updates, upkeep, statuses };
}

function assemble(opened: Opened): Engine {
  const { options, state, loaded } = opened;
  const core = coreOf(opened);
  const { common, takers, writer } = core;
  const { statuses, ...loops } = loopsOf(opened, core);
  const { upkeep, launcher, killer, backoff, health, readiness, summaries, deployments } = loops;
  const { api, createInformer } = options;
  const outside = { ...common, api, createInformer, state, updates: loops.updates };
  const { tracker, framework } = common;
  Object.assign(takers, {
    subscribed: () => upkeep.subscribed(),
    disconnected: () => {
      launcher.disconnected();
      upkeep.disconnected();
    },
    offers: (offers) => launcher.offers(offers),
    rescinded: (id) => launcher.rescinded(id),
    updated: (status) => statuses.take(status),
    executorEnded: (id) => launcher.executorEnded(id),
  } satisfies FrameworkHandlers);
  return {
    ...common,
    ...loops,
    options,
    state,
    levels: core.levels,
    startedMs: common.clock.nowMs(),
    check() {
      tracker.check();
      launcher.check();
      deployments.check();
    },
    async run(signal) {
      for (const app of state.root.apps.values()) health.add(app);
      health.load();
      for (const { plan } of loaded.deployments) deployments.start(plan, { resumed: true });
      killer.resume();
      for (const id of [...state.root.apps.keys(), ...state.root.pods.keys()])
        upkeep.scaleCheck(id);
      launcher.reviseDemand();
      if (tracker.size > 0) framework.need();
      try {
        await Promise.race([
          Promise.all([framework.run(signal), followOutside(outside, signal)]),
          core.failed,
        ]);
      } finally {
        for (const part of [upkeep, launcher, killer, backoff, health, readiness, summaries])
          part.stop();
      }
      await writer.idle();
    },
  };
}

function noteStep(
  { api }: MarathonOptions,
  at: {
    readonly plan: Plan;
    readonly step: number;
    readonly namespace: string;
    readonly logger: Logger;
  },
): void {
  const { plan, step, namespace, logger } = at;
  const { name } = bodyOf(appDeployments, plan.id, namespace).metadata;
  const body = { status: { currentStep: step } };
  api
    .patch(appDeployments, { name, namespace, subresource: 'status' }, { type: 'merge', body })
    .catch((error: unknown) => {
      logger.debug('Cannot note the step of a deployment', { id: plan.id, error });
    });
}
