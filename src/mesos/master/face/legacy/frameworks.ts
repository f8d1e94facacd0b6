import type { FrameworkRecord, TaskRecord } from '../../core/records.ts';
import { arrayOf, double, mapped, objectOf, seconds } from './json.ts';
import type { Document, Json } from './json.ts';
import { labelsJson, resourcesJson } from './resources.ts';
import type { View } from './view.ts';
import { executorJson, messageJson, offerJson, taskJson } from './tasks.ts';

/** The first eleven members, which `/state-summary` shows too (master/readonly_handler.cpp). */
export function frameworkSummary(framework: FrameworkRecord): [string, Json][] {
  const { info } = framework;
  return [
    ['id', framework.id],
    ['name', info.name],
    ['used_resources', resourcesJson(framework.usedResources())],
    ['offered_resources', resourcesJson(framework.offeredResources())],
    ['capabilities', [...framework.capabilities]],
    ['hostname', info.hostname ?? ''],
    ['webui_url', info.webui_url ?? ''],
    ['active', framework.active],
    ['connected', framework.connected],
    ['recovered', framework.recovered],
  ];
}

export function frameworkDocument(view: View, framework: FrameworkRecord): Document {
  return objectOf(members(view, framework));
}

function* members(
  view: View,
  framework: FrameworkRecord,
): Iterable<readonly [string, Json | Document]> {
  const { info, registeredMs, reregisteredMs, unregisteredMs } = framework;
  const tasksOf = (tasks: readonly TaskRecord[]): Document =>
    arrayOf(
      mapped(
        tasks.filter((task) => view.task(framework, task)),
        (task) => taskJson(view.codec, task),
      ),
    );
  yield* frameworkSummary(framework);
  yield ['user', info.user];
  yield ['failover_timeout', double(info.failover_timeout ?? 0)];
  yield ['checkpoint', info.checkpoint ?? false];
  yield ['registered_time', seconds(registeredMs)];
  yield ['unregistered_time', seconds(unregisteredMs ?? 0)];
  if (info.principal !== undefined) yield ['principal', info.principal];
  yield [
    'resources',
    resourcesJson([...framework.usedResources(), ...framework.offeredResources()]),
  ];
  if (reregisteredMs !== undefined && reregisteredMs !== registeredMs)
    yield ['reregistered_time', seconds(reregisteredMs)];
  if (framework.capabilities.has('MULTI_ROLE')) yield ['roles', [...(info.roles ?? [])]];
  else yield ['role', info.role ?? '*'];
  yield ['tasks', tasksOf([...framework.tasks.values()])];
  yield ['unreachable_tasks', tasksOf([...framework.unreachableTasks.values()])];
  yield ['completed_tasks', tasksOf([...framework.completedTasks])];
  yield ['offers', arrayOf(mapped([...framework.offers], offerJson))];
  const executors = [...framework.executors.values()]
    .flatMap((byID) => [...byID.values()])
    .filter((executor) => view.executor(framework, executor));
  yield ['executors', arrayOf(mapped(executors, (one) => executorJson(view.codec, one)))];
  const labels = labelsJson(info.labels?.labels);
  if (labels !== undefined) yield ['labels', labels];
  yield [
    'offer_constraints',
    messageJson(view.codec, 'scheduler.OfferConstraints', framework.offerConstraints) ?? {},
  ];
}
