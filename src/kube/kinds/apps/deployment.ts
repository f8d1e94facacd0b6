import type { Draft, Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { defaultPodSpec } from '../pod-spec/defaults.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import { checkRunningTemplate } from '../pod-spec/template.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import { ageColumn, column, containerColumns, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { isSelectable, selectorText } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import { nameWarnings } from '../shared/warnings.ts';
import type { Deployment, DeploymentSpec } from '../types/apps-v1.ts';
import {
  checkAtMostAll,
  checkCollisions,
  checkCounters,
  checkIntOrPercent,
  checkPodSelector,
  isNothing,
} from './replicas.ts';

export const deployments = declareKind<Deployment>('apps/v1/Deployment', {
  defaults: ({ spec }) => {
    spec.replicas ??= 1;
    defaultStrategy(spec);
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    defaultPodSpec(spec.template.spec);
  },
  prepareForCreate: ({ spec }) => dropDisabledFields(spec.template.spec, undefined),
  prepareForUpdate: ({ spec }, old) =>
    dropDisabledFields(spec.template.spec, old.spec.template.spec),
  validateCreate: (deployment) => {
    const root = rootField();
    checkSpec(deployment.spec, root.at('spec'), undefined);
    return root.found;
  },
  validateUpdate: (deployment, old) => {
    const root = rootField();
    checkSpec(deployment.spec, root.at('spec'), old.spec);
    if (!sameValue(deployment.spec.selector, old.spec.selector))
      root.at('spec.selector').immutable(deployment.spec.selector);
    return root.found;
  },
  validateStatusUpdate,
  warnings: (deployment, old) => {
    const template = podSpecWarnings(deployment.spec.template, 'spec.template.');
    if (old === undefined) return [...nameWarnings(deployment.metadata.name), ...template];
    return deployment.metadata.generation === old.metadata.generation ? [] : template;
  },
  scale: {
    replicas: ({ spec }) => spec.replicas ?? 0,
    statusReplicas: ({ status }) => status.replicas ?? 0,
    selector: ({ spec }) => selectorText(spec.selector),
    setReplicas: ({ spec }, replicas) => {
      spec.replicas = replicas;
    },
  },
  table: {
    columns: [
      nameColumn,
      column('Ready', ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
      column('Up-to-date', ({ status }) => status.updatedReplicas ?? 0),
      column('Available', ({ status }) => status.availableReplicas ?? 0),
      ageColumn,
      ...containerColumns<Deployment>(({ spec }) => spec.template.spec),
      column(
        'Selector',
        ({ spec: { selector } }) =>
          selector && !isSelectable(selector) ? '<invalid>' : selectorText(selector),
        { wide: true },
      ),
    ],
  },
});

function defaultStrategy(spec: Draft<DeploymentSpec>): void {
  const { strategy } = spec;
  strategy.type ||= 'RollingUpdate';
  if (strategy.type !== 'RollingUpdate') return;
  strategy.rollingUpdate ??= {};
  strategy.rollingUpdate.maxUnavailable ??= '25%';
  strategy.rollingUpdate.maxSurge ??= '25%';
}

function checkSpec(spec: DeploymentSpec, field: Field, old: DeploymentSpec | undefined): void {
  field.at('replicas').notNegative(spec.replicas);
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
  checkStrategy(spec, field.at('strategy'));
  field.at('minReadySeconds').notNegative(spec.minReadySeconds);
  field.at('revisionHistoryLimit').notNegative(spec.revisionHistoryLimit);
  const deadline = spec.progressDeadlineSeconds;
  if (deadline === undefined) return;
  field.at('progressDeadlineSeconds').notNegative(deadline);
  if (deadline <= (spec.minReadySeconds ?? 0))
    field.at('progressDeadlineSeconds').invalid(deadline, 'must be greater than minReadySeconds');
}

function checkStrategy({ strategy }: DeploymentSpec, field: Field): void {
  const at = field.at('rollingUpdate');
  const { type = '', rollingUpdate } = strategy;
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined)
      at.forbidden("may not be specified when strategy `type` is 'Recreate'");
  } else if (type !== 'RollingUpdate')
    field.notSupported({ Type: type, RollingUpdate: rollingUpdate ?? null }, [
      'Recreate',
      'RollingUpdate',
    ]);
  else if (rollingUpdate === undefined) at.required('this should be defaulted and never be nil');
  else {
    const { maxUnavailable, maxSurge } = rollingUpdate;
    checkIntOrPercent(maxUnavailable, at.at('maxUnavailable'));
    checkIntOrPercent(maxSurge, at.at('maxSurge'));
    if (isNothing(maxUnavailable) && isNothing(maxSurge))
      at.at('maxUnavailable').invalid(maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0');
    checkAtMostAll(maxUnavailable, at.at('maxUnavailable'));
  }
}

function validateStatusUpdate({ status }: Deployment, old: Deployment): readonly Problem[] {
  const root = rootField();
  const field = root.at('status');
  checkCounters(status, field, {
    counters: [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ],
    parts: ['updatedReplicas', 'readyReplicas', 'availableReplicas'],
  });
  const { availableReplicas = 0, readyReplicas = 0 } = status;
  if (availableReplicas > readyReplicas)
    field
      .at('availableReplicas')
      .invalid(availableReplicas, 'cannot be greater than readyReplicas');
  checkCollisions(status.collisionCount, old.status.collisionCount, field);
  return root.found;
}
