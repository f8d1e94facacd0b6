// Derived by tools/derive-marathon-types.ts from facts/raml.json. Edit those, not this.

export interface AppResidency {
  readonly relaunchEscalationTimeoutSeconds: number;
  readonly taskLostBehavior: TaskLostBehavior;
}

export interface UpgradeStrategy {
  readonly maximumOverCapacity: number;
  readonly minimumHealthCapacity: number;
}

export interface App {
  readonly id: PathId;
  readonly acceptedResourceRoles?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly backoffFactor: number;
  readonly backoffSeconds: number;
  readonly cmd?: string | undefined;
  readonly constraints?: readonly AppConstraint[] | undefined;
  readonly container?: Container | undefined;
  readonly cpus: number;
  readonly dependencies?: readonly PathId[] | undefined;
  readonly disk: number;
  readonly env?: LegacyEnvVars | undefined;
  readonly executor: string;
  readonly executorResources?: ExecutorResources | undefined;
  readonly fetch?: readonly Artifact[] | undefined;
  readonly healthChecks?: readonly AppHealthCheck[] | undefined;
  readonly check?: AppCheck | undefined;
  readonly instances: number;
  readonly labels: KVLabels;
  readonly maxLaunchDelaySeconds: number;
  readonly mem: number;
  readonly gpus: number;
  readonly ipAddress?: IpAddress | undefined;
  readonly networks: readonly Network[];
  readonly ports?: readonly AnyPort[] | undefined;
  readonly portDefinitions?: readonly PortDefinition[] | undefined;
  readonly readinessChecks?: readonly ReadinessCheck[] | undefined;
  readonly residency?: AppResidency | undefined;
  readonly resourceLimits?: ResourceLimits | undefined;
  readonly requirePorts: boolean;
  readonly secrets?: Secrets | undefined;
  readonly taskKillGracePeriodSeconds?: number | undefined;
  readonly upgradeStrategy?: UpgradeStrategy | undefined;
  readonly uris?: readonly Uri[] | undefined;
  readonly user?: string | undefined;
  readonly version?: string | undefined;
  readonly versionInfo?: VersionInfo | undefined;
  readonly killSelection: KillSelection;
  readonly unreachableStrategy?: UnreachableStrategy | undefined;
  readonly tty?: boolean | undefined;
  readonly role?: string | undefined;
}

export interface AppUpdate {
  readonly id?: PathId | undefined;
  readonly acceptedResourceRoles?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly backoffFactor?: number | undefined;
  readonly backoffSeconds?: number | undefined;
  readonly cmd?: string | undefined;
  readonly constraints?: readonly AppConstraint[] | undefined;
  readonly container?: Container | undefined;
  readonly cpus?: number | undefined;
  readonly dependencies?: readonly PathId[] | undefined;
  readonly disk?: number | undefined;
  readonly env?: LegacyEnvVars | undefined;
  readonly executor?: string | undefined;
  readonly executorResources?: ExecutorResources | undefined;
  readonly fetch?: readonly Artifact[] | undefined;
  readonly healthChecks?: readonly AppHealthCheck[] | undefined;
  readonly check?: AppCheck | undefined;
  readonly instances?: number | undefined;
  readonly labels?: KVLabels | undefined;
  readonly maxLaunchDelaySeconds?: number | undefined;
  readonly mem?: number | undefined;
  readonly gpus?: number | undefined;
  readonly ipAddress?: IpAddress | undefined;
  readonly networks?: readonly Network[] | undefined;
  readonly ports?: readonly AnyPort[] | undefined;
  readonly portDefinitions?: readonly PortDefinition[] | undefined;
  readonly readinessChecks?: readonly ReadinessCheck[] | undefined;
  readonly residency?: AppResidency | undefined;
  readonly resourceLimits?: ResourceLimits | undefined;
  readonly requirePorts?: boolean | undefined;
  readonly secrets?: Secrets | undefined;
  readonly taskKillGracePeriodSeconds?: number | undefined;
  readonly upgradeStrategy?: UpgradeStrategy | undefined;
  readonly uris?: readonly Uri[] | undefined;
  readonly user?: string | undefined;
  readonly version?: string | undefined;
  readonly versionInfo?: VersionInfo | undefined;
  readonly killSelection?: KillSelection | undefined;
  readonly unreachableStrategy?: UnreachableStrategy | undefined;
  readonly tty?: boolean | undefined;
  readonly role?: string | undefined;
}

export interface AppList {
  readonly apps: readonly AppInfo[];
}

export interface VersionList {
  readonly versions: readonly string[];
}

export interface AppInfo extends App {
  readonly tasksStaged?: number | undefined;
  readonly tasksRunning?: number | undefined;
  readonly tasksHealthy?: number | undefined;
  readonly tasksUnhealthy?: number | undefined;
  readonly deployments?: readonly Identifiable[] | undefined;
  readonly readinessCheckResults?: readonly TaskReadinessCheckResult[] | undefined;
  readonly tasks?: readonly Task[] | undefined;
  readonly lastTaskFailure?: TaskFailure | undefined;
  readonly tasksStats?: TaskStatsByVersion | undefined;
}

export type EngineType = 'MESOS' | 'DOCKER';

export interface DockerCredentials {
  readonly principal: string;
  readonly secret?: string | undefined;
}

export type DockerNetwork = 'BRIDGE' | 'HOST' | 'NONE' | 'USER';

export interface DockerParameter {
  readonly key: string;
  readonly value: string;
}

export interface ContainerPortMapping {
  readonly containerPort: AnyPort;
  readonly hostPort?: AnyPort | undefined;
  readonly labels: KVLabels;
  readonly name?: LegacyName | undefined;
  readonly protocol: NetworkProtocol;
  readonly servicePort: AnyPort;
  readonly networkNames?: readonly Name[] | undefined;
}

