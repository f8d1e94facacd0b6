import { pathSegmentName } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkEvent, eventTable, eventTtlMs } from '../shared/events.ts';
import { rootField } from '../shared/field.ts';
import type { Event } from '../types/core-v1.ts';

function validate(event: Event): ReturnType<typeof rootField>['found'] {
  const root = rootField();
  checkEvent(event, root, 'reportingComponent');
  return root.found;
}

export const events = declareKind<Event>('v1/Event', {
  nameProblems: pathSegmentName,
  validateCreate: validate,
  validateUpdate: validate,
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent,
    source: ({ source, reportingComponent }) => source.component || reportingComponent,
    type: ({ type }) => type ?? '',
  },
  table: eventTable,
  ttlMs: eventTtlMs,
});
