import { dns1123Label } from '#machinery';
import type { Field } from '../shared/field.ts';
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  PersistentVolumeSource,
  QuobyteVolumeSource,
  Volume,
} from '../types/core-v1.ts';

/** Fields that must not be empty, per source. Sources that need more follow in `checkLegacySource`. */
const needed: Readonly<Record<string, readonly string[]>> = {
  glusterfs: ['endpoints', 'path'],
  rbd: ['monitors', 'image'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  awsElasticBlockStore: ['volumeID'],
  flexVolume: ['driver'],
};

type Any = Readonly<Record<string, unknown>>;
type Sources = Volume | (PersistentVolumeSource & { readonly name?: string });

/** The volume plug-ins of old; `name` is the volume's, for one of iscsi's rules. */
export function checkLegacySource(volume: Sources, type: string, field: Field): void {
  // All sources are structs of plain fields, read by name from the table above.
  const source = (volume as unknown as Readonly<Record<string, Any | undefined>>)[type];
  if (source === undefined) return;
  const at = type === 'gcePersistentDisk' ? field.at('persistentDisk') : field.at(type);
  for (const name of needed[type] ?? []) {
    const value = source[name];
    const isEmpty = !value || (Array.isArray(value) && value.length === 0);
    if (isEmpty) at.at(name).required();
  }
  if (type === 'gcePersistentDisk' && !source['pdName']) at.at('pdName').required();
  if (type === 'gcePersistentDisk' || type === 'awsElasticBlockStore') {
    const partition = source['partition'];
    if (typeof partition === 'number' && (partition < 0 || partition > 255))
      at.at('partition').invalid(partition, 'must be between 1 and 255, inclusive');
  }
  if (volume.iscsi !== undefined && type === 'iscsi') checkIscsi(volume, field);
  if (volume.flocker !== undefined && type === 'flocker') checkFlocker(volume.flocker, at);
  if (volume.quobyte !== undefined && type === 'quobyte') checkQuobyte(volume.quobyte, at);
  if (volume.fc !== undefined && type === 'fc') checkFibre(volume.fc, at);
  if (volume.azureDisk !== undefined && type === 'azureDisk') checkAzureDisk(volume.azureDisk, at);
  if (type === 'cinder' && volume.cinder?.secretRef !== undefined && !volume.cinder.secretRef.name)
    at.at('secretRef.name').required();
  for (const key in volume.flexVolume?.options)
    if (/^(.*\.)?(kubernetes|k8s)\.io$/.test(key.split('/')[0] ?? ''))
      at.at('options').key(key).invalid(key, 'kubernetes.io and k8s.io namespaces are reserved');
  if (volume.storageos !== undefined && type === 'storageos') {
    const { volumeName, volumeNamespace, secretRef } = volume.storageos;
    if (!volumeName) at.at('volumeName').required();
    else at.at('volumeName').invalidAll(volumeName, dns1123Label(volumeName));
    if (volumeNamespace)
      at.at('volumeNamespace').invalidAll(volumeNamespace, dns1123Label(volumeNamespace));
    if (secretRef !== undefined && !secretRef.name) at.at('secretRef.name').required();
  }
}

const iqnForms: readonly (readonly [string, RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/],
  ['eui', /^eui.[A-Za-z0-9]{16}$/],
  ['naa', /^naa.[A-Za-z0-9]{32}$/],
];

function checkIscsi(volume: Sources, field: Field): void {
  const { iscsi } = volume;
  if (iscsi === undefined) return;
  const at = field.at('iscsi');
  if (iscsi.targetPortal === '') at.at('targetPortal').required();
  if (iscsi.iqn === '') at.at('iqn').required();
  else checkIqn(iscsi.iqn, at.at('iqn'));
  if (iscsi.lun < 0 || iscsi.lun > 255)
    at.at('lun').invalid(iscsi.lun, 'must be between 0 and 255, inclusive');
  const needsSecret = iscsi.chapAuthDiscovery === true || iscsi.chapAuthSession === true;
  if (needsSecret && iscsi.secretRef === undefined) at.at('secretRef').required();
  const { initiatorName } = iscsi;
  if (initiatorName === undefined) return;
  const portal = `${volume.name ?? ''}:${iscsi.targetPortal}`;
  if (portal.length > 64)
    field
      .at('name')
      .invalid(
        volume.name ?? '',
        'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
      );
  checkIqn(initiatorName, at.at('initiatorname'));
}
function checkIqn(iqn: string, field: Field): void {
  const form = iqnForms.find(([prefix]) => iqn.startsWith(prefix));
  if (form === undefined) field.invalid(iqn, 'must be valid format starting with iqn, eui, or naa');
  else if (!form[1].test(iqn)) field.invalid(iqn, 'must be valid format');
}

function checkFlocker({ datasetName, datasetUUID }: FlockerVolumeSource, field: Field): void {
  if (!datasetName && !datasetUUID)
    field.required('one of datasetName and datasetUUID is required');
  if (datasetName && datasetUUID)
    field.invalid('resource', 'datasetName and datasetUUID can not be specified simultaneously');
  if (datasetName?.includes('/') === true)
    field.at('datasetName').invalid(datasetName, "must not contain '/'");
}

function checkQuobyte({ registry, tenant, volume }: QuobyteVolumeSource, field: Field): void {
  const text = 'must be a host:port pair or multiple pairs separated by commas';
  if (registry === '') field.at('registry').required(text);
  else if ((tenant?.length ?? 0) > 64)
    field.at('tenant').required('must be a UUID and may not exceed a length of 64 characters');
  else
    for (const part of registry.split(','))
      if (!/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(part)) field.at('registry').invalid(registry, text);
  if (volume === '') field.at('volume').required();
}

function checkFibre({ targetWWNs = [], wwids = [], lun }: FCVolumeSource, field: Field): void {
  if (targetWWNs.length === 0 && wwids.length === 0)
    field.at('targetWWNs').required('must specify either targetWWNs or wwids, but not both');
  if (targetWWNs.length > 0 && wwids.length > 0)
    field
      .at('targetWWNs')
      .invalid(targetWWNs, 'targetWWNs and wwids can not be specified simultaneously');
  if (targetWWNs.length === 0) return;
  if (lun === undefined) field.at('lun').required('lun is required if targetWWNs is specified');
  else if (lun < 0 || lun > 255)
    field.at('lun').invalid(lun, 'must be between 0 and 255, inclusive');
}

function checkAzureDisk(disk: AzureDiskVolumeSource, field: Field): void {
  const { cachingMode, kind, diskURI } = disk;
  const caching = ['None', 'ReadOnly', 'ReadWrite'];
  if (cachingMode !== undefined && !caching.includes(cachingMode))
    field.at('cachingMode').notSupported(cachingMode, caching);
  const kinds = ['Dedicated', 'Managed', 'Shared'];
  if (kind !== undefined && !kinds.includes(kind)) field.at('kind').notSupported(kind, kinds);
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/'))
    field
      .at('diskURI')
      .notSupported(diskURI, [
        '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
      ]);
  if (kind !== undefined && kind !== 'Managed' && !diskURI.startsWith('https://'))
    field
      .at('diskURI')
      .notSupported(diskURI, [
        'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd',
      ]);
}
