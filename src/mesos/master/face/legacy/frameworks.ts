import type { Resource } from '#mesos/protocol';
import { AllocatedSum } from '../../core/books.ts';
import type { FrameworkRecord, TaskRecord } from '../../core/records.ts';
import { arrayOf, double, jsonText, mapped, objectOf, seconds } from './json.ts';
import type { Document, Json } from './json.ts';
import { labelsJson, resourcesJson } from './resources.ts';
import type { View } from './view.ts';
import { executorJson, messageJson, offerJson, taskJson } from './tasks.ts';

/** Sums over all tasks and offers of a framework: added up bit by bit, as the document is sent. */
class Sums {
  readonly #framework: FrameworkRecord;
  #used: readonly Resource[] = [];
  #offered: readonly Resource[] = [];

  constructor(framework: FrameworkRecord) {
    this.#framework = framework;
  }

  *used(): Document {
    this.#used = yield* summed(this.#framework.usedLists());
    yield jsonText(resourcesJson(this.#used));
  }

  *offered(): Document {
    this.#offered = yield* summed(this.#framework.offeredLists());
    yield jsonText(resourcesJson(this.#offered));
  }

  /** When both were made. */
  *both(): Document {
    yield jsonText(resourcesJson([...this.#used, ...this.#offered]));
  }
}

const listsPerPiece = 64;

function* summed(
  lists: Iterable<readonly Resource[]>,
): Generator<string, readonly Resource[], undefined> {
  const sum = new AllocatedSum();
  let count = 0;
  for (const list of lists) {
    sum.add(list);
    count += 1;
    if (count % listsPerPiece === 0) yield '';
  }
  return sum.list();
}

/** The first eleven members, which `/state-summary` shows too (master/readonly_handler.cpp). */
export function frameworkSummary(
  framework: FrameworkRecord,
  sums = new Sums(framework),
): [string, Json | Document][] {
  const { info } = framework;
  return [
    ['id', framework.id],
    ['name', info.name],
    ['used_resources', sums.used()],
    ['offered_resources', sums.offered()],
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

function* seen<T>(items: Iterable<T>, test: (item: T) => boolean): Iterable<T> {
  for (const item of items) if (test(item)) yield item;
}

function* members(
  view: View,
  framework: FrameworkRecord,
): Iterable<readonly [string, Json | Document]> {
  const { info, registeredMs, reregisteredMs, unregisteredMs } = framework;
  const tasksOf = (tasks: readonly TaskRecord[]): Document =>
    arrayOf(
      mapped(
        seen(tasks, (task) => view.task(framework, task)),
        (task) => taskJson(view.codec, task),
      ),
    );
  const sums = new Sums(framework);
  yield* frameworkSummary(framework, sums);
  yield ['user', info.user];
  yield ['failover_timeout', double(info.failover_timeout ?? 0)];
  yield ['checkpoint', info.checkpoint ?? false];
  yield ['registered_time', seconds(registeredMs)];
  yield ['unregistered_time', seconds(unregisteredMs ?? 0)];
  if (info.principal !== undefined) yield ['principal', info.principal];
  yield ['resources', sums.both()];
  if (reregisteredMs !== undefined && reregisteredMs !== registeredMs)
    yield ['reregistered_time', seconds(reregisteredMs)];
  if (framework.capabilities.has('MULTI_ROLE')) yield ['roles', [...(info.roles ?? [])]];
  else yield ['role', info.role ?? '*'];
  yield ['tasks', tasksOf([...framework.tasks.values()])];
  yield ['unreachable_tasks', tasksOf([...framework.unreachableTasks.values()])];
  yield ['completed_tasks', tasksOf([...framework.completedTasks])];
  yield ['offers', arrayOf(mapped([...framework.offers], offerJson))];
  const executors = [...framework.executors.values()].flatMap((byID) => [...byID.values()]);
  const shown = seen(executors, (executor) => view.executor(framework, executor));
  yield ['executors', arrayOf(mapped(shown, (one) => executorJson(view.codec, one)))];
  const labels = labelsJson(info.labels?.labels);
  if (labels !== undefined) yield ['labels', labels];
  yield [
    'offer_constraints',
    messageJson(view.codec, 'scheduler.OfferConstraints', framework.offerConstraints) ?? {},
  ];
}
