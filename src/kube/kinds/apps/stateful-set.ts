import { dns1123Label, nameCheck } from '#machinery';
import type { Draft, Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkClaimSpec } from '../pod-spec/claim-spec.ts';
import { defaultClaimSpec, defaultPodSpec } from '../pod-spec/defaults.ts';
import { dropDisabledFields } from '../pod-spec/disabled.ts';
import { checkRunsForever, checkTemplate } from '../pod-spec/template.ts';
import { podSpecWarnings } from '../pod-spec/warnings.ts';
import { ageColumn, column, containerColumns, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { selectorMatches, selectorText } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { StatefulSet, StatefulSetSpec } from '../types/apps-v1.ts';
import { checkAtMostAll, checkIntOrPercent, isNothing } from './replicas.ts';
import { checkCollisions, checkCounters, checkPodSelector } from './replicas.ts';

const changeable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export const statefulSets = declareKind<StatefulSet>('apps/v1/StatefulSet', {
  nameProblems: nameCheck(dns1123Label),
  defaults: ({ spec }) => defaultSpec(spec),
  prepareForCreate: ({ spec }) => dropDisabledFields(spec.template.spec, undefined),
  prepareForUpdate: ({ spec }, old) =>
    dropDisabledFields(spec.template.spec, old.spec.template.spec),
  validateCreate: ({ spec }) => {
    const root = rootField();
    const field = root.at('spec');
    checkSpec(spec, field);
    for (const [index, claim] of (spec.volumeClaimTemplates ?? []).entries())
      checkClaimSpec(claim.spec, field.at('volumeClaimTemplates').at(index).at('spec'));
    if (spec.serviceName)
      field.at('serviceName').invalidAll(spec.serviceName, dns1123Label(spec.serviceName));
    return root.found;
  },
  validateUpdate: ({ spec }, old) => {
    const root = rootField();
    checkSpec(spec, root.at('spec'));
    const kept = (one: StatefulSetSpec) =>
      Object.fromEntries(Object.entries(one).filter(([name]) => !changeable.includes(name)));
    if (!sameValue(kept(spec), kept(old.spec)))
      root
        .at('spec')
        .forbidden(
          "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    return root.found;
  },
  validateStatusUpdate,
  warnings: (set, old) => {
    const isSame = set.metadata.generation === old?.metadata.generation;
    return [
      ...(old !== undefined && isSame ? [] : podSpecWarnings(set.spec.template, 'spec.template.')),
      ...((set.spec.revisionHistoryLimit ?? 0) < 0
        ? [
            'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
          ]
        : []),
    ];
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
      column('Ready', ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
      ageColumn,
      ...containerColumns<StatefulSet>(({ spec }) => spec.template.spec),
    ],
  },
});

function defaultSpec(spec: Draft<StatefulSetSpec>): void {
  spec.podManagementPolicy ||= 'OrderedReady';
  const { updateStrategy } = spec;
  if (!updateStrategy.type) {
    updateStrategy.type = 'RollingUpdate';
    updateStrategy.rollingUpdate ??= {};
  }
  if (updateStrategy.type === 'RollingUpdate' && updateStrategy.rollingUpdate !== undefined)
    updateStrategy.rollingUpdate.partition ??= 0;
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.kind = 'PersistentVolumeClaim';
    claim.apiVersion = 'v1';
    claim.status.phase ||= 'Pending';
    defaultClaimSpec(claim.spec);
  }
  defaultPodSpec(spec.template.spec);
}

function checkSpec(spec: StatefulSetSpec, field: Field): void {
  const policy = spec.podManagementPolicy ?? '';
  if (policy === '') field.at('podManagementPolicy').required();
  else if (policy !== 'OrderedReady' && policy !== 'Parallel')
    field.at('podManagementPolicy').invalid(policy, "must be 'OrderedReady' or 'Parallel'");
  const { type = '', rollingUpdate } = spec.updateStrategy;
  const at = field.at('updateStrategy');
  // Texts print the fields of the reference's internal type.
  const printed =
    rollingUpdate === undefined
      ? null
      : {
          Partition: rollingUpdate.partition ?? 0,
          MaxUnavailable: rollingUpdate.maxUnavailable ?? null,
        };
  if (type === '') at.required();
  else if (type === 'OnDelete') {
    if (printed !== null)
      at.at('rollingUpdate').invalid(printed, "only allowed for updateStrategy 'RollingUpdate'");
  } else if (type === 'RollingUpdate') {
    at.at('rollingUpdate').at('partition').notNegative(rollingUpdate?.partition);
    checkUnavailable(rollingUpdate?.maxUnavailable, at.at('rollingUpdate.maxUnavailable'));
  } else
    at.invalid({ Type: type, RollingUpdate: printed }, "must be 'RollingUpdate' or 'OnDelete'");
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    const value = spec.persistentVolumeClaimRetentionPolicy?.[name];
    if (value !== undefined && value !== 'Retain' && value !== 'Delete')
      field
        .at('persistentVolumeClaimRetentionPolicy')
        .at(name)
        .notSupported(value, ['Retain', 'Delete']);
  }
  field.at('replicas').notNegative(spec.replicas);
  field.at('minReadySeconds').notNegative(spec.minReadySeconds);
  field.at('ordinals').at('start').notNegative(spec.ordinals?.start);
  const isUsable = checkPodSelector(spec.selector, field.at('selector'), {
    empty: 'empty selector is invalid for statefulset',
    wrong: '',
  });
  const { labels } = spec.template.metadata;
  if (isUsable && !selectorMatches(spec.selector, labels))
    field
      .at('template.metadata.labels')
      .invalid(labels ?? null, '`selector` does not match template `labels`');
  checkTemplate(withClaims(spec), field.at('template'));
  checkRunsForever(spec.template, field.at('template'), 'StatefulSet');
}

/** Claim templates are volumes of the Pods, in place of those with the same name. */
function withClaims({
  template,
  volumeClaimTemplates,
}: StatefulSetSpec): StatefulSetSpec['template'] {
  const names = (volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
  if (names.length === 0) return template;
  const volumes = [
    ...(template.spec.volumes ?? []).filter(({ name }) => !names.includes(name)),
    ...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
  ];
  return { ...template, spec: { ...template.spec, volumes } };
}

function validateStatusUpdate({ status }: StatefulSet, old: StatefulSet): readonly Problem[] {
  const root = rootField();
  const field = root.at('status');
  const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'];
  checkCounters(status, field, {
    counters: ['replicas', ...parts, 'observedGeneration', 'collisionCount'],
    parts,
  });
  checkCollisions(status.collisionCount, old.status.collisionCount, field);
  return root.found;
}

function checkUnavailable(value: number | string | undefined, field: Field): void {
  if (value === undefined) return;
  checkIntOrPercent(value, field);
  if (isNothing(value)) field.invalid(value, 'cannot be 0');
  checkAtMostAll(value, field);
}