export interface DockerContainer {
  readonly credential?: DockerCredentials | undefined;
  readonly pullConfig?: DockerPullConfig | undefined;
  readonly forcePullImage: boolean;
  readonly image: string;
  readonly network?: DockerNetwork | undefined;
  readonly parameters: readonly DockerParameter[];
  readonly portMappings?: readonly ContainerPortMapping[] | undefined;
  readonly privileged: boolean;
}

export interface Container {
  readonly type: EngineType;
  readonly docker?: DockerContainer | undefined;
  readonly linuxInfo?: LinuxInfo | undefined;
  readonly volumes: readonly AppVolume[];
  readonly portMappings?: readonly ContainerPortMapping[] | undefined;
}

export interface Artifact {
  readonly uri: Uri;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: Path | undefined;
}

export interface HttpCheck {
  readonly endpoint: Name;
  readonly path?: Path | undefined;
  readonly scheme: HttpScheme;
}

export interface TcpCheck {
  readonly endpoint: Name;
}

export interface CommandCheck {
  readonly command: MesosCommand;
}

export interface AppHttpCheck {
  readonly portIndex?: AnyPort | undefined;
  readonly port?: AnyPort | undefined;
  readonly path?: Path | undefined;
  readonly scheme: HttpScheme;
}

export interface AppTcpCheck {
  readonly portIndex?: AnyPort | undefined;
  readonly port?: AnyPort | undefined;
}

export interface Check {
  readonly http?: HttpCheck | undefined;
  readonly tcp?: TcpCheck | undefined;
  readonly exec?: CommandCheck | undefined;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
}

export interface AppCheck {
  readonly http?: AppHttpCheck | undefined;
  readonly tcp?: AppTcpCheck | undefined;
  readonly exec?: CommandCheck | undefined;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
}

export interface HttpCheckStatus {
  readonly statusCode: number;
}

export interface TCPCheckStatus {
  readonly succeeded: boolean;
}

export interface CommandCheckStatus {
  readonly exitCode: number;
}

export interface CheckStatus {
  readonly http?: HttpCheckStatus | undefined;
  readonly tcp?: TCPCheckStatus | undefined;
  readonly command?: CommandCheckStatus | undefined;
}

export type ConstraintOperator =
  | 'UNIQUE'
  | 'CLUSTER'
  | 'GROUP_BY'
  | 'LIKE'
  | 'UNLIKE'
  | 'MAX_PER'
  | 'IS';

export interface Constraint {
  readonly fieldName: string;
  readonly operator: ConstraintOperator;
  readonly value?: string | undefined;
}

export type AppConstraint = readonly string[];

export type VolumeConstraint = readonly string[];

export interface DeleteTasks {
  readonly ids: readonly string[];
}

export type DeploymentActionName =
  | 'StartApplication'
  | 'StopApplication'
  | 'ScaleApplication'
  | 'RestartApplication'
  | 'StartPod'
  | 'StopPod'
  | 'ScalePod'
  | 'RestartPod'
  | 'ResolveArtifacts';

export interface DeploymentAction {
  readonly action: DeploymentActionName;
  readonly app?: PathId | undefined;
  readonly pod?: PathId | undefined;
}

export interface DeploymentActionInfo extends DeploymentAction {
  readonly readinessCheckResults: readonly TaskReadinessCheckResult[];
}

export interface DeploymentStepInfo extends DeploymentPlan {
  readonly affectedApps: readonly PathId[];
  readonly affectedPods: readonly PathId[];
  readonly currentActions: readonly DeploymentActionInfo[];
  readonly currentStep: number;
  readonly totalSteps: number;
}

export interface DeploymentPlan {
  readonly id: string;
  readonly steps: readonly DeploymentStep[];
  readonly version: string;
}

export interface DeploymentResult {
  readonly deploymentId: string;
  readonly version: string;
}

export interface DeploymentSteps {
  readonly steps: readonly DeploymentStep[];
}

export interface DeploymentStep {
  readonly actions: readonly DeploymentAction[];
}

export interface DockerPullConfig {
  readonly secret: string;
}

export type EnvVarValue = string;

export interface EnvVarSecret {
  readonly secret: string;
}

export type EnvVarValueOrSecret = EnvVarValue | EnvVarSecret;

export type EnvVars = Readonly<Record<string, EnvVarValueOrSecret>>;

export type LegacyEnvVars = Readonly<Record<string, EnvVarValueOrSecret>>;

export interface ErrorDetail {
  readonly message?: string | undefined;
  readonly errors: readonly string[];
}

