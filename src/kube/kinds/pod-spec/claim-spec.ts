import { dns1123Label, dns1123Subdomain } from '#machinery';
import { isWholeQuantity, parseQuantity } from '#base';
import type { Field } from '../shared/field.ts';
import { checkAnnotations, checkLabels, checkSelector } from '../shared/meta.ts';
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from '../types/core-v1.ts';

const modes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function checkAccessModes(given: readonly string[], field: Field): void {
  for (const mode of given) if (!modes.includes(mode)) field.notSupported(mode, modes);
  if (given.includes('ReadWriteOncePod') && new Set(given).size > 1)
    field.forbidden('may not use ReadWriteOncePod with other access modes');
}

export interface ClaimLeniency {
  readonly anySelectorValue?: boolean;
  readonly anyApiGroup?: boolean;
}

export function checkClaimSpec(
  spec: PersistentVolumeClaimSpec,
  field: Field,
  leniency: ClaimLeniency = {},
): void {
  const accessModes = spec.accessModes ?? [];
  if (accessModes.length === 0)
    field.at('accessModes').required('at least 1 access mode is required');
  checkSelector(spec.selector, field.at('selector'), {
    anyValue: leniency.anySelectorValue === true,
  });
  checkAccessModes(accessModes, field.at('accessModes'));
  checkStorage(spec.resources.requests?.['storage'], field.at('resources').key('storage'));
  const { storageClassName, volumeMode, volumeAttributesClassName } = spec;
  if (storageClassName)
    field.at('storageClassName').invalidAll(storageClassName, dns1123Subdomain(storageClassName));
  if (volumeMode !== undefined && volumeMode !== 'Block' && volumeMode !== 'Filesystem')
    field.at('volumeMode').notSupported(volumeMode, ['Block', 'Filesystem']);
  checkDataSources(spec, field, leniency.anyApiGroup === true);
  if (volumeAttributesClassName)
    field
      .at('volumeAttributesClassName')
      .invalidAll(volumeAttributesClassName, dns1123Subdomain(volumeAttributesClassName));
}

function checkStorage(amount: string | undefined, field: Field): void {
  if (amount === undefined) return field.required();
  if (parseQuantity(amount).nanos <= 0n) field.invalid(amount, 'must be greater than zero');
  if (amount.startsWith('-')) field.invalid(amount, 'must be greater than or equal to 0');
  if (!isWholeQuantity(amount)) return;
}

function checkDataSources(
  { dataSource, dataSourceRef }: PersistentVolumeClaimSpec,
  field: Field,
  anyApiGroup: boolean,
): void {
  for (const [name, source] of [
    ['dataSource', dataSource],
    ['dataSourceRef', dataSourceRef],
  ] as const) {
    if (source === undefined) continue;
    const at = field.at(name);
    if (source.name === '') at.at('name').required();
    if (source.kind === '') at.at('kind').required();
    if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim')
      at.invalid(
        source.kind,
        "must be 'PersistentVolumeClaim' when referencing the default apiGroup",
      );
    if (source.apiGroup && !anyApiGroup)
      at.at('apiGroup').invalidAll(source.apiGroup, dns1123Subdomain(source.apiGroup));
  }
  const namespace = dataSourceRef?.namespace;
  if (namespace) {
    field.at('dataSourceRef.namespace').invalidAll(namespace, dns1123Label(namespace));
    if (dataSource !== undefined)
      field.invalid({}, 'may not be specified when dataSourceRef.namespace is specified');
    return;
  }
  if (dataSource === undefined || dataSourceRef === undefined) return;
  const isSame =
    dataSource.name === dataSourceRef.name &&
    dataSource.kind === dataSourceRef.kind &&
    (dataSource.apiGroup ?? '') === (dataSourceRef.apiGroup ?? '');
  if (!isSame) field.invalid({}, 'must match dataSourceRef');
}

/** The claim that an ephemeral volume makes: labels and annotations, and no other metadata. */
export function checkClaimTemplate(template: PersistentVolumeClaimTemplate, field: Field): void {
  const meta = field.at('metadata');
  checkAnnotations(template.metadata.annotations, meta.at('annotations'));
  checkLabels(template.metadata.labels, meta.at('labels'));
  for (const [name, value] of Object.entries(template.metadata))
    if (name !== 'labels' && name !== 'annotations' && value !== undefined)
      meta.at(name === 'uid' ? 'uID' : name).forbidden('cannot be set');
  checkClaimSpec(template.spec, field.at('spec'));
}
