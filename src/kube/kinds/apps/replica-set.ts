import { declareKind } from '../declare.ts';
import { defaultPodSpec } from '../pod-spec/defaults.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import { checkRunningTemplate } from '../pod-spec/template.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import {
  ageColumn,
  column,
  containerColumns,
  nameColumn,
  selectorCell,
} from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { selectorText } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import { nameWarnings } from '../shared/warnings.ts';
import type { ReplicaSet, ReplicaSetSpec } from '../types/apps-v1.ts';
import { checkCounters, checkPodSelector } from './replicas.ts';

export const replicaSets = declareKind<ReplicaSet>('apps/v1/ReplicaSet', {
  defaults: ({ spec }) => {
    spec.replicas ??= 1;
    defaultPodSpec(spec.template.spec);
  },
  prepareForCreate: ({ spec }) => dropDisabledFields(spec.template.spec, undefined),
  prepareForUpdate: ({ spec }, old) =>
    dropDisabledFields(spec.template.spec, old.spec.template.spec),
  validateCreate: ({ spec }) => {
    const root = rootField();
    checkSpec(spec, root.at('spec'), undefined);
    return root.found;
  },
  validateUpdate: ({ spec }, old) => {
    const root = rootField();
    checkSpec(spec, root.at('spec'), old.spec);
    if (!sameValue(spec.selector, old.spec.selector))
      root.at('spec.selector').immutable(spec.selector);
    return root.found;
  },
  validateStatusUpdate: ({ status }) => {
    const root = rootField();
    const field = root.at('status');
    checkCounters(status, field, {
      counters: [
        'replicas',
        'fullyLabeledReplicas',
        'readyReplicas',
        'availableReplicas',
        'observedGeneration',
        'terminatingReplicas',
      ],
      parts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
    });
    const { availableReplicas = 0, readyReplicas = 0 } = status;
    if (availableReplicas > readyReplicas)
      field
        .at('availableReplicas')
        .invalid(availableReplicas, 'cannot be greater than readyReplicas');
    return root.found;
  },
  warnings: (set, old) => {
    const template = podSpecWarnings(set.spec.template, 'spec.template.');
    if (old === undefined) return [...nameWarnings(set.metadata.name), ...template];
    return set.metadata.generation === old.metadata.generation ? [] : template;
  },
  scale: {
    replicas: ({ spec }) => spec.replicas ?? 0,
    statusReplicas: ({ status }) => status.replicas,
    selector: ({ spec }) => selectorText(spec.selector),
    setReplicas: ({ spec }, replicas) => {
      spec.replicas = replicas;
    },
  },
  table: {
    columns: [
      nameColumn,
      column('Desired', ({ spec }) => spec.replicas ?? 0, { type: 'integer' }),
      column('Current', ({ status }) => status.replicas, { type: 'integer' }),
      column('Ready', ({ status }) => status.readyReplicas ?? 0, { type: 'integer' }),
      ageColumn,
      ...containerColumns<ReplicaSet>(({ spec }) => spec.template.spec),
      column('Selector', ({ spec }) => selectorCell(spec.selector), { wide: true }),
    ],
  },
});

function checkSpec(spec: ReplicaSetSpec, field: Field, old: ReplicaSetSpec | undefined): void {
  field.at('replicas').notNegative(spec.replicas);
  field.at('minReadySeconds').notNegative(spec.minReadySeconds);
  const isUsable = checkPodSelector(spec.selector, field.at('selector'), {
    empty: 'empty selector is invalid for deployment',
    wrong: 'invalid label selector',
  });
  if (isUsable)
    checkRunningTemplate(spec.template, field.at('template'), {
      selector: spec.selector,
      kind: 'ReplicaSet',
      old: old?.template,
    });
}
