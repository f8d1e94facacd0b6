import { age, column, nameColumn } from './columns.ts';
import { dns1123Subdomain, qualifiedName } from '#machinery';
import type { TableDeclaration } from '#machinery';
import type { Field } from './field.ts';
import type { Event } from '../types/core-v1.ts';
import type { Event as GroupEvent } from '../types/events-v1.ts';

/** Events live this long, anew after each write (--event-ttl). */
export const eventTtlMs = 60 * 60 * 1000;

function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return age(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? age(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}
function firstSeen({ firstTimestamp, eventTime }: Event, nowMs: number): string {
  return age(firstTimestamp || eventTime, nowMs);
}

export const eventTable: TableDeclaration<Event> = {
  columns: [
    column('Last Seen', lastSeen),
    column('Type', ({ type }) => type ?? ''),
    column('Reason', ({ reason }) => reason ?? ''),
    column('Object', ({ involvedObject: { kind = '', name } }) =>
      name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase(),
    ),
    column('Subobject', ({ involvedObject }) => involvedObject.fieldPath ?? '', { wide: true }),
    column('Source', sourceCell, { wide: true }),
    column('Message', ({ message }) => (message ?? '').trim()),
    column('First Seen', firstSeen, { wide: true }),
    column('Count', ({ series, count }) => series?.count ?? (count || 1), { wide: true }),
    { ...nameColumn, priority: 1 },
  ],
};

function sourceCell({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source.component || reportingComponent;
  const instance = source.host || reportingInstance;
  return instance ? `${component}, ${instance}` : component;
}

/** The same event in the words of the core group. */
export function toCoreEvent(event: GroupEvent): Event {
  const { note, regarding, reportingController, reportingInstance, deprecatedSource } = event;
  const { deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount } = event;
  const { metadata, reason, type, eventTime, series, action, related } = event;
  return {
    kind: 'Event',
    apiVersion: 'v1',
    metadata,
    involvedObject: regarding,
    ...(reason !== undefined && { reason }),
    ...(note !== undefined && { message: note }),
    source: deprecatedSource,
    ...(deprecatedFirstTimestamp !== undefined && { firstTimestamp: deprecatedFirstTimestamp }),
    ...(deprecatedLastTimestamp !== undefined && { lastTimestamp: deprecatedLastTimestamp }),
    ...(deprecatedCount !== undefined && { count: deprecatedCount }),
    ...(type !== undefined && { type }),
    ...(eventTime !== undefined && { eventTime }),
    ...(series !== undefined && { series }),
    ...(action !== undefined && { action }),
    ...(related !== undefined && { related }),
    reportingComponent: reportingController ?? '',
    reportingInstance: reportingInstance ?? '',
  };
}
export function toGroupEvent(event: Event): GroupEvent {
  const { metadata, eventTime, series, action, reason, related, type } = event;
  const { firstTimestamp, lastTimestamp, count, message } = event;
  return {
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
    metadata,
    // Always written in this group: nothing is null there.
    eventTime: (eventTime ?? null) as unknown as string,
    ...(series !== undefined && {
      series: { count: series.count ?? 0, lastObservedTime: series.lastObservedTime ?? '' },
    }),
    ...(event.reportingComponent !== '' && { reportingController: event.reportingComponent }),
    ...(event.reportingInstance !== '' && { reportingInstance: event.reportingInstance }),
    ...(action !== undefined && { action }),
    ...(reason !== undefined && { reason }),
    regarding: event.involvedObject,
    ...(related !== undefined && { related }),
    ...(message !== undefined && { note: message }),
    ...(type !== undefined && { type }),
    deprecatedSource: event.source,
    ...(firstTimestamp !== undefined && { deprecatedFirstTimestamp: firstTimestamp }),
    ...(lastTimestamp !== undefined && { deprecatedLastTimestamp: lastTimestamp }),
    ...(count !== undefined && { deprecatedCount: count }),
  };
}

/** legacyValidateEvent: what both groups are held to. */
export function checkEvent(event: Event, root: Field, controller: string): void {
  const { namespace = '' } = event.metadata;
  const involved = event.involvedObject.namespace ?? '';
  const at = root.at('involvedObject.namespace');
  if (event.eventTime) {
    if (involved === '' && namespace !== 'default' && namespace !== 'kube-system')
      at.invalid(involved, 'does not match event.namespace');
    const reporter = event.reportingComponent;
    if (reporter === '') root.at(controller).required();
    root.at(controller).invalidAll(reporter, qualifiedName(reporter));
    for (const name of ['reportingInstance', 'action', 'reason'] as const) {
      const value = event[name] ?? '';
      if (value === '') root.at(name).required();
      if (value.length > 128) root.at(name).invalid('', 'can have at most 128 characters');
    }
    if (Buffer.byteLength(event.message ?? '') > 1024)
      root.at('message').invalid('', 'can have at most 1024 characters');
  } else if (involved === '' ? namespace !== '' && namespace !== 'default' : involved !== namespace)
    at.invalid(involved, 'does not match event.namespace');
  root.at('namespace').invalidAll(namespace, dns1123Subdomain(namespace));
}
