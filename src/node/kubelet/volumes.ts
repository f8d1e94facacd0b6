import type { Clock } from '#base';
import type { Files, PathKind } from '#io';
import type { Container, Pod } from '#kube/kinds';
import type { Api } from '#machinery';
import type { Mount } from '#node/runtime';
import { ConfigError, messageOf } from './errors.ts';
import { expand } from './expand.ts';
import { amountOf } from './quantity.ts';
import { payloadOf } from './volume-payload.ts';
import type { PayloadSources, TokenCache } from './volume-payload.ts';

type Volume = NonNullable<Pod['spec']['volumes']>[number];
type VolumeMount = NonNullable<Container['volumeMounts']>[number];

export interface VolumeOptions {
  readonly files: Files;
  readonly api: Api;
  readonly clock: Clock;
  readonly dirs: { readonly pods: string; readonly memory: string };
  readonly machineMemoryBytes: number;
  /** Whether the kernel makes whole trees of mounts read-only. */
  readonly recursiveReadOnly: boolean;
}
/** A volume could not be made ready: event FailedMount. */
export class MountProblem extends Error {
  override readonly name = 'MountProblem';
}

/** Volumes of one Pod: where they lie on the host, made, refreshed and removed. */
export class PodVolumes {
  readonly #options: VolumeOptions;
  readonly #uid: string;
  readonly #tokens: TokenCache = new Map();
  readonly #paths = new Map<string, string>();

  constructor(options: VolumeOptions, uid: string) {
    this.#options = options;
    this.#uid = uid;
  }

  get podDir(): string {
    return `${this.#options.dirs.pods}/${this.#uid}`;
  }

