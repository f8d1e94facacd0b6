import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { defaultPodSpec } from '../pod-spec/defaults.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import { checkRunsForever, checkTemplate } from '../pod-spec/template.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import {
  ageColumn,
  column,
  containerColumns,
  labelsCell,
  nameColumn,
  selectorCell,
} from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkSelector, isEmptySelector, selectorMatches } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { DaemonSet, DaemonSetSpec } from '../types/apps-v1.ts';
import {
  checkAtMostAll,
  checkCollisions,
  checkCounters,
  checkIntOrPercent,
  isNothing,
} from './replicas.ts';

/** Where the template's own generation travels: the field has no place in apps/v1. */
const templateGeneration = 'deprecated.daemonset.template.generation';
const counters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
];

export const daemonSets = declareKind<DaemonSet>('apps/v1/DaemonSet', {
  defaults: ({ spec }) => {
    const { updateStrategy } = spec;
    updateStrategy.type ||= 'RollingUpdate';
    if (updateStrategy.type === 'RollingUpdate') {
      updateStrategy.rollingUpdate ??= {};
      updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    defaultPodSpec(spec.template.spec);
  },
  prepareForCreate: (set) => {
    dropDisabledFields(set.spec.template.spec, undefined);
    const given = Number(set.metadata.annotations?.[templateGeneration] ?? 1);
    set.metadata.annotations = {
      ...set.metadata.annotations,
      [templateGeneration]: `${Math.max(1, Number.isInteger(given) ? given : 1)}`,
    };
  },
  prepareForUpdate: (set, old) => {
    dropDisabledFields(set.spec.template.spec, old.spec.template.spec);
    const before = Number(old.metadata.annotations?.[templateGeneration] ?? 1);
    const isChanged = !sameValue(set.spec.template, old.spec.template);
    set.metadata.annotations = {
      ...set.metadata.annotations,
      [templateGeneration]: `${isChanged ? before + 1 : before}`,
    };
  },
  validateCreate: ({ spec }) => {
    const root = rootField();
    checkSpec(spec, root.at('spec'), undefined);
    return root.found;
  },
  validateUpdate: ({ spec }, old) => {
    const root = rootField();
    if (!sameValue(spec.selector, old.spec.selector))
      root.at('spec.selector').immutable(spec.selector);
    checkSpec(spec, root.at('spec'), old.spec);
    return root.found;
  },
  validateStatusUpdate: ({ status }, old): readonly Problem[] => {
    const root = rootField();
    checkCounters(status, root.at('status'), { counters, parts: [] });
    checkCollisions(status.collisionCount, old.status.collisionCount, root.at('status'));
    return root.found;
  },
  warnings: ({ spec }, old) =>
    old !== undefined && sameValue(spec.template, old.spec.template)
      ? []
      : podSpecWarnings(spec.template, 'spec.template.'),
  table: {
    columns: [
      nameColumn,
      column('Desired', ({ status }) => status.desiredNumberScheduled, { type: 'integer' }),
      column('Current', ({ status }) => status.currentNumberScheduled, { type: 'integer' }),
      column('Ready', ({ status }) => status.numberReady, { type: 'integer' }),
      column('Up-to-date', ({ status }) => status.updatedNumberScheduled ?? 0, { type: 'integer' }),
      column('Available', ({ status }) => status.numberAvailable ?? 0, { type: 'integer' }),
      column('Node Selector', ({ spec }) => labelsCell(spec.template.spec.nodeSelector)),
      ageColumn,
      ...containerColumns<DaemonSet>(({ spec }) => spec.template.spec),
      column('Selector', ({ spec }) => selectorCell(spec.selector), { wide: true }),
    ],
  },
});

function checkSpec(spec: DaemonSetSpec, field: Field, old: DaemonSetSpec | undefined): void {
  const { selector, template } = spec;
  checkSelector(selector, field.at('selector'));
  const { labels } = template.metadata;
  if (!selectorMatches(selector, labels))
    field
      .at('template.metadata.labels')
      .invalid(labels ?? null, '`selector` does not match template `labels`');
  if (selector && isEmptySelector(selector))
    field.at('selector').invalid(selector, 'empty selector is invalid for daemonset');
  checkTemplate(template, field.at('template'), old?.template);
  checkRunsForever(template, field.at('template'), 'DaemonSet');
  field.at('minReadySeconds').notNegative(spec.minReadySeconds);
  checkStrategy(spec, field.at('updateStrategy'));
  field.at('revisionHistoryLimit').notNegative(spec.revisionHistoryLimit);
}

function checkStrategy({ updateStrategy }: DaemonSetSpec, field: Field): void {
  const { type = '', rollingUpdate } = updateStrategy;
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate')
    return field.notSupported({ Type: type, RollingUpdate: rollingUpdate ?? null }, [
      'RollingUpdate',
      'OnDelete',
    ]);
  const at = field.at('rollingUpdate');
  if (rollingUpdate === undefined) return at.required();
  const { maxUnavailable, maxSurge } = rollingUpdate;
  for (const [name, value] of [
    ['maxUnavailable', maxUnavailable],
    ['maxSurge', maxSurge],
  ] as const) {
    checkIntOrPercent(value, at.at(name));
    checkAtMostAll(value, at.at(name));
  }
  if (!isNothing(maxUnavailable) && !isNothing(maxSurge))
    at.at('maxSurge').invalid(maxSurge, 'may not be set when maxUnavailable is non-zero');
  else if (isNothing(maxUnavailable) && isNothing(maxSurge))
    at.at('maxUnavailable').required('cannot be 0 when maxSurge is 0');
}
