import { doubleText } from '#mesos/protocol';
import type {
  CommandInfo,
  ContainerInfo,
  Environment,
  ExecutorInfo,
  HealthCheck,
  Image,
  LinuxInfo,
  NetworkInfo,
  TaskGroupInfo,
  TaskInfo,
  Volume,
} from '#mesos/protocol';
import { isHostNetworked } from '../app/networks.ts';
import { executorIDOf, taskIDOf } from '../instance-ids.ts';
import type { PodDefinition } from '../root.ts';
import type { Endpoint, HealthCheck as PodHealthCheck, PodContainer } from '../types.ts';
import { linuxInfo } from './app-container.ts';
import { limitsOf, seconds, urisOf } from './app-task.ts';
import { podDiscovery } from './discovery.ts';
import { type Variables, addPlain, environmentOf, labelVariables } from './environment.ts';
import { commandOf } from './health.ts';
import { type LaunchRequest, ifGiven, mesosLabels } from './request.ts';
import { type SecretContext, secretOf, secretVariables, secretVolume } from './secrets.ts';

/** A pod's instance: one executor, one task for each container. */
export function podTaskGroup(
  pod: PodDefinition,
  request: LaunchRequest,
): { readonly executor: ExecutorInfo; readonly taskGroup: TaskGroupInfo } {
  const endpoints = boundEndpoints(pod, request.match.hostPorts);
  const tasks = pod.containers.map((container, index) =>
    containerTask(container, { pod, request, endpoints, own: endpoints[index] ?? [], index }),
  );
  return {
    executor: executorOf(pod, { request, endpoints: endpoints.flat() }),
    taskGroup: { tasks },
  };
}

/** Container by container, each endpoint with the port of the host it got. */
function boundEndpoints(
  { containers }: PodDefinition,
  hostPorts: readonly (number | undefined)[],
): Endpoint[][] {
  let next = 0;
  return containers.map(({ endpoints = [] }) =>
    endpoints.map((endpoint) => ({ ...endpoint, hostPort: hostPorts[next++] })),
  );
}

function executorOf(
  pod: PodDefinition,
  {
    request,
    endpoints,
  }: { readonly request: LaunchRequest; readonly endpoints: readonly Endpoint[] },
): ExecutorInfo {
  const infos = networkInfos(pod, { endpoints, bridge: request.settings.mesosBridgeName });
  const ipc = linuxInfo(pod.linuxInfo);
  const linux: LinuxInfo = {
    share_cgroups: pod.legacySharedCgroups ?? false,
    ...ifGiven('ipc_mode', ipc?.ipc_mode),
    ...ifGiven('shm_size', ipc?.shm_size),
  };
  return {
    type: 'DEFAULT',
    executor_id: { value: executorIDOf(request.instanceID) },
    framework_id: request.offer.framework_id,
    resources: request.match.executorResources,
    container: {
      type: 'MESOS',
      ...(infos.length > 0 ? { network_infos: infos } : {}),
      linux_info: linux,
    },
    ...ifGiven('labels', mesosLabels(pod.labels)),
  };
}

function networkInfos(
  pod: PodDefinition,
  { endpoints, bridge }: { readonly endpoints: readonly Endpoint[]; readonly bridge: string },
): NetworkInfo[] {
  const others = (pod.networks ?? []).filter(({ mode }) => mode !== 'host');
  return others.map(({ mode, name, labels }) => {
    const own = mode === 'container/bridge' ? bridge : (name ?? '');
    const mappings = endpoints
      .filter(
        ({ networkNames = [] }) =>
          mode === 'container/bridge' || networkNames.every((one) => one === own),
      )
      .flatMap(mappingsOf);
    return {
      name: own,
      ...ifGiven('labels', mesosLabels(labels)),
      ...(mappings.length > 0 ? { port_mappings: mappings } : {}),
    };
  });
}

