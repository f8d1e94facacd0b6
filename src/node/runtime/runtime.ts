import type { ByteSocket } from '#base';

/**
 * What the kubelet needs of a machine: images, sandboxes, containers. Shaped after CRI so that
 * containerd can stand behind it, but in-process. Implemented by `oci/` (crun or runc under conmon).
 * Everything here outlives the agent: a new `Runtime` on the same directory adopts what runs.
 */
export interface Runtime extends AsyncDisposable {
  readonly name: string;
  readonly version: string;
  readonly images: Images;
  /** Network namespace, hostname, address; no process of its own unless `sharePid`. */
  createSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
  /** Takes the network away. All containers must have ended. Idempotent. */
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  sandboxes(): readonly Sandbox[];
  createContainer(sandboxId: string, spec: ContainerSpec): Promise<Container>;
  startContainer(id: string): Promise<void>;
  /** `signal` ('SIGTERM' unless the image or spec says otherwise), SIGKILL to the whole cgroup after grace. */
  stopContainer(id: string, options: { graceMs: number; signal?: string }): Promise<void>;
  /** One signal, by number, to the main process and nothing else; false when it does not run. */
  signalContainer(id: string, signal: number): Promise<boolean>;
  removeContainer(id: string): Promise<void>;
  containers(): readonly Container[];
  container(id: string): Container | undefined;
  /** Called on every change of a container's state, exits above all. */
  onChange(listener: (container: Container) => void): Disposable;
  /** Runs a command in a container to its end; output is cut after `outputBytesMax`. */
  execSync(id: string, options: ExecSyncOptions): Promise<ExecResult>;
  /** Runs a command with streams (kubectl exec). */
  exec(id: string, options: ExecOptions): Promise<Process>;
  /** The running main process' streams (kubectl attach). */
  attach(id: string, options: StreamOptions): Promise<Process>;
  /** A connection to `port` on loopback inside the sandbox's network namespace. */
  dial(sandboxId: string, port: number): Promise<ByteSocket>;
  /** Path of the container's current log file (CRI format). */
  logPath(id: string): string;
  /** Starts a fresh log file; the old one keeps its content under a rotated name. */
  rotateLog(id: string): Promise<void>;
  containerStats(id: string): Promise<ContainerStats | undefined>;
  /** Whole-machine facts for Node status and stats. */
  machine(): Promise<Machine>;
  /** Changes the limits of a running container in place, and what is remembered of them. */
  updateResources(id: string, resources: ResourceLimits): Promise<void>;
  /** The same for the cgroup around all containers of a sandbox. */
  updateSandboxResources(id: string, resources: ResourceLimits): Promise<void>;
}

export interface Images {
  /** By name or by id; a loaded image answers for its name without any registry. */
  resolve(reference: string): Promise<Image | undefined>;
  /** Throws `ImageError`. `secrets` are docker config JSON documents to look for credentials in. */
  pull(reference: string, options: PullOptions): Promise<Image>;
  /** From a docker-archive or OCI layout, tar or tar.gz; gives the names it brought. */
  load(
    stream: AsyncIterable<Uint8Array>,
    options?: { readonly name?: string },
  ): Promise<readonly Image[]>;
  list(): Promise<readonly Image[]>;
  remove(reference: string): Promise<void>;
  usage(): Promise<{
    readonly usedBytes: number;
    readonly capacityBytes: number;
    readonly availableBytes: number;
    /** 0 where the file system counts none. */
    readonly inodes: number;
    readonly inodesFree: number;
  }>;
}
export interface PullOptions {
  readonly secrets: readonly unknown[];
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: {
    readonly doneBytes: number;
    readonly totalBytes: number;
  }) => void;
}
export interface Image {
  /** "sha256:..." of the image's configuration. */
  readonly id: string;
  readonly names: readonly string[];
  readonly digests: readonly string[];
  readonly bytes: number;
  /** True when it came by `load`, not from a registry. */
  readonly loaded: boolean;
  readonly config: ImageConfig;
}
export interface ImageConfig {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly stopSignal: string | undefined;
  readonly volumes: readonly string[];
}
/** Why an image cannot be had; the kubelet turns it into ErrImagePull, InvalidImageName and the like. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly reason:
    | 'InvalidImageName'
    | 'ErrImagePull'
    | 'RegistryUnavailable'
    | 'ErrImageNeverPull'
    | 'SignatureValidationFailed';
  constructor(reason: ImageError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface SandboxSpec {
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly attempt: number;
  readonly hostname: string;
  /** Full name for the Pod's own line of /etc/hosts, when it has a subdomain. */
  readonly fqdn?: string | undefined;
  readonly hostNetwork: boolean;
  /** Nothing but loopback; without an address. */
  readonly noNetwork?: boolean | undefined;
  /** On the host's network, and yet with the host name above. */
  readonly ownHostname?: boolean | undefined;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly sharePid: boolean;
  readonly dns: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly sysctls: Readonly<Record<string, string>>;
  /** Extra lines of /etc/hosts. */
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Limits of the Pod's own cgroup, and its class for the tree: guaranteed, burstable, besteffort. */
  readonly resources: ResourceLimits;
  readonly qosClass: 'Guaranteed' | 'Burstable' | 'BestEffort';
}
export interface Sandbox {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly state: 'ready' | 'notReady';
  /** '' on the host's network. */
  readonly ip: string;
  readonly createdMs: number;
}

