import type { Resource } from '#mesos/protocol';
import { persistentVolumesOf } from '../app/volumes.ts';
import { wholePattern } from '../pattern/pattern.ts';
import type { RunSpec } from '../root.ts';
import { isPodPersistent } from '../run-spec.ts';
import type { PersistentVolumeInfo } from '../types.ts';
import { ScalarStock } from './resources.ts';

/** A persistent volume that a run spec asks for: `name` is its path in apps, its name in pods. */
export interface VolumeWish {
  readonly name: string;
  readonly info: PersistentVolumeInfo;
}

export function volumeWishesOf({ kind, spec }: RunSpec): VolumeWish[] {
  return kind === 'app'
    ? persistentVolumesOf(spec).map(({ containerPath, persistent }) => ({
        name: containerPath,
        info: persistent,
      }))
    : (spec.volumes ?? [])
        .filter(isPodPersistent)
        .map(({ name, persistent }) => ({ name, info: persistent }));
}

export interface NewVolume {
  readonly name: string;
  /** The disk it is made of. */
  readonly disk: Resource;
}

/** Disk by disk, in amounts; the root disk is one whatever resources it is offered in. */
export class DiskStock {
  readonly #root: ScalarStock;
  readonly #others: Resource[];

  constructor(disks: readonly Resource[]) {
    this.#root = new ScalarStock(disks.filter(({ disk }) => disk?.source === undefined));
    this.#others = disks.filter(({ disk }) => disk?.source !== undefined);
  }

  /** Space for scratch files. */
  takeRoot(amount: number): Resource[] | undefined {
    return this.#root.take(amount);
  }

  /** The disk of a volume; undefined when there is none that fits. */
  takeVolume({ name, info }: VolumeWish): NewVolume[] | undefined {
    const type = info.type ?? (info.profileName === undefined ? 'root' : 'mount');
    if (type === 'root') return this.#root.take(info.size)?.map((disk) => ({ name, disk }));
    const kind = type === 'path' ? 'PATH' : 'MOUNT';
    const fitting = this.#others.filter(
      (resource) =>
        resource.disk?.source?.type === kind &&
        fitsInfo(resource, info) &&
        sizeOf(resource) >= info.size,
    );
    const bySize = fitting.toSorted((a, b) => sizeOf(a) - sizeOf(b));
    // Mounts are taken whole, so the smallest; of paths the one with most room.
    const disk = kind === 'MOUNT' ? bySize[0] : bySize.at(-1);
    if (disk === undefined) return undefined;
    const taken = kind === 'MOUNT' ? sizeOf(disk) : info.size;
    this.#reduce(disk, taken);
    return [{ name, disk: { ...disk, scalar: { value: taken } } }];
  }

  #reduce(disk: Resource, taken: number): void {
    const index = this.#others.indexOf(disk);
    const left = sizeOf(disk) - taken;
    if (left > 0) this.#others[index] = { ...disk, scalar: { value: left } };
    else this.#others.splice(index, 1);
  }
}

function sizeOf({ scalar }: Resource): number {
  return scalar?.value ?? 0;
}

function fitsInfo(resource: Resource, info: PersistentVolumeInfo): boolean {
  const source = resource.disk?.source;
  if (info.profileName !== undefined && source?.profile !== info.profileName) return false;
  if (info.maxSize !== undefined && sizeOf(resource) > info.maxSize) return false;
  const root = source?.path?.root ?? source?.mount?.root ?? '';
  return info.constraints.every(([, operator, value = '']) => {
    const matches = wholePattern(value)?.test(root) === true;
    return operator === 'UNLIKE' ? !matches : matches;
  });
}
