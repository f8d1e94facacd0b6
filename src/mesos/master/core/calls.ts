import { CallRejected, type SchedulerCall } from '#mesos/protocol';
import { accept } from './accept.ts';
import type { FrameworkBook } from './books.ts';
import type { Core } from './core.ts';
import { countCall, metricsPrefix } from './frameworks.ts';
import { killTask, sendMessage, shutdownExecutor } from './kill.ts';
import { reconcileTasks } from './reconcile.ts';

/** Every call of a subscribed framework but SUBSCRIBE. Resolves when what it decided is durable. */
export async function runCall(core: Core, book: FrameworkBook, call: SchedulerCall): Promise<void> {
  const type = call.type ?? 'UNKNOWN';
  countCall(core.counters, book, type);
  const message = messageNames.get(type);
  if (message !== undefined) core.counters.add(`master/messages_${message}`);
  const run = calls.get(type);
  if (run === undefined) throw new CallRejected(501, '501 Not Implemented.');
  await run(core, book, call);
}

type Run = (core: Core, book: FrameworkBook, call: SchedulerCall) => Promise<void> | void;

const calls: ReadonlyMap<string, Run> = new Map<string, Run>([
  ['TEARDOWN', (core, book) => core.frameworks.remove(book)],
  ['ACCEPT', (core, book, { accept: body }) => accept(core, book, need(body, 'accept'))],
  [
    'DECLINE',
    (core, _book, { decline }) => {
      const { offer_ids: ids = [], filters } = need(decline, 'decline');
      for (const { value } of ids) {
        const offer = core.books.offers.get(value);
        if (offer === undefined) continue;
        core.counters.add(`${metricsPrefix(offer.framework)}offers/declined`);
        core.offers.decline(offer, filters);
      }
    },
  ],
  [
    'ACCEPT_INVERSE_OFFERS',
    (core, book, { accept_inverse_offers: body }) => {
      const { inverse_offer_ids: ids = [], filters } = need(body, 'accept_inverse_offers');
      core.offers.answerInverse(book, ids, { status: 'ACCEPT', filters });
    },
  ],
  [
    'DECLINE_INVERSE_OFFERS',
    (core, book, { decline_inverse_offers: body }) => {
      const { inverse_offer_ids: ids = [], filters } = need(body, 'decline_inverse_offers');
      core.offers.answerInverse(book, ids, { status: 'DECLINE', filters });
    },
  ],
  ['REVIVE', (core, book, { revive }) => core.frameworks.revive(book, revive?.roles ?? [])],
  ['SUPPRESS', (core, book, { suppress }) => core.frameworks.suppress(book, suppress?.roles ?? [])],
  ['REQUEST', (_core, _book, { request }) => void need(request, 'request')],
  ['KILL', (core, book, { kill }) => killTask(core, book, need(kill, 'kill'))],
  [
    'SHUTDOWN',
    (core, book, { shutdown }) => shutdownExecutor(core, book, need(shutdown, 'shutdown')),
  ],
  [
    'ACKNOWLEDGE',
    (core, book, { acknowledge }) =>
      core.updates.acknowledge(book, need(acknowledge, 'acknowledge')),
  ],
  [
    'ACKNOWLEDGE_OPERATION_STATUS',
    (core, book, { acknowledge_operation_status: body }) =>
      core.operations.acknowledge(book, need(body, 'acknowledge_operation_status')),
  ],
  [
    'RECONCILE',
    (core, book, { reconcile }) => reconcileTasks(core, book, need(reconcile, 'reconcile')),
  ],
  [
    'RECONCILE_OPERATIONS',
    (core, book, { reconcile_operations: body }) =>
      core.operations.reconcile(book, need(body, 'reconcile_operations')),
  ],
  ['MESSAGE', (core, book, { message }) => sendMessage(core, book, need(message, 'message'))],
  ['UPDATE_FRAMEWORK', (core, book, call) => core.frameworks.update(book, call)],
]);

function need<T>(body: T | undefined, name: string): T {
  if (body !== undefined) return body;
  throw new CallRejected(
    400,
    `Failed to validate scheduler::Call: Expecting '${name}' to be present`,
  );
}

const messageNames: ReadonlyMap<string, string> = new Map([
  ['TEARDOWN', 'unregister_framework'],
  ['DECLINE', 'decline_offers'],
  ['REVIVE', 'revive_offers'],
  ['SUPPRESS', 'suppress_offers'],
  ['REQUEST', 'resource_request'],
  ['KILL', 'kill_task'],
  ['ACKNOWLEDGE', 'status_update_acknowledgement'],
  ['ACKNOWLEDGE_OPERATION_STATUS', 'operation_status_update_acknowledgement'],
  ['RECONCILE', 'reconcile_tasks'],
  ['RECONCILE_OPERATIONS', 'reconcile_operations'],
  ['MESSAGE', 'framework_to_executor'],
]);
