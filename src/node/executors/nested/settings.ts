import type { SystemUser } from '#io';
import type { CommandInfo, ContainerInfo, Resource, ValueScalar } from '#mesos/protocol';
import type { ContainerSpec, Image, Mount, ResourceLimits, Security } from '#node/runtime';
import { sandboxInContainer, withInit } from '../container-settings.ts';
import { systemPath } from '../environment.ts';
import { processLimits } from '../rlimits.ts';
import type { TaskVolume } from '../volumes.ts';

/** What a call asks for. */
export interface LaunchWish {
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly limits?: Readonly<Record<string, ValueScalar>> | undefined;
}

export interface SettingsFacts {
  readonly name: string;
  readonly image: Image | undefined;
  /** On this machine. */
  readonly directory: string;
  readonly volumes: readonly TaskVolume[];
  readonly user: SystemUser | undefined;
  readonly logPath: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of the container around it: what that may not, this may not. */
  readonly security: Security | undefined;
  /** It is bound to its resources by a cgroup of its own. */
  readonly ownLimits: boolean;
}

/** A container of the Mesos containerizer as the runtime takes it. Pure. */
export function launchedSpec(
  wish: LaunchWish,
  facts: SettingsFacts,
): Omit<ContainerSpec, 'attempt'> {
  const { image, directory } = facts;
  const process = image === undefined;
  const sandbox = process ? directory : sandboxInContainer;
  const imageDirectory = image?.config.workingDir ?? '';
  const inSandbox = process || imageDirectory === '' || imageDirectory === '/';
  const tty = wish.container?.tty_info !== undefined;
  const plain = commandOf(wish.command);
  const first = plain.command[0] ?? '';
  const wrapped = process || first === '/bin/sh' || first === 'sh' ? withInit(plain) : plain;
  return {
    name: facts.name,
    imageId: image?.id,
    ...wrapped,
    workingDir: inSandbox ? sandbox : '',
    env: environment(wish.command, { sandbox, process }),
    mounts: mountsOf(facts, { sandbox, process }),
    devices: [],
    resources: facts.ownLimits ? limitsOf(wish) : {},
    security: securityOf(wish, facts),
    tty,
    stdin: tty,
    stdinOnce: false,
    logPath: facts.logPath,
    labels: facts.labels,
    annotations: facts.annotations,
    stopSignal: undefined,
    rlimits: processLimits(wish.container),
  };
}

function commandOf(command: CommandInfo | undefined): Pick<ContainerSpec, 'command' | 'args'> {
  const { value, shell = true, arguments: argv = [] } = command ?? {};
  if (shell) return { command: value === undefined ? [] : ['/bin/sh', '-c', value], args: [] };
  // Without a value the image's entrypoint runs, with these arguments if there are any.
  if (value === undefined) return { command: [], args: argv };
  return { command: [value, ...argv.slice(1)], args: [] };
}

function environment(
  command: CommandInfo | undefined,
  of: { readonly sandbox: string; readonly process: boolean },
): ContainerSpec['env'] {
  const named = variablesOf(command);
  const taken = new Set(named.map(({ name }) => name));
  const own = [{ name: 'MESOS_SANDBOX', value: of.sandbox }];
  if (of.process) own.push({ name: 'PATH', value: systemPath });
  return [...named, ...own.filter(({ name }) => !taken.has(name))];
}

export function variablesOf(command: CommandInfo | undefined): ContainerSpec['env'] {
  return (command?.environment?.variables ?? []).map(({ name, value = '', secret }) => {
    if (secret?.reference !== undefined)
      throw new Error(`Environment variable '${name}' refers to a secret: its value is needed`);
    const data = secret?.value?.data;
    return { name, value: data === undefined ? value : Buffer.from(data, 'base64').toString() };
  });
}

function mountsOf(
  { directory, volumes }: SettingsFacts,
  of: { readonly sandbox: string; readonly process: boolean },
): readonly Mount[] {
  const own: Mount = {
    hostPath: directory,
    containerPath: of.sandbox,
    readOnly: false,
    propagation: 'private',
  };
  const asked = volumes
    // Without an image a link in the sandbox does the same.
    .filter(({ containerPath }) => containerPath.startsWith('/') || !of.process)
    .map(({ hostPath, containerPath, readOnly }): Mount => {
      const path = containerPath.startsWith('/') ? containerPath : `${of.sandbox}/${containerPath}`;
      return { hostPath, containerPath: path, readOnly, propagation: 'private' };
    });
  return of.process ? asked : [own, ...asked];
}

/** What a process may do that nobody asked anything for. */
export const plainSecurity: Security = {
  privileged: false,
  runAsUser: undefined,
  runAsUserName: undefined,
  runAsGroup: undefined,
  runAsNonRoot: false,
  supplementalGroups: [],
  readOnlyRootFilesystem: false,
  allowPrivilegeEscalation: true,
  capabilitiesAdd: [],
  capabilitiesDrop: [],
  seccomp: 'Unconfined',
  procMountUnmasked: false,
};

function securityOf({ container }: LaunchWish, facts: SettingsFacts): Security {
  const { user, image, security = plainSecurity } = facts;
  const { linux_info: linux } = container ?? {};
  const asked = (linux?.effective_capabilities ?? linux?.capability_info)?.capabilities;
  return {
    ...security,
    runAsUser: image === undefined || user === undefined ? undefined : user.uid,
    runAsGroup: image === undefined || user === undefined ? undefined : user.gid,
    runAsUserName: image === undefined ? user?.name : undefined,
    ...(asked === undefined
      ? {}
      : { capabilitiesDrop: ['ALL'], capabilitiesAdd: asked.map((name) => String(name)) }),
  };
}

const periodUs = 100_000;

function limitsOf({ resources = [], limits = {} }: LaunchWish): ResourceLimits {
  const amount = (name: string): number | undefined =>
    resources.find((one) => one.name === name)?.scalar?.value;
  const most = (name: string): number | undefined => limits[name]?.value ?? amount(name);
  const cpus = amount('cpus');
  const cpusMost = most('cpus');
  const memory = most('mem');
  return {
    ...(cpus === undefined ? {} : { cpuShares: Math.max(2, Math.round(cpus * 1024)) }),
    ...(Number.isFinite(cpusMost) ? { cpuQuotaUs: Math.round((cpusMost ?? 0) * periodUs) } : {}),
    ...(Number.isFinite(memory) ? { memoryBytes: Math.round((memory ?? 0) * 2 ** 20) } : {}),
  };
}

/** Why a container cannot be had here, whatever else is the matter. */
export function launchProblem({ container }: LaunchWish): string | undefined {
  if (container === undefined) return undefined;
  if (container.mesos?.image?.type === 'APPC') return 'Appc images are not supported';
  // It has its parent's network, a standalone one the machine's.
  for (const { name } of container.network_infos ?? [])
    if (name !== undefined) return `Unknown CNI network '${name}'`;
  for (const { image, source } of container.volumes ?? []) {
    if (image !== undefined) return 'Volumes of images are not supported';
    if (source?.type === 'DOCKER_VOLUME')
      return 'Volumes of Docker volume drivers are not supported';
    if (source?.type === 'CSI_VOLUME') return 'CSI volumes are not supported';
    if (source?.type === 'SECRET') return 'Volumes of secrets need a task of their own';
  }
  return undefined;
}
