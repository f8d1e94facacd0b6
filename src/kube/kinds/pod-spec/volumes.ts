import { dns1123Label, dns1123Subdomain } from '#machinery';
import type { Field } from '../shared/field.ts';
import type { Volume } from '../types/core-v1.ts';
import { checkKnownSource, checkMode, checkKeyToPath } from './volume-sources.ts';
import { checkClaimTemplate } from './claim-spec.ts';
import { checkDownwardFiles, checkProjected } from './projected.ts';
import { checkLegacySource } from './volume-legacy.ts';
import type { ValidVolumes } from './mounts.ts';

/** The order in which the reference looks, and the names it prints (two of them with its slips). */
const order: readonly (readonly [keyof Volume, string])[] = [
  ['emptyDir', 'emptyDir'],
  ['hostPath', 'hostPath'],
  ['gitRepo', 'gitRepo'],
  ['gcePersistentDisk', 'gcePersistentDisk'],
  ['awsElasticBlockStore', 'awsElasticBlockStore'],
  ['secret', 'secret'],
  ['nfs', 'nfs'],
  ['iscsi', 'iscsi'],
  ['glusterfs', 'glusterfs'],
  ['flocker', 'flocker'],
  ['persistentVolumeClaim', 'persistentVolumeClaim'],
  ['rbd', 'rbd'],
  ['cinder', 'cinder'],
  ['cephfs', 'cephFS'],
  ['quobyte', 'quobyte'],
  ['downwardAPI', 'downwarAPI'],
  ['fc', 'fc'],
  ['flexVolume', 'flexVolume'],
  ['configMap', 'configMap'],
  ['azureFile', 'azureFile'],
  ['vsphereVolume', 'vsphereVolume'],
  ['photonPersistentDisk', 'photonPersistentDisk'],
  ['portworxVolume', 'portworxVolume'],
  ['azureDisk', 'azureDisk'],
  ['storageos', 'storageos'],
  ['projected', 'projected'],
  ['scaleIO', 'scaleIO'],
  ['csi', 'csi'],
  ['ephemeral', 'ephemeral'],
  ['image', 'image'],
];
const slips = new Map<string, string>(order);
const ranks = new Map<string, number>(order.map(([name], index) => [name, index]));

export interface VolumeContext {
  /** Undefined in templates: rules that need the Pod's own name do not apply there. */
  readonly podName: string | undefined;
  readonly isTemplate: boolean;
  /** The old object had a token path that leaves its volume. */
  readonly anyTokenPath: boolean;
}

/** Checks all volumes and answers the ones in order; mounts may only name those. */
export function checkVolumes(
  volumes: readonly Volume[] | undefined,
  field: Field,
  context: VolumeContext,
): ValidVolumes {
  const valid = new Map<string, Volume>();
  if (volumes === undefined) return valid;
  const generated =
    context.podName === undefined
      ? []
      : volumes
          .filter(({ ephemeral }) => ephemeral !== undefined)
          .map(({ name }) => `${context.podName}-${name}`);
  for (let index = 0; index < volumes.length; index++) {
    const volume = volumes[index];
    if (volume === undefined) continue;
    const at = field.at(index);
    const before = field.found.length;
    checkSource(volume, at, context);
    if (volume.name === '') at.at('name').required();
    else at.at('name').invalidAll(volume.name, dns1123Label(volume.name));
    if (valid.has(volume.name)) at.at('name').duplicate(volume.name);
    if (field.found.length === before) valid.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && generated.includes(claim))
      at.at('persistentVolumeClaim.claimName').invalid(
        claim,
        'must not reference a PVC that gets created for an ephemeral volume',
      );
  }
  return valid;
}

function checkSource(volume: Volume, field: Field, context: VolumeContext): void {
  const given: (keyof Volume)[] = [];
  for (const name in volume)
    if (name !== 'name' && volume[name as keyof Volume] !== undefined && ranks.has(name))
      given.push(name as keyof Volume);
  if (given.length === 0) return field.required('must specify a volume type');
  if (given.length > 1) given.sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0));
  for (const name of given.slice(1))
    field.at(slips.get(name) ?? name).forbidden('may not specify more than 1 volume type');
  checkFirst(volume, given[0] ?? 'name', { field, context });
}

function checkFirst(
  volume: Volume,
  type: keyof Volume,
  { field, context }: { field: Field; context: VolumeContext },
): void {
  const { secret, configMap, downwardAPI, projected, csi, ephemeral, image } = volume;
  if (type === 'secret' && secret !== undefined) {
    const at = field.at('secret');
    if (!secret.secretName) at.at('secretName').required();
    checkMode(secret.defaultMode, at.at('defaultMode'));
    checkKeyToPath(secret.items, at.at('items'));
  } else if (type === 'configMap' && configMap !== undefined) {
    const at = field.at('configMap');
    if (!configMap.name) at.at('name').required();
    checkMode(configMap.defaultMode, at.at('defaultMode'));
    checkKeyToPath(configMap.items, at.at('items'));
  } else if (type === 'downwardAPI' && downwardAPI !== undefined) {
    checkMode(downwardAPI.defaultMode, field.at('downwardAPI').at('defaultMode'));
    checkDownwardFiles(downwardAPI.items, field.at('downwardAPI'));
  } else if (type === 'projected' && projected !== undefined)
    checkProjected(projected, field.at('projected'), context.anyTokenPath);
  else if (type === 'csi' && csi !== undefined) {
    checkDriverName(csi.driver, field.at('csi').at('driver'));
    const secretName = csi.nodePublishSecretRef?.name;
    if (csi.nodePublishSecretRef !== undefined) {
      if (!secretName) field.at('csi.nodePublishSecretRef.name').required();
      else field.at('csi').at('name').invalidAll(secretName, dns1123Subdomain(secretName));
    }
  } else if (type === 'ephemeral' && ephemeral !== undefined) {
    const at = field.at('ephemeral').at('volumeClaimTemplate');
    if (ephemeral.volumeClaimTemplate === undefined) at.required();
    else checkClaimTemplate(ephemeral.volumeClaimTemplate, at);
    if (context.podName !== undefined && context.podName !== '') {
      const claim = `${context.podName}-${volume.name}`;
      for (const text of dns1123Subdomain(claim))
        field.at('name').invalid(volume.name, `PVC name "${claim}": ${text}`);
    }
  } else if (type === 'image' && image !== undefined) {
    const at = field.at('image');
    if (!image.reference && !context.isTemplate) at.at('reference').required();
    at.at('pullPolicy').oneOf(image.pullPolicy, ['Always', 'IfNotPresent', 'Never']);
  } else if (!checkKnownSource(volume, type, field)) checkLegacySource(volume, type, field);
}

/** ValidateCSIDriverName: case does not count. */
export function checkDriverName(name: string, field: Field): void {
  if (name === '') return field.required();
  if (name.length > 63) field.tooLong(63);
  field.invalidAll(name, dns1123Subdomain(name.toLowerCase()));
}
