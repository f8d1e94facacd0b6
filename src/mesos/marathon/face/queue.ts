import type { FaceReply } from '#base';
import type { WaitingSpec } from '../engine/waiting.ts';
import type { RunSpec } from '../model/index.ts';
import { MarathonFailure, queueItem, runSpecOf, textOf } from '../model/index.ts';
import type { Call } from './http.ts';
import { demandSpec, emptyReply, idOf, jsonReply, mayView } from './http.ts';

/** `/v2/queue` (QueueResource.scala). */

export function listQueue(call: Call): FaceReply {
  const { engine, query } = call;
  const withLastUnusedOffers = query.getAll('embed').includes('lastUnusedOffers');
  const texts: string[] = [];
  for (const waiting of engine.launcher.waiting()) {
    const runSpec = runSpecOf(engine.root(), waiting.id);
    if (runSpec === undefined || !mayView(call, runSpec.kind, waiting.id)) continue;
    texts.push(itemText(call, waiting, { runSpec, withLastUnusedOffers }));
  }
  return jsonReply(`{"queue":[${texts.join(',')}]}`);
}

export function resetDelay(call: Call, [text = '']: readonly string[]): FaceReply {
  const { engine } = call;
  const id = idOf(text);
  const runSpec = runSpecOf(engine.root(), id);
  const waits = engine.launcher.waiting().some((one) => one.id === id && one.scheduled.size > 0);
  if (runSpec === undefined || !waits)
    throw new MarathonFailure(404, { message: `Application ${id} not found in tasks queue.` });
  demandSpec(call, 'update', { on: runSpec.kind, spec: runSpec.spec });
  engine.backoff.reset(id);
  return emptyReply(204);
}

function itemText(
  { engine }: Call,
  waiting: WaitingSpec,
  options: { readonly runSpec: RunSpec; readonly withLastUnusedOffers: boolean },
): string {
  const { runSpec, withLastUnusedOffers } = options;
  const { stats } = waiting;
  const item = queueItem(
    {
      runSpec,
      count: waiting.scheduled.size + waiting.provisioned.size,
      role: waiting.role,
      since: timeOf(stats.sinceMs) ?? '',
      delayedUntilMs: engine.backoff.deadlineOf(runSpec),
      processedOffersCount: stats.processed,
      unusedOffersCount: stats.unused,
      lastUnusedOfferAt: timeOf(stats.lastUnusedMs),
      lastUsedOfferAt: timeOf(stats.lastUsedMs),
      lastUnusedOffers: [...stats.last.values()].map(({ offer, reasons, atMs }) => ({
        offer,
        reasons,
        timestamp: timeOf(atMs) ?? '',
      })),
      rejectedSinceLaunch: stats.rejected,
    },
    { nowMs: engine.options.clock.nowMs(), withLastUnusedOffers },
  );
  return 'app' in item ? textOf('QueueApp', item) : textOf('QueuePod', item);
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