  get #memoryDir(): string {
    return `${this.#options.dirs.memory}/${this.#uid}`;
  }

  /** Are all there that the Pod has? Pods of Mesos' executors get more while they run. */
  holds(pod: Pod): boolean {
    return (pod.spec.volumes ?? []).every(({ name }) => this.#paths.has(name));
  }

  /** Makes all volumes; what exists already is left as it is. */
  async prepare(pod: Pod, sources: PayloadSources): Promise<void> {
    await this.#options.files.makeDir(this.podDir, 0o750);
    await Promise.all(
      (pod.spec.volumes ?? []).map(async (volume) => {
        try {
          this.#paths.set(volume.name, await this.#make(pod, volume, sources));
        } catch (error) {
          throw new MountProblem(
            `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${messageOf(error)}`,
            { cause: error },
          );
        }
      }),
    );
  }

  /** Writes anew what comes from the API, where it changed. Gives when a token wants renewal. */
  async refresh(pod: Pod, sources: PayloadSources): Promise<number | undefined> {
    for (const volume of pod.spec.volumes ?? [])
      if (isPayload(volume)) await this.#make(pod, volume, sources);
    return this.renewAtMs();
  }

  renewAtMs(): number | undefined {
    const times = [...this.#tokens.values()].map(({ renewAtMs }) => renewAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** What a container sees. `variables` are those of its environment, for subPathExpr. */
  async mountsOf(
    pod: Pod,
    container: Container,
    options: { readonly variables: ReadonlyMap<string, string>; readonly attempt: number },
  ): Promise<readonly Mount[]> {
    const mounts: Mount[] = [];
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const path = this.#paths.get(mount.name);
      if (path === undefined)
        throw new ConfigError(
          `cannot find volume ${JSON.stringify(mount.name)} to mount into container ${JSON.stringify(container.name)}`,
        );
      const sub = subPathOf(mount, options.variables);
      const hostPath =
        sub === ''
          ? path
          : await this.#subPath(pod, {
              path,
              sub,
              name: `${mount.name}/${container.name}/${index}`,
            });
      const containerPath = mount.mountPath.startsWith('/')
        ? mount.mountPath
        : `/${mount.mountPath}`;
      const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
      const readOnly = mount.readOnly === true || (volume !== undefined && isPayload(volume));
      mounts.push({
        hostPath,
        containerPath,
        readOnly,
        ...this.#recursive(mount),
        propagation: propagationOf(mount.mountPropagation),
      });
    }
    const message = container.terminationMessagePath ?? '/dev/termination-log';
    if (message !== '') {
      const hostPath = this.messagePath(container.name, options.attempt);
      await this.#options.files.makeDir(`${this.podDir}/containers/${container.name}`, 0o750);
      await this.#options.files.createFile(hostPath, 0o666);
      mounts.push({ hostPath, containerPath: message, readOnly: false, propagation: 'private' });
    }
    return mounts;
  }

  #recursive(mount: VolumeMount): Pick<Mount, 'recursiveReadOnly'> {
    const wish = mount.recursiveReadOnly ?? 'Disabled';
    if (mount.readOnly !== true || wish === 'Disabled') return {};
    if (this.#options.recursiveReadOnly) return { recursiveReadOnly: true };
    if (wish === 'IfPossible') return {};
    throw new ConfigError(
      `volume mount ${JSON.stringify(mount.name)} asks for recursiveReadOnly, which this kernel cannot (Linux 5.12)`,
    );
  }

  /** Volumes given as devices must be block devices on the host. */
  async devicesOf(
    container: Container,
  ): Promise<readonly { readonly path: string; readonly hostPath: string }[]> {
    const devices: { readonly path: string; readonly hostPath: string }[] = [];
    for (const { name, devicePath } of container.volumeDevices ?? []) {
      const hostPath = this.#paths.get(name);
      if (hostPath === undefined || (await this.#options.files.kind(hostPath)) !== 'blockDevice')
        throw new ConfigError(
          `volume ${JSON.stringify(name)} of container ${JSON.stringify(container.name)} is not a block device`,
        );
      devices.push({ path: devicePath, hostPath });
    }
    return devices;
  }

  /** The file a container's last words go to. */
  messagePath(container: string, attempt: number): string {
    return `${this.podDir}/containers/${container}/${attempt}`;
  }

  /** Bytes in emptyDir volumes on disk that have a limit, for eviction. */
  async overLimit(pod: Pod): Promise<string | undefined> {
    for (const volume of pod.spec.volumes ?? []) {
      const limit = volume.emptyDir?.sizeLimit;
      if (limit === undefined || amountOf(limit) === 0 || volume.emptyDir?.medium === 'Memory')
        continue;
      const used = await this.#options.files.usedBytes(this.#diskPath('empty-dir', volume.name));
      if (used > amountOf(limit))
        return `Usage of EmptyDir volume ${JSON.stringify(volume.name)} exceeds the limit ${JSON.stringify(limit)}. `;
    }
    return undefined;
  }

  /** Bytes in all emptyDir volumes on disk. */
  async diskBytes(pod: Pod): Promise<number> {
    let bytes = 0;
    for (const { name, emptyDir } of pod.spec.volumes ?? [])
      if (emptyDir !== undefined && emptyDir.medium !== 'Memory')
        bytes += await this.#options.files.usedBytes(this.#diskPath('empty-dir', name));
    return bytes;
  }

  /** Takes volumes away and with them everything in the Pod's directories but the last words. */
  async release(): Promise<void> {
    await Promise.all([
      this.#options.files.remove(this.#memoryDir),
      this.#options.files.remove(`${this.podDir}/volume-subpaths`),
      this.#options.files.remove(`${this.podDir}/volumes`),
    ]);
    this.#paths.clear();
  }

  #diskPath(plugin: string, name: string): string {
    return `${this.podDir}/volumes/kubernetes.io~${plugin}/${name}`;
  }

  async #make(pod: Pod, volume: Volume, sources: PayloadSources): Promise<string> {
    const { files } = this.#options;
    if (isPayload(volume)) {
      const path = `${this.#memoryDir}/volumes/${volume.name}`;
      const payload = await payloadOf(pod, volume, { sources, tokens: this.#tokens });
      await files.writePayload(path, payload, { gid: pod.spec.securityContext?.fsGroup });
      return path;
    }
    if (volume.emptyDir !== undefined) return await this.#emptyDir(pod, volume);
    if (volume.hostPath !== undefined) {
      await checkHostPath(files, volume.hostPath);
      return volume.hostPath.path;
    }
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
    throw new Error(`this node does not support volumes of type ${JSON.stringify(kind)}`);
  }

  async #emptyDir(pod: Pod, volume: Volume): Promise<string> {
    const { files } = this.#options;
    const path = this.#diskPath('empty-dir', volume.name);
    const fresh = (await files.kind(path)) === 'absent';
    await files.makeDir(path, 0o777);
    const { medium, sizeLimit } = volume.emptyDir ?? {};
    if (medium === 'Memory') {
      const limit = sizeLimit === undefined ? 0 : amountOf(sizeLimit);
      const sizeBytes = limit > 0 ? limit : Math.floor(this.#options.machineMemoryBytes / 2);
      await files.mountTmpfs(path, { sizeBytes });
    } else if (medium !== undefined && medium !== '') {
      throw new Error(`this node does not support emptyDir of medium ${JSON.stringify(medium)}`);
    }
    const gid = pod.spec.securityContext?.fsGroup;
    const onlyIfRootDiffers = pod.spec.securityContext?.fsGroupChangePolicy === 'OnRootMismatch';
    if (gid !== undefined && fresh) await files.giveToGroup(path, gid, { onlyIfRootDiffers });
    return path;
  }

  async #subPath(
    pod: Pod,
    at: { readonly path: string; readonly sub: string; readonly name: string },
  ): Promise<string> {
    const target = `${this.podDir}/volume-subpaths/${at.name}`;
    try {
      await this.#options.files.bindInside(at.path, at.sub, {
        target,
        create: true,
        gid: pod.spec.securityContext?.fsGroup,
      });
    } catch (error) {
      throw new ConfigError(
        `failed to prepare subPath for volumeMount ${JSON.stringify(at.name.split('/')[0])} of container ${JSON.stringify(at.name.split('/')[1])}: ${messageOf(error)}`,
        { cause: error },
      );
    }
    return target;
  }
}

