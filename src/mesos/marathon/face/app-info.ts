import type { Engine } from '../engine/engine.ts';
import type { App, AppEmbed, HealthOf, Instance, PodDefinition } from '../model/index.ts';
import { countsOf, podStatus, taskJson, taskStats, textOf } from '../model/index.ts';

/** Definitions do not change: each is written once. */
const texts = new WeakMap<App, string>();

function appText(app: App): string {
  const known = texts.get(app);
  if (known !== undefined) return known;
  const text = textOf('App', app);
  texts.set(app, text);
  return text;
}

function healthOf({ tracker, health }: Engine): HealthOf {
  return (instanceID) => {
    const instance = tracker.get(instanceID);
    return instance === undefined ? [] : health.resultsOf(instance);
  };
}

/** An AppInfo: the definition's text, which is kept, and what is known of its instances now. */
export function appInfoText(engine: Engine, app: App, embed: ReadonlySet<AppEmbed>): string {
  const members: string[] = [];
  const instances = [...engine.tracker.of(app.id).values()];
  if (embed.has('counts'))
    members.push(JSON.stringify(countsOf(instances, healthOf(engine))).slice(1, -1));
  if (embed.has('deployments')) {
    const ids = engine.deployments.of(app.id).map((id) => ({ id }));
    members.push(`"deployments":${JSON.stringify(ids)}`);
  }
  if (embed.has('readiness'))
    members.push(`"readinessCheckResults":${readinessText(engine, app.id)}`);
  if (embed.has('tasks')) members.push(`"tasks":[${taskTexts(engine, instances).join(',')}]`);
  if (embed.has('lastTaskFailure')) {
    const failure = engine.summaries.lastFailureOf(app.id);
    if (failure !== undefined) members.push(`"lastTaskFailure":${textOf('TaskFailure', failure)}`);
  }
  if (embed.has('taskStats')) {
    const nowMs = engine.options.clock.nowMs();
    const stats = taskStats(app, { instances, healthOf: healthOf(engine), nowMs });
    members.push(`"tasksStats":${textOf('TaskStatsByVersion', stats)}`);
  }
  const text = appText(app);
  return members.length === 0 ? text : `${text.slice(0, -1)},${members.join(',')}}`;
}

function readinessText(engine: Engine, id: string): string {
  const results = engine.readiness.resultsOf(id);
  return `[${results.map((one) => textOf('TaskReadinessCheckResult', one)).join(',')}]`;
}

/** All tasks, also such as ended and wait for their next life. */
export function taskTexts(
  engine: Engine,
  instances: Iterable<Instance>,
  servicePorts: readonly number[] = [],
): string[] {
  const found: string[] = [];
  for (const instance of instances) {
    const health = engine.health.resultsOf(instance);
    for (const task of instance.tasks)
      found.push(textOf('Task', taskJson(instance, task, { health, servicePorts })));
  }
  return found;
}

/** `past`: of a tree that was, whose instances nobody knows. */
export function podStatusText(engine: Engine, pod: PodDefinition, past = false): string {
  const isDeleted = engine.deployments
    .of(pod.id)
    .some((id) =>
      engine.deployments
        .get(id)
        ?.changes.some((change) => change.id === pod.id && change.after === undefined),
    );
  const status = podStatus(pod, {
    instances: past ? [] : [...engine.tracker.of(pod.id).values()],
    definitionOf: () => engine.root().pods.get(pod.id),
    isDeleted,
    now: new Date(engine.options.clock.nowMs()).toISOString(),
  });
  return textOf('PodStatus', status);
}
