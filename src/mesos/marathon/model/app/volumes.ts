import type {
  AppExternalVolume,
  AppPersistentVolume,
  AppSecretVolume,
  AppVolume,
} from '../types.ts';

export function isPersistent(volume: AppVolume): volume is AppPersistentVolume {
  return 'persistent' in volume;
}

export function isExternal(volume: AppVolume): volume is AppExternalVolume {
  return 'external' in volume;
}

export function isSecret(volume: AppVolume): volume is AppSecretVolume {
  return 'secret' in volume;
}

interface WithVolumes {
  readonly container?: { readonly volumes: readonly AppVolume[] } | undefined;
}

/** Resident: it has persistent volumes and keeps to them. */
export function hasPersistentVolumes({ container }: WithVolumes): boolean {
  return container?.volumes.some(isPersistent) ?? false;
}

export function persistentVolumesOf({ container }: WithVolumes): AppPersistentVolume[] {
  return container?.volumes.filter(isPersistent) ?? [];
}

export function hasExternalVolumes({ container }: WithVolumes): boolean {
  return container?.volumes.some(isExternal) ?? false;
}