function mappingsOf({
  hostPort,
  containerPort,
  protocol = [],
}: Endpoint): NonNullable<NetworkInfo['port_mappings']> {
  if (hostPort === undefined) return [];
  const port = containerPort === undefined || containerPort === 0 ? hostPort : containerPort;
  const mapping = { host_port: hostPort, container_port: port };
  if (protocol.length === 0) return [mapping];
  return protocol.map((one) => ({ ...mapping, protocol: one }));
}

interface ContainerOptions {
  readonly pod: PodDefinition;
  readonly request: LaunchRequest;
  /** Of all containers. */
  readonly endpoints: readonly (readonly Endpoint[])[];
  readonly own: readonly Endpoint[];
  readonly index: number;
}

function containerTask(container: PodContainer, options: ContainerOptions): TaskInfo {
  const { pod, request, own, index } = options;
  const networks = pod.networks ?? [];
  const taskID = taskIDOf(request.instanceID, request.incarnation, container.name);
  const grace = container.lifecycle?.killGracePeriodSeconds;
  return {
    name: container.name,
    task_id: { value: taskID },
    agent_id: request.offer.agent_id,
    resources: request.match.taskResources[index] ?? [],
    command: commandInfo(container, taskID, options),
    ...ifGiven('container', containerInfo(container, options)),
    ...ifGiven('health_check', healthCheckOf(container.healthCheck, { pod, own })),
    ...(grace === undefined ? {} : { kill_policy: { grace_period: seconds(grace) } }),
    ...ifGiven('labels', mesosLabels(container.labels)),
    discovery: podDiscovery(pod.id, networks, own),
    ...ifGiven('limits', limitsOf(container.resourceLimits)),
  };
}

function secretsOf({ pod, request }: ContainerOptions): SecretContext {
  return { secrets: pod.secrets, values: request.secrets };
}

/** Without a command the image's own runs. */
function commandInfo(
  container: PodContainer,
  taskID: string,
  options: ContainerOptions,
): CommandInfo {
  const { exec, artifacts } = container;
  const user = container.user ?? options.pod.user;
  const common = {
    ...ifGiven('uris', urisOf(artifacts)),
    environment: environmentFor(container, taskID, options),
    ...ifGiven('user', user),
  };
  if (exec === undefined) return { ...common, shell: false };
  if ('shell' in exec.command) return { ...common, shell: true, value: exec.command.shell };
  const { argv } = exec.command;
  // Without an image there is no entry point that could run it.
  const runsArgv = exec.overrideEntrypoint === true || container.image === undefined;
  return {
    ...common,
    shell: false,
    ...(runsArgv ? ifGiven('value', argv[0]) : {}),
    arguments: argv,
  };
}

function environmentFor(
  container: PodContainer,
  taskID: string,
  options: ContainerOptions,
): Environment {
  const { pod, request } = options;
  const { resources } = container;
  const variables: Variables = new Map();
  addPlain(variables, pod.environment);
  addPlain(variables, container.environment);
  const context: readonly (readonly [string, string])[] = [
    ['HOST', request.offer.hostname],
    ['MESOS_TASK_ID', taskID],
    ['MESOS_EXECUTOR_ID', executorIDOf(request.instanceID)],
    ['MARATHON_APP_ID', pod.id],
    ['MARATHON_APP_VERSION', pod.version ?? ''],
    ['MARATHON_CONTAINER_ID', container.name],
    ['MARATHON_APP_ENFORCE_GROUP_ROLE', request.enforceRole ? 'TRUE' : 'FALSE'],
    ['MARATHON_CONTAINER_RESOURCE_CPUS', doubleText(resources.cpus)],
    ['MARATHON_CONTAINER_RESOURCE_MEM', doubleText(resources.mem)],
    ['MARATHON_CONTAINER_RESOURCE_DISK', doubleText(resources.disk)],
    ['MARATHON_CONTAINER_RESOURCE_GPUS', String(resources.gpus)],
    ...labelVariables({ ...pod.labels, ...container.labels }),
    ...endpointVariables(options),
  ];
  for (const [name, value] of context) variables.set(name, value);
  const env = { ...pod.environment, ...container.environment };
  return environmentOf(variables, secretVariables(env, secretsOf(options)));
}

