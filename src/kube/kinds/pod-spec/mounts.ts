import type { Field } from '../shared/field.ts';
import type { Volume, VolumeDevice, VolumeMount } from '../types/core-v1.ts';
import { checkNoBacksteps, checkRelativePath } from './paths.ts';

/** The volumes of a Pod that are themselves in order, by name. */
export type ValidVolumes = ReadonlyMap<string, Volume>;

export interface MountSite {
  readonly mounts: readonly VolumeMount[] | undefined;
  readonly devices: readonly VolumeDevice[] | undefined;
  readonly volumes: ValidVolumes;
  readonly isPrivileged: boolean;
}

export function checkMounts(site: MountSite, field: Field): void {
  const { mounts, devices, volumes } = site;
  const paths = new Set<string>();
  for (let index = 0; index < (mounts?.length ?? 0); index++) {
    const mount = mounts?.[index];
    if (mount === undefined) continue;
    const at = field.at('volumeMounts').at(index);
    if (mount.name === '') at.at('name').required();
    if (!volumes.has(mount.name)) at.at('name').notFound(mount.name);
    if (mount.mountPath === '') at.at('mountPath').required();
    if (paths.has(mount.mountPath)) at.at('mountPath').invalid(mount.mountPath, 'must be unique');
    paths.add(mount.mountPath);
    if (devices !== undefined) {
      if (devices.some(({ name }) => name === mount.name))
        at.at('name').invalid(mount.name, 'must not already exist in volumeDevices');
      if (devices.some(({ devicePath }) => devicePath === mount.mountPath))
        at.at('mountPath').invalid(
          mount.mountPath,
          'must not already exist as a path in volumeDevices',
        );
    }
    checkMountOptions(mount, at, { list: field.at('volumeMounts'), site });
  }
}

/** The reference prints these without the mount's index. */
function checkMountOptions(
  mount: VolumeMount,
  at: Field,
  { list, site }: { list: Field; site: MountSite },
): void {
  const { subPath, subPathExpr, mountPropagation, recursiveReadOnly } = mount;
  if (subPath) checkRelativePath(subPath, list.at('subPath'));
  if (subPathExpr) {
    if (subPath)
      at.at('subPathExpr').invalid(subPathExpr, 'subPathExpr and subPath are mutually exclusive');
    checkRelativePath(subPathExpr, list.at('subPathExpr'));
  }
  if (mountPropagation !== undefined) {
    const supported = ['Bidirectional', 'HostToContainer', 'None'];
    if (!supported.includes(mountPropagation))
      list.at('mountPropagation').notSupported(mountPropagation, supported);
    if (mountPropagation === 'Bidirectional' && !site.isPrivileged)
      list
        .at('mountPropagation')
        .forbidden('Bidirectional mount propagation is available only to privileged containers');
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return;
  const field = list.at('recursiveReadOnly');
  if (recursiveReadOnly !== 'Enabled' && recursiveReadOnly !== 'IfPossible')
    return field.notSupported(recursiveReadOnly, ['Disabled', 'Enabled', 'IfPossible']);
  if (mount.readOnly !== true) field.forbidden('may only be specified when readOnly is true');
  if (mountPropagation !== undefined && mountPropagation !== 'None')
    field.forbidden('may only be specified when mountPropagation is None or not specified');
}

export function checkDevices(site: MountSite, field: Field): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, { name, devicePath }] of (site.devices ?? []).entries()) {
    const at = field.at('volumeDevices').at(index);
    if (name === '') at.at('name').required();
    if (names.has(name)) at.at('name').invalid(name, 'must be unique');
    const volume = site.volumes.get(name);
    if (volume === undefined) at.at('name').notFound(name);
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined)
      at.at('name').invalid(
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      );
    if (devicePath === '') at.at('devicePath').required();
    if (paths.has(devicePath)) at.at('devicePath').invalid(devicePath, 'must be unique');
    if (devicePath !== '')
      checkNoBacksteps(devicePath, at.at('devicePath'), "can not contain backsteps ('..')");
    paths.add(devicePath);
    if (site.mounts?.some((mount) => mount.name === name) === true)
      at.at('name').invalid(name, 'must not already exist in volumeMounts');
    if (site.mounts?.some(({ mountPath }) => mountPath === devicePath) === true)
      at.at('devicePath').invalid(devicePath, 'must not already exist as a path in volumeMounts');
    names.add(name);
  }
}