export interface ContainerSpec {
  readonly name: string;
  readonly attempt: number;
  /** Undefined: a plain process on the host's own file system (RuntimeClass handler `process`). */
  readonly imageId: string | undefined;
  /** What the Pod asked for; both empty means what the image says. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  /** Complete, in order; the image's own variables come before. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  /** Device nodes: at `hostPath` on the host (the same path unless said otherwise). */
  readonly devices: readonly { readonly path: string; readonly hostPath?: string }[];
  readonly resources: ResourceLimits;
  readonly security: Security;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** File the log is written to, below the Pod's log directory. */
  readonly logPath: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
  /** Limits of each process; what is not named is the agent's own. */
  readonly rlimits?: readonly ProcessLimit[] | undefined;
}
/** setrlimit(2): `RLIMIT_NOFILE` and the like; without numbers there is no limit. */
export interface ProcessLimit {
  readonly type: string;
  readonly soft?: number | undefined;
  readonly hard?: number | undefined;
}
export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  /** With `readOnly`: also what is mounted below it. */
  readonly recursiveReadOnly?: boolean;
  readonly propagation: 'private' | 'rslave' | 'rshared';
}
export interface ResourceLimits {
  readonly cpuShares?: number | undefined;
  /** Microseconds of CPU a period of 100 ms may use. */
  readonly cpuQuotaUs?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly pids?: number | undefined;
  readonly oomScoreAdj?: number | undefined;
  readonly cpusetCpus?: string | undefined;
}
export interface Security {
  readonly privileged: boolean;
  /** Numeric, or undefined for the image's own user. A plain process may name one. */
  readonly runAsUser: number | undefined;
  readonly runAsUserName: string | undefined;
  readonly runAsGroup: number | undefined;
  readonly runAsNonRoot: boolean;
  readonly supplementalGroups: readonly number[];
  /** Strict: groups that the image's /etc/group gives the user are left out. */
  readonly supplementalGroupsPolicy?: 'Merge' | 'Strict';
  readonly readOnlyRootFilesystem: boolean;
  readonly allowPrivilegeEscalation: boolean;
  readonly capabilitiesAdd: readonly string[];
  readonly capabilitiesDrop: readonly string[];
  /** `localhostProfile` is the file's path. */
  readonly seccomp: 'RuntimeDefault' | 'Unconfined' | { readonly localhostProfile: string };
  /** Name of a profile that is loaded; the kernel's own choice when absent. */
  readonly apparmorProfile?: string | undefined;
  /** "user:role:type:level", on machines that enforce it. */
  readonly selinuxLabel?: string | undefined;
  readonly procMountUnmasked: boolean;
}

export interface Container {
  readonly id: string;
  readonly sandboxId: string;
  readonly spec: ContainerSpec;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  readonly createdMs: number;
  readonly startedMs: number | undefined;
  readonly finishedMs: number | undefined;
  readonly exitCode: number | undefined;
  /** Set when a signal ended it. */
  readonly exitSignal: number | undefined;
  readonly oomKilled: boolean;
  /** Why it could not be started or how it ended, when there is more to say. */
  readonly message: string;
  readonly pid: number | undefined;
  /** The user id the main process runs as, for `runAsNonRoot` and status. */
  readonly uid: number | undefined;
  readonly gid?: number | undefined;
  /** All supplementary groups of the main process. */
  readonly groups?: readonly number[] | undefined;
}
/** A container that could not be created or started: CreateContainerError, RunContainerError. */
export class ContainerError extends Error {
  override readonly name = 'ContainerError';
  readonly reason:
    | 'CreateContainerConfigError'
    | 'CreateContainerError'
    | 'RunContainerError'
    | 'CreatePodSandboxError';
  constructor(reason: ContainerError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export interface ExecSyncOptions {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
}
export interface ExecResult {
  readonly exitCode: number;
  readonly output: Uint8Array;
  readonly timedOut: boolean;
}
export interface StreamOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}
export interface ExecOptions extends StreamOptions {
  readonly command: readonly string[];
  /** Beside the container's own, which they replace where names are equal. */
  readonly env?: readonly { readonly name: string; readonly value: string }[] | undefined;
  /** Of the terminal; crun sets it while the process starts, before any input reaches it. */
  readonly size?: { readonly columns: number; readonly rows: number } | undefined;
  /** Instead of the container's own; without supplementary groups. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}
/** Streams of a process; absent where not asked for. With a tty stderr is never there. */
export interface Process {
  readonly stdin:
    | { write(chunk: Uint8Array): boolean; drained(): Promise<void>; end(): void }
    | undefined;
  readonly stdout: AsyncIterable<Uint8Array> | undefined;
  readonly stderr: AsyncIterable<Uint8Array> | undefined;
  /** Input written after it resolved comes after the new size. */
  resize(columns: number, rows: number): Promise<void>;
  /** Of an exec: a signal to its process. */
  signal?(signal: number): void;
  /** Exit code of an exec; for attach resolves when the streams end. */
  readonly exited: Promise<number>;
  /** Detaches; an exec's process is killed. */
  close(): void;
}

export interface ContainerStats {
  readonly atMs: number;
  readonly cpuNanos: number;
  readonly cpuUserNanos: number;
  readonly cpuSystemNanos: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly memoryRssBytes: number;
  readonly pids: number;
  readonly rootfsUsedBytes: number;
  readonly logsUsedBytes: number;
}
export interface Machine {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly memoryAvailableBytes: number;
  readonly cpuNanos: number;
  readonly filesystemBytes: number;
  readonly filesystemAvailableBytes: number;
  /** 0 where the file system counts none. */
  readonly filesystemInodes: number;
  readonly filesystemInodesFree: number;
  /** How many processes (threads counted) there may be, and are. */
  readonly pidsMax: number;
  readonly pids: number;
  /** Names of the AppArmor profiles that are loaded; undefined when the kernel enforces none. */
  readonly apparmorProfiles: readonly string[] | undefined;
  readonly selinux: boolean;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly architecture: string;
}
