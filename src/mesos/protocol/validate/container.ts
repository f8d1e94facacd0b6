import type {
  CommandInfo,
  ContainerInfo,
  Environment,
  EnvironmentVariable,
  Secret,
  Volume,
  VolumeSource,
} from '../types.ts';

/** Commands, environments, secrets, volumes and containers (mesos.md 4.8). */

export function validateCommand(command: CommandInfo): string | undefined {
  return validateEnvironment(command.environment ?? {});
}

export function validateEnvironment({ variables = [] }: Environment): string | undefined {
  for (const variable of variables) {
    const problem = validateVariable(variable);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function validateVariable(variable: EnvironmentVariable): string | undefined {
  const { name, type = 'VALUE', value, secret } = variable;
  const which = `Environment variable '${name}'`;
  if (type === 'VALUE') {
    if (value === undefined) return `${which} of type 'VALUE' must have a value set`;
    if (secret !== undefined) return `${which} of type 'VALUE' must not have a secret set`;
    return undefined;
  }
  if (type !== 'SECRET') return "Environment variable of type 'UNKNOWN' is not allowed";
  if (secret === undefined) return `${which} of type 'SECRET' must have a secret set`;
  if (value !== undefined) return `${which} of type 'SECRET' must not have a value set`;
  const problem = validateSecret(secret);
  if (problem !== undefined) return `${which} specifies an invalid secret: ${problem}`;
  if (Buffer.from(secret.value?.data ?? '', 'base64').includes(0))
    return `${which} specifies a secret containing null bytes, which is not allowed in the environment`;
  return undefined;
}

export function validateSecret({ type, reference, value }: Secret): string | undefined {
  if (type === 'REFERENCE') {
    if (reference === undefined)
      return "Secret of type REFERENCE must have the 'reference' field set";
    return value === undefined
      ? undefined
      : `Secret '${reference.name}' of type REFERENCE must not have the 'value' field set`;
  }
  if (type !== 'VALUE') return undefined;
  if (value === undefined) return "Secret of type VALUE must have the 'value' field set";
  return reference === undefined
    ? undefined
    : "Secret of type VALUE must not have the 'reference' field set";
}

export function validateVolume(volume: Volume): string | undefined {
  const { host_path: hostPath, image, source } = volume;
  const set = [hostPath, image, source].filter((field) => field !== undefined).length;
  if (set !== 1) return "Only one of them should be set: 'host_path', 'image' and 'source'";
  return source === undefined ? undefined : validateVolumeSource(source);
}

function validateVolumeSource(source: VolumeSource): string | undefined {
  switch (source.type) {
    case 'DOCKER_VOLUME':
      return unset(source.docker_volume, "'source.docker_volume' is not set for DOCKER_VOLUME");
    case 'HOST_PATH':
      return unset(source.host_path, "'source.host_path' is not set for HOST_PATH");
    case 'SANDBOX_PATH':
      return unset(source.sandbox_path, "'source.sandbox_path' is not set for SANDBOX_PATH");
    case 'SECRET':
      return unset(source.secret, "'source.secret' is not set for SECRET");
    case 'CSI_VOLUME':
      return (
        unset(source.csi_volume, "'source.csi_volume' is not set for CSI") ??
        unset(
          source.csi_volume?.static_provisioning,
          "'source.csi_volume.static_provisioning' is not set for CSI",
        )
      );
    default:
      return "'source.type' is unknown";
  }
}

function unset(field: unknown, message: string): string | undefined {
  return field === undefined ? `${message} volume` : undefined;
}

export function validateContainer(container: ContainerInfo): string | undefined {
  for (const volume of container.volumes ?? []) {
    const problem = validateVolume(volume);
    if (problem !== undefined) return `Invalid volume: ${problem}`;
  }
  if (container.type !== 'DOCKER') return undefined;
  if (container.docker === undefined)
    return "DockerInfo 'docker' is not set for DOCKER typed ContainerInfo";
  if ((container.docker.parameters ?? []).some(({ key }) => key === 'name'))
    return "Parameter in DockerInfo must not be 'name'";
  return undefined;
}

/** `linux_info.share_cgroups` as set; undefined when the container does not say. */
export function sharesCgroups(container: ContainerInfo | undefined): boolean | undefined {
  return container?.linux_info?.share_cgroups;
}