/** Every container sees the endpoints of the whole pod. */
function endpointVariables({ pod, request, endpoints }: ContainerOptions): [string, string][] {
  const prefix = (request.settings.envVarsPrefix ?? '').toUpperCase();
  const host = isHostNetworked(pod.networks ?? []);
  return endpoints.flat().flatMap(({ name, hostPort, containerPort }) => {
    const suffix = name.toUpperCase().replaceAll(/[^A-Z0-9_]+/g, '_');
    const named: readonly (readonly [string, number | undefined])[] = [
      ['ENDPOINT_', host ? hostPort : containerPort],
      ['EP_HOST_', hostPort],
      ['EP_CONTAINER_', containerPort],
    ];
    return named.flatMap(([kind, port]): [string, string][] =>
      port === undefined ? [] : [[`${prefix}${kind}${suffix}`, String(port)]],
    );
  });
}

function containerInfo(container: PodContainer, options: ContainerOptions): ContainerInfo {
  const volumes = volumesOf(container, options);
  return {
    type: 'MESOS',
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(container.image === undefined
      ? {}
      : { mesos: { image: imageOf(container.image, secretsOf(options)) } }),
    ...(container.tty === true ? { tty_info: {} } : {}),
    linux_info: {
      ...linuxInfo(container.linuxInfo),
      share_cgroups: options.pod.legacySharedCgroups ?? false,
    },
  };
}

function imageOf(image: NonNullable<PodContainer['image']>, secrets: SecretContext): Image {
  const { id, pullConfig, forcePull } = image;
  return {
    type: 'DOCKER',
    docker: {
      name: id,
      ...(pullConfig === undefined ? {} : { config: secretOf(pullConfig.secret, secrets) }),
    },
    ...(forcePull === undefined ? {} : { cached: !forcePull }),
  };
}

/** Ephemeral volumes are folders of the executor's sandbox, as persistent ones are mounted there. */
function volumesOf({ volumeMounts = [] }: PodContainer, options: ContainerOptions): Volume[] {
  const volumes = options.pod.volumes ?? [];
  return volumeMounts.flatMap(({ name, mountPath, readOnly }): Volume[] => {
    const volume = volumes.find((one) => one.name === name);
    if (volume === undefined) return [];
    const mode = readOnly === true ? 'RO' : 'RW';
    const common = { mode, container_path: mountPath } as const;
    if ('host' in volume) return [{ ...common, host_path: volume.host }];
    if ('secret' in volume)
      return [
        secretVolume({ containerPath: mountPath, secret: volume.secret }, secretsOf(options)),
      ];
    const path = 'persistent' in volume ? name : `volumes/${name}`;
    return [
      { ...common, source: { type: 'SANDBOX_PATH', sandbox_path: { type: 'PARENT', path } } },
    ];
  });
}

/** Endpoints are named; in the host's network the port of the host counts. */
function healthCheckOf(
  check: PodHealthCheck | undefined,
  { pod, own }: { readonly pod: PodDefinition; readonly own: readonly Endpoint[] },
): HealthCheck | undefined {
  if (check === undefined) return undefined;
  const timing = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  if (check.exec !== undefined)
    return { ...timing, type: 'COMMAND', command: commandOf(check.exec.command) };
  const name = check.http?.endpoint ?? check.tcp?.endpoint;
  const endpoint = own.find((one) => one.name === name);
  const host = isHostNetworked(pod.networks ?? []);
  const containerPort = endpoint?.containerPort === 0 ? endpoint.hostPort : endpoint?.containerPort;
  const port = host ? endpoint?.hostPort : containerPort;
  if (port === undefined) return undefined;
  if (check.http === undefined) return { ...timing, type: 'TCP', tcp: { port } };
  const scheme = check.http.scheme.toLowerCase();
  return { ...timing, type: 'HTTP', http: { scheme, port, ...ifGiven('path', check.http.path) } };
}
