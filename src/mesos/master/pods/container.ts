import type { CommandInfo, ContainerInfo, LinuxInfo, NetworkInfo, Volume } from '#mesos/protocol';
import { applyParameters, addMount, nextVolume, type PodDraft } from './parameters.ts';
import { annotations } from '../doors.ts';
import { environmentOf, executionOf } from './command.ts';

/** Where a container with an image finds its sandbox (`--sandbox_directory`). */
const sandboxDirectory = '/mnt/mesos/sandbox';

export function imageOf(container: ContainerInfo | undefined): string | undefined {
  if (container?.type === 'DOCKER') return container.docker?.image;
  return container?.mesos?.image?.docker?.name;
}

/** Does it run on the node's own network? Docker's default, and Mesos' without a named network. */
export function isOnHostNetwork(container: ContainerInfo | undefined): boolean {
  if (container?.type === 'DOCKER') return (container.docker?.network ?? 'HOST') === 'HOST';
  return (container?.network_infos ?? []).length === 0;
}

/** Fills in what ContainerInfo and CommandInfo say. A string is why they cannot be obeyed. */
export function fillContainer(
  pod: PodDraft,
  command: CommandInfo | undefined,
  info: ContainerInfo | undefined,
): string | undefined {
  const { container } = pod;
  const image = imageOf(info);
  Object.assign(container, executionOf(command, info));
  const env = environmentOf(command);
  if (env.length > 0) container.env = [...env];
  if (image !== undefined) {
    container.image = image;
    const fresh = info?.docker?.force_pull_image === true || info?.mesos?.image?.cached === false;
    container.imagePullPolicy = fresh ? 'Always' : 'IfNotPresent';
  }
  if (info === undefined) return undefined;
  return (
    imageProblem(info) ??
    networkProblem(info) ??
    ports(pod, info) ??
    volumes(pod, info) ??
    docker(pod, info) ??
    linux(pod, info.linux_info) ??
    others(pod, info)
  );
}

function imageProblem({ mesos }: ContainerInfo): string | undefined {
  if (mesos?.image?.type === 'APPC') return 'Appc images are not supported';
  if (mesos?.image?.docker?.config !== undefined)
    return "'image.docker.config' is not supported: fetch the registry's credentials as '.docker/config.json'";
  return undefined;
}

function networkProblem({ network_infos: networks = [] }: ContainerInfo): string | undefined {
  for (const { ip_addresses: addresses = [] } of networks)
    if (addresses.some(({ ip_address: address }) => address !== undefined))
      return 'Addresses cannot be asked for: the network gives one';
  return undefined;
}

interface PortMapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol?: string | undefined;
}

/** Of a container, or of a default executor, whose network all its tasks share. */
export function ports(
  { container }: Pick<PodDraft, 'container'>,
  info: ContainerInfo,
): string | undefined {
  if (isOnHostNetwork(info) || info.docker?.network === 'NONE') return undefined;
  const mappings: readonly PortMapping[] = [
    ...(info.docker?.port_mappings ?? []),
    ...(info.network_infos ?? []).flatMap(
      ({ port_mappings: mapped = [] }: NetworkInfo): readonly PortMapping[] => mapped,
    ),
  ];
  const made: { containerPort: number; hostPort: number; protocol: string }[] = [];
  // Docker images of Marathon say "tcp,udp" for both.
  for (const mapping of mappings)
    for (const protocol of (mapping.protocol ?? 'tcp').toUpperCase().split(',')) {
      if (protocol !== 'TCP' && protocol !== 'UDP')
        return `Unsupported protocol '${mapping.protocol}' of a port mapping`;
      made.push({ containerPort: mapping.container_port, hostPort: mapping.host_port, protocol });
    }
  if (made.length > 0) container.ports = made;
  return undefined;
}