export interface ErrorBody {
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

export interface GroupInfo {
  readonly id: PathId;
  readonly apps: readonly AppInfo[];
  readonly pods: readonly PodStatus[];
  readonly groups: readonly GroupInfo[];
  readonly dependencies: readonly PathId[];
  readonly version?: string | undefined;
  readonly enforceRole?: boolean | undefined;
}

export interface GroupUpdate {
  readonly id?: PathId | undefined;
  readonly apps?: readonly App[] | undefined;
  readonly groups?: readonly GroupUpdate[] | undefined;
  readonly dependencies?: readonly PathId[] | undefined;
  readonly scaleBy?: number | undefined;
  readonly version?: string | undefined;
  readonly enforceRole?: boolean | undefined;
}

export interface GroupPartialUpdate {
  readonly enforceRole?: boolean | undefined;
}

export interface HealthCheck {
  readonly http?: HttpCheck | undefined;
  readonly tcp?: TcpCheck | undefined;
  readonly exec?: CommandCheck | undefined;
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
}

export type AppHealthCheckProtocol =
  | 'HTTP'
  | 'HTTPS'
  | 'TCP'
  | 'COMMAND'
  | 'MESOS_TCP'
  | 'MESOS_HTTP'
  | 'MESOS_HTTPS';

export interface AppCommandCheck {
  readonly value: string;
}

export interface AppHealthCheck {
  readonly command?: AppCommandCheck | undefined;
  readonly gracePeriodSeconds: number;
  readonly ignoreHttp1xx?: boolean | undefined;
  readonly intervalSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly path?: string | undefined;
  readonly port?: AnyPort | undefined;
  readonly portIndex?: AnyPort | undefined;
  readonly protocol: AppHealthCheckProtocol;
  readonly ipProtocol: IpProtocol;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
}

export interface Health {
  readonly alive: boolean;
  readonly consecutiveFailures: number;
  readonly firstSuccess?: string | undefined;
  readonly instanceId: InstanceId;
  readonly lastSuccess?: string | undefined;
  readonly lastFailure?: string | undefined;
  readonly lastFailureCause?: string | undefined;
}

export interface LeaderInfo {
  readonly leader: string;
}

export interface MarathonConfig {
  readonly access_control_allow_origin: readonly string[];
  readonly checkpoint?: boolean | undefined;
  readonly decline_offer_duration?: number | undefined;
  readonly default_network_name?: string | undefined;
  readonly env_vars_prefix?: string | undefined;
  readonly executor?: string | undefined;
  readonly failover_timeout?: number | undefined;
  readonly features: readonly string[];
  readonly framework_name?: string | undefined;
  readonly ha?: boolean | undefined;
  readonly hostname?: string | undefined;
  readonly launch_token?: number | undefined;
  readonly launch_token_refresh_interval?: number | undefined;
  readonly leader_proxy_connection_timeout_ms?: number | undefined;
  readonly leader_proxy_read_timeout_ms?: number | undefined;
  readonly local_port_max?: number | undefined;
  readonly local_port_min?: number | undefined;
  readonly master?: string | undefined;
  readonly max_instances_per_offer?: number | undefined;
  readonly mesos_bridge_name?: string | undefined;
  readonly mesos_heartbeat_failure_threshold?: number | undefined;
  readonly mesos_heartbeat_interval?: number | undefined;
  readonly mesos_leader_ui_url?: string | undefined;
  readonly mesos_role?: string | undefined;
  readonly mesos_user?: string | undefined;
  readonly min_revive_offers_interval?: number | undefined;
  readonly offer_matching_timeout?: number | undefined;
  readonly on_elected_prepare_timeout?: number | undefined;
  readonly reconciliation_initial_delay?: number | undefined;
  readonly reconciliation_interval?: number | undefined;
  readonly scale_apps_initial_delay?: number | undefined;
  readonly scale_apps_interval?: number | undefined;
  readonly store_cache?: boolean | undefined;
  readonly task_launch_confirm_timeout?: number | undefined;
  readonly task_launch_timeout?: number | undefined;
  readonly task_lost_expunge_initial_delay: number;
  readonly task_lost_expunge_interval: number;
  readonly task_reservation_timeout?: number | undefined;
  readonly webui_url?: string | undefined;
}

export interface ZooKeeperConfig {
  readonly zk: string;
  readonly zk_compression?: boolean | undefined;
  readonly zk_compression_threshold?: number | undefined;
  readonly zk_connection_timeout: number;
  readonly zk_max_node_size?: number | undefined;
  readonly zk_max_versions: number;
  readonly zk_session_timeout: number;
  readonly zk_timeout: number;
}

export interface HttpConfig {
  readonly http_port: number;
  readonly https_port: number;
}

export interface MarathonInfo {
  readonly name: string;
  readonly version: string;
  readonly buildref: string;
  readonly elected: boolean;
  readonly leader?: string | undefined;
  readonly frameworkId?: string | undefined;
  readonly marathon_config: MarathonConfig;
  readonly zookeeper_config: ZooKeeperConfig;
  readonly http_config: HttpConfig;
}

export interface AgentInfo {
  readonly host: string;
  readonly agentId?: string | undefined;
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly attributes: readonly AgentAttribute[];
}

export interface InstanceState {
  readonly condition: Condition;
  readonly since: string;
  readonly activeSince?: string | undefined;
  readonly healthy?: boolean | undefined;
  readonly goal: Goal;
}

export interface Instance {
  readonly instanceId: InstanceId;
  readonly state: InstanceState;
  readonly agentInfo?: AgentInfo | undefined;
  readonly runSpecVersion: string;
  readonly unreachableStrategy: UnreachableStrategy;
}

export type KillSelection = 'YOUNGEST_FIRST' | 'OLDEST_FIRST';

export type KVLabels = Readonly<Record<string, string>>;

export interface Seccomp {
  readonly profileName?: string | undefined;
  readonly unconfined: boolean;
}

export type IPCMode = 'PRIVATE' | 'SHARE_PARENT';

export interface IPCInfo {
  readonly mode: IPCMode;
  readonly shmSize?: number | undefined;
}

export interface LinuxInfo {
  readonly seccomp?: Seccomp | undefined;
  readonly ipcInfo?: IPCInfo | undefined;
}

export interface LocalVolumeId {
  readonly runSpecId: PathId;
  readonly containerPath: string;
  readonly uuid: string;
  readonly persistenceId: PersistenceId;
}

export type LoggerLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export type Loggers = Readonly<Record<string, string>>;

export interface LoggerChange {
  readonly level: LoggerLevel;
  readonly logger: string;
  readonly durationSeconds?: number | undefined;
}

export interface ShellCommand {
  readonly shell: string;
}

export interface ArgvCommand {
  readonly argv: readonly string[];
}

export type MesosCommand = ShellCommand | ArgvCommand;

export interface Endpoint {
  readonly name: Name;
  readonly containerPort?: Port | undefined;
  readonly hostPort?: AnyPort | undefined;
  readonly protocol?: readonly Name[] | undefined;
  readonly labels?: KVLabels | undefined;
  readonly networkNames?: readonly Name[] | undefined;
}

export type NetworkMode = 'container' | 'container/bridge' | 'host';

export interface Network {
  readonly name?: NetworkName | undefined;
  readonly mode: NetworkMode;
  readonly labels?: KVLabels | undefined;
}

export interface IpDiscoveryPort {
  readonly number: AnyPort;
  readonly name: LegacyName;
  readonly protocol: NetworkProtocol;
  readonly labels?: KVLabels | undefined;
}

export interface IpDiscovery {
  readonly ports?: readonly IpDiscoveryPort[] | undefined;
}

export interface IpAddress {
  readonly discovery?: IpDiscovery | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly labels?: KVLabels | undefined;
  readonly networkName?: string | undefined;
}

export interface PortDefinition {
  readonly port: AnyPort;
  readonly labels?: KVLabels | undefined;
  readonly name?: LegacyName | undefined;
  readonly protocol: NetworkProtocol;
}

export interface Counter {
  readonly count: number;
}

export interface Gauge {
  readonly value: number;
}

export interface Histogram {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p98: number;
  readonly p99: number;
  readonly p999: number;
  readonly stddev: number;
}

export interface Meter {
  readonly count: number;
  readonly m1_rate: number;
  readonly m5_rate: number;
  readonly m15_rate: number;
  readonly mean_rate: number;
  readonly units: string;
}

export interface Timer {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly p50: number;
  readonly p75: number;
  readonly p95: number;
  readonly p98: number;
  readonly p99: number;
  readonly p999: number;
  readonly stddev: number;
  readonly m1_rate: number;
  readonly m5_rate: number;
  readonly m15_rate: number;
  readonly mean_rate: number;
  readonly duration_units: string;
  readonly rate_units: string;
}

export interface NewMetrics {
  readonly version: string;
  readonly counters: Readonly<Record<string, unknown>>;
  readonly gauges: Readonly<Record<string, unknown>>;
  readonly histograms: Readonly<Record<string, unknown>>;
  readonly meters: Readonly<Record<string, unknown>>;
  readonly timers: Readonly<Record<string, unknown>>;
}

export type Port = number;

export type AnyPort = number;

export interface NumberRange {
  readonly begin: number;
  readonly end: number;
}

export interface OfferResource {
  readonly name: string;
  readonly role: string;
  readonly scalar?: number | undefined;
  readonly ranges?: readonly NumberRange[] | undefined;
  readonly set?: readonly string[] | undefined;
}

export interface AgentAttribute {
  readonly name: string;
  readonly text?: string | undefined;
  readonly scalar?: number | undefined;
  readonly ranges?: readonly NumberRange[] | undefined;
  readonly set?: readonly string[] | undefined;
}

export interface Offer {
  readonly id: string;
  readonly hostname: string;
  readonly agentId: string;
  readonly resources: readonly OfferResource[];
  readonly attributes: readonly AgentAttribute[];
}

export type PodScalingPolicyType = 'fixed';

export type PodScalingPolicy = FixedPodScalingPolicy;

export interface FixedPodScalingPolicy {
  readonly kind: PodScalingPolicyType;
  readonly instances: number;
}

export interface PodSchedulingBackoffStrategy {
  readonly backoff: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelay: number;
}

export interface PodUpgradeStrategy {
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
}

export interface PodPlacementPolicy {
  readonly constraints?: readonly Constraint[] | undefined;
  readonly acceptedResourceRoles?: readonly string[] | undefined;
}

export interface PodSchedulingPolicy {
  readonly backoff?: PodSchedulingBackoffStrategy | undefined;
  readonly upgrade?: PodUpgradeStrategy | undefined;
  readonly placement?: PodPlacementPolicy | undefined;
  readonly killSelection?: KillSelection | undefined;
  readonly unreachableStrategy?: UnreachableStrategy | undefined;
}

export interface Pod {
  readonly id: PathId;
  readonly labels?: KVLabels | undefined;
  readonly version?: string | undefined;
  readonly user?: string | undefined;
  readonly environment?: EnvVars | undefined;
  readonly containers: readonly PodContainer[];
  readonly secrets?: Secrets | undefined;
  readonly volumes?: readonly PodVolume[] | undefined;
  readonly networks?: readonly Network[] | undefined;
  readonly scaling?: PodScalingPolicy | undefined;
  readonly scheduling?: PodSchedulingPolicy | undefined;
  readonly executorResources?: ExecutorResources | undefined;
  readonly role?: string | undefined;
  readonly linuxInfo?: LinuxInfo | undefined;
  readonly legacySharedCgroups?: boolean | undefined;
}

export type ImageType = 'DOCKER';

export interface Image {
  readonly kind: ImageType;
  readonly id: Path;
  readonly pullConfig?: DockerPullConfig | undefined;
  readonly forcePull?: boolean | undefined;
  readonly labels?: KVLabels | undefined;
}

export interface MesosExec {
  readonly command: MesosCommand;
  readonly overrideEntrypoint?: boolean | undefined;
}

export interface Lifecycle {
  readonly killGracePeriodSeconds?: number | undefined;
}

export interface PodContainer {
  readonly name: Name;
  readonly exec?: MesosExec | undefined;
  readonly resources: Resources;
  readonly resourceLimits?: ResourceLimits | undefined;
  readonly endpoints?: readonly Endpoint[] | undefined;
  readonly linuxInfo?: LinuxInfo | undefined;
  readonly image?: Image | undefined;
  readonly environment?: EnvVars | undefined;
  readonly user?: string | undefined;
  readonly healthCheck?: HealthCheck | undefined;
  readonly check?: Check | undefined;
  readonly volumeMounts?: readonly VolumeMount[] | undefined;
  readonly artifacts?: readonly Artifact[] | undefined;
  readonly labels?: KVLabels | undefined;
  readonly lifecycle?: Lifecycle | undefined;
  readonly tty?: boolean | undefined;
}

export interface StatusCondition {
  readonly name: Name;
  readonly lastChanged: string;
  readonly lastUpdated: string;
  readonly value: string;
  readonly reason?: string | undefined;
}

export type ContainerState = string;

export interface ContainerEndpointStatus {
  readonly name: Name;
  readonly allocatedHostPort?: Port | undefined;
  readonly healthy?: boolean | undefined;
}

export interface ContainerTerminationState {
  readonly exitCode?: number | undefined;
  readonly message?: string | undefined;
}

export interface ContainerStatus {
  readonly name: Name;
  readonly status: ContainerState;
  readonly statusSince: string;
  readonly message?: string | undefined;
  readonly conditions: readonly StatusCondition[];
  readonly containerId?: string | undefined;
  readonly endpoints: readonly ContainerEndpointStatus[];
  readonly resources?: Resources | undefined;
  readonly termination?: ContainerTerminationState | undefined;
  readonly lastUpdated: string;
  readonly lastChanged: string;
}

export type PodState = 'DEGRADED' | 'STABLE' | 'TERMINAL';

export interface NetworkStatus {
  readonly name?: Name | undefined;
  readonly addresses: readonly string[];
}

export type PodInstanceState = 'PENDING' | 'STAGING' | 'STABLE' | 'DEGRADED' | 'TERMINAL';

export interface PodInstanceStatus {
  readonly id: string;
  readonly status: PodInstanceState;
  readonly statusSince: string;
  readonly message?: string | undefined;
  readonly conditions: readonly StatusCondition[];
  readonly agentHostname?: string | undefined;
  readonly agentId?: string | undefined;
  readonly agentRegion?: string | undefined;
  readonly agentZone?: string | undefined;
  readonly resources?: Resources | undefined;
  readonly networks: readonly NetworkStatus[];
  readonly containers: readonly ContainerStatus[];
  readonly specReference?: Uri | undefined;
  readonly localVolumes: readonly LocalVolumeId[];
  readonly lastUpdated: string;
  readonly lastChanged: string;
  readonly role: string;
}

export interface ContainerTerminationHistory {
  readonly containerId: string;
  readonly lastKnownState?: ContainerState | undefined;
  readonly termination?: ContainerTerminationState | undefined;
}

export interface TerminationHistory {
  readonly instanceID: string;
  readonly startedAt: string;
  readonly terminatedAt: string;
  readonly message?: string | undefined;
  readonly containers: readonly ContainerTerminationHistory[];
}

export interface PodStatus {
  readonly id: PathId;
  readonly spec: Pod;
  readonly status: PodState;
  readonly statusSince: string;
  readonly message?: string | undefined;
  readonly instances: readonly PodInstanceStatus[];
  readonly terminationHistory: readonly TerminationHistory[];
  readonly lastUpdated: string;
  readonly lastChanged: string;
}

export interface UnusedOffer {
  readonly offer: Offer;
  readonly reason: readonly string[];
  readonly timestamp: string;
}

export interface DeclinedOfferStep {
  readonly reason: string;
  readonly declined: number;
  readonly processed: number;
}

export interface ProcessedOffersSummary {
  readonly processedOffersCount: number;
  readonly unusedOffersCount: number;
  readonly lastUnusedOfferAt?: string | undefined;
  readonly lastUsedOfferAt?: string | undefined;
  readonly rejectSummaryLastOffers: readonly DeclinedOfferStep[];
  readonly rejectSummaryLaunchAttempt: readonly DeclinedOfferStep[];
}

export interface QueueDelay {
  readonly timeLeftSeconds: number;
  readonly overdue: boolean;
}

export interface QueueObject {
  readonly count: number;
  readonly role: string;
  readonly delay: QueueDelay;
  readonly since: string;
  readonly processedOffersSummary: ProcessedOffersSummary;
  readonly lastUnusedOffers?: readonly UnusedOffer[] | undefined;
}

export interface QueueApp extends QueueObject {
  readonly app: App;
}

export interface QueuePod extends QueueObject {
  readonly pod: Pod;
}

export type QueueItem = QueueApp | QueuePod;

export interface Queue {
  readonly queue: readonly QueueItem[];
}

export interface ReadinessCheck {
  readonly name: string;
  readonly protocol: HttpScheme;
  readonly path: Path;
  readonly portName: LegacyName;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady?: readonly number[] | undefined;
  readonly preserveLastResponse: boolean;
}

export interface ReadinessCheckHttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface TaskReadinessCheckResult {
  readonly name: string;
  readonly taskId: InstanceId;
  readonly ready: boolean;
  readonly lastResponse?: ReadinessCheckHttpResponse | undefined;
}

export interface Resources {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
}

export interface ExecutorResources {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
}

export type ResourceLimit = ResourceLimitUnlimited | ResourceLimitNumber;

export type ResourceLimitUnlimited = 'unlimited';

export type ResourceLimitNumber = number;

export interface ResourceLimits {
  readonly cpus?: ResourceLimit | undefined;
  readonly mem?: ResourceLimit | undefined;
}

export interface RuntimeConfiguration {
  readonly backup?: string | undefined;
  readonly restore?: string | undefined;
}

export interface SecretDef {
  readonly source: string;
}

export type Secrets = Readonly<Record<string, SecretDef>>;

export type InstanceId = string;

export type Name = string;

export type NetworkName = string;

export type LegacyName = string;

export type PathId = string;

export type Uri = string;

export type Path = string;

export type HttpScheme = 'HTTP' | 'HTTPS';

export type IpProtocol = 'IPv4' | 'IPv6';

export type PersistenceId = string;

export type ReadMode = 'RO' | 'RW';

export type NetworkProtocol = 'tcp' | 'udp' | 'udp,tcp';

export type TaskLostBehavior = 'WAIT_FOREVER' | 'RELAUNCH_AFTER_TIMEOUT';

export type MesosTaskState =
  | 'TASK_ERROR'
  | 'TASK_FAILED'
  | 'TASK_FINISHED'
  | 'TASK_KILLED'
  | 'TASK_KILLING'
  | 'TASK_RUNNING'
  | 'TASK_STAGING'
  | 'TASK_STARTING'
  | 'TASK_UNREACHABLE'
  | 'TASK_UNKNOWN'
  | 'TASK_GONE'
  | 'TASK_DROPPED';

export type Condition =
  | 'Error'
  | 'Failed'
  | 'Finished'
  | 'Killed'
  | 'Killing'
  | 'Running'
  | 'Staging'
  | 'Starting'
  | 'Unreachable'
  | 'UnreachableInactive'
  | 'Gone'
  | 'Dropped'
  | 'Unknown';

export type Goal = 'Running' | 'Stopped' | 'Decommissioned';

export interface Message {
  readonly message: string;
}

export interface Identifiable {
  readonly id: string;
}

export interface NetworkInfoIPAddress {
  readonly ipAddress: string;
  readonly protocol: IpProtocol;
}

export interface NetworkInfo {
  readonly hostName: string;
  readonly hostPorts: readonly number[];
  readonly ipAddresses: readonly NetworkInfoIPAddress[];
}

export interface Status {
  readonly stagedAt: string;
  readonly startedAt?: string | undefined;
  readonly mesosStatus?: string | undefined;
  readonly condition: Condition;
  readonly networkInfo: NetworkInfo;
}

export interface IpAddr {
  readonly ipAddress: string;
  readonly protocol: IpProtocol;
}

export interface Task {
  readonly appId: PathId;
  readonly healthCheckResults: readonly Health[];
  readonly checkResult?: CheckStatus | undefined;
  readonly host: string;
  readonly id: string;
  readonly ipAddresses: readonly IpAddr[];
  readonly ports: readonly Port[];
  readonly servicePorts: readonly Port[];
  readonly slaveId?: string | undefined;
  readonly state: MesosTaskState;
  readonly stagedAt?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly version?: string | undefined;
  readonly localVolumes: readonly LocalVolumeId[];
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly role: string;
}

export interface TaskSingle {
  readonly task: Task;
}

export interface TaskList {
  readonly tasks: readonly Task[];
}

export type TaskStatusCondition = 'running' | 'staging';

export interface TaskFailure {
  readonly appId: PathId;
  readonly host: string;
  readonly message: string;
  readonly state: string;
  readonly taskId: string;
  readonly timestamp: string;
  readonly version: string;
  readonly slaveId?: string | undefined;
}

export interface TaskCounts {
  readonly staged: number;
  readonly running: number;
  readonly healthy: number;
  readonly unhealthy: number;
}

export interface TaskLifeTime {
  readonly averageSeconds: number;
  readonly medianSeconds: number;
}

export interface TaskStats {
  readonly counts: TaskCounts;
  readonly lifeTime?: TaskLifeTime | undefined;
}

export interface Stats {
  readonly stats: TaskStats;
}

export interface TaskStatsByVersion {
  readonly startedAfterLastScaling?: Stats | undefined;
  readonly withLatestConfig?: Stats | undefined;
  readonly withOutdatedConfig?: Stats | undefined;
  readonly totalSummary?: Stats | undefined;
}

export type UnreachableStrategy = UnreachableDisabled | UnreachableEnabled;

export type UnreachableDisabled = 'disabled';

export interface UnreachableEnabled {
  readonly inactiveAfterSeconds: number;
  readonly expungeAfterSeconds: number;
}

export interface VersionInfo {
  readonly lastScalingAt: string;
  readonly lastConfigChangeAt: string;
}

export interface CSICapability {
  readonly accessMode:
    | 'SINGLE_NODE_WRITER'
    | 'SINGLE_NODE_READER_ONLY'
    | 'MULTI_NODE_READER_ONLY'
    | 'MULTI_NODE_SINGLE_WRITER'
    | 'MULTI_NODE_MULTI_WRITER';
  readonly accessType: 'block' | 'mount';
  readonly fsType?: string | undefined;
  readonly mountFlags?: readonly string[] | undefined;
}

export interface CSIExternalVolumeInfoOptions {
  readonly pluginName: string;
  readonly capability: CSICapability;
  readonly nodeStageSecret?: KVLabels | undefined;
  readonly nodePublishSecret?: KVLabels | undefined;
  readonly volumeContext?: KVLabels | undefined;
}

export interface CSIExternalVolumeInfo {
  readonly name: string;
  readonly provider: 'csi';
  readonly options: CSIExternalVolumeInfoOptions;
}

export interface DVDIExternalVolumeInfo {
  readonly size?: number | undefined;
  readonly name?: string | undefined;
  readonly provider?: string | undefined;
  readonly options?: KVLabels | undefined;
  readonly shared: boolean;
}

export type PersistentVolumeType = 'root' | 'path' | 'mount';

export interface PersistentVolumeInfo {
  readonly type?: PersistentVolumeType | undefined;
  readonly size: number;
  readonly maxSize?: number | undefined;
  readonly profileName?: string | undefined;
  readonly constraints: readonly VolumeConstraint[];
}

export interface PodEphemeralVolume {
  readonly name: Name;
}

export type ExternalVolumeInfo = DVDIExternalVolumeInfo | CSIExternalVolumeInfo;

export interface AppExternalVolume {
  readonly containerPath: string;
  readonly external: ExternalVolumeInfo;
  readonly mode: ReadMode;
}

export interface AppHostVolume {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly mode: ReadMode;
}

export interface PodHostVolume {
  readonly name: Name;
  readonly host: string;
}

export interface AppPersistentVolume {
  readonly containerPath: string;
  readonly persistent: PersistentVolumeInfo;
  readonly mode: ReadMode;
}

export interface PodPersistentVolume {
  readonly name: string;
  readonly persistent: PersistentVolumeInfo;
}

export interface AppSecretVolume {
  readonly containerPath: string;
  readonly secret: string;
}

export interface PodSecretVolume {
  readonly name: string;
  readonly secret: string;
}

export interface VolumeMount {
  readonly name: Name;
  readonly mountPath: Path;
  readonly readOnly?: boolean | undefined;
}

export type AppVolume = AppPersistentVolume | AppExternalVolume | AppSecretVolume | AppHostVolume;

export type PodVolume = PodPersistentVolume | PodSecretVolume | PodHostVolume | PodEphemeralVolume;

/** The types by their RAML names, for the reader and the writer. */
export interface RamlTypes {
  readonly AppResidency: AppResidency;
  readonly UpgradeStrategy: UpgradeStrategy;
  readonly App: App;
  readonly AppUpdate: AppUpdate;
  readonly AppList: AppList;
  readonly VersionList: VersionList;
  readonly AppInfo: AppInfo;
  readonly EngineType: EngineType;
  readonly DockerCredentials: DockerCredentials;
  readonly DockerNetwork: DockerNetwork;
  readonly DockerParameter: DockerParameter;
  readonly ContainerPortMapping: ContainerPortMapping;
  readonly DockerContainer: DockerContainer;
  readonly Container: Container;
  readonly Artifact: Artifact;
  readonly HttpCheck: HttpCheck;
  readonly TcpCheck: TcpCheck;
  readonly CommandCheck: CommandCheck;
  readonly AppHttpCheck: AppHttpCheck;
  readonly AppTcpCheck: AppTcpCheck;
  readonly Check: Check;
  readonly AppCheck: AppCheck;
  readonly HttpCheckStatus: HttpCheckStatus;
  readonly TCPCheckStatus: TCPCheckStatus;
  readonly CommandCheckStatus: CommandCheckStatus;
  readonly CheckStatus: CheckStatus;
  readonly ConstraintOperator: ConstraintOperator;
  readonly Constraint: Constraint;
  readonly AppConstraint: AppConstraint;
  readonly VolumeConstraint: VolumeConstraint;
  readonly DeleteTasks: DeleteTasks;
  readonly DeploymentActionName: DeploymentActionName;
  readonly DeploymentAction: DeploymentAction;
  readonly DeploymentActionInfo: DeploymentActionInfo;
  readonly DeploymentStepInfo: DeploymentStepInfo;
  readonly DeploymentPlan: DeploymentPlan;
  readonly DeploymentResult: DeploymentResult;
  readonly DeploymentSteps: DeploymentSteps;
  readonly DeploymentStep: DeploymentStep;
  readonly DockerPullConfig: DockerPullConfig;
  readonly EnvVarValue: EnvVarValue;
  readonly EnvVarSecret: EnvVarSecret;
  readonly EnvVarValueOrSecret: EnvVarValueOrSecret;
  readonly EnvVars: EnvVars;
  readonly LegacyEnvVars: LegacyEnvVars;
  readonly ErrorDetail: ErrorDetail;
  readonly Error: ErrorBody;
  readonly GroupInfo: GroupInfo;
  readonly GroupUpdate: GroupUpdate;
  readonly GroupPartialUpdate: GroupPartialUpdate;
  readonly HealthCheck: HealthCheck;
  readonly AppHealthCheckProtocol: AppHealthCheckProtocol;
  readonly AppCommandCheck: AppCommandCheck;
  readonly AppHealthCheck: AppHealthCheck;
  readonly Health: Health;
  readonly LeaderInfo: LeaderInfo;
  readonly MarathonConfig: MarathonConfig;
  readonly ZooKeeperConfig: ZooKeeperConfig;
  readonly HttpConfig: HttpConfig;
  readonly MarathonInfo: MarathonInfo;
  readonly AgentInfo: AgentInfo;
  readonly InstanceState: InstanceState;
  readonly Instance: Instance;
  readonly KillSelection: KillSelection;
  readonly KVLabels: KVLabels;
  readonly Seccomp: Seccomp;
  readonly IPCMode: IPCMode;
  readonly IPCInfo: IPCInfo;
  readonly LinuxInfo: LinuxInfo;
  readonly LocalVolumeId: LocalVolumeId;
  readonly LoggerLevel: LoggerLevel;
  readonly Loggers: Loggers;
  readonly LoggerChange: LoggerChange;
  readonly ShellCommand: ShellCommand;
  readonly ArgvCommand: ArgvCommand;
  readonly MesosCommand: MesosCommand;
  readonly Endpoint: Endpoint;
  readonly NetworkMode: NetworkMode;
  readonly Network: Network;
  readonly IpDiscoveryPort: IpDiscoveryPort;
  readonly IpDiscovery: IpDiscovery;
  readonly IpAddress: IpAddress;
  readonly PortDefinition: PortDefinition;
  readonly Counter: Counter;
  readonly Gauge: Gauge;
  readonly Histogram: Histogram;
  readonly Meter: Meter;
  readonly Timer: Timer;
  readonly NewMetrics: NewMetrics;
  readonly Port: Port;
  readonly AnyPort: AnyPort;
  readonly NumberRange: NumberRange;
  readonly OfferResource: OfferResource;
  readonly AgentAttribute: AgentAttribute;
  readonly Offer: Offer;
  readonly PodScalingPolicyType: PodScalingPolicyType;
  readonly PodScalingPolicy: PodScalingPolicy;
  readonly FixedPodScalingPolicy: FixedPodScalingPolicy;
  readonly PodSchedulingBackoffStrategy: PodSchedulingBackoffStrategy;
  readonly PodUpgradeStrategy: PodUpgradeStrategy;
  readonly PodPlacementPolicy: PodPlacementPolicy;
  readonly PodSchedulingPolicy: PodSchedulingPolicy;
  readonly Pod: Pod;
  readonly ImageType: ImageType;
  readonly Image: Image;
  readonly MesosExec: MesosExec;
  readonly Lifecycle: Lifecycle;
  readonly PodContainer: PodContainer;
  readonly StatusCondition: StatusCondition;
  readonly ContainerState: ContainerState;
  readonly ContainerEndpointStatus: ContainerEndpointStatus;
  readonly ContainerTerminationState: ContainerTerminationState;
  readonly ContainerStatus: ContainerStatus;
  readonly PodState: PodState;
  readonly NetworkStatus: NetworkStatus;
  readonly PodInstanceState: PodInstanceState;
  readonly PodInstanceStatus: PodInstanceStatus;
  readonly ContainerTerminationHistory: ContainerTerminationHistory;
  readonly TerminationHistory: TerminationHistory;
  readonly PodStatus: PodStatus;
  readonly UnusedOffer: UnusedOffer;
  readonly DeclinedOfferStep: DeclinedOfferStep;
  readonly ProcessedOffersSummary: ProcessedOffersSummary;
  readonly QueueDelay: QueueDelay;
  readonly QueueObject: QueueObject;
  readonly QueueApp: QueueApp;
  readonly QueuePod: QueuePod;
  readonly QueueItem: QueueItem;
  readonly Queue: Queue;
  readonly ReadinessCheck: ReadinessCheck;
  readonly ReadinessCheckHttpResponse: ReadinessCheckHttpResponse;
  readonly TaskReadinessCheckResult: TaskReadinessCheckResult;
  readonly Resources: Resources;
  readonly ExecutorResources: ExecutorResources;
  readonly ResourceLimit: ResourceLimit;
  readonly ResourceLimitUnlimited: ResourceLimitUnlimited;
  readonly ResourceLimitNumber: ResourceLimitNumber;
  readonly ResourceLimits: ResourceLimits;
  readonly RuntimeConfiguration: RuntimeConfiguration;
  readonly SecretDef: SecretDef;
  readonly Secrets: Secrets;
  readonly InstanceId: InstanceId;
  readonly Name: Name;
  readonly NetworkName: NetworkName;
  readonly LegacyName: LegacyName;
  readonly PathId: PathId;
  readonly Uri: Uri;
  readonly Path: Path;
  readonly HttpScheme: HttpScheme;
  readonly IpProtocol: IpProtocol;
  readonly PersistenceId: PersistenceId;
  readonly ReadMode: ReadMode;
  readonly NetworkProtocol: NetworkProtocol;
  readonly TaskLostBehavior: TaskLostBehavior;
  readonly MesosTaskState: MesosTaskState;
  readonly Condition: Condition;
  readonly Goal: Goal;
  readonly Message: Message;
  readonly Identifiable: Identifiable;
  readonly NetworkInfoIPAddress: NetworkInfoIPAddress;
  readonly NetworkInfo: NetworkInfo;
  readonly Status: Status;
  readonly IpAddr: IpAddr;
  readonly Task: Task;
  readonly TaskSingle: TaskSingle;
  readonly TaskList: TaskList;
  readonly TaskStatusCondition: TaskStatusCondition;
  readonly TaskFailure: TaskFailure;
  readonly TaskCounts: TaskCounts;
  readonly TaskLifeTime: TaskLifeTime;
  readonly TaskStats: TaskStats;
  readonly Stats: Stats;
  readonly TaskStatsByVersion: TaskStatsByVersion;
  readonly UnreachableStrategy: UnreachableStrategy;
  readonly UnreachableDisabled: UnreachableDisabled;
  readonly UnreachableEnabled: UnreachableEnabled;
  readonly VersionInfo: VersionInfo;
  readonly CSICapability: CSICapability;
  readonly CSIExternalVolumeInfoOptions: CSIExternalVolumeInfoOptions;
  readonly CSIExternalVolumeInfo: CSIExternalVolumeInfo;
  readonly DVDIExternalVolumeInfo: DVDIExternalVolumeInfo;
  readonly PersistentVolumeType: PersistentVolumeType;
  readonly PersistentVolumeInfo: PersistentVolumeInfo;
  readonly PodEphemeralVolume: PodEphemeralVolume;
  readonly ExternalVolumeInfo: ExternalVolumeInfo;
  readonly AppExternalVolume: AppExternalVolume;
  readonly AppHostVolume: AppHostVolume;
  readonly PodHostVolume: PodHostVolume;
  readonly AppPersistentVolume: AppPersistentVolume;
  readonly PodPersistentVolume: PodPersistentVolume;
  readonly AppSecretVolume: AppSecretVolume;
  readonly PodSecretVolume: PodSecretVolume;
  readonly VolumeMount: VolumeMount;
  readonly AppVolume: AppVolume;
  readonly PodVolume: PodVolume;
}