export function isPayload(volume: Volume): boolean {
  return (
    volume.configMap !== undefined ||
    volume.secret !== undefined ||
    volume.downwardAPI !== undefined ||
    volume.projected !== undefined
  );
}

function subPathOf(
  mount: { readonly subPath?: string | undefined; readonly subPathExpr?: string | undefined },
  variables: ReadonlyMap<string, string>,
): string {
  if (mount.subPathExpr === undefined || mount.subPathExpr === '') return mount.subPath ?? '';
  const missing = [...mount.subPathExpr.matchAll(/\$\(([^()]*)\)/g)].find(
    ([, name]) => !variables.has(name ?? ''),
  );
  if (missing !== undefined)
    throw new ConfigError(`missing value for ${JSON.stringify(missing[1])}`);
  return expand(mount.subPathExpr, variables);
}

function propagationOf(mode: string | undefined): Mount['propagation'] {
  if (mode === 'HostToContainer') return 'rslave';
  return mode === 'Bidirectional' ? 'rshared' : 'private';
}

const wanted: Readonly<Record<string, { readonly kind: PathKind; readonly text: string }>> = {
  Directory: { kind: 'directory', text: 'a directory' },
  File: { kind: 'file', text: 'a file' },
  Socket: { kind: 'socket', text: 'a socket' },
  CharDevice: { kind: 'charDevice', text: 'a character device' },
  BlockDevice: { kind: 'blockDevice', text: 'a block device' },
};

async function checkHostPath(
  files: Files,
  source: { readonly path: string; readonly type?: string | undefined },
): Promise<void> {
  const { path } = source;
  const type = source.type ?? '';
  const kind = await files.kind(path);
  if (type === 'DirectoryOrCreate' && kind === 'absent') await files.makeDir(path, 0o755);
  else if (type === 'FileOrCreate' && kind === 'absent') await files.createFile(path, 0o644);
  else if (type === '') {
    // The reference's runtimes make a missing directory when they bind it.
    if (kind === 'absent') await files.makeDir(path, 0o755);
  } else {
    const want = wanted[type.replace('OrCreate', '')];
    if (want !== undefined && kind !== want.kind)
      throw new Error(`hostPath type check failed: ${path} is not ${want.text}`);
  }
}
