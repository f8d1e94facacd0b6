import type { KubeObject, Problem } from '#machinery';
import { events } from '../core/event.ts';
import { declareKind } from '../declare.ts';
import { checkEvent, eventTable, eventTtlMs, toCoreEvent, toGroupEvent } from '../shared/events.ts';
import { rootField } from '../shared/field.ts';
import { sameValue } from '../shared/same.ts';
import type { Event as CoreEvent } from '../types/core-v1.ts';
import type { Event } from '../types/events-v1.ts';

/** The core group's events under their newer name; the store holds the core form. */
export const groupEvents = declareKind<Event>('events.k8s.io/v1/Event', {
  validateCreate: (event) => validate(toCoreEvent(event)),
  validateUpdate,
  selectableFields: {
    'regarding.kind': ({ regarding }) => regarding.kind ?? '',
    'regarding.namespace': ({ regarding }) => regarding.namespace ?? '',
    'regarding.name': ({ regarding }) => regarding.name ?? '',
    'regarding.uid': ({ regarding }) => regarding.uid ?? '',
    'regarding.apiVersion': ({ regarding }) => regarding.apiVersion ?? '',
    'regarding.resourceVersion': ({ regarding }) => regarding.resourceVersion ?? '',
    'regarding.fieldPath': ({ regarding }) => regarding.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingController: ({ reportingController }) => reportingController ?? '',
    type: ({ type }) => type ?? '',
  },
  table: {
    columns: eventTable.columns.map((one) => ({
      ...one,
      cell: (event: Event, nowMs: number) => one.cell(toCoreEvent(event), nowMs),
    })),
  },
  ttlMs: eventTtlMs,
  storedAs: {
    kind: events,
    // The server hands each function objects of the kind that it names.
    toStored: (object: KubeObject) => toCoreEvent(object as Event),
    fromStored: (object: KubeObject) => toGroupEvent(object as CoreEvent),
  },
});

function validate(event: CoreEvent): readonly Problem[] {
  const root = rootField();
  checkEvent(event, root, 'reportingController');
  checkSeries(event, root);
  if (!event.eventTime) root.at('eventTime').required();
  if (event.type !== 'Normal' && event.type !== 'Warning')
    root.at('type').invalid('', `has invalid value: ${event.type ?? ''}`);
  for (const name of ['firstTimestamp', 'lastTimestamp', 'count'] as const)
    if (event[name]) root.at(name).invalid('', 'needs to be unset');
  if (!sameValue(event.source, {})) root.at('source').invalid('', 'needs to be unset');
  return root.found;
}

function checkSeries({ series }: CoreEvent, root: ReturnType<typeof rootField>): void {
  if (series === undefined) return;
  if ((series.count ?? 0) < 2) root.at('series.count').invalid('', 'should be at least 2');
  if (!series.lastObservedTime) root.at('series.lastObservedTime').required();
}

const fixed = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  // The reference looks at it twice.
  'reason',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const;

function validateUpdate(event: Event, old: Event): readonly Problem[] {
  const now = toCoreEvent(event);
  const then = toCoreEvent(old);
  const root = rootField();
  checkEvent(now, root, 'reportingController');
  if (!sameValue(now.series, then.series)) checkSeries(now, root);
  for (const name of fixed)
    if (!sameValue(now[name], then[name]))
      root
        .at(name === 'reportingComponent' ? 'reportingController' : name)
        .immutable(now[name] ?? null);
  return root.found;
}
