import { join } from 'node:path';
import type { ContainerSpec, ImageConfig, Mount, SandboxSpec } from '../runtime.ts';
import { capabilitiesOf } from './capabilities.ts';
import { defaultSeccomp, localSeccomp } from './seccomp.ts';
import type { ResolvedUser } from './users.ts';

/** All that is known when a container's OCI configuration is written. */
export interface SpecInput {
  readonly container: ContainerSpec;
  readonly sandbox: SandboxSpec;
  readonly image: ImageConfig | undefined;
  readonly user: ResolvedUser;
  readonly cgroupPath: string;
  readonly cgroupV2: boolean;
  /** Folder with the sandbox's hosts, hostname, resolv.conf. */
  readonly sandboxDir: string;
  readonly shmDir: string | undefined;
  readonly netPin: string;
  readonly ipcPin: string;
  /** "/proc/1234/ns/pid" of the pause process when the Pod shares its processes. */
  readonly pidPath: string | undefined;
  readonly bounding: bigint;
  /** The agent's own score. */
  readonly oomScoreAdjMin: number;
  readonly devices: readonly DeviceNode[];
  /** The node's whole share of CPU time, in microseconds each 100 ms; no container gets more. */
  readonly cpuQuotaUsMax: number | undefined;
}
export interface DeviceNode {
  readonly path: string;
  readonly hostPath: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
}
export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}
/** The part of the OCI configuration that an exec needs again. */
export interface OciProcess {
  readonly terminal: boolean;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly [field: string]: unknown;
}
export interface OciSpec {
  readonly process: OciProcess;
  readonly [field: string]: unknown;
}

