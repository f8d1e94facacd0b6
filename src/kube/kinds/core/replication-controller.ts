import type { Problem } from '#machinery';
import { checkCounters } from '../apps/replicas.ts';
import { declareKind } from '../declare.ts';
import { defaultPodSpec } from '../pod-spec/defaults.ts';
import { checkRunsForever, checkTemplate } from '../pod-spec/template.ts';
import { ageColumn, column, containerColumns, labelsCell, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { checkCoreMeta, selectorMatches, selectorText } from '../shared/meta.ts';
import type { ReplicationController } from '../types/core-v1.ts';

export const replicationControllers = declareKind<ReplicationController>(
  'v1/ReplicationController',
  {
    defaults: ({ metadata, spec }) => {
      const labels = spec.template?.metadata.labels;
      if (labels !== undefined) {
        if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
        if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
      }
      spec.replicas ??= 1;
      if (spec.template !== undefined) defaultPodSpec(spec.template.spec);
    },
    validateCreate: validate,
    validateUpdate: validate,
    validateStatusUpdate: ({ status }) => {
      const root = rootField();
      checkCounters(status, root.at('status'), {
        counters: [
          'replicas',
          'fullyLabeledReplicas',
          'readyReplicas',
          'availableReplicas',
          'observedGeneration',
        ],
        parts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
      });
      return root.found;
    },
    selectableFields: { 'status.replicas': ({ status }) => `${status.replicas}` },
    scale: {
      replicas: ({ spec }) => spec.replicas ?? 0,
      statusReplicas: ({ status }) => status.replicas,
      selector: ({ spec }) => selectorText({ matchLabels: spec.selector }),
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
        ...containerColumns<ReplicationController>(({ spec }) => spec.template?.spec),
        column('Selector', ({ spec }) => labelsCell(spec.selector), { wide: true }),
      ],
    },
  },
);

function validate({ metadata, spec }: ReplicationController): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(metadata, root);
  const field = root.at('spec');
  field.at('minReadySeconds').notNegative(spec.minReadySeconds);
  const isEmpty = Object.keys(spec.selector ?? {}).length === 0;
  if (isEmpty) field.at('selector').required();
  if (spec.replicas === undefined) field.at('replicas').required();
  field.at('replicas').notNegative(spec.replicas);
  const at = field.at('template');
  if (spec.template === undefined) {
    at.required();
    return root.found;
  }
  const { labels } = spec.template.metadata;
  if (!isEmpty && !selectorMatches({ matchLabels: spec.selector }, labels))
    at.at('metadata.labels').invalid(labels ?? null, '`selector` does not match template `labels`');
  checkTemplate(spec.template, at);
  checkRunsForever(spec.template, at, 'ReplicationController');
  return root.found;
}