function volumes(pod: PodDraft, info: ContainerInfo): string | undefined {
  for (const volume of info.volumes ?? []) {
    const problem = addVolume(pod, volume);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function addVolume(pod: PodDraft, volume: Volume): string | undefined {
  const { container_path: path, source, mode } = volume;
  if (volume.image !== undefined) return 'Volumes of images are not supported';
  if (source?.type === 'DOCKER_VOLUME') return 'Volumes of Docker volume drivers are not supported';
  if (source?.type === 'CSI_VOLUME') return 'CSI volumes are not supported';
  if (source?.type === 'SECRET') return addSecret(pod, volume);
  const host = source?.host_path?.path ?? volume.host_path;
  const relative = !(host ?? '').startsWith('/');
  if (
    pod.container.image !== undefined &&
    volume.host_path !== undefined &&
    relative &&
    !path.startsWith('/')
  )
    return `Both host_path '${volume.host_path}' and container_path '${path}' of a volume are relative`;
  // Whatever is named by its place in a sandbox is the agent's to mount.
  if (host === undefined || relative || !path.startsWith('/')) return undefined;
  return addMount(pod, path, { hostPath: { path: host } }, mode === 'RO');
}

/** A value travels as an annotation, a reference is a Secret of the framework's namespace. */
function addSecret(pod: PodDraft, { container_path: path, source }: Volume): string | undefined {
  const secret = source?.secret;
  const target = path.startsWith('/') ? path : `${sandboxDirectory}/${path}`;
  const file = target.slice(target.lastIndexOf('/') + 1);
  const number = nextVolume(pod);
  const name = `v${number}`;
  if (secret?.reference !== undefined) {
    const { name: secretName, key = 'value' } = secret.reference;
    pod.spec.volumes = [
      ...(pod.spec.volumes ?? []),
      { name, secret: { secretName, items: [{ key, path: file }] } },
    ];
  } else {
    const annotation = `mesos.tandem.dev/secret-${number}`;
    pod.annotations[annotation] = Buffer.from(secret?.value?.data ?? '', 'base64').toString();
    const fieldPath = `metadata.annotations['${annotation}']`;
    pod.spec.volumes = [
      ...(pod.spec.volumes ?? []),
      { name, downwardAPI: { items: [{ path: file, fieldRef: { fieldPath } }] } },
    ];
  }
  pod.container.volumeMounts = [
    ...(pod.container.volumeMounts ?? []),
    { name, mountPath: target, subPath: file, readOnly: true },
  ];
  return undefined;
}

function docker(pod: PodDraft, { type, docker: info }: ContainerInfo): string | undefined {
  if (type !== 'DOCKER' || info === undefined) return undefined;
  if (info.network === 'NONE') pod.annotations[annotations.network] = 'none';
  if (info.privileged === true) (pod.container.securityContext ??= {}).privileged = true;
  if (info.volume_driver !== undefined) return 'Volumes of Docker volume drivers are not supported';
  return applyParameters(pod, info.parameters ?? []);
}

function linux(pod: PodDraft, info: LinuxInfo | undefined): string | undefined {
  if (info === undefined) return undefined;
  const effective = info.effective_capabilities ?? info.capability_info;
  if (effective !== undefined) {
    const security = (pod.container.securityContext ??= {});
    const add = (effective.capabilities ?? []).map((name) => String(name));
    // Exactly these, as the task asked.
    security.capabilities = { drop: ['ALL'], add };
  }
  if (info.share_pid_namespace === true) pod.spec.hostPID = true;
  if (info.ipc_mode === 'SHARE_PARENT') pod.spec.hostIPC = true;
  const { seccomp } = info;
  if (seccomp?.unconfined === true)
    (pod.container.securityContext ??= {}).seccompProfile = { type: 'Unconfined' };
  else if (seccomp?.profile_name !== undefined)
    (pod.container.securityContext ??= {}).seccompProfile = {
      type: 'Localhost',
      localhostProfile: seccomp.profile_name,
    };
  if (info.shm_size === undefined) return undefined;
  return addMount(pod, '/dev/shm', {
    emptyDir: { medium: 'Memory', sizeLimit: `${info.shm_size}Mi` },
  });
}

function others(pod: PodDraft, info: ContainerInfo): string | undefined {
  if (info.tty_info !== undefined) {
    pod.container.tty = true;
    pod.container.stdin = true;
  }
  if (info.hostname === undefined) return undefined;
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(info.hostname))
    return `Hostname '${info.hostname}' is not a DNS label`;
  pod.spec.hostname = info.hostname;
  return undefined;
}
