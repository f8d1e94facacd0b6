import type {
  ContainerInfo,
  ContainerInfoDockerInfo,
  Image,
  LinuxInfo,
  NetworkInfo,
  Volume,
} from '#mesos/protocol';
import { hasBridge, isHostNetworked } from '../app/networks.ts';
import { isExternal, isPersistent, isSecret } from '../app/volumes.ts';
import type {
  App,
  AppVolume,
  Container,
  ContainerPortMapping,
  LinuxInfo as LinuxFields,
} from '../types.ts';
import type { ModelSettings } from '../settings.ts';
import { ifGiven, mesosLabels } from './request.ts';
import { type SecretContext, secretOf, secretVolume } from './secrets.ts';

export interface AppContainerOptions {
  readonly taskID: string;
  readonly hostPorts: readonly (number | undefined)[];
  readonly settings: ModelSettings;
  readonly secrets: SecretContext;
}

/** A mapping with the port of the host it got. */
interface BoundMapping extends ContainerPortMapping {
  readonly hostPort: number;
}

/** Where the container port is any, it is that of the host: it can be told to others as it is. */
function boundMappings(
  container: Container,
  hostPorts: readonly (number | undefined)[],
): BoundMapping[] {
  return (container.portMappings ?? []).flatMap((mapping, index) => {
    const hostPort = hostPorts[index];
    if (hostPort === undefined) return [];
    const containerPort = mapping.containerPort === 0 ? hostPort : mapping.containerPort;
    return [{ ...mapping, hostPort, containerPort }];
  });
}

/** The container of an app's task; undefined for a mere command in the host's network. */
export function appContainer(app: App, options: AppContainerOptions): ContainerInfo | undefined {
  const { container, networks } = app;
  if (container === undefined && isHostNetworked(networks)) return undefined;
  const bound = container === undefined ? [] : boundMappings(container, options.hostPorts);
  const volumes = (container?.volumes ?? []).flatMap((volume) => volumeOf(volume, options.secrets));
  const common = {
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(app.tty === true ? { tty_info: {} } : {}),
  };
  if (container?.type === 'DOCKER') {
    const userNetwork = networks.find(({ mode }) => mode === 'container');
    return {
      type: 'DOCKER',
      ...common,
      docker: dockerInfo(app, { container, bound, taskID: options.taskID }),
      ...(userNetwork === undefined
        ? {}
        : { network_infos: [{ ...ifGiven('name', userNetwork.name) }] }),
    };
  }
  const infos = networkInfos(app, bound, options.settings);
  return {
    type: 'MESOS',
    ...common,
    mesos: { ...ifGiven('image', imageOf(container, options.secrets)) },
    ...(infos.length > 0 ? { network_infos: infos } : {}),
    ...ifGiven('linux_info', linuxInfo(container?.linuxInfo)),
  };
}

function dockerInfo(
  app: App,
  options: {
    readonly container: Container;
    readonly bound: readonly BoundMapping[];
    readonly taskID: string;
  },
): ContainerInfoDockerInfo {
  const { container, bound, taskID } = options;
  const { docker } = container;
  const mappings = bound.flatMap(({ hostPort, containerPort, protocol }) =>
    protocol.split(',').map((one) => ({
      host_port: hostPort,
      container_port: containerPort,
      protocol: one,
    })),
  );
  const network = hasBridge(app.networks) ? 'BRIDGE' : 'USER';
  return {
    image: docker?.image ?? '',
    network: isHostNetworked(app.networks) ? 'HOST' : network,
    ...(mappings.length > 0 ? { port_mappings: mappings } : {}),
    privileged: docker?.privileged ?? false,
    parameters: [...(docker?.parameters ?? []), { key: 'label', value: `MESOS_TASK_ID=${taskID}` }],
    force_pull_image: docker?.forcePullImage ?? false,
  };
}

function imageOf(container: Container | undefined, secrets: SecretContext): Image | undefined {
  const docker = container?.docker;
  if (docker === undefined) return undefined;
  const { image, pullConfig, forcePullImage } = docker;
  return {
    type: 'DOCKER',
    docker: {
      name: image,
      ...(pullConfig === undefined ? {} : { config: secretOf(pullConfig.secret, secrets) }),
    },
    cached: !forcePullImage,
  };
}

function networkInfos(
  app: App,
  bound: readonly BoundMapping[],
  settings: ModelSettings,
): NetworkInfo[] {
  const container = app.networks.filter(({ mode }) => mode !== 'host');
  return container.map(({ mode, name, labels }) => {
    const own = mode === 'container/bridge' ? settings.mesosBridgeName : (name ?? '');
    const mappings = bound
      .filter(({ networkNames = [] }) => networkNames.every((one) => one === own))
      .flatMap(({ hostPort, containerPort, protocol }) =>
        protocol.split(',').map((one) => ({
          host_port: hostPort,
          container_port: containerPort,
          protocol: one,
        })),
      );
    return {
      ip_addresses: [{}],
      name: own,
      ...ifGiven('labels', mesosLabels(labels)),
      ...(mappings.length > 0 ? { port_mappings: mappings } : {}),
    };
  });
}

/** Persistent volumes come with their resources. */
function volumeOf(volume: AppVolume, secrets: SecretContext): Volume[] {
  if (isPersistent(volume) || isExternal(volume)) return [];
  if (isSecret(volume)) return [secretVolume(volume, secrets)];
  const { containerPath, hostPath, mode } = volume;
  return [{ mode, container_path: containerPath, host_path: hostPath }];
}

/** Seccomp and IPC as Mesos has them; undefined when nothing is asked for. */
export function linuxInfo(fields: LinuxFields | undefined): LinuxInfo | undefined {
  if (fields === undefined) return undefined;
  const { seccomp, ipcInfo } = fields;
  return {
    ...(seccomp === undefined
      ? {}
      : {
          seccomp: {
            unconfined: seccomp.unconfined,
            ...ifGiven('profile_name', seccomp.profileName),
          },
        }),
    ...(ipcInfo === undefined
      ? {}
      : { ipc_mode: ipcInfo.mode, ...ifGiven('shm_size', ipcInfo.shmSize) }),
  };
}
