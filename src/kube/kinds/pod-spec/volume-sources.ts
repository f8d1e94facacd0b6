import type { Field } from '../shared/field.ts';
import type { HostPathVolumeSource, KeyToPath, NFSVolumeSource, Volume } from '../types/core-v1.ts';
import { checkLocalPath, checkNoBacksteps, checkRelativePath } from './paths.ts';

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

/** 0 to 0777. */
export function checkMode(mode: number | undefined, field: Field): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    field.invalid(mode, 'must be a number between 0 and 0777 (octal), both inclusive');
}

export function checkKeyToPath(items: readonly KeyToPath[] | undefined, field: Field): void {
  for (const [index, { key, path, mode }] of (items ?? []).entries()) {
    const at = field.at(index);
    if (key === '') at.at('key').required();
    if (path === '') at.at('path').required();
    checkLocalPath(path, at.at('path'));
    checkMode(mode, at.at('mode'));
  }
}

/** The sources in everyday use; false when `type` is none of them. */
export function checkKnownSource(volume: Volume, type: keyof Volume, field: Field): boolean {
  const { emptyDir, hostPath, persistentVolumeClaim, nfs, gitRepo } = volume;
  if (type === 'emptyDir') {
    if (emptyDir?.sizeLimit?.startsWith('-') === true)
      field.at('emptyDir.sizeLimit').forbidden('SizeLimit field must be a valid resource quantity');
  } else if (type === 'hostPath' && hostPath !== undefined)
    checkHostPath(hostPath, field.at('hostPath'));
  else if (type === 'persistentVolumeClaim') {
    if (!persistentVolumeClaim?.claimName)
      field.at('persistentVolumeClaim').at('claimName').required();
  } else if (type === 'nfs' && nfs !== undefined) checkNfs(nfs, field.at('nfs'));
  else if (type === 'gitRepo' && gitRepo !== undefined) {
    if (gitRepo.repository === '') field.at('gitRepo').at('repository').required();
    if (gitRepo.directory)
      checkRelativePath(gitRepo.directory, field.at('gitRepo').at('directory'));
  } else return false;
  return true;
}

export function checkHostPath({ path, type }: HostPathVolumeSource, field: Field): void {
  if (path === '') return field.at('path').required();
  checkNoBacksteps(path, field.at('path'));
  if (type !== undefined && !hostPathTypes.includes(type))
    field.at('type').notSupported(type, hostPathTypes);
}
export function checkNfs({ server, path }: NFSVolumeSource, field: Field): void {
  if (server === '') field.at('server').required();
  if (path === '') field.at('path').required();
  if (!path.startsWith('/')) field.at('path').invalid(path, 'must be an absolute path');
}