const sysResourceBit = 24n;
const pathDefault = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const masked = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`);

export function ociSpec(input: SpecInput): OciSpec {
  const { container, sandbox } = input;
  const { security } = container;
  const privileged = security.privileged;
  const unmasked = privileged || security.procMountUnmasked;
  return {
    ociVersion: '1.0.2',
    process: processOf(input),
    root: { path: 'rootfs', readonly: security.readOnlyRootFilesystem },
    ...(hasHostname(sandbox) ? { hostname: sandbox.hostname } : {}),
    mounts: mountsOf(input),
    annotations: { 'dev.tandem.pod': `${sandbox.podNamespace}/${sandbox.podName}` },
    linux: {
      cgroupsPath: input.cgroupPath,
      namespaces: namespacesOf(input),
      resources: resourcesOf(input),
      rootfsPropagation: rootPropagation(container.mounts),
      devices: input.devices.map(({ hostPath: _, ...node }) => ({ ...node, uid: 0, gid: 0 })),
      sysctl: sysctlsOf(sandbox),
      ...(security.selinuxLabel === undefined ? {} : { mountLabel: security.selinuxLabel }),
      ...(unmasked ? {} : { maskedPaths: masked, readonlyPaths }),
      ...seccompOf(input),
    },
  };
}

function processOf(input: SpecInput): OciProcess {
  const { container, image, user, sandbox } = input;
  const { security } = container;
  const capabilities = capabilitiesOf(
    {
      add: security.capabilitiesAdd,
      drop: security.capabilitiesDrop,
      privileged: security.privileged,
    },
    input.bounding,
  );
  const cwd = container.workingDir || image?.workingDir || '/';
  return {
    terminal: container.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.groups },
    args: argsOf(container, image),
    env: envOf(container, image, { sandbox, user }),
    cwd: cwd.startsWith('/') ? cwd : `/${cwd}`,
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
    },
    noNewPrivileges: !security.allowPrivilegeEscalation && !security.privileged,
    ...oomScoreOf(input),
    ...((container.rlimits ?? []).length === 0 ? {} : { rlimits: limitsOf(container) }),
    ...(security.apparmorProfile === undefined
      ? {}
      : { apparmorProfile: security.apparmorProfile }),
    ...(security.selinuxLabel === undefined ? {} : { selinuxLabel: security.selinuxLabel }),
  };
}

const unlimited = 2 ** 64;

function limitsOf({ rlimits = [] }: ContainerSpec): readonly unknown[] {
  return rlimits.map(({ type, soft = unlimited, hard = unlimited }) => ({ type, soft, hard }));
}

/**
 * The document as the runtime reads it: no limit is the largest 64-bit number, which no number here
 * can be, nor once it was read again.
 */
export function ociText(document: unknown): string {
  return JSON.stringify(document).replaceAll(
    /("soft"|"hard"):18446744073709552000\b/g,
    '$1:18446744073709551615',
  );
}

/** Below what the agent itself has, only CAP_SYS_RESOURCE allows; without it the wish is cut. */
function oomScoreOf(input: SpecInput): { readonly oomScoreAdj?: number } {
  const wish = input.container.resources.oomScoreAdj;
  if (wish === undefined) return {};
  const free = (input.bounding & (1n << sysResourceBit)) !== 0n;
  return { oomScoreAdj: free ? wish : Math.max(wish, input.oomScoreAdjMin) };
}

/** Kubernetes' rule: `command` replaces the entrypoint and with it the image's cmd, `args` the cmd. */
export function argsOf(
  container: Pick<ContainerSpec, 'command' | 'args'>,
  image: Pick<ImageConfig, 'entrypoint' | 'cmd'> | undefined,
): readonly string[] {
  if (container.command.length > 0) return [...container.command, ...container.args];
  const entrypoint = image?.entrypoint ?? [];
  return [...entrypoint, ...(container.args.length > 0 ? container.args : (image?.cmd ?? []))];
}

function envOf(
  container: ContainerSpec,
  image: ImageConfig | undefined,
  of: { readonly sandbox: SandboxSpec; readonly user: ResolvedUser },
): readonly string[] {
  const merged = new Map<string, string>();
  const put = (line: string): void => {
    const at = line.indexOf('=');
    if (at > 0) merged.set(line.slice(0, at), line);
  };
  put(pathDefault);
  put(`HOSTNAME=${of.sandbox.hostname}`);
  if (container.tty) put('TERM=xterm');
  if (of.user.home !== undefined && of.user.home !== '') put(`HOME=${of.user.home}`);
  for (const line of image?.env ?? []) put(line);
  for (const { name, value } of container.env) put(`${name}=${value}`);
  return [...merged.values()];
}

/** A host name, and with it a UTS namespace, of its own. */
function hasHostname({ hostNetwork, ownHostname }: SandboxSpec): boolean {
  return !hostNetwork || ownHostname === true;
}

function namespacesOf(input: SpecInput): readonly unknown[] {
  const { sandbox, netPin, ipcPin, pidPath } = input;
  const list: unknown[] = [{ type: 'mount' }];
  if (!sandbox.hostNetwork) list.push({ type: 'network', path: netPin });
  if (hasHostname(sandbox)) list.push({ type: 'uts' });
  if (!sandbox.hostIpc) list.push({ type: 'ipc', path: ipcPin });
  if (pidPath !== undefined) list.push({ type: 'pid', path: pidPath });
  else if (!sandbox.hostPid) list.push({ type: 'pid' });
  if (input.cgroupV2 && !input.container.security.privileged) list.push({ type: 'cgroup' });
  return list;
}

function mountsOf(input: SpecInput): readonly OciMount[] {
  const { container, sandbox } = input;
  const own = new Set(container.mounts.map((mount) => trimmed(mount.containerPath)));
  const list = container.imageId === undefined ? processMounts(input) : systemMounts(input);
  const files = ['hosts', 'resolv.conf', 'hostname'].map((name) =>
    bind(join(input.sandboxDir, name), `/etc/${name}`, ['rbind', 'rprivate']),
  );
  // A process on the host's network sees the host's own name files; its resolver is the Pod's choice.
  const process = container.imageId === undefined && sandbox.hostNetwork;
  const wanted = files.filter(({ destination }) => !process || destination.endsWith('resolv.conf'));
  const base = [...list, ...wanted].filter((mount) => !own.has(mount.destination));
  // Outer mounts before inner ones.
  const asked = container.mounts.toSorted(
    (a, b) => depth(a.containerPath) - depth(b.containerPath),
  );
  return [...base, ...asked.map(bindOf)];
}

function systemMounts(input: SpecInput): readonly OciMount[] {
  const { sandbox, container } = input;
  const privileged = container.security.privileged;
  const sysMode = privileged ? 'rw' : 'ro';
  const sys: OciMount = sandbox.hostNetwork
    ? bind('/sys', '/sys', ['rbind', 'rslave', 'nosuid', 'noexec', 'nodev', sysMode])
    : { ...fs('sysfs', '/sys'), options: ['nosuid', 'noexec', 'nodev', sysMode] };
  return [
    { ...fs('proc', '/proc'), options: ['nosuid', 'noexec', 'nodev'] },
    { ...fs('tmpfs', '/dev'), options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    {
      ...fs('devpts', '/dev/pts'),
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { ...fs('mqueue', '/dev/mqueue'), options: ['nosuid', 'noexec', 'nodev'] },
    shmMount(input),
    sys,
    ...(sandbox.hostNetwork
      ? []
      : [{ ...fs('cgroup', '/sys/fs/cgroup'), options: ['nosuid', 'noexec', 'nodev', sysMode] }]),
  ];
}

/**
 * The host's tree is there already; only what belongs to a PID namespace and a Pod is its own. `/dev`
 * is named because the runtimes make links and nodes in one that is not a bind mount: here that
 * would be the host's own, and two processes that start at once would meet there.
 */
function processMounts(input: SpecInput): readonly OciMount[] {
  const proc = { ...fs('proc', '/proc'), options: ['nosuid', 'noexec', 'nodev'] };
  const dev = bind('/dev', '/dev', ['rbind', 'rslave']);
  const devices = input.devices
    .filter(({ path, hostPath }) => path !== hostPath)
    .map(({ path, hostPath }) => bind(hostPath, path, ['bind', 'rprivate']));
  return [...(input.sandbox.hostPid ? [] : [proc]), dev, ...devices];
}

function shmMount(input: SpecInput): OciMount {
  if (input.shmDir !== undefined)
    return bind(input.shmDir, '/dev/shm', ['rbind', 'rprivate', 'nosuid', 'noexec', 'nodev']);
  return {
    ...fs('tmpfs', '/dev/shm'),
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  };
}

function bindOf(mount: Mount): OciMount {
  const propagation = { private: 'rprivate', rslave: 'rslave', rshared: 'rshared' } as const;
  return bind(mount.hostPath, trimmed(mount.containerPath), [
    'rbind',
    propagation[mount.propagation],
    !mount.readOnly ? 'rw' : mount.recursiveReadOnly === true ? 'rro' : 'ro',
  ]);
}
function rootPropagation(mounts: readonly Mount[]): string {
  if (mounts.some((mount) => mount.propagation === 'rshared')) return 'rshared';
  if (mounts.some((mount) => mount.propagation === 'rslave')) return 'rslave';
  return 'rprivate';
}
function bind(source: string, destination: string, options: readonly string[]): OciMount {
  return { destination, type: 'bind', source, options };
}
function fs(type: string, destination: string): OciMount {
  return { destination, type, source: type, options: [] };
}
function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
function depth(path: string): number {
  return trimmed(path).split('/').length;
}

function resourcesOf(input: SpecInput): unknown {
  const limits = input.container.resources;
  const cpu = {
    ...(limits.cpuShares === undefined ? {} : { shares: Math.max(2, limits.cpuShares) }),
    ...(limits.cpuQuotaUs === undefined || limits.cpuQuotaUs <= 0
      ? {}
      : {
          // A version 1 hierarchy refuses a quota above the parent's.
          quota: Math.min(limits.cpuQuotaUs, input.cpuQuotaUsMax ?? Number.POSITIVE_INFINITY),
          period: 100_000,
        }),
    ...(limits.cpusetCpus === undefined || limits.cpusetCpus === ''
      ? {}
      : { cpus: limits.cpusetCpus }),
  };
  const privileged = input.container.security.privileged;
  return {
    devices: [
      { allow: privileged, access: 'rwm' },
      ...input.devices.map(({ type, major, minor }) => {
        return { allow: true, type, major, minor, access: 'rwm' };
      }),
    ],
    ...(limits.memoryBytes === undefined || limits.memoryBytes <= 0
      ? {}
      : { memory: { limit: limits.memoryBytes } }),
    ...(limits.pids === undefined || limits.pids <= 0 ? {} : { pids: { limit: limits.pids } }),
    cpu,
  };
}

/**
 * Ports below 1024 for everyone, as clusters have it today. Redirects are ignored: neighbours are
 * reached through the bridge on purpose, and the host would tell the Pod of the shorter way.
 */
function sysctlsOf(sandbox: SandboxSpec): Readonly<Record<string, string>> {
  if (sandbox.hostNetwork) return sandbox.sysctls;
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.conf.all.accept_redirects': '0',
    ...(sandbox.noNetwork === true ? {} : { 'net.ipv4.conf.eth0.accept_redirects': '0' }),
    ...sandbox.sysctls,
  };
}

function seccompOf(input: SpecInput): { readonly seccomp?: unknown } {
  const { security } = input.container;
  if (security.privileged || security.seccomp === 'Unconfined') return {};
  if (security.seccomp !== 'RuntimeDefault')
    return { seccomp: localSeccomp(security.seccomp.localhostProfile) };
  const { add, drop } = { add: security.capabilitiesAdd, drop: security.capabilitiesDrop };
  const held = capabilitiesOf({ add, drop, privileged: false }, input.bounding);
  return { seccomp: defaultSeccomp(held) };
}
