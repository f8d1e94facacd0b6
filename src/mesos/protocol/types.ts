// Derived by tools/derive-mesos-types.ts from facts/messages.json. Edit those, not this.

export interface FrameworkID {
  readonly value: string;
}

export interface OfferID {
  readonly value: string;
}

export interface AgentID {
  readonly value: string;
}

export interface TaskID {
  readonly value: string;
}

export interface ExecutorID {
  readonly value: string;
}

export interface ContainerID {
  readonly value: string;
  readonly parent?: ContainerID | undefined;
}

export interface ResourceProviderID {
  readonly value: string;
}

export interface OperationID {
  readonly value: string;
}

export interface TimeInfo {
  readonly nanoseconds: number;
}

export interface DurationInfo {
  readonly nanoseconds: number;
}

export interface Address {
  readonly hostname?: string | undefined;
  readonly ip?: string | undefined;
  readonly port: number;
}

export interface URL {
  readonly scheme: string;
  readonly address: Address;
  readonly path?: string | undefined;
  readonly query?: readonly Parameter[] | undefined;
  readonly fragment?: string | undefined;
}

export interface Unavailability {
  readonly start: TimeInfo;
  readonly duration?: DurationInfo | undefined;
}

export interface MachineID {
  readonly hostname?: string | undefined;
  readonly ip?: string | undefined;
}

export interface MachineInfo {
  readonly id: MachineID;
  readonly mode?: MachineInfoMode | undefined;
  readonly unavailability?: Unavailability | undefined;
}

export interface FrameworkInfo {
  readonly user: string;
  readonly name: string;
  readonly id?: FrameworkID | undefined;
  readonly failover_timeout?: number | undefined;
  readonly checkpoint?: boolean | undefined;
  readonly role?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly hostname?: string | undefined;
  readonly principal?: string | undefined;
  readonly webui_url?: string | undefined;
  readonly capabilities?: readonly FrameworkInfoCapability[] | undefined;
  readonly labels?: Labels | undefined;
  readonly offer_filters?: Readonly<Record<string, OfferFilters>> | undefined;
}

export interface FrameworkInfoCapability {
  readonly type?: FrameworkInfoCapabilityType | undefined;
}

export interface CheckInfo {
  readonly type?: CheckInfoType | undefined;
  readonly command?: CheckInfoCommand | undefined;
  readonly http?: CheckInfoHttp | undefined;
  readonly tcp?: CheckInfoTcp | undefined;
  readonly delay_seconds?: number | undefined;
  readonly interval_seconds?: number | undefined;
  readonly timeout_seconds?: number | undefined;
}

export interface CheckInfoCommand {
  readonly command: CommandInfo;
}

export interface CheckInfoHttp {
  readonly port: number;
  readonly path?: string | undefined;
}

export interface CheckInfoTcp {
  readonly port: number;
}

export interface HealthCheck {
  readonly delay_seconds?: number | undefined;
  readonly interval_seconds?: number | undefined;
  readonly timeout_seconds?: number | undefined;
  readonly consecutive_failures?: number | undefined;
  readonly grace_period_seconds?: number | undefined;
  readonly type?: HealthCheckType | undefined;
  readonly command?: CommandInfo | undefined;
  readonly http?: HealthCheckHTTPCheckInfo | undefined;
  readonly tcp?: HealthCheckTCPCheckInfo | undefined;
}

export interface HealthCheckHTTPCheckInfo {
  readonly protocol?: NetworkInfoProtocol | undefined;
  readonly scheme?: string | undefined;
  readonly port: number;
  readonly path?: string | undefined;
  readonly statuses?: readonly number[] | undefined;
}

export interface HealthCheckTCPCheckInfo {
  readonly protocol?: NetworkInfoProtocol | undefined;
  readonly port: number;
}

export interface KillPolicy {
  readonly grace_period?: DurationInfo | undefined;
}

export interface CommandInfo {
  readonly uris?: readonly CommandInfoURI[] | undefined;
  readonly environment?: Environment | undefined;
  readonly shell?: boolean | undefined;
  readonly value?: string | undefined;
  readonly arguments?: readonly string[] | undefined;
  readonly user?: string | undefined;
}

export interface CommandInfoURI {
  readonly value: string;
  readonly executable?: boolean | undefined;
  readonly extract?: boolean | undefined;
  readonly cache?: boolean | undefined;
  readonly output_file?: string | undefined;
}

export interface ExecutorInfo {
  readonly type?: ExecutorInfoType | undefined;
  readonly executor_id: ExecutorID;
  readonly framework_id?: FrameworkID | undefined;
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly name?: string | undefined;
  readonly source?: string | undefined;
  readonly data?: string | undefined;
  readonly discovery?: DiscoveryInfo | undefined;
  readonly shutdown_grace_period?: DurationInfo | undefined;
  readonly labels?: Labels | undefined;
}

export interface DomainInfo {
  readonly fault_domain?: DomainInfoFaultDomain | undefined;
}

export interface DomainInfoFaultDomain {
  readonly region: DomainInfoFaultDomainRegionInfo;
  readonly zone: DomainInfoFaultDomainZoneInfo;
}

export interface DomainInfoFaultDomainRegionInfo {
  readonly name: string;
}

export interface DomainInfoFaultDomainZoneInfo {
  readonly name: string;
}

export interface MasterInfo {
  readonly id: string;
  readonly ip: number;
  readonly port: number;
  readonly pid?: string | undefined;
  readonly hostname?: string | undefined;
  readonly version?: string | undefined;
  readonly address?: Address | undefined;
  readonly domain?: DomainInfo | undefined;
  readonly capabilities?: readonly MasterInfoCapability[] | undefined;
}

export interface MasterInfoCapability {
  readonly type?: MasterInfoCapabilityType | undefined;
}

export interface AgentInfo {
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly attributes?: readonly Attribute[] | undefined;
  readonly id?: AgentID | undefined;
  readonly domain?: DomainInfo | undefined;
}

export interface AgentInfoCapability {
  readonly type?: AgentInfoCapabilityType | undefined;
}

export interface CSIPluginContainerInfo {
  readonly services?: readonly CSIPluginContainerInfoService[] | undefined;
  readonly command?: CommandInfo | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly container?: ContainerInfo | undefined;
}

export interface CSIPluginEndpoint {
  readonly csi_service: CSIPluginContainerInfoService;
  readonly endpoint: string;
}

export interface CSIPluginInfo {
  readonly type: string;
  readonly name?: string | undefined;
  readonly containers?: readonly CSIPluginContainerInfo[] | undefined;
  readonly endpoints?: readonly CSIPluginEndpoint[] | undefined;
  readonly target_path_root?: string | undefined;
  readonly target_path_exists?: boolean | undefined;
}

export interface ResourceProviderInfo {
  readonly id?: ResourceProviderID | undefined;
  readonly attributes?: readonly Attribute[] | undefined;
  readonly type: string;
  readonly name: string;
  readonly default_reservations?: readonly ResourceReservationInfo[] | undefined;
  readonly storage?: ResourceProviderInfoStorage | undefined;
}

export interface ResourceProviderInfoStorage {
  readonly plugin: CSIPluginInfo;
  readonly reconciliation_interval_seconds?: number | undefined;
}

export interface Value {
  readonly type: ValueType;
  readonly scalar?: ValueScalar | undefined;
  readonly ranges?: ValueRanges | undefined;
  readonly set?: ValueSet | undefined;
  readonly text?: ValueText | undefined;
}

export interface ValueScalar {
  readonly value: number;
}

export interface ValueRange {
  readonly begin: number;
  readonly end: number;
}

export interface ValueRanges {
  readonly range?: readonly ValueRange[] | undefined;
}

export interface ValueSet {
  readonly item?: readonly string[] | undefined;
}

export interface ValueText {
  readonly value: string;
}

export interface Attribute {
  readonly name: string;
  readonly type: ValueType;
  readonly scalar?: ValueScalar | undefined;
  readonly ranges?: ValueRanges | undefined;
  readonly set?: ValueSet | undefined;
  readonly text?: ValueText | undefined;
}

export interface Resource {
  readonly provider_id?: ResourceProviderID | undefined;
  readonly name: string;
  readonly type: ValueType;
  readonly scalar?: ValueScalar | undefined;
  readonly ranges?: ValueRanges | undefined;
  readonly set?: ValueSet | undefined;
  readonly role?: string | undefined;
  readonly allocation_info?: ResourceAllocationInfo | undefined;
  readonly reservation?: ResourceReservationInfo | undefined;
  readonly reservations?: readonly ResourceReservationInfo[] | undefined;
  readonly disk?: ResourceDiskInfo | undefined;
  readonly revocable?: ResourceRevocableInfo | undefined;
  readonly shared?: ResourceSharedInfo | undefined;
}

export interface ResourceAllocationInfo {
  readonly role?: string | undefined;
}

export interface ResourceReservationInfo {
  readonly type?: ResourceReservationInfoType | undefined;
  readonly role?: string | undefined;
  readonly principal?: string | undefined;
  readonly labels?: Labels | undefined;
}

export interface ResourceDiskInfo {
  readonly persistence?: ResourceDiskInfoPersistence | undefined;
  readonly volume?: Volume | undefined;
  readonly source?: ResourceDiskInfoSource | undefined;
}

export interface ResourceDiskInfoPersistence {
  readonly id: string;
  readonly principal?: string | undefined;
}

export interface ResourceDiskInfoSource {
  readonly type: ResourceDiskInfoSourceType;
  readonly path?: ResourceDiskInfoSourcePath | undefined;
  readonly mount?: ResourceDiskInfoSourceMount | undefined;
  readonly vendor?: string | undefined;
  readonly id?: string | undefined;
  readonly metadata?: Labels | undefined;
  readonly profile?: string | undefined;
}

export interface ResourceDiskInfoSourcePath {
  readonly root?: string | undefined;
}

export interface ResourceDiskInfoSourceMount {
  readonly root?: string | undefined;
}

export type ResourceRevocableInfo = Readonly<Record<string, never>>;

export type ResourceSharedInfo = Readonly<Record<string, never>>;

export interface TrafficControlStatistics {
  readonly id: string;
  readonly backlog?: number | undefined;
  readonly bytes?: number | undefined;
  readonly drops?: number | undefined;
  readonly overlimits?: number | undefined;
  readonly packets?: number | undefined;
  readonly qlen?: number | undefined;
  readonly ratebps?: number | undefined;
  readonly ratepps?: number | undefined;
  readonly requeues?: number | undefined;
}

export interface IpStatistics {
  readonly Forwarding?: number | undefined;
  readonly DefaultTTL?: number | undefined;
  readonly InReceives?: number | undefined;
  readonly InHdrErrors?: number | undefined;
  readonly InAddrErrors?: number | undefined;
  readonly ForwDatagrams?: number | undefined;
  readonly InUnknownProtos?: number | undefined;
  readonly InDiscards?: number | undefined;
  readonly InDelivers?: number | undefined;
  readonly OutRequests?: number | undefined;
  readonly OutDiscards?: number | undefined;
  readonly OutNoRoutes?: number | undefined;
  readonly ReasmTimeout?: number | undefined;
  readonly ReasmReqds?: number | undefined;
  readonly ReasmOKs?: number | undefined;
  readonly ReasmFails?: number | undefined;
  readonly FragOKs?: number | undefined;
  readonly FragFails?: number | undefined;
  readonly FragCreates?: number | undefined;
}

export interface IcmpStatistics {
  readonly InMsgs?: number | undefined;
  readonly InErrors?: number | undefined;
  readonly InCsumErrors?: number | undefined;
  readonly InDestUnreachs?: number | undefined;
  readonly InTimeExcds?: number | undefined;
  readonly InParmProbs?: number | undefined;
  readonly InSrcQuenchs?: number | undefined;
  readonly InRedirects?: number | undefined;
  readonly InEchos?: number | undefined;
  readonly InEchoReps?: number | undefined;
  readonly InTimestamps?: number | undefined;
  readonly InTimestampReps?: number | undefined;
  readonly InAddrMasks?: number | undefined;
  readonly InAddrMaskReps?: number | undefined;
  readonly OutMsgs?: number | undefined;
  readonly OutErrors?: number | undefined;
  readonly OutDestUnreachs?: number | undefined;
  readonly OutTimeExcds?: number | undefined;
  readonly OutParmProbs?: number | undefined;
  readonly OutSrcQuenchs?: number | undefined;
  readonly OutRedirects?: number | undefined;
  readonly OutEchos?: number | undefined;
  readonly OutEchoReps?: number | undefined;
  readonly OutTimestamps?: number | undefined;
  readonly OutTimestampReps?: number | undefined;
  readonly OutAddrMasks?: number | undefined;
  readonly OutAddrMaskReps?: number | undefined;
}

export interface TcpStatistics {
  readonly RtoAlgorithm?: number | undefined;
  readonly RtoMin?: number | undefined;
  readonly RtoMax?: number | undefined;
  readonly MaxConn?: number | undefined;
  readonly ActiveOpens?: number | undefined;
  readonly PassiveOpens?: number | undefined;
  readonly AttemptFails?: number | undefined;
  readonly EstabResets?: number | undefined;
  readonly CurrEstab?: number | undefined;
  readonly InSegs?: number | undefined;
  readonly OutSegs?: number | undefined;
  readonly RetransSegs?: number | undefined;
  readonly InErrs?: number | undefined;
  readonly OutRsts?: number | undefined;
  readonly InCsumErrors?: number | undefined;
}

export interface UdpStatistics {
  readonly InDatagrams?: number | undefined;
  readonly NoPorts?: number | undefined;
  readonly InErrors?: number | undefined;
  readonly OutDatagrams?: number | undefined;
  readonly RcvbufErrors?: number | undefined;
  readonly SndbufErrors?: number | undefined;
  readonly InCsumErrors?: number | undefined;
  readonly IgnoredMulti?: number | undefined;
}

export interface SNMPStatistics {
  readonly ip_stats?: IpStatistics | undefined;
  readonly icmp_stats?: IcmpStatistics | undefined;
  readonly tcp_stats?: TcpStatistics | undefined;
  readonly udp_stats?: UdpStatistics | undefined;
}

export interface DiskStatistics {
  readonly source?: ResourceDiskInfoSource | undefined;
  readonly persistence?: ResourceDiskInfoPersistence | undefined;
  readonly limit_bytes?: number | undefined;
  readonly used_bytes?: number | undefined;
}

export interface ResourceStatistics {
  readonly timestamp: number;
  readonly processes?: number | undefined;
  readonly threads?: number | undefined;
  readonly cpus_user_time_secs?: number | undefined;
  readonly cpus_system_time_secs?: number | undefined;
  readonly cpus_limit?: number | undefined;
  readonly cpus_soft_limit?: number | undefined;
  readonly cpus_nr_periods?: number | undefined;
  readonly cpus_nr_throttled?: number | undefined;
  readonly cpus_throttled_time_secs?: number | undefined;
  readonly mem_total_bytes?: number | undefined;
  readonly mem_total_memsw_bytes?: number | undefined;
  readonly mem_kmem_usage_bytes?: number | undefined;
  readonly mem_kmem_tcp_usage_bytes?: number | undefined;
  readonly mem_limit_bytes?: number | undefined;
  readonly mem_soft_limit_bytes?: number | undefined;
  readonly mem_file_bytes?: number | undefined;
  readonly mem_anon_bytes?: number | undefined;
  readonly mem_cache_bytes?: number | undefined;
  readonly mem_rss_bytes?: number | undefined;
  readonly mem_mapped_file_bytes?: number | undefined;
  readonly mem_swap_bytes?: number | undefined;
  readonly mem_unevictable_bytes?: number | undefined;
  readonly mem_low_pressure_counter?: number | undefined;
  readonly mem_medium_pressure_counter?: number | undefined;
  readonly mem_critical_pressure_counter?: number | undefined;
  readonly disk_limit_bytes?: number | undefined;
  readonly disk_used_bytes?: number | undefined;
  readonly disk_statistics?: readonly DiskStatistics[] | undefined;
  readonly blkio_statistics?: CgroupInfoBlkioStatistics | undefined;
  readonly perf?: PerfStatistics | undefined;
  readonly net_rx_packets?: number | undefined;
  readonly net_rx_bytes?: number | undefined;
  readonly net_rx_errors?: number | undefined;
  readonly net_rx_dropped?: number | undefined;
  readonly net_tx_packets?: number | undefined;
  readonly net_tx_bytes?: number | undefined;
  readonly net_tx_errors?: number | undefined;
  readonly net_tx_dropped?: number | undefined;
  readonly net_tx_rate_limit?: number | undefined;
  readonly net_tx_burst_rate_limit?: number | undefined;
  readonly net_tx_burst_size?: number | undefined;
  readonly net_rx_rate_limit?: number | undefined;
  readonly net_rx_burst_rate_limit?: number | undefined;
  readonly net_rx_burst_size?: number | undefined;
  readonly net_rate_statistics?: ResourceStatisticsRateStatistics | undefined;
  readonly net_ephemeral_ports?: ValueRange | undefined;
  readonly net_tcp_rtt_microsecs_p50?: number | undefined;
  readonly net_tcp_rtt_microsecs_p90?: number | undefined;
  readonly net_tcp_rtt_microsecs_p95?: number | undefined;
  readonly net_tcp_rtt_microsecs_p99?: number | undefined;
  readonly net_tcp_active_connections?: number | undefined;
  readonly net_tcp_time_wait_connections?: number | undefined;
  readonly net_traffic_control_statistics?: readonly TrafficControlStatistics[] | undefined;
  readonly net_snmp_statistics?: SNMPStatistics | undefined;
}

export interface ResourceStatisticsRatePercentiles {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly p50?: number | undefined;
  readonly p90?: number | undefined;
  readonly p95?: number | undefined;
  readonly p99?: number | undefined;
  readonly p999?: number | undefined;
  readonly p9999?: number | undefined;
  readonly samples?: number | undefined;
}

export interface ResourceStatisticsRateStatistics {
  readonly rx_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly rx_packet_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly rx_drop_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly rx_error_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly tx_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly tx_packet_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly tx_drop_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly tx_error_rate?: ResourceStatisticsRatePercentiles | undefined;
  readonly sampling_window_secs?: number | undefined;
  readonly sampling_interval_secs?: number | undefined;
}

export interface ResourceUsage {
  readonly executors?: readonly ResourceUsageExecutor[] | undefined;
  readonly total?: readonly Resource[] | undefined;
}

export interface ResourceUsageExecutor {
  readonly executor_info: ExecutorInfo;
  readonly allocated?: readonly Resource[] | undefined;
  readonly statistics?: ResourceStatistics | undefined;
  readonly container_id: ContainerID;
  readonly tasks?: readonly ResourceUsageExecutorTask[] | undefined;
}

export interface ResourceUsageExecutorTask {
  readonly name: string;
  readonly id: TaskID;
  readonly resources?: readonly Resource[] | undefined;
  readonly labels?: Labels | undefined;
}

export interface PerfStatistics {
  readonly timestamp: number;
  readonly duration: number;
  readonly cycles?: number | undefined;
  readonly stalled_cycles_frontend?: number | undefined;
  readonly stalled_cycles_backend?: number | undefined;
  readonly instructions?: number | undefined;
  readonly cache_references?: number | undefined;
  readonly cache_misses?: number | undefined;
  readonly branches?: number | undefined;
  readonly branch_misses?: number | undefined;
  readonly bus_cycles?: number | undefined;
  readonly ref_cycles?: number | undefined;
  readonly cpu_clock?: number | undefined;
  readonly task_clock?: number | undefined;
  readonly page_faults?: number | undefined;
  readonly minor_faults?: number | undefined;
  readonly major_faults?: number | undefined;
  readonly context_switches?: number | undefined;
  readonly cpu_migrations?: number | undefined;
  readonly alignment_faults?: number | undefined;
  readonly emulation_faults?: number | undefined;
  readonly l1_dcache_loads?: number | undefined;
  readonly l1_dcache_load_misses?: number | undefined;
  readonly l1_dcache_stores?: number | undefined;
  readonly l1_dcache_store_misses?: number | undefined;
  readonly l1_dcache_prefetches?: number | undefined;
  readonly l1_dcache_prefetch_misses?: number | undefined;
  readonly l1_icache_loads?: number | undefined;
  readonly l1_icache_load_misses?: number | undefined;
  readonly l1_icache_prefetches?: number | undefined;
  readonly l1_icache_prefetch_misses?: number | undefined;
  readonly llc_loads?: number | undefined;
  readonly llc_load_misses?: number | undefined;
  readonly llc_stores?: number | undefined;
  readonly llc_store_misses?: number | undefined;
  readonly llc_prefetches?: number | undefined;
  readonly llc_prefetch_misses?: number | undefined;
  readonly dtlb_loads?: number | undefined;
  readonly dtlb_load_misses?: number | undefined;
  readonly dtlb_stores?: number | undefined;
  readonly dtlb_store_misses?: number | undefined;
  readonly dtlb_prefetches?: number | undefined;
  readonly dtlb_prefetch_misses?: number | undefined;
  readonly itlb_loads?: number | undefined;
  readonly itlb_load_misses?: number | undefined;
  readonly branch_loads?: number | undefined;
  readonly branch_load_misses?: number | undefined;
  readonly node_loads?: number | undefined;
  readonly node_load_misses?: number | undefined;
  readonly node_stores?: number | undefined;
  readonly node_store_misses?: number | undefined;
  readonly node_prefetches?: number | undefined;
  readonly node_prefetch_misses?: number | undefined;
}

export interface OfferFilters {
  readonly min_allocatable_resources?: OfferFiltersMinAllocatableResources | undefined;
}

export interface OfferFiltersResourceQuantities {
  readonly quantities?: Readonly<Record<string, ValueScalar>> | undefined;
}

export interface OfferFiltersMinAllocatableResources {
  readonly quantities?: readonly OfferFiltersResourceQuantities[] | undefined;
}

export interface Request {
  readonly agent_id?: AgentID | undefined;
  readonly resources?: readonly Resource[] | undefined;
}

export interface Offer {
  readonly id: OfferID;
  readonly framework_id: FrameworkID;
  readonly agent_id: AgentID;
  readonly hostname: string;
  readonly url?: URL | undefined;
  readonly domain?: DomainInfo | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly attributes?: readonly Attribute[] | undefined;
  readonly executor_ids?: readonly ExecutorID[] | undefined;
  readonly unavailability?: Unavailability | undefined;
  readonly allocation_info?: ResourceAllocationInfo | undefined;
}

export interface OfferOperation {
  readonly type?: OfferOperationType | undefined;
  readonly id?: OperationID | undefined;
  readonly launch?: OfferOperationLaunch | undefined;
  readonly launch_group?: OfferOperationLaunchGroup | undefined;
  readonly reserve?: OfferOperationReserve | undefined;
  readonly unreserve?: OfferOperationUnreserve | undefined;
  readonly create?: OfferOperationCreate | undefined;
  readonly destroy?: OfferOperationDestroy | undefined;
  readonly grow_volume?: OfferOperationGrowVolume | undefined;
  readonly shrink_volume?: OfferOperationShrinkVolume | undefined;
  readonly create_disk?: OfferOperationCreateDisk | undefined;
  readonly destroy_disk?: OfferOperationDestroyDisk | undefined;
}

export interface OfferOperationLaunch {
  readonly task_infos?: readonly TaskInfo[] | undefined;
}

export interface OfferOperationLaunchGroup {
  readonly executor: ExecutorInfo;
  readonly task_group: TaskGroupInfo;
}

export interface OfferOperationReserve {
  readonly source?: readonly Resource[] | undefined;
  readonly resources?: readonly Resource[] | undefined;
}

export interface OfferOperationUnreserve {
  readonly resources?: readonly Resource[] | undefined;
}

export interface OfferOperationCreate {
  readonly volumes?: readonly Resource[] | undefined;
}

export interface OfferOperationDestroy {
  readonly volumes?: readonly Resource[] | undefined;
}

export interface OfferOperationGrowVolume {
  readonly volume: Resource;
  readonly addition: Resource;
}

export interface OfferOperationShrinkVolume {
  readonly volume: Resource;
  readonly subtract: ValueScalar;
}

export interface OfferOperationCreateDisk {
  readonly source: Resource;
  readonly target_type: ResourceDiskInfoSourceType;
  readonly target_profile?: string | undefined;
}

export interface OfferOperationDestroyDisk {
  readonly source: Resource;
}

export interface InverseOffer {
  readonly id: OfferID;
  readonly url?: URL | undefined;
  readonly framework_id: FrameworkID;
  readonly agent_id?: AgentID | undefined;
  readonly unavailability: Unavailability;
  readonly resources?: readonly Resource[] | undefined;
}

export interface TaskInfo {
  readonly name: string;
  readonly task_id: TaskID;
  readonly agent_id: AgentID;
  readonly resources?: readonly Resource[] | undefined;
  readonly executor?: ExecutorInfo | undefined;
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly health_check?: HealthCheck | undefined;
  readonly check?: CheckInfo | undefined;
  readonly kill_policy?: KillPolicy | undefined;
  readonly data?: string | undefined;
  readonly labels?: Labels | undefined;
  readonly discovery?: DiscoveryInfo | undefined;
  readonly max_completion_time?: DurationInfo | undefined;
  readonly limits?: Readonly<Record<string, ValueScalar>> | undefined;
}

export interface TaskGroupInfo {
  readonly tasks?: readonly TaskInfo[] | undefined;
}

export interface Task {
  readonly name: string;
  readonly task_id: TaskID;
  readonly framework_id: FrameworkID;
  readonly executor_id?: ExecutorID | undefined;
  readonly agent_id: AgentID;
  readonly state: TaskState;
  readonly resources?: readonly Resource[] | undefined;
  readonly statuses?: readonly TaskStatus[] | undefined;
  readonly status_update_state?: TaskState | undefined;
  readonly status_update_uuid?: string | undefined;
  readonly labels?: Labels | undefined;
  readonly discovery?: DiscoveryInfo | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly health_check?: HealthCheck | undefined;
  readonly kill_policy?: KillPolicy | undefined;
  readonly user?: string | undefined;
  readonly limits?: Readonly<Record<string, ValueScalar>> | undefined;
}

export interface TaskResourceLimitation {
  readonly resources?: readonly Resource[] | undefined;
}

export interface UUID {
  readonly value: string;
}

export interface Operation {
  readonly framework_id?: FrameworkID | undefined;
  readonly agent_id?: AgentID | undefined;
  readonly info: OfferOperation;
  readonly latest_status: OperationStatus;
  readonly statuses?: readonly OperationStatus[] | undefined;
  readonly uuid: UUID;
}

export interface OperationStatus {
  readonly operation_id?: OperationID | undefined;
  readonly state: OperationState;
  readonly message?: string | undefined;
  readonly converted_resources?: readonly Resource[] | undefined;
  readonly uuid?: UUID | undefined;
  readonly agent_id?: AgentID | undefined;
  readonly resource_provider_id?: ResourceProviderID | undefined;
}

export interface CheckStatusInfo {
  readonly type?: CheckInfoType | undefined;
  readonly command?: CheckStatusInfoCommand | undefined;
  readonly http?: CheckStatusInfoHttp | undefined;
  readonly tcp?: CheckStatusInfoTcp | undefined;
}

export interface CheckStatusInfoCommand {
  readonly exit_code?: number | undefined;
}

export interface CheckStatusInfoHttp {
  readonly status_code?: number | undefined;
}

export interface CheckStatusInfoTcp {
  readonly succeeded?: boolean | undefined;
}

export interface TaskStatus {
  readonly task_id: TaskID;
  readonly state: TaskState;
  readonly message?: string | undefined;
  readonly source?: TaskStatusSource | undefined;
  readonly reason?: TaskStatusReason | undefined;
  readonly data?: string | undefined;
  readonly agent_id?: AgentID | undefined;
  readonly executor_id?: ExecutorID | undefined;
  readonly timestamp?: number | undefined;
  readonly uuid?: string | undefined;
  readonly healthy?: boolean | undefined;
  readonly check_status?: CheckStatusInfo | undefined;
  readonly labels?: Labels | undefined;
  readonly container_status?: ContainerStatus | undefined;
  readonly unreachable_time?: TimeInfo | undefined;
  readonly limitation?: TaskResourceLimitation | undefined;
}

export interface Filters {
  readonly refuse_seconds?: number | undefined;
}

export interface Environment {
  readonly variables?: readonly EnvironmentVariable[] | undefined;
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly type?: EnvironmentVariableType | undefined;
  readonly value?: string | undefined;
  readonly secret?: Secret | undefined;
}

export interface Parameter {
  readonly key: string;
  readonly value: string;
}

export interface Parameters {
  readonly parameter?: readonly Parameter[] | undefined;
}

export interface Credential {
  readonly principal: string;
  readonly secret?: string | undefined;
}

export interface Credentials {
  readonly credentials?: readonly Credential[] | undefined;
}

export interface Secret {
  readonly type?: SecretType | undefined;
  readonly reference?: SecretReference | undefined;
  readonly value?: SecretValue | undefined;
}

export interface SecretReference {
  readonly name: string;
  readonly key?: string | undefined;
}

export interface SecretValue {
  readonly data: string;
}

export interface RateLimit {
  readonly qps?: number | undefined;
  readonly principal: string;
  readonly capacity?: number | undefined;
}

export interface RateLimits {
  readonly limits?: readonly RateLimit[] | undefined;
  readonly aggregate_default_qps?: number | undefined;
  readonly aggregate_default_capacity?: number | undefined;
}

export interface Image {
  readonly type: ImageType;
  readonly appc?: ImageAppc | undefined;
  readonly docker?: ImageDocker | undefined;
  readonly cached?: boolean | undefined;
}

export interface ImageAppc {
  readonly name: string;
  readonly id?: string | undefined;
  readonly labels?: Labels | undefined;
}

export interface ImageDocker {
  readonly name: string;
  readonly credential?: Credential | undefined;
  readonly config?: Secret | undefined;
}

export interface MountPropagation {
  readonly mode?: MountPropagationMode | undefined;
}

export interface Volume {
  readonly mode: VolumeMode;
  readonly container_path: string;
  readonly host_path?: string | undefined;
  readonly image?: Image | undefined;
  readonly source?: VolumeSource | undefined;
}

export interface VolumeSource {
  readonly type?: VolumeSourceType | undefined;
  readonly docker_volume?: VolumeSourceDockerVolume | undefined;
  readonly host_path?: VolumeSourceHostPath | undefined;
  readonly sandbox_path?: VolumeSourceSandboxPath | undefined;
  readonly secret?: Secret | undefined;
  readonly csi_volume?: VolumeSourceCSIVolume | undefined;
}

export interface VolumeSourceDockerVolume {
  readonly driver?: string | undefined;
  readonly name: string;
  readonly driver_options?: Parameters | undefined;
}

export interface VolumeSourceHostPath {
  readonly path: string;
  readonly mount_propagation?: MountPropagation | undefined;
}

export interface VolumeSourceSandboxPath {
  readonly type?: VolumeSourceSandboxPathType | undefined;
  readonly path: string;
}

export interface VolumeSourceCSIVolume {
  readonly plugin_name: string;
  readonly static_provisioning?: VolumeSourceCSIVolumeStaticProvisioning | undefined;
}

export interface VolumeSourceCSIVolumeVolumeCapability {
  readonly block?: VolumeSourceCSIVolumeVolumeCapabilityBlockVolume | undefined;
  readonly mount?: VolumeSourceCSIVolumeVolumeCapabilityMountVolume | undefined;
  readonly access_mode: VolumeSourceCSIVolumeVolumeCapabilityAccessMode;
}

export type VolumeSourceCSIVolumeVolumeCapabilityBlockVolume = Readonly<Record<string, never>>;

export interface VolumeSourceCSIVolumeVolumeCapabilityMountVolume {
  readonly fs_type?: string | undefined;
  readonly mount_flags?: readonly string[] | undefined;
}

export interface VolumeSourceCSIVolumeVolumeCapabilityAccessMode {
  readonly mode: VolumeSourceCSIVolumeVolumeCapabilityAccessModeMode;
}

export interface VolumeSourceCSIVolumeStaticProvisioning {
  readonly volume_id: string;
  readonly volume_capability: VolumeSourceCSIVolumeVolumeCapability;
  readonly node_stage_secrets?: Readonly<Record<string, Secret>> | undefined;
  readonly node_publish_secrets?: Readonly<Record<string, Secret>> | undefined;
  readonly volume_context?: Readonly<Record<string, string>> | undefined;
}

export interface NetworkInfo {
  readonly ip_addresses?: readonly NetworkInfoIPAddress[] | undefined;
  readonly name?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly labels?: Labels | undefined;
  readonly port_mappings?: readonly NetworkInfoPortMapping[] | undefined;
}

export interface NetworkInfoIPAddress {
  readonly protocol?: NetworkInfoProtocol | undefined;
  readonly ip_address?: string | undefined;
}

export interface NetworkInfoPortMapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol?: string | undefined;
}

export interface CapabilityInfo {
  readonly capabilities?: readonly CapabilityInfoCapability[] | undefined;
}

export interface SeccompInfo {
  readonly profile_name?: string | undefined;
  readonly unconfined?: boolean | undefined;
}

export interface LinuxInfo {
  readonly capability_info?: CapabilityInfo | undefined;
  readonly bounding_capabilities?: CapabilityInfo | undefined;
  readonly effective_capabilities?: CapabilityInfo | undefined;
  readonly share_pid_namespace?: boolean | undefined;
  readonly seccomp?: SeccompInfo | undefined;
  readonly ipc_mode?: LinuxInfoIpcMode | undefined;
  readonly shm_size?: number | undefined;
  readonly share_cgroups?: boolean | undefined;
}

export interface RLimitInfo {
  readonly rlimits?: readonly RLimitInfoRLimit[] | undefined;
}

export interface RLimitInfoRLimit {
  readonly type?: RLimitInfoRLimitType | undefined;
  readonly hard?: number | undefined;
  readonly soft?: number | undefined;
}

export interface TTYInfo {
  readonly window_size?: TTYInfoWindowSize | undefined;
}

export interface TTYInfoWindowSize {
  readonly rows: number;
  readonly columns: number;
}

export interface ContainerInfo {
  readonly type: ContainerInfoType;
  readonly volumes?: readonly Volume[] | undefined;
  readonly hostname?: string | undefined;
  readonly docker?: ContainerInfoDockerInfo | undefined;
  readonly mesos?: ContainerInfoMesosInfo | undefined;
  readonly network_infos?: readonly NetworkInfo[] | undefined;
  readonly linux_info?: LinuxInfo | undefined;
  readonly rlimit_info?: RLimitInfo | undefined;
  readonly tty_info?: TTYInfo | undefined;
}

export interface ContainerInfoDockerInfo {
  readonly image: string;
  readonly network?: ContainerInfoDockerInfoNetwork | undefined;
  readonly port_mappings?: readonly ContainerInfoDockerInfoPortMapping[] | undefined;
  readonly privileged?: boolean | undefined;
  readonly parameters?: readonly Parameter[] | undefined;
  readonly force_pull_image?: boolean | undefined;
  readonly volume_driver?: string | undefined;
}

export interface ContainerInfoDockerInfoPortMapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol?: string | undefined;
}

export interface ContainerInfoMesosInfo {
  readonly image?: Image | undefined;
}

export interface ContainerStatus {
  readonly container_id?: ContainerID | undefined;
  readonly network_infos?: readonly NetworkInfo[] | undefined;
  readonly cgroup_info?: CgroupInfo | undefined;
  readonly executor_pid?: number | undefined;
}

export interface CgroupInfo {
  readonly net_cls?: CgroupInfoNetCls | undefined;
}

export type CgroupInfoBlkio = Readonly<Record<string, never>>;

export interface CgroupInfoBlkioValue {
  readonly op?: CgroupInfoBlkioOperation | undefined;
  readonly value?: number | undefined;
}

export type CgroupInfoBlkioCFQ = Readonly<Record<string, never>>;

export interface CgroupInfoBlkioCFQStatistics {
  readonly device?: DeviceNumber | undefined;
  readonly sectors?: number | undefined;
  readonly time?: number | undefined;
  readonly io_serviced?: readonly CgroupInfoBlkioValue[] | undefined;
  readonly io_service_bytes?: readonly CgroupInfoBlkioValue[] | undefined;
  readonly io_service_time?: readonly CgroupInfoBlkioValue[] | undefined;
  readonly io_wait_time?: readonly CgroupInfoBlkioValue[] | undefined;
  readonly io_merged?: readonly CgroupInfoBlkioValue[] | undefined;
  readonly io_queued?: readonly CgroupInfoBlkioValue[] | undefined;
}

export type CgroupInfoBlkioThrottling = Readonly<Record<string, never>>;

export interface CgroupInfoBlkioThrottlingStatistics {
  readonly device?: DeviceNumber | undefined;
  readonly io_serviced?: readonly CgroupInfoBlkioValue[] | undefined;
  readonly io_service_bytes?: readonly CgroupInfoBlkioValue[] | undefined;
}

export interface CgroupInfoBlkioStatistics {
  readonly cfq?: readonly CgroupInfoBlkioCFQStatistics[] | undefined;
  readonly cfq_recursive?: readonly CgroupInfoBlkioCFQStatistics[] | undefined;
  readonly throttling?: readonly CgroupInfoBlkioThrottlingStatistics[] | undefined;
}

export interface CgroupInfoNetCls {
  readonly classid?: number | undefined;
}

export interface Labels {
  readonly labels?: readonly Label[] | undefined;
}

export interface Label {
  readonly key: string;
  readonly value?: string | undefined;
}

export interface Port {
  readonly number: number;
  readonly name?: string | undefined;
  readonly protocol?: string | undefined;
  readonly visibility?: DiscoveryInfoVisibility | undefined;
  readonly labels?: Labels | undefined;
}

export interface Ports {
  readonly ports?: readonly Port[] | undefined;
}

export interface DiscoveryInfo {
  readonly visibility: DiscoveryInfoVisibility;
  readonly name?: string | undefined;
  readonly environment?: string | undefined;
  readonly location?: string | undefined;
  readonly version?: string | undefined;
  readonly ports?: Ports | undefined;
  readonly labels?: Labels | undefined;
}

export interface WeightInfo {
  readonly weight: number;
  readonly role?: string | undefined;
}

export interface VersionInfo {
  readonly version: string;
  readonly build_date?: string | undefined;
  readonly build_time?: number | undefined;
  readonly build_user?: string | undefined;
  readonly git_sha?: string | undefined;
  readonly git_branch?: string | undefined;
  readonly git_tag?: string | undefined;
}

export interface Flag {
  readonly name: string;
  readonly value?: string | undefined;
}

export interface Role {
  readonly name: string;
  readonly weight: number;
  readonly frameworks?: readonly FrameworkID[] | undefined;
  readonly resources?: readonly Resource[] | undefined;
}

export interface Metric {
  readonly name: string;
  readonly value?: number | undefined;
}

export interface FileInfo {
  readonly path: string;
  readonly nlink?: number | undefined;
  readonly size?: number | undefined;
  readonly mtime?: TimeInfo | undefined;
  readonly mode?: number | undefined;
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
}

export interface Device {
  readonly path?: string | undefined;
  readonly number?: DeviceNumber | undefined;
}

export interface DeviceNumber {
  readonly major_number: number;
  readonly minor_number: number;
}

export interface DeviceAccess {
  readonly device: Device;
  readonly access: DeviceAccessAccess;
}

export interface DeviceAccessAccess {
  readonly read?: boolean | undefined;
  readonly write?: boolean | undefined;
  readonly mknod?: boolean | undefined;
}

export interface DeviceWhitelist {
  readonly allowed_devices?: readonly DeviceAccess[] | undefined;
}

export interface DrainConfig {
  readonly max_grace_period?: DurationInfo | undefined;
  readonly mark_gone?: boolean | undefined;
}

export interface DrainInfo {
  readonly state: DrainState;
  readonly config: DrainConfig;
}

export interface SchedulerEvent {
  readonly type?: SchedulerEventType | undefined;
  readonly subscribed?: SchedulerEventSubscribed | undefined;
  readonly offers?: SchedulerEventOffers | undefined;
  readonly inverse_offers?: SchedulerEventInverseOffers | undefined;
  readonly rescind?: SchedulerEventRescind | undefined;
  readonly rescind_inverse_offer?: SchedulerEventRescindInverseOffer | undefined;
  readonly update?: SchedulerEventUpdate | undefined;
  readonly update_operation_status?: SchedulerEventUpdateOperationStatus | undefined;
  readonly message?: SchedulerEventMessage | undefined;
  readonly failure?: SchedulerEventFailure | undefined;
  readonly error?: SchedulerEventError | undefined;
}

export interface SchedulerEventSubscribed {
  readonly framework_id: FrameworkID;
  readonly heartbeat_interval_seconds?: number | undefined;
  readonly master_info?: MasterInfo | undefined;
}

export interface SchedulerEventOffers {
  readonly offers?: readonly Offer[] | undefined;
}

export interface SchedulerEventInverseOffers {
  readonly inverse_offers?: readonly InverseOffer[] | undefined;
}

export interface SchedulerEventRescind {
  readonly offer_id: OfferID;
}

export interface SchedulerEventRescindInverseOffer {
  readonly inverse_offer_id: OfferID;
}

export interface SchedulerEventUpdate {
  readonly status: TaskStatus;
}

export interface SchedulerEventUpdateOperationStatus {
  readonly status: OperationStatus;
}

export interface SchedulerEventMessage {
  readonly agent_id: AgentID;
  readonly executor_id: ExecutorID;
  readonly data: string;
}

export interface SchedulerEventFailure {
  readonly agent_id?: AgentID | undefined;
  readonly executor_id?: ExecutorID | undefined;
  readonly status?: number | undefined;
}

export interface SchedulerEventError {
  readonly message: string;
}

export interface SchedulerResponse {
  readonly type?: SchedulerResponseType | undefined;
  readonly reconcile_operations?: SchedulerResponseReconcileOperations | undefined;
}

export interface SchedulerResponseReconcileOperations {
  readonly operation_statuses?: readonly OperationStatus[] | undefined;
}

export interface SchedulerAttributeConstraint {
  readonly selector: SchedulerAttributeConstraintSelector;
  readonly predicate: SchedulerAttributeConstraintPredicate;
}

export interface SchedulerAttributeConstraintSelector {
  readonly pseudoattribute_type?:
    | SchedulerAttributeConstraintSelectorPseudoattributeType
    | undefined;
  readonly attribute_name?: string | undefined;
}

export interface SchedulerAttributeConstraintPredicate {
  readonly exists?: SchedulerAttributeConstraintPredicateExists | undefined;
  readonly not_exists?: SchedulerAttributeConstraintPredicateNotExists | undefined;
  readonly text_equals?: SchedulerAttributeConstraintPredicateTextEquals | undefined;
  readonly text_not_equals?: SchedulerAttributeConstraintPredicateTextNotEquals | undefined;
  readonly text_matches?: SchedulerAttributeConstraintPredicateTextMatches | undefined;
  readonly text_not_matches?: SchedulerAttributeConstraintPredicateTextNotMatches | undefined;
}

export type SchedulerAttributeConstraintPredicateExists = Readonly<Record<string, never>>;

export type SchedulerAttributeConstraintPredicateNotExists = Readonly<Record<string, never>>;

export interface SchedulerAttributeConstraintPredicateTextEquals {
  readonly value: string;
}

export interface SchedulerAttributeConstraintPredicateTextNotEquals {
  readonly value: string;
}

export interface SchedulerAttributeConstraintPredicateTextMatches {
  readonly regex: string;
}

export interface SchedulerAttributeConstraintPredicateTextNotMatches {
  readonly regex: string;
}

export interface SchedulerOfferConstraints {
  readonly role_constraints?:
    | Readonly<Record<string, SchedulerOfferConstraintsRoleConstraints>>
    | undefined;
}

export interface SchedulerOfferConstraintsRoleConstraints {
  readonly groups?: readonly SchedulerOfferConstraintsRoleConstraintsGroup[] | undefined;
}

export interface SchedulerOfferConstraintsRoleConstraintsGroup {
  readonly attribute_constraints?: readonly SchedulerAttributeConstraint[] | undefined;
}

export interface SchedulerCall {
  readonly framework_id?: FrameworkID | undefined;
  readonly type?: SchedulerCallType | undefined;
  readonly subscribe?: SchedulerCallSubscribe | undefined;
  readonly accept?: SchedulerCallAccept | undefined;
  readonly decline?: SchedulerCallDecline | undefined;
  readonly accept_inverse_offers?: SchedulerCallAcceptInverseOffers | undefined;
  readonly decline_inverse_offers?: SchedulerCallDeclineInverseOffers | undefined;
  readonly revive?: SchedulerCallRevive | undefined;
  readonly kill?: SchedulerCallKill | undefined;
  readonly shutdown?: SchedulerCallShutdown | undefined;
  readonly acknowledge?: SchedulerCallAcknowledge | undefined;
  readonly acknowledge_operation_status?: SchedulerCallAcknowledgeOperationStatus | undefined;
  readonly reconcile?: SchedulerCallReconcile | undefined;
  readonly reconcile_operations?: SchedulerCallReconcileOperations | undefined;
  readonly message?: SchedulerCallMessage | undefined;
  readonly request?: SchedulerCallRequest | undefined;
  readonly suppress?: SchedulerCallSuppress | undefined;
  readonly update_framework?: SchedulerCallUpdateFramework | undefined;
}

export interface SchedulerCallSubscribe {
  readonly framework_info: FrameworkInfo;
  readonly suppressed_roles?: readonly string[] | undefined;
  readonly offer_constraints?: SchedulerOfferConstraints | undefined;
}

export interface SchedulerCallAccept {
  readonly offer_ids?: readonly OfferID[] | undefined;
  readonly operations?: readonly OfferOperation[] | undefined;
  readonly filters?: Filters | undefined;
}

export interface SchedulerCallDecline {
  readonly offer_ids?: readonly OfferID[] | undefined;
  readonly filters?: Filters | undefined;
}

export interface SchedulerCallAcceptInverseOffers {
  readonly inverse_offer_ids?: readonly OfferID[] | undefined;
  readonly filters?: Filters | undefined;
}

export interface SchedulerCallDeclineInverseOffers {
  readonly inverse_offer_ids?: readonly OfferID[] | undefined;
  readonly filters?: Filters | undefined;
}

export interface SchedulerCallRevive {
  readonly roles?: readonly string[] | undefined;
}

export interface SchedulerCallKill {
  readonly task_id: TaskID;
  readonly agent_id?: AgentID | undefined;
  readonly kill_policy?: KillPolicy | undefined;
}

export interface SchedulerCallShutdown {
  readonly executor_id: ExecutorID;
  readonly agent_id: AgentID;
}

export interface SchedulerCallAcknowledge {
  readonly agent_id: AgentID;
  readonly task_id: TaskID;
  readonly uuid: string;
}

export interface SchedulerCallAcknowledgeOperationStatus {
  readonly agent_id?: AgentID | undefined;
  readonly resource_provider_id?: ResourceProviderID | undefined;
  readonly uuid: string;
  readonly operation_id: OperationID;
}

export interface SchedulerCallReconcile {
  readonly tasks?: readonly SchedulerCallReconcileTask[] | undefined;
}

export interface SchedulerCallReconcileTask {
  readonly task_id: TaskID;
  readonly agent_id?: AgentID | undefined;
}

export interface SchedulerCallReconcileOperations {
  readonly operations?: readonly SchedulerCallReconcileOperationsOperation[] | undefined;
}

export interface SchedulerCallReconcileOperationsOperation {
  readonly operation_id: OperationID;
  readonly agent_id?: AgentID | undefined;
  readonly resource_provider_id?: ResourceProviderID | undefined;
}

export interface SchedulerCallMessage {
  readonly agent_id: AgentID;
  readonly executor_id: ExecutorID;
  readonly data: string;
}

export interface SchedulerCallRequest {
  readonly requests?: readonly Request[] | undefined;
}

export interface SchedulerCallSuppress {
  readonly roles?: readonly string[] | undefined;
}

export interface SchedulerCallUpdateFramework {
  readonly framework_info: FrameworkInfo;
  readonly suppressed_roles?: readonly string[] | undefined;
  readonly offer_constraints?: SchedulerOfferConstraints | undefined;
}

export interface SchedulerAPIResult {
  readonly status_code: number;
  readonly response?: SchedulerResponse | undefined;
  readonly error?: string | undefined;
}

export interface ExecutorEvent {
  readonly type?: ExecutorEventType | undefined;
  readonly subscribed?: ExecutorEventSubscribed | undefined;
  readonly acknowledged?: ExecutorEventAcknowledged | undefined;
  readonly launch?: ExecutorEventLaunch | undefined;
  readonly launch_group?: ExecutorEventLaunchGroup | undefined;
  readonly kill?: ExecutorEventKill | undefined;
  readonly message?: ExecutorEventMessage | undefined;
  readonly error?: ExecutorEventError | undefined;
}

export interface ExecutorEventSubscribed {
  readonly executor_info: ExecutorInfo;
  readonly framework_info: FrameworkInfo;
  readonly agent_info: AgentInfo;
  readonly container_id?: ContainerID | undefined;
}

export interface ExecutorEventLaunch {
  readonly task: TaskInfo;
}

export interface ExecutorEventLaunchGroup {
  readonly task_group: TaskGroupInfo;
}

export interface ExecutorEventKill {
  readonly task_id: TaskID;
  readonly kill_policy?: KillPolicy | undefined;
}

export interface ExecutorEventAcknowledged {
  readonly task_id: TaskID;
  readonly uuid: string;
}

export interface ExecutorEventMessage {
  readonly data: string;
}

export interface ExecutorEventError {
  readonly message: string;
}

export interface ExecutorCall {
  readonly executor_id: ExecutorID;
  readonly framework_id: FrameworkID;
  readonly type?: ExecutorCallType | undefined;
  readonly subscribe?: ExecutorCallSubscribe | undefined;
  readonly update?: ExecutorCallUpdate | undefined;
  readonly message?: ExecutorCallMessage | undefined;
}

export interface ExecutorCallSubscribe {
  readonly unacknowledged_tasks?: readonly TaskInfo[] | undefined;
  readonly unacknowledged_updates?: readonly ExecutorCallUpdate[] | undefined;
}

export interface ExecutorCallUpdate {
  readonly status: TaskStatus;
}

export interface ExecutorCallMessage {
  readonly data: string;
}

export interface MasterCall {
  readonly type?: MasterCallType | undefined;
  readonly get_metrics?: MasterCallGetMetrics | undefined;
  readonly set_logging_level?: MasterCallSetLoggingLevel | undefined;
  readonly list_files?: MasterCallListFiles | undefined;
  readonly read_file?: MasterCallReadFile | undefined;
  readonly update_weights?: MasterCallUpdateWeights | undefined;
  readonly reserve_resources?: MasterCallReserveResources | undefined;
  readonly unreserve_resources?: MasterCallUnreserveResources | undefined;
  readonly create_volumes?: MasterCallCreateVolumes | undefined;
  readonly destroy_volumes?: MasterCallDestroyVolumes | undefined;
  readonly grow_volume?: MasterCallGrowVolume | undefined;
  readonly shrink_volume?: MasterCallShrinkVolume | undefined;
  readonly update_maintenance_schedule?: MasterCallUpdateMaintenanceSchedule | undefined;
  readonly start_maintenance?: MasterCallStartMaintenance | undefined;
  readonly stop_maintenance?: MasterCallStopMaintenance | undefined;
  readonly drain_agent?: MasterCallDrainAgent | undefined;
  readonly deactivate_agent?: MasterCallDeactivateAgent | undefined;
  readonly reactivate_agent?: MasterCallReactivateAgent | undefined;
  readonly update_quota?: MasterCallUpdateQuota | undefined;
  readonly teardown?: MasterCallTeardown | undefined;
  readonly mark_agent_gone?: MasterCallMarkAgentGone | undefined;
  readonly set_quota?: MasterCallSetQuota | undefined;
  readonly remove_quota?: MasterCallRemoveQuota | undefined;
}

export interface MasterCallGetMetrics {
  readonly timeout?: DurationInfo | undefined;
}

export interface MasterCallSetLoggingLevel {
  readonly level: number;
  readonly duration: DurationInfo;
}

export interface MasterCallListFiles {
  readonly path: string;
}

export interface MasterCallReadFile {
  readonly path: string;
  readonly offset: number;
  readonly length?: number | undefined;
}

export interface MasterCallUpdateWeights {
  readonly weight_infos?: readonly WeightInfo[] | undefined;
}

export interface MasterCallReserveResources {
  readonly agent_id: AgentID;
  readonly source?: readonly Resource[] | undefined;
  readonly resources?: readonly Resource[] | undefined;
}

export interface MasterCallUnreserveResources {
  readonly agent_id: AgentID;
  readonly resources?: readonly Resource[] | undefined;
}

export interface MasterCallCreateVolumes {
  readonly agent_id: AgentID;
  readonly volumes?: readonly Resource[] | undefined;
}

export interface MasterCallDestroyVolumes {
  readonly agent_id: AgentID;
  readonly volumes?: readonly Resource[] | undefined;
}

export interface MasterCallGrowVolume {
  readonly agent_id?: AgentID | undefined;
  readonly volume: Resource;
  readonly addition: Resource;
}

export interface MasterCallShrinkVolume {
  readonly agent_id?: AgentID | undefined;
  readonly volume: Resource;
  readonly subtract: ValueScalar;
}

export interface MasterCallUpdateMaintenanceSchedule {
  readonly schedule: MaintenanceSchedule;
}

export interface MasterCallStartMaintenance {
  readonly machines?: readonly MachineID[] | undefined;
}

export interface MasterCallStopMaintenance {
  readonly machines?: readonly MachineID[] | undefined;
}

export interface MasterCallDrainAgent {
  readonly agent_id: AgentID;
  readonly max_grace_period?: GoogleProtobufDuration | undefined;
  readonly mark_gone?: boolean | undefined;
}

export interface MasterCallDeactivateAgent {
  readonly agent_id: AgentID;
}

export interface MasterCallReactivateAgent {
  readonly agent_id: AgentID;
}

export interface MasterCallUpdateQuota {
  readonly force?: boolean | undefined;
  readonly quota_configs?: readonly QuotaQuotaConfig[] | undefined;
}

export interface MasterCallSetQuota {
  readonly quota_request: QuotaQuotaRequest;
}

export interface MasterCallRemoveQuota {
  readonly role: string;
}

export interface MasterCallTeardown {
  readonly framework_id: FrameworkID;
}

export interface MasterCallMarkAgentGone {
  readonly agent_id: AgentID;
}

export interface MasterResponse {
  readonly type?: MasterResponseType | undefined;
  readonly get_health?: MasterResponseGetHealth | undefined;
  readonly get_flags?: MasterResponseGetFlags | undefined;
  readonly get_version?: MasterResponseGetVersion | undefined;
  readonly get_metrics?: MasterResponseGetMetrics | undefined;
  readonly get_logging_level?: MasterResponseGetLoggingLevel | undefined;
  readonly list_files?: MasterResponseListFiles | undefined;
  readonly read_file?: MasterResponseReadFile | undefined;
  readonly get_state?: MasterResponseGetState | undefined;
  readonly get_agents?: MasterResponseGetAgents | undefined;
  readonly get_frameworks?: MasterResponseGetFrameworks | undefined;
  readonly get_executors?: MasterResponseGetExecutors | undefined;
  readonly get_operations?: MasterResponseGetOperations | undefined;
  readonly get_tasks?: MasterResponseGetTasks | undefined;
  readonly get_roles?: MasterResponseGetRoles | undefined;
  readonly get_weights?: MasterResponseGetWeights | undefined;
  readonly get_master?: MasterResponseGetMaster | undefined;
  readonly get_maintenance_status?: MasterResponseGetMaintenanceStatus | undefined;
  readonly get_maintenance_schedule?: MasterResponseGetMaintenanceSchedule | undefined;
  readonly get_quota?: MasterResponseGetQuota | undefined;
}

export interface MasterResponseGetHealth {
  readonly healthy: boolean;
}

export interface MasterResponseGetFlags {
  readonly flags?: readonly Flag[] | undefined;
}

export interface MasterResponseGetVersion {
  readonly version_info: VersionInfo;
}

export interface MasterResponseGetMetrics {
  readonly metrics?: readonly Metric[] | undefined;
}

export interface MasterResponseGetLoggingLevel {
  readonly level: number;
}

export interface MasterResponseListFiles {
  readonly file_infos?: readonly FileInfo[] | undefined;
}

export interface MasterResponseReadFile {
  readonly size: number;
  readonly data: string;
}

export interface MasterResponseGetState {
  readonly get_tasks?: MasterResponseGetTasks | undefined;
  readonly get_executors?: MasterResponseGetExecutors | undefined;
  readonly get_frameworks?: MasterResponseGetFrameworks | undefined;
  readonly get_agents?: MasterResponseGetAgents | undefined;
}

export interface MasterResponseGetAgents {
  readonly agents?: readonly MasterResponseGetAgentsAgent[] | undefined;
  readonly recovered_agents?: readonly AgentInfo[] | undefined;
}

export interface MasterResponseGetAgentsAgent {
  readonly agent_info: AgentInfo;
  readonly active: boolean;
  readonly deactivated?: boolean | undefined;
  readonly version: string;
  readonly pid?: string | undefined;
  readonly registered_time?: TimeInfo | undefined;
  readonly reregistered_time?: TimeInfo | undefined;
  readonly total_resources?: readonly Resource[] | undefined;
  readonly allocated_resources?: readonly Resource[] | undefined;
  readonly offered_resources?: readonly Resource[] | undefined;
  readonly capabilities?: readonly AgentInfoCapability[] | undefined;
  readonly resource_providers?: readonly MasterResponseGetAgentsAgentResourceProvider[] | undefined;
  readonly drain_info?: DrainInfo | undefined;
  readonly estimated_drain_start_time?: TimeInfo | undefined;
}

export interface MasterResponseGetAgentsAgentResourceProvider {
  readonly resource_provider_info: ResourceProviderInfo;
  readonly total_resources?: readonly Resource[] | undefined;
}

export interface MasterResponseGetFrameworks {
  readonly frameworks?: readonly MasterResponseGetFrameworksFramework[] | undefined;
  readonly completed_frameworks?: readonly MasterResponseGetFrameworksFramework[] | undefined;
  readonly recovered_frameworks?: readonly FrameworkInfo[] | undefined;
}

export interface MasterResponseGetFrameworksFramework {
  readonly framework_info: FrameworkInfo;
  readonly active: boolean;
  readonly connected: boolean;
  readonly recovered: boolean;
  readonly registered_time?: TimeInfo | undefined;
  readonly reregistered_time?: TimeInfo | undefined;
  readonly unregistered_time?: TimeInfo | undefined;
  readonly offers?: readonly Offer[] | undefined;
  readonly inverse_offers?: readonly InverseOffer[] | undefined;
  readonly allocated_resources?: readonly Resource[] | undefined;
  readonly offered_resources?: readonly Resource[] | undefined;
  readonly offer_constraints?: SchedulerOfferConstraints | undefined;
}

export interface MasterResponseGetExecutors {
  readonly executors?: readonly MasterResponseGetExecutorsExecutor[] | undefined;
  readonly orphan_executors?: readonly MasterResponseGetExecutorsExecutor[] | undefined;
}

export interface MasterResponseGetExecutorsExecutor {
  readonly executor_info: ExecutorInfo;
  readonly agent_id: AgentID;
}

export interface MasterResponseGetOperations {
  readonly operations?: readonly Operation[] | undefined;
}

export interface MasterResponseGetTasks {
  readonly pending_tasks?: readonly Task[] | undefined;
  readonly tasks?: readonly Task[] | undefined;
  readonly unreachable_tasks?: readonly Task[] | undefined;
  readonly completed_tasks?: readonly Task[] | undefined;
  readonly orphan_tasks?: readonly Task[] | undefined;
}

export interface MasterResponseGetRoles {
  readonly roles?: readonly Role[] | undefined;
}

export interface MasterResponseGetWeights {
  readonly weight_infos?: readonly WeightInfo[] | undefined;
}

export interface MasterResponseGetMaster {
  readonly master_info?: MasterInfo | undefined;
  readonly start_time?: number | undefined;
  readonly elected_time?: number | undefined;
}

export interface MasterResponseGetMaintenanceStatus {
  readonly status: MaintenanceClusterStatus;
}

export interface MasterResponseGetMaintenanceSchedule {
  readonly schedule: MaintenanceSchedule;
}

export interface MasterResponseGetQuota {
  readonly status: QuotaQuotaStatus;
}

export interface MasterEvent {
  readonly type?: MasterEventType | undefined;
  readonly subscribed?: MasterEventSubscribed | undefined;
  readonly task_added?: MasterEventTaskAdded | undefined;
  readonly task_updated?: MasterEventTaskUpdated | undefined;
  readonly agent_added?: MasterEventAgentAdded | undefined;
  readonly agent_removed?: MasterEventAgentRemoved | undefined;
  readonly framework_added?: MasterEventFrameworkAdded | undefined;
  readonly framework_updated?: MasterEventFrameworkUpdated | undefined;
  readonly framework_removed?: MasterEventFrameworkRemoved | undefined;
}

export interface MasterEventSubscribed {
  readonly get_state?: MasterResponseGetState | undefined;
  readonly heartbeat_interval_seconds?: number | undefined;
}

export interface MasterEventTaskAdded {
  readonly task: Task;
}

export interface MasterEventTaskUpdated {
  readonly framework_id: FrameworkID;
  readonly status: TaskStatus;
  readonly state: TaskState;
}

export interface MasterEventFrameworkAdded {
  readonly framework: MasterResponseGetFrameworksFramework;
}

export interface MasterEventFrameworkUpdated {
  readonly framework: MasterResponseGetFrameworksFramework;
}

export interface MasterEventFrameworkRemoved {
  readonly framework_info: FrameworkInfo;
}

export interface MasterEventAgentAdded {
  readonly agent: MasterResponseGetAgentsAgent;
}

export interface MasterEventAgentRemoved {
  readonly agent_id: AgentID;
}

export interface AgentCall {
  readonly type?: AgentCallType | undefined;
  readonly get_metrics?: AgentCallGetMetrics | undefined;
  readonly set_logging_level?: AgentCallSetLoggingLevel | undefined;
  readonly list_files?: AgentCallListFiles | undefined;
  readonly read_file?: AgentCallReadFile | undefined;
  readonly get_containers?: AgentCallGetContainers | undefined;
  readonly launch_nested_container?: AgentCallLaunchNestedContainer | undefined;
  readonly wait_nested_container?: AgentCallWaitNestedContainer | undefined;
  readonly kill_nested_container?: AgentCallKillNestedContainer | undefined;
  readonly remove_nested_container?: AgentCallRemoveNestedContainer | undefined;
  readonly launch_nested_container_session?: AgentCallLaunchNestedContainerSession | undefined;
  readonly attach_container_input?: AgentCallAttachContainerInput | undefined;
  readonly attach_container_output?: AgentCallAttachContainerOutput | undefined;
  readonly launch_container?: AgentCallLaunchContainer | undefined;
  readonly wait_container?: AgentCallWaitContainer | undefined;
  readonly kill_container?: AgentCallKillContainer | undefined;
  readonly remove_container?: AgentCallRemoveContainer | undefined;
  readonly add_resource_provider_config?: AgentCallAddResourceProviderConfig | undefined;
  readonly update_resource_provider_config?: AgentCallUpdateResourceProviderConfig | undefined;
  readonly remove_resource_provider_config?: AgentCallRemoveResourceProviderConfig | undefined;
  readonly mark_resource_provider_gone?: AgentCallMarkResourceProviderGone | undefined;
  readonly prune_images?: AgentCallPruneImages | undefined;
}

export interface AgentCallGetMetrics {
  readonly timeout?: DurationInfo | undefined;
}

export interface AgentCallSetLoggingLevel {
  readonly level: number;
  readonly duration: DurationInfo;
}

export interface AgentCallListFiles {
  readonly path: string;
}

export interface AgentCallReadFile {
  readonly path: string;
  readonly offset: number;
  readonly length?: number | undefined;
}

export interface AgentCallGetContainers {
  readonly show_nested?: boolean | undefined;
  readonly show_standalone?: boolean | undefined;
}

export interface AgentCallLaunchNestedContainer {
  readonly container_id: ContainerID;
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
}

export interface AgentCallWaitNestedContainer {
  readonly container_id: ContainerID;
}

export interface AgentCallKillNestedContainer {
  readonly container_id: ContainerID;
  readonly signal?: number | undefined;
}

export interface AgentCallRemoveNestedContainer {
  readonly container_id: ContainerID;
}

export interface AgentCallLaunchNestedContainerSession {
  readonly container_id: ContainerID;
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
}

export interface AgentCallAttachContainerInput {
  readonly type?: AgentCallAttachContainerInputType | undefined;
  readonly container_id?: ContainerID | undefined;
  readonly process_io?: AgentProcessIO | undefined;
}

export interface AgentCallAttachContainerOutput {
  readonly container_id: ContainerID;
}

export interface AgentCallLaunchContainer {
  readonly container_id: ContainerID;
  readonly command?: CommandInfo | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly container?: ContainerInfo | undefined;
  readonly limits?: Readonly<Record<string, ValueScalar>> | undefined;
}

export interface AgentCallWaitContainer {
  readonly container_id: ContainerID;
}

export interface AgentCallKillContainer {
  readonly container_id: ContainerID;
  readonly signal?: number | undefined;
}

export interface AgentCallRemoveContainer {
  readonly container_id: ContainerID;
}

export interface AgentCallAddResourceProviderConfig {
  readonly info: ResourceProviderInfo;
}

export interface AgentCallUpdateResourceProviderConfig {
  readonly info: ResourceProviderInfo;
}

export interface AgentCallRemoveResourceProviderConfig {
  readonly type: string;
  readonly name: string;
}

export interface AgentCallMarkResourceProviderGone {
  readonly resource_provider_id: ResourceProviderID;
}

export interface AgentCallPruneImages {
  readonly excluded_images?: readonly Image[] | undefined;
}

export interface AgentResponse {
  readonly type?: AgentResponseType | undefined;
  readonly get_health?: AgentResponseGetHealth | undefined;
  readonly get_flags?: AgentResponseGetFlags | undefined;
  readonly get_version?: AgentResponseGetVersion | undefined;
  readonly get_metrics?: AgentResponseGetMetrics | undefined;
  readonly get_logging_level?: AgentResponseGetLoggingLevel | undefined;
  readonly list_files?: AgentResponseListFiles | undefined;
  readonly read_file?: AgentResponseReadFile | undefined;
  readonly get_state?: AgentResponseGetState | undefined;
  readonly get_containers?: AgentResponseGetContainers | undefined;
  readonly get_frameworks?: AgentResponseGetFrameworks | undefined;
  readonly get_executors?: AgentResponseGetExecutors | undefined;
  readonly get_operations?: AgentResponseGetOperations | undefined;
  readonly get_tasks?: AgentResponseGetTasks | undefined;
  readonly get_agent?: AgentResponseGetAgent | undefined;
  readonly get_resource_providers?: AgentResponseGetResourceProviders | undefined;
  readonly wait_nested_container?: AgentResponseWaitNestedContainer | undefined;
  readonly wait_container?: AgentResponseWaitContainer | undefined;
}

export interface AgentResponseGetHealth {
  readonly healthy: boolean;
}

export interface AgentResponseGetFlags {
  readonly flags?: readonly Flag[] | undefined;
}

export interface AgentResponseGetVersion {
  readonly version_info: VersionInfo;
}

export interface AgentResponseGetMetrics {
  readonly metrics?: readonly Metric[] | undefined;
}

export interface AgentResponseGetLoggingLevel {
  readonly level: number;
}

export interface AgentResponseListFiles {
  readonly file_infos?: readonly FileInfo[] | undefined;
}

export interface AgentResponseReadFile {
  readonly size: number;
  readonly data: string;
}

export interface AgentResponseGetState {
  readonly get_tasks?: AgentResponseGetTasks | undefined;
  readonly get_executors?: AgentResponseGetExecutors | undefined;
  readonly get_frameworks?: AgentResponseGetFrameworks | undefined;
}

export interface AgentResponseGetContainers {
  readonly containers?: readonly AgentResponseGetContainersContainer[] | undefined;
}

export interface AgentResponseGetContainersContainer {
  readonly framework_id?: FrameworkID | undefined;
  readonly executor_id?: ExecutorID | undefined;
  readonly executor_name?: string | undefined;
  readonly container_id: ContainerID;
  readonly container_status?: ContainerStatus | undefined;
  readonly resource_statistics?: ResourceStatistics | undefined;
}

export interface AgentResponseGetFrameworks {
  readonly frameworks?: readonly AgentResponseGetFrameworksFramework[] | undefined;
  readonly completed_frameworks?: readonly AgentResponseGetFrameworksFramework[] | undefined;
}

export interface AgentResponseGetFrameworksFramework {
  readonly framework_info: FrameworkInfo;
}

export interface AgentResponseGetExecutors {
  readonly executors?: readonly AgentResponseGetExecutorsExecutor[] | undefined;
  readonly completed_executors?: readonly AgentResponseGetExecutorsExecutor[] | undefined;
}

export interface AgentResponseGetExecutorsExecutor {
  readonly executor_info: ExecutorInfo;
}

export interface AgentResponseGetOperations {
  readonly operations?: readonly Operation[] | undefined;
}

export interface AgentResponseGetTasks {
  readonly pending_tasks?: readonly Task[] | undefined;
  readonly queued_tasks?: readonly Task[] | undefined;
  readonly launched_tasks?: readonly Task[] | undefined;
  readonly terminated_tasks?: readonly Task[] | undefined;
  readonly completed_tasks?: readonly Task[] | undefined;
}

export interface AgentResponseGetAgent {
  readonly agent_info?: AgentInfo | undefined;
  readonly drain_config?: DrainConfig | undefined;
  readonly estimated_drain_start_time?: TimeInfo | undefined;
}

export interface AgentResponseGetResourceProviders {
  readonly resource_providers?:
    | readonly AgentResponseGetResourceProvidersResourceProvider[]
    | undefined;
}

export interface AgentResponseGetResourceProvidersResourceProvider {
  readonly resource_provider_info: ResourceProviderInfo;
  readonly total_resources?: readonly Resource[] | undefined;
}

export interface AgentResponseWaitNestedContainer {
  readonly exit_status?: number | undefined;
  readonly state?: TaskState | undefined;
  readonly reason?: TaskStatusReason | undefined;
  readonly limitation?: TaskResourceLimitation | undefined;
  readonly message?: string | undefined;
}

export interface AgentResponseWaitContainer {
  readonly exit_status?: number | undefined;
  readonly state?: TaskState | undefined;
  readonly reason?: TaskStatusReason | undefined;
  readonly limitation?: TaskResourceLimitation | undefined;
  readonly message?: string | undefined;
}

export interface AgentProcessIO {
  readonly type?: AgentProcessIOType | undefined;
  readonly data?: AgentProcessIOData | undefined;
  readonly control?: AgentProcessIOControl | undefined;
}

export interface AgentProcessIOData {
  readonly type?: AgentProcessIODataType | undefined;
  readonly data?: string | undefined;
}

export interface AgentProcessIOControl {
  readonly type?: AgentProcessIOControlType | undefined;
  readonly tty_info?: TTYInfo | undefined;
  readonly heartbeat?: AgentProcessIOControlHeartbeat | undefined;
}

export interface AgentProcessIOControlHeartbeat {
  readonly interval?: DurationInfo | undefined;
}

export interface AllocatorInverseOfferStatus {
  readonly status: AllocatorInverseOfferStatusStatus;
  readonly framework_id: FrameworkID;
  readonly timestamp: TimeInfo;
}

export interface MaintenanceWindow {
  readonly machine_ids?: readonly MachineID[] | undefined;
  readonly unavailability: Unavailability;
}

export interface MaintenanceSchedule {
  readonly windows?: readonly MaintenanceWindow[] | undefined;
}

export interface MaintenanceClusterStatus {
  readonly draining_machines?: readonly MaintenanceClusterStatusDrainingMachine[] | undefined;
  readonly down_machines?: readonly MachineID[] | undefined;
}

export interface MaintenanceClusterStatusDrainingMachine {
  readonly id: MachineID;
  readonly statuses?: readonly AllocatorInverseOfferStatus[] | undefined;
}

export interface QuotaQuotaInfo {
  readonly role?: string | undefined;
  readonly principal?: string | undefined;
  readonly guarantee?: readonly Resource[] | undefined;
}

export interface QuotaQuotaRequest {
  readonly force?: boolean | undefined;
  readonly role?: string | undefined;
  readonly guarantee?: readonly Resource[] | undefined;
}

export interface QuotaQuotaConfig {
  readonly role: string;
  readonly guarantees?: Readonly<Record<string, ValueScalar>> | undefined;
  readonly limits?: Readonly<Record<string, ValueScalar>> | undefined;
}

export interface QuotaQuotaStatus {
  readonly infos?: readonly QuotaQuotaInfo[] | undefined;
  readonly configs?: readonly QuotaQuotaConfig[] | undefined;
}

export interface ResourceProviderEvent {
  readonly type?: ResourceProviderEventType | undefined;
  readonly subscribed?: ResourceProviderEventSubscribed | undefined;
  readonly apply_operation?: ResourceProviderEventApplyOperation | undefined;
  readonly publish_resources?: ResourceProviderEventPublishResources | undefined;
  readonly acknowledge_operation_status?:
    | ResourceProviderEventAcknowledgeOperationStatus
    | undefined;
  readonly reconcile_operations?: ResourceProviderEventReconcileOperations | undefined;
}

export interface ResourceProviderEventSubscribed {
  readonly provider_id: ResourceProviderID;
}

export interface ResourceProviderEventApplyOperation {
  readonly framework_id?: FrameworkID | undefined;
  readonly info: OfferOperation;
  readonly operation_uuid: UUID;
  readonly resource_version_uuid: UUID;
}

export interface ResourceProviderEventPublishResources {
  readonly uuid: UUID;
  readonly resources?: readonly Resource[] | undefined;
}

export interface ResourceProviderEventAcknowledgeOperationStatus {
  readonly status_uuid: UUID;
  readonly operation_uuid: UUID;
}

export interface ResourceProviderEventReconcileOperations {
  readonly operation_uuids?: readonly UUID[] | undefined;
}

export interface ResourceProviderCall {
  readonly resource_provider_id?: ResourceProviderID | undefined;
  readonly type?: ResourceProviderCallType | undefined;
  readonly subscribe?: ResourceProviderCallSubscribe | undefined;
  readonly update_operation_status?: ResourceProviderCallUpdateOperationStatus | undefined;
  readonly update_state?: ResourceProviderCallUpdateState | undefined;
  readonly update_publish_resources_status?:
    | ResourceProviderCallUpdatePublishResourcesStatus
    | undefined;
}

export interface ResourceProviderCallSubscribe {
  readonly resource_provider_info: ResourceProviderInfo;
}

export interface ResourceProviderCallUpdateOperationStatus {
  readonly framework_id?: FrameworkID | undefined;
  readonly status: OperationStatus;
  readonly latest_status?: OperationStatus | undefined;
  readonly operation_uuid: UUID;
}

export interface ResourceProviderCallUpdateState {
  readonly operations?: readonly Operation[] | undefined;
  readonly resources?: readonly Resource[] | undefined;
  readonly resource_version_uuid: UUID;
}

export interface ResourceProviderCallUpdatePublishResourcesStatus {
  readonly uuid: UUID;
  readonly status: ResourceProviderCallUpdatePublishResourcesStatusStatus;
}

export type ResourceProviderSlaveInfo = Readonly<Record<string, never>>;

export interface GoogleProtobufDuration {
  readonly seconds?: number | undefined;
  readonly nanos?: number | undefined;
}

export type Status = 'DRIVER_NOT_STARTED' | 'DRIVER_RUNNING' | 'DRIVER_ABORTED' | 'DRIVER_STOPPED';

export type MachineInfoMode = 'UP' | 'DRAINING' | 'DOWN';

export type FrameworkInfoCapabilityType =
  | 'UNKNOWN'
  | 'REVOCABLE_RESOURCES'
  | 'TASK_KILLING_STATE'
  | 'GPU_RESOURCES'
  | 'SHARED_RESOURCES'
  | 'PARTITION_AWARE'
  | 'MULTI_ROLE'
  | 'RESERVATION_REFINEMENT'
  | 'REGION_AWARE';

export type CheckInfoType = 'UNKNOWN' | 'COMMAND' | 'HTTP' | 'TCP';

export type HealthCheckType = 'UNKNOWN' | 'COMMAND' | 'HTTP' | 'TCP';

export type ExecutorInfoType = 'UNKNOWN' | 'DEFAULT' | 'CUSTOM';

export type MasterInfoCapabilityType = 'UNKNOWN' | 'AGENT_UPDATE' | 'AGENT_DRAINING' | 'QUOTA_V2';

export type AgentInfoCapabilityType =
  | 'UNKNOWN'
  | 'MULTI_ROLE'
  | 'HIERARCHICAL_ROLE'
  | 'RESERVATION_REFINEMENT'
  | 'RESOURCE_PROVIDER'
  | 'RESIZE_VOLUME'
  | 'AGENT_OPERATION_FEEDBACK'
  | 'AGENT_DRAINING'
  | 'TASK_RESOURCE_LIMITS';

export type CSIPluginContainerInfoService = 'UNKNOWN' | 'CONTROLLER_SERVICE' | 'NODE_SERVICE';

export type ValueType = 'SCALAR' | 'RANGES' | 'SET' | 'TEXT';

export type ResourceReservationInfoType = 'UNKNOWN' | 'STATIC' | 'DYNAMIC';

export type ResourceDiskInfoSourceType = 'UNKNOWN' | 'PATH' | 'MOUNT' | 'BLOCK' | 'RAW';

export type OfferOperationType =
  | 'UNKNOWN'
  | 'LAUNCH'
  | 'LAUNCH_GROUP'
  | 'RESERVE'
  | 'UNRESERVE'
  | 'CREATE'
  | 'DESTROY'
  | 'GROW_VOLUME'
  | 'SHRINK_VOLUME'
  | 'CREATE_DISK'
  | 'DESTROY_DISK';

export type TaskState =
  | 'TASK_STAGING'
  | 'TASK_STARTING'
  | 'TASK_RUNNING'
  | 'TASK_KILLING'
  | 'TASK_FINISHED'
  | 'TASK_FAILED'
  | 'TASK_KILLED'
  | 'TASK_ERROR'
  | 'TASK_LOST'
  | 'TASK_DROPPED'
  | 'TASK_UNREACHABLE'
  | 'TASK_GONE'
  | 'TASK_GONE_BY_OPERATOR'
  | 'TASK_UNKNOWN';

export type OperationState =
  | 'OPERATION_UNSUPPORTED'
  | 'OPERATION_PENDING'
  | 'OPERATION_FINISHED'
  | 'OPERATION_FAILED'
  | 'OPERATION_ERROR'
  | 'OPERATION_DROPPED'
  | 'OPERATION_UNREACHABLE'
  | 'OPERATION_GONE_BY_OPERATOR'
  | 'OPERATION_RECOVERING'
  | 'OPERATION_UNKNOWN';

export type TaskStatusSource = 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';

export type TaskStatusReason =
  | 'REASON_COMMAND_EXECUTOR_FAILED'
  | 'REASON_CONTAINER_LAUNCH_FAILED'
  | 'REASON_CONTAINER_LIMITATION'
  | 'REASON_CONTAINER_LIMITATION_DISK'
  | 'REASON_CONTAINER_LIMITATION_MEMORY'
  | 'REASON_CONTAINER_PREEMPTED'
  | 'REASON_CONTAINER_UPDATE_FAILED'
  | 'REASON_MAX_COMPLETION_TIME_REACHED'
  | 'REASON_EXECUTOR_REGISTRATION_TIMEOUT'
  | 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT'
  | 'REASON_EXECUTOR_TERMINATED'
  | 'REASON_EXECUTOR_UNREGISTERED'
  | 'REASON_FRAMEWORK_REMOVED'
  | 'REASON_GC_ERROR'
  | 'REASON_INVALID_FRAMEWORKID'
  | 'REASON_INVALID_OFFERS'
  | 'REASON_IO_SWITCHBOARD_EXITED'
  | 'REASON_MASTER_DISCONNECTED'
  | 'REASON_RECONCILIATION'
  | 'REASON_RESOURCES_UNKNOWN'
  | 'REASON_AGENT_DISCONNECTED'
  | 'REASON_AGENT_DRAINING'
  | 'REASON_AGENT_REMOVED'
  | 'REASON_AGENT_REMOVED_BY_OPERATOR'
  | 'REASON_AGENT_REREGISTERED'
  | 'REASON_AGENT_RESTARTED'
  | 'REASON_AGENT_UNKNOWN'
  | 'REASON_TASK_KILLED_DURING_LAUNCH'
  | 'REASON_TASK_CHECK_STATUS_UPDATED'
  | 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'
  | 'REASON_TASK_GROUP_INVALID'
  | 'REASON_TASK_GROUP_UNAUTHORIZED'
  | 'REASON_TASK_INVALID'
  | 'REASON_TASK_UNAUTHORIZED'
  | 'REASON_TASK_UNKNOWN';

export type EnvironmentVariableType = 'UNKNOWN' | 'VALUE' | 'SECRET';

export type SecretType = 'UNKNOWN' | 'REFERENCE' | 'VALUE';

export type ImageType = 'APPC' | 'DOCKER';

export type MountPropagationMode = 'UNKNOWN' | 'HOST_TO_CONTAINER' | 'BIDIRECTIONAL';

export type VolumeMode = 'RW' | 'RO';

export type VolumeSourceType =
  | 'UNKNOWN'
  | 'DOCKER_VOLUME'
  | 'HOST_PATH'
  | 'SANDBOX_PATH'
  | 'SECRET'
  | 'CSI_VOLUME';

export type VolumeSourceSandboxPathType = 'UNKNOWN' | 'SELF' | 'PARENT';

export type VolumeSourceCSIVolumeVolumeCapabilityAccessModeMode =
  | 'UNKNOWN'
  | 'SINGLE_NODE_WRITER'
  | 'SINGLE_NODE_READER_ONLY'
  | 'MULTI_NODE_READER_ONLY'
  | 'MULTI_NODE_SINGLE_WRITER'
  | 'MULTI_NODE_MULTI_WRITER';

export type NetworkInfoProtocol = 'IPv4' | 'IPv6';

export type CapabilityInfoCapability =
  | 'UNKNOWN'
  | 'CHOWN'
  | 'DAC_OVERRIDE'
  | 'DAC_READ_SEARCH'
  | 'FOWNER'
  | 'FSETID'
  | 'KILL'
  | 'SETGID'
  | 'SETUID'
  | 'SETPCAP'
  | 'LINUX_IMMUTABLE'
  | 'NET_BIND_SERVICE'
  | 'NET_BROADCAST'
  | 'NET_ADMIN'
  | 'NET_RAW'
  | 'IPC_LOCK'
  | 'IPC_OWNER'
  | 'SYS_MODULE'
  | 'SYS_RAWIO'
  | 'SYS_CHROOT'
  | 'SYS_PTRACE'
  | 'SYS_PACCT'
  | 'SYS_ADMIN'
  | 'SYS_BOOT'
  | 'SYS_NICE'
  | 'SYS_RESOURCE'
  | 'SYS_TIME'
  | 'SYS_TTY_CONFIG'
  | 'MKNOD'
  | 'LEASE'
  | 'AUDIT_WRITE'
  | 'AUDIT_CONTROL'
  | 'SETFCAP'
  | 'MAC_OVERRIDE'
  | 'MAC_ADMIN'
  | 'SYSLOG'
  | 'WAKE_ALARM'
  | 'BLOCK_SUSPEND'
  | 'AUDIT_READ'
  | 'PERFMON'
  | 'BPF'
  | 'CHECKPOINT_RESTORE';

export type LinuxInfoIpcMode = 'UNKNOWN' | 'PRIVATE' | 'SHARE_PARENT';

export type RLimitInfoRLimitType =
  | 'UNKNOWN'
  | 'RLMT_AS'
  | 'RLMT_CORE'
  | 'RLMT_CPU'
  | 'RLMT_DATA'
  | 'RLMT_FSIZE'
  | 'RLMT_LOCKS'
  | 'RLMT_MEMLOCK'
  | 'RLMT_MSGQUEUE'
  | 'RLMT_NICE'
  | 'RLMT_NOFILE'
  | 'RLMT_NPROC'
  | 'RLMT_RSS'
  | 'RLMT_RTPRIO'
  | 'RLMT_RTTIME'
  | 'RLMT_SIGPENDING'
  | 'RLMT_STACK';

export type ContainerInfoType = 'DOCKER' | 'MESOS';

export type ContainerInfoDockerInfoNetwork = 'HOST' | 'BRIDGE' | 'NONE' | 'USER';

export type CgroupInfoBlkioOperation =
  | 'UNKNOWN'
  | 'TOTAL'
  | 'READ'
  | 'WRITE'
  | 'SYNC'
  | 'ASYNC'
  | 'DISCARD';

export type DiscoveryInfoVisibility = 'FRAMEWORK' | 'CLUSTER' | 'EXTERNAL';

export type DrainState = 'UNKNOWN' | 'DRAINING' | 'DRAINED';

export type SchedulerEventType =
  | 'UNKNOWN'
  | 'SUBSCRIBED'
  | 'OFFERS'
  | 'INVERSE_OFFERS'
  | 'RESCIND'
  | 'RESCIND_INVERSE_OFFER'
  | 'UPDATE'
  | 'UPDATE_OPERATION_STATUS'
  | 'MESSAGE'
  | 'FAILURE'
  | 'ERROR'
  | 'HEARTBEAT';

export type SchedulerResponseType = 'UNKNOWN' | 'RECONCILE_OPERATIONS';

export type SchedulerAttributeConstraintSelectorPseudoattributeType =
  | 'UNKNOWN'
  | 'HOSTNAME'
  | 'REGION'
  | 'ZONE';

export type SchedulerCallType =
  | 'UNKNOWN'
  | 'SUBSCRIBE'
  | 'TEARDOWN'
  | 'ACCEPT'
  | 'DECLINE'
  | 'ACCEPT_INVERSE_OFFERS'
  | 'DECLINE_INVERSE_OFFERS'
  | 'REVIVE'
  | 'KILL'
  | 'SHUTDOWN'
  | 'ACKNOWLEDGE'
  | 'ACKNOWLEDGE_OPERATION_STATUS'
  | 'RECONCILE'
  | 'RECONCILE_OPERATIONS'
  | 'MESSAGE'
  | 'REQUEST'
  | 'SUPPRESS'
  | 'UPDATE_FRAMEWORK';

export type ExecutorEventType =
  | 'UNKNOWN'
  | 'SUBSCRIBED'
  | 'LAUNCH'
  | 'LAUNCH_GROUP'
  | 'KILL'
  | 'ACKNOWLEDGED'
  | 'MESSAGE'
  | 'ERROR'
  | 'SHUTDOWN'
  | 'HEARTBEAT';

export type ExecutorCallType = 'UNKNOWN' | 'SUBSCRIBE' | 'UPDATE' | 'MESSAGE' | 'HEARTBEAT';

export type MasterCallType =
  | 'UNKNOWN'
  | 'GET_HEALTH'
  | 'GET_FLAGS'
  | 'GET_VERSION'
  | 'GET_METRICS'
  | 'GET_LOGGING_LEVEL'
  | 'SET_LOGGING_LEVEL'
  | 'LIST_FILES'
  | 'READ_FILE'
  | 'GET_STATE'
  | 'GET_AGENTS'
  | 'GET_FRAMEWORKS'
  | 'GET_EXECUTORS'
  | 'GET_OPERATIONS'
  | 'GET_TASKS'
  | 'GET_ROLES'
  | 'GET_WEIGHTS'
  | 'UPDATE_WEIGHTS'
  | 'GET_MASTER'
  | 'SUBSCRIBE'
  | 'RESERVE_RESOURCES'
  | 'UNRESERVE_RESOURCES'
  | 'CREATE_VOLUMES'
  | 'DESTROY_VOLUMES'
  | 'GROW_VOLUME'
  | 'SHRINK_VOLUME'
  | 'GET_MAINTENANCE_STATUS'
  | 'GET_MAINTENANCE_SCHEDULE'
  | 'UPDATE_MAINTENANCE_SCHEDULE'
  | 'START_MAINTENANCE'
  | 'STOP_MAINTENANCE'
  | 'DRAIN_AGENT'
  | 'DEACTIVATE_AGENT'
  | 'REACTIVATE_AGENT'
  | 'GET_QUOTA'
  | 'UPDATE_QUOTA'
  | 'SET_QUOTA'
  | 'REMOVE_QUOTA'
  | 'TEARDOWN'
  | 'MARK_AGENT_GONE';

export type MasterResponseType =
  | 'UNKNOWN'
  | 'GET_HEALTH'
  | 'GET_FLAGS'
  | 'GET_VERSION'
  | 'GET_METRICS'
  | 'GET_LOGGING_LEVEL'
  | 'LIST_FILES'
  | 'READ_FILE'
  | 'GET_STATE'
  | 'GET_AGENTS'
  | 'GET_FRAMEWORKS'
  | 'GET_EXECUTORS'
  | 'GET_OPERATIONS'
  | 'GET_TASKS'
  | 'GET_ROLES'
  | 'GET_WEIGHTS'
  | 'GET_MASTER'
  | 'GET_MAINTENANCE_STATUS'
  | 'GET_MAINTENANCE_SCHEDULE'
  | 'GET_QUOTA';

export type MasterEventType =
  | 'UNKNOWN'
  | 'SUBSCRIBED'
  | 'TASK_ADDED'
  | 'TASK_UPDATED'
  | 'AGENT_ADDED'
  | 'AGENT_REMOVED'
  | 'FRAMEWORK_ADDED'
  | 'FRAMEWORK_UPDATED'
  | 'FRAMEWORK_REMOVED'
  | 'HEARTBEAT';

export type AgentCallType =
  | 'UNKNOWN'
  | 'GET_HEALTH'
  | 'GET_FLAGS'
  | 'GET_VERSION'
  | 'GET_METRICS'
  | 'GET_LOGGING_LEVEL'
  | 'SET_LOGGING_LEVEL'
  | 'LIST_FILES'
  | 'READ_FILE'
  | 'GET_STATE'
  | 'GET_CONTAINERS'
  | 'GET_FRAMEWORKS'
  | 'GET_EXECUTORS'
  | 'GET_OPERATIONS'
  | 'GET_TASKS'
  | 'GET_AGENT'
  | 'GET_RESOURCE_PROVIDERS'
  | 'LAUNCH_NESTED_CONTAINER'
  | 'WAIT_NESTED_CONTAINER'
  | 'KILL_NESTED_CONTAINER'
  | 'REMOVE_NESTED_CONTAINER'
  | 'LAUNCH_NESTED_CONTAINER_SESSION'
  | 'ATTACH_CONTAINER_INPUT'
  | 'ATTACH_CONTAINER_OUTPUT'
  | 'LAUNCH_CONTAINER'
  | 'WAIT_CONTAINER'
  | 'KILL_CONTAINER'
  | 'REMOVE_CONTAINER'
  | 'ADD_RESOURCE_PROVIDER_CONFIG'
  | 'UPDATE_RESOURCE_PROVIDER_CONFIG'
  | 'REMOVE_RESOURCE_PROVIDER_CONFIG'
  | 'MARK_RESOURCE_PROVIDER_GONE'
  | 'PRUNE_IMAGES';

export type AgentCallAttachContainerInputType = 'UNKNOWN' | 'CONTAINER_ID' | 'PROCESS_IO';

export type AgentResponseType =
  | 'UNKNOWN'
  | 'GET_HEALTH'
  | 'GET_FLAGS'
  | 'GET_VERSION'
  | 'GET_METRICS'
  | 'GET_LOGGING_LEVEL'
  | 'LIST_FILES'
  | 'READ_FILE'
  | 'GET_STATE'
  | 'GET_CONTAINERS'
  | 'GET_FRAMEWORKS'
  | 'GET_EXECUTORS'
  | 'GET_OPERATIONS'
  | 'GET_TASKS'
  | 'GET_AGENT'
  | 'GET_RESOURCE_PROVIDERS'
  | 'WAIT_NESTED_CONTAINER'
  | 'WAIT_CONTAINER';

export type AgentProcessIOType = 'UNKNOWN' | 'DATA' | 'CONTROL';

export type AgentProcessIODataType = 'UNKNOWN' | 'STDIN' | 'STDOUT' | 'STDERR';

export type AgentProcessIOControlType = 'UNKNOWN' | 'TTY_INFO' | 'HEARTBEAT';

export type AllocatorInverseOfferStatusStatus = 'UNKNOWN' | 'ACCEPT' | 'DECLINE';

export type ResourceProviderEventType =
  | 'UNKNOWN'
  | 'SUBSCRIBED'
  | 'APPLY_OPERATION'
  | 'PUBLISH_RESOURCES'
  | 'ACKNOWLEDGE_OPERATION_STATUS'
  | 'RECONCILE_OPERATIONS'
  | 'TEARDOWN';

export type ResourceProviderCallType =
  | 'UNKNOWN'
  | 'SUBSCRIBE'
  | 'UPDATE_OPERATION_STATUS'
  | 'UPDATE_STATE'
  | 'UPDATE_PUBLISH_RESOURCES_STATUS';

export type ResourceProviderCallUpdatePublishResourcesStatusStatus = 'UNKNOWN' | 'OK' | 'FAILED';

/** Every message by its name in the .proto files. */
export interface Messages {
  readonly FrameworkID: FrameworkID;
  readonly OfferID: OfferID;
  readonly AgentID: AgentID;
  readonly TaskID: TaskID;
  readonly ExecutorID: ExecutorID;
  readonly ContainerID: ContainerID;
  readonly ResourceProviderID: ResourceProviderID;
  readonly OperationID: OperationID;
  readonly TimeInfo: TimeInfo;
  readonly DurationInfo: DurationInfo;
  readonly Address: Address;
  readonly URL: URL;
  readonly Unavailability: Unavailability;
  readonly MachineID: MachineID;
  readonly MachineInfo: MachineInfo;
  readonly FrameworkInfo: FrameworkInfo;
  readonly 'FrameworkInfo.Capability': FrameworkInfoCapability;
  readonly CheckInfo: CheckInfo;
  readonly 'CheckInfo.Command': CheckInfoCommand;
  readonly 'CheckInfo.Http': CheckInfoHttp;
  readonly 'CheckInfo.Tcp': CheckInfoTcp;
  readonly HealthCheck: HealthCheck;
  readonly 'HealthCheck.HTTPCheckInfo': HealthCheckHTTPCheckInfo;
  readonly 'HealthCheck.TCPCheckInfo': HealthCheckTCPCheckInfo;
  readonly KillPolicy: KillPolicy;
  readonly CommandInfo: CommandInfo;
  readonly 'CommandInfo.URI': CommandInfoURI;
  readonly ExecutorInfo: ExecutorInfo;
  readonly DomainInfo: DomainInfo;
  readonly 'DomainInfo.FaultDomain': DomainInfoFaultDomain;
  readonly 'DomainInfo.FaultDomain.RegionInfo': DomainInfoFaultDomainRegionInfo;
  readonly 'DomainInfo.FaultDomain.ZoneInfo': DomainInfoFaultDomainZoneInfo;
  readonly MasterInfo: MasterInfo;
  readonly 'MasterInfo.Capability': MasterInfoCapability;
  readonly AgentInfo: AgentInfo;
  readonly 'AgentInfo.Capability': AgentInfoCapability;
  readonly CSIPluginContainerInfo: CSIPluginContainerInfo;
  readonly CSIPluginEndpoint: CSIPluginEndpoint;
  readonly CSIPluginInfo: CSIPluginInfo;
  readonly ResourceProviderInfo: ResourceProviderInfo;
  readonly 'ResourceProviderInfo.Storage': ResourceProviderInfoStorage;
  readonly Value: Value;
  readonly 'Value.Scalar': ValueScalar;
  readonly 'Value.Range': ValueRange;
  readonly 'Value.Ranges': ValueRanges;
  readonly 'Value.Set': ValueSet;
  readonly 'Value.Text': ValueText;
  readonly Attribute: Attribute;
  readonly Resource: Resource;
  readonly 'Resource.AllocationInfo': ResourceAllocationInfo;
  readonly 'Resource.ReservationInfo': ResourceReservationInfo;
  readonly 'Resource.DiskInfo': ResourceDiskInfo;
  readonly 'Resource.DiskInfo.Persistence': ResourceDiskInfoPersistence;
  readonly 'Resource.DiskInfo.Source': ResourceDiskInfoSource;
  readonly 'Resource.DiskInfo.Source.Path': ResourceDiskInfoSourcePath;
  readonly 'Resource.DiskInfo.Source.Mount': ResourceDiskInfoSourceMount;
  readonly 'Resource.RevocableInfo': ResourceRevocableInfo;
  readonly 'Resource.SharedInfo': ResourceSharedInfo;
  readonly TrafficControlStatistics: TrafficControlStatistics;
  readonly IpStatistics: IpStatistics;
  readonly IcmpStatistics: IcmpStatistics;
  readonly TcpStatistics: TcpStatistics;
  readonly UdpStatistics: UdpStatistics;
  readonly SNMPStatistics: SNMPStatistics;
  readonly DiskStatistics: DiskStatistics;
  readonly ResourceStatistics: ResourceStatistics;
  readonly 'ResourceStatistics.RatePercentiles': ResourceStatisticsRatePercentiles;
  readonly 'ResourceStatistics.RateStatistics': ResourceStatisticsRateStatistics;
  readonly ResourceUsage: ResourceUsage;
  readonly 'ResourceUsage.Executor': ResourceUsageExecutor;
  readonly 'ResourceUsage.Executor.Task': ResourceUsageExecutorTask;
  readonly PerfStatistics: PerfStatistics;
  readonly OfferFilters: OfferFilters;
  readonly 'OfferFilters.ResourceQuantities': OfferFiltersResourceQuantities;
  readonly 'OfferFilters.MinAllocatableResources': OfferFiltersMinAllocatableResources;
  readonly Request: Request;
  readonly Offer: Offer;
  readonly 'Offer.Operation': OfferOperation;
  readonly 'Offer.Operation.Launch': OfferOperationLaunch;
  readonly 'Offer.Operation.LaunchGroup': OfferOperationLaunchGroup;
  readonly 'Offer.Operation.Reserve': OfferOperationReserve;
  readonly 'Offer.Operation.Unreserve': OfferOperationUnreserve;
  readonly 'Offer.Operation.Create': OfferOperationCreate;
  readonly 'Offer.Operation.Destroy': OfferOperationDestroy;
  readonly 'Offer.Operation.GrowVolume': OfferOperationGrowVolume;
  readonly 'Offer.Operation.ShrinkVolume': OfferOperationShrinkVolume;
  readonly 'Offer.Operation.CreateDisk': OfferOperationCreateDisk;
  readonly 'Offer.Operation.DestroyDisk': OfferOperationDestroyDisk;
  readonly InverseOffer: InverseOffer;
  readonly TaskInfo: TaskInfo;
  readonly TaskGroupInfo: TaskGroupInfo;
  readonly Task: Task;
  readonly TaskResourceLimitation: TaskResourceLimitation;
  readonly UUID: UUID;
  readonly Operation: Operation;
  readonly OperationStatus: OperationStatus;
  readonly CheckStatusInfo: CheckStatusInfo;
  readonly 'CheckStatusInfo.Command': CheckStatusInfoCommand;
  readonly 'CheckStatusInfo.Http': CheckStatusInfoHttp;
  readonly 'CheckStatusInfo.Tcp': CheckStatusInfoTcp;
  readonly TaskStatus: TaskStatus;
  readonly Filters: Filters;
  readonly Environment: Environment;
  readonly 'Environment.Variable': EnvironmentVariable;
  readonly Parameter: Parameter;
  readonly Parameters: Parameters;
  readonly Credential: Credential;
  readonly Credentials: Credentials;
  readonly Secret: Secret;
  readonly 'Secret.Reference': SecretReference;
  readonly 'Secret.Value': SecretValue;
  readonly RateLimit: RateLimit;
  readonly RateLimits: RateLimits;
  readonly Image: Image;
  readonly 'Image.Appc': ImageAppc;
  readonly 'Image.Docker': ImageDocker;
  readonly MountPropagation: MountPropagation;
  readonly Volume: Volume;
  readonly 'Volume.Source': VolumeSource;
  readonly 'Volume.Source.DockerVolume': VolumeSourceDockerVolume;
  readonly 'Volume.Source.HostPath': VolumeSourceHostPath;
  readonly 'Volume.Source.SandboxPath': VolumeSourceSandboxPath;
  readonly 'Volume.Source.CSIVolume': VolumeSourceCSIVolume;
  readonly 'Volume.Source.CSIVolume.VolumeCapability': VolumeSourceCSIVolumeVolumeCapability;
  readonly 'Volume.Source.CSIVolume.VolumeCapability.BlockVolume': VolumeSourceCSIVolumeVolumeCapabilityBlockVolume;
  readonly 'Volume.Source.CSIVolume.VolumeCapability.MountVolume': VolumeSourceCSIVolumeVolumeCapabilityMountVolume;
  readonly 'Volume.Source.CSIVolume.VolumeCapability.AccessMode': VolumeSourceCSIVolumeVolumeCapabilityAccessMode;
  readonly 'Volume.Source.CSIVolume.StaticProvisioning': VolumeSourceCSIVolumeStaticProvisioning;
  readonly NetworkInfo: NetworkInfo;
  readonly 'NetworkInfo.IPAddress': NetworkInfoIPAddress;
  readonly 'NetworkInfo.PortMapping': NetworkInfoPortMapping;
  readonly CapabilityInfo: CapabilityInfo;
  readonly SeccompInfo: SeccompInfo;
  readonly LinuxInfo: LinuxInfo;
  readonly RLimitInfo: RLimitInfo;
  readonly 'RLimitInfo.RLimit': RLimitInfoRLimit;
  readonly TTYInfo: TTYInfo;
  readonly 'TTYInfo.WindowSize': TTYInfoWindowSize;
  readonly ContainerInfo: ContainerInfo;
  readonly 'ContainerInfo.DockerInfo': ContainerInfoDockerInfo;
  readonly 'ContainerInfo.DockerInfo.PortMapping': ContainerInfoDockerInfoPortMapping;
  readonly 'ContainerInfo.MesosInfo': ContainerInfoMesosInfo;
  readonly ContainerStatus: ContainerStatus;
  readonly CgroupInfo: CgroupInfo;
  readonly 'CgroupInfo.Blkio': CgroupInfoBlkio;
  readonly 'CgroupInfo.Blkio.Value': CgroupInfoBlkioValue;
  readonly 'CgroupInfo.Blkio.CFQ': CgroupInfoBlkioCFQ;
  readonly 'CgroupInfo.Blkio.CFQ.Statistics': CgroupInfoBlkioCFQStatistics;
  readonly 'CgroupInfo.Blkio.Throttling': CgroupInfoBlkioThrottling;
  readonly 'CgroupInfo.Blkio.Throttling.Statistics': CgroupInfoBlkioThrottlingStatistics;
  readonly 'CgroupInfo.Blkio.Statistics': CgroupInfoBlkioStatistics;
  readonly 'CgroupInfo.NetCls': CgroupInfoNetCls;
  readonly Labels: Labels;
  readonly Label: Label;
  readonly Port: Port;
  readonly Ports: Ports;
  readonly DiscoveryInfo: DiscoveryInfo;
  readonly WeightInfo: WeightInfo;
  readonly VersionInfo: VersionInfo;
  readonly Flag: Flag;
  readonly Role: Role;
  readonly Metric: Metric;
  readonly FileInfo: FileInfo;
  readonly Device: Device;
  readonly 'Device.Number': DeviceNumber;
  readonly DeviceAccess: DeviceAccess;
  readonly 'DeviceAccess.Access': DeviceAccessAccess;
  readonly DeviceWhitelist: DeviceWhitelist;
  readonly DrainConfig: DrainConfig;
  readonly DrainInfo: DrainInfo;
  readonly 'scheduler.Event': SchedulerEvent;
  readonly 'scheduler.Event.Subscribed': SchedulerEventSubscribed;
  readonly 'scheduler.Event.Offers': SchedulerEventOffers;
  readonly 'scheduler.Event.InverseOffers': SchedulerEventInverseOffers;
  readonly 'scheduler.Event.Rescind': SchedulerEventRescind;
  readonly 'scheduler.Event.RescindInverseOffer': SchedulerEventRescindInverseOffer;
  readonly 'scheduler.Event.Update': SchedulerEventUpdate;
  readonly 'scheduler.Event.UpdateOperationStatus': SchedulerEventUpdateOperationStatus;
  readonly 'scheduler.Event.Message': SchedulerEventMessage;
  readonly 'scheduler.Event.Failure': SchedulerEventFailure;
  readonly 'scheduler.Event.Error': SchedulerEventError;
  readonly 'scheduler.Response': SchedulerResponse;
  readonly 'scheduler.Response.ReconcileOperations': SchedulerResponseReconcileOperations;
  readonly 'scheduler.AttributeConstraint': SchedulerAttributeConstraint;
  readonly 'scheduler.AttributeConstraint.Selector': SchedulerAttributeConstraintSelector;
  readonly 'scheduler.AttributeConstraint.Predicate': SchedulerAttributeConstraintPredicate;
  readonly 'scheduler.AttributeConstraint.Predicate.Exists': SchedulerAttributeConstraintPredicateExists;
  readonly 'scheduler.AttributeConstraint.Predicate.NotExists': SchedulerAttributeConstraintPredicateNotExists;
  readonly 'scheduler.AttributeConstraint.Predicate.TextEquals': SchedulerAttributeConstraintPredicateTextEquals;
  readonly 'scheduler.AttributeConstraint.Predicate.TextNotEquals': SchedulerAttributeConstraintPredicateTextNotEquals;
  readonly 'scheduler.AttributeConstraint.Predicate.TextMatches': SchedulerAttributeConstraintPredicateTextMatches;
  readonly 'scheduler.AttributeConstraint.Predicate.TextNotMatches': SchedulerAttributeConstraintPredicateTextNotMatches;
  readonly 'scheduler.OfferConstraints': SchedulerOfferConstraints;
  readonly 'scheduler.OfferConstraints.RoleConstraints': SchedulerOfferConstraintsRoleConstraints;
  readonly 'scheduler.OfferConstraints.RoleConstraints.Group': SchedulerOfferConstraintsRoleConstraintsGroup;
  readonly 'scheduler.Call': SchedulerCall;
  readonly 'scheduler.Call.Subscribe': SchedulerCallSubscribe;
  readonly 'scheduler.Call.Accept': SchedulerCallAccept;
  readonly 'scheduler.Call.Decline': SchedulerCallDecline;
  readonly 'scheduler.Call.AcceptInverseOffers': SchedulerCallAcceptInverseOffers;
  readonly 'scheduler.Call.DeclineInverseOffers': SchedulerCallDeclineInverseOffers;
  readonly 'scheduler.Call.Revive': SchedulerCallRevive;
  readonly 'scheduler.Call.Kill': SchedulerCallKill;
  readonly 'scheduler.Call.Shutdown': SchedulerCallShutdown;
  readonly 'scheduler.Call.Acknowledge': SchedulerCallAcknowledge;
  readonly 'scheduler.Call.AcknowledgeOperationStatus': SchedulerCallAcknowledgeOperationStatus;
  readonly 'scheduler.Call.Reconcile': SchedulerCallReconcile;
  readonly 'scheduler.Call.Reconcile.Task': SchedulerCallReconcileTask;
  readonly 'scheduler.Call.ReconcileOperations': SchedulerCallReconcileOperations;
  readonly 'scheduler.Call.ReconcileOperations.Operation': SchedulerCallReconcileOperationsOperation;
  readonly 'scheduler.Call.Message': SchedulerCallMessage;
  readonly 'scheduler.Call.Request': SchedulerCallRequest;
  readonly 'scheduler.Call.Suppress': SchedulerCallSuppress;
  readonly 'scheduler.Call.UpdateFramework': SchedulerCallUpdateFramework;
  readonly 'scheduler.APIResult': SchedulerAPIResult;
  readonly 'executor.Event': ExecutorEvent;
  readonly 'executor.Event.Subscribed': ExecutorEventSubscribed;
  readonly 'executor.Event.Launch': ExecutorEventLaunch;
  readonly 'executor.Event.LaunchGroup': ExecutorEventLaunchGroup;
  readonly 'executor.Event.Kill': ExecutorEventKill;
  readonly 'executor.Event.Acknowledged': ExecutorEventAcknowledged;
  readonly 'executor.Event.Message': ExecutorEventMessage;
  readonly 'executor.Event.Error': ExecutorEventError;
  readonly 'executor.Call': ExecutorCall;
  readonly 'executor.Call.Subscribe': ExecutorCallSubscribe;
  readonly 'executor.Call.Update': ExecutorCallUpdate;
  readonly 'executor.Call.Message': ExecutorCallMessage;
  readonly 'master.Call': MasterCall;
  readonly 'master.Call.GetMetrics': MasterCallGetMetrics;
  readonly 'master.Call.SetLoggingLevel': MasterCallSetLoggingLevel;
  readonly 'master.Call.ListFiles': MasterCallListFiles;
  readonly 'master.Call.ReadFile': MasterCallReadFile;
  readonly 'master.Call.UpdateWeights': MasterCallUpdateWeights;
  readonly 'master.Call.ReserveResources': MasterCallReserveResources;
  readonly 'master.Call.UnreserveResources': MasterCallUnreserveResources;
  readonly 'master.Call.CreateVolumes': MasterCallCreateVolumes;
  readonly 'master.Call.DestroyVolumes': MasterCallDestroyVolumes;
  readonly 'master.Call.GrowVolume': MasterCallGrowVolume;
  readonly 'master.Call.ShrinkVolume': MasterCallShrinkVolume;
  readonly 'master.Call.UpdateMaintenanceSchedule': MasterCallUpdateMaintenanceSchedule;
  readonly 'master.Call.StartMaintenance': MasterCallStartMaintenance;
  readonly 'master.Call.StopMaintenance': MasterCallStopMaintenance;
  readonly 'master.Call.DrainAgent': MasterCallDrainAgent;
  readonly 'master.Call.DeactivateAgent': MasterCallDeactivateAgent;
  readonly 'master.Call.ReactivateAgent': MasterCallReactivateAgent;
  readonly 'master.Call.UpdateQuota': MasterCallUpdateQuota;
  readonly 'master.Call.SetQuota': MasterCallSetQuota;
  readonly 'master.Call.RemoveQuota': MasterCallRemoveQuota;
  readonly 'master.Call.Teardown': MasterCallTeardown;
  readonly 'master.Call.MarkAgentGone': MasterCallMarkAgentGone;
  readonly 'master.Response': MasterResponse;
  readonly 'master.Response.GetHealth': MasterResponseGetHealth;
  readonly 'master.Response.GetFlags': MasterResponseGetFlags;
  readonly 'master.Response.GetVersion': MasterResponseGetVersion;
  readonly 'master.Response.GetMetrics': MasterResponseGetMetrics;
  readonly 'master.Response.GetLoggingLevel': MasterResponseGetLoggingLevel;
  readonly 'master.Response.ListFiles': MasterResponseListFiles;
  readonly 'master.Response.ReadFile': MasterResponseReadFile;
  readonly 'master.Response.GetState': MasterResponseGetState;
  readonly 'master.Response.GetAgents': MasterResponseGetAgents;
  readonly 'master.Response.GetAgents.Agent': MasterResponseGetAgentsAgent;
  readonly 'master.Response.GetAgents.Agent.ResourceProvider': MasterResponseGetAgentsAgentResourceProvider;
  readonly 'master.Response.GetFrameworks': MasterResponseGetFrameworks;
  readonly 'master.Response.GetFrameworks.Framework': MasterResponseGetFrameworksFramework;
  readonly 'master.Response.GetExecutors': MasterResponseGetExecutors;
  readonly 'master.Response.GetExecutors.Executor': MasterResponseGetExecutorsExecutor;
  readonly 'master.Response.GetOperations': MasterResponseGetOperations;
  readonly 'master.Response.GetTasks': MasterResponseGetTasks;
  readonly 'master.Response.GetRoles': MasterResponseGetRoles;
  readonly 'master.Response.GetWeights': MasterResponseGetWeights;
  readonly 'master.Response.GetMaster': MasterResponseGetMaster;
  readonly 'master.Response.GetMaintenanceStatus': MasterResponseGetMaintenanceStatus;
  readonly 'master.Response.GetMaintenanceSchedule': MasterResponseGetMaintenanceSchedule;
  readonly 'master.Response.GetQuota': MasterResponseGetQuota;
  readonly 'master.Event': MasterEvent;
  readonly 'master.Event.Subscribed': MasterEventSubscribed;
  readonly 'master.Event.TaskAdded': MasterEventTaskAdded;
  readonly 'master.Event.TaskUpdated': MasterEventTaskUpdated;
  readonly 'master.Event.FrameworkAdded': MasterEventFrameworkAdded;
  readonly 'master.Event.FrameworkUpdated': MasterEventFrameworkUpdated;
  readonly 'master.Event.FrameworkRemoved': MasterEventFrameworkRemoved;
  readonly 'master.Event.AgentAdded': MasterEventAgentAdded;
  readonly 'master.Event.AgentRemoved': MasterEventAgentRemoved;
  readonly 'agent.Call': AgentCall;
  readonly 'agent.Call.GetMetrics': AgentCallGetMetrics;
  readonly 'agent.Call.SetLoggingLevel': AgentCallSetLoggingLevel;
  readonly 'agent.Call.ListFiles': AgentCallListFiles;
  readonly 'agent.Call.ReadFile': AgentCallReadFile;
  readonly 'agent.Call.GetContainers': AgentCallGetContainers;
  readonly 'agent.Call.LaunchNestedContainer': AgentCallLaunchNestedContainer;
  readonly 'agent.Call.WaitNestedContainer': AgentCallWaitNestedContainer;
  readonly 'agent.Call.KillNestedContainer': AgentCallKillNestedContainer;
  readonly 'agent.Call.RemoveNestedContainer': AgentCallRemoveNestedContainer;
  readonly 'agent.Call.LaunchNestedContainerSession': AgentCallLaunchNestedContainerSession;
  readonly 'agent.Call.AttachContainerInput': AgentCallAttachContainerInput;
  readonly 'agent.Call.AttachContainerOutput': AgentCallAttachContainerOutput;
  readonly 'agent.Call.LaunchContainer': AgentCallLaunchContainer;
  readonly 'agent.Call.WaitContainer': AgentCallWaitContainer;
  readonly 'agent.Call.KillContainer': AgentCallKillContainer;
  readonly 'agent.Call.RemoveContainer': AgentCallRemoveContainer;
  readonly 'agent.Call.AddResourceProviderConfig': AgentCallAddResourceProviderConfig;
  readonly 'agent.Call.UpdateResourceProviderConfig': AgentCallUpdateResourceProviderConfig;
  readonly 'agent.Call.RemoveResourceProviderConfig': AgentCallRemoveResourceProviderConfig;
  readonly 'agent.Call.MarkResourceProviderGone': AgentCallMarkResourceProviderGone;
  readonly 'agent.Call.PruneImages': AgentCallPruneImages;
  readonly 'agent.Response': AgentResponse;
  readonly 'agent.Response.GetHealth': AgentResponseGetHealth;
  readonly 'agent.Response.GetFlags': AgentResponseGetFlags;
  readonly 'agent.Response.GetVersion': AgentResponseGetVersion;
  readonly 'agent.Response.GetMetrics': AgentResponseGetMetrics;
  readonly 'agent.Response.GetLoggingLevel': AgentResponseGetLoggingLevel;
  readonly 'agent.Response.ListFiles': AgentResponseListFiles;
  readonly 'agent.Response.ReadFile': AgentResponseReadFile;
  readonly 'agent.Response.GetState': AgentResponseGetState;
  readonly 'agent.Response.GetContainers': AgentResponseGetContainers;
  readonly 'agent.Response.GetContainers.Container': AgentResponseGetContainersContainer;
  readonly 'agent.Response.GetFrameworks': AgentResponseGetFrameworks;
  readonly 'agent.Response.GetFrameworks.Framework': AgentResponseGetFrameworksFramework;
  readonly 'agent.Response.GetExecutors': AgentResponseGetExecutors;
  readonly 'agent.Response.GetExecutors.Executor': AgentResponseGetExecutorsExecutor;
  readonly 'agent.Response.GetOperations': AgentResponseGetOperations;
  readonly 'agent.Response.GetTasks': AgentResponseGetTasks;
  readonly 'agent.Response.GetAgent': AgentResponseGetAgent;
  readonly 'agent.Response.GetResourceProviders': AgentResponseGetResourceProviders;
  readonly 'agent.Response.GetResourceProviders.ResourceProvider': AgentResponseGetResourceProvidersResourceProvider;
  readonly 'agent.Response.WaitNestedContainer': AgentResponseWaitNestedContainer;
  readonly 'agent.Response.WaitContainer': AgentResponseWaitContainer;
  readonly 'agent.ProcessIO': AgentProcessIO;
  readonly 'agent.ProcessIO.Data': AgentProcessIOData;
  readonly 'agent.ProcessIO.Control': AgentProcessIOControl;
  readonly 'agent.ProcessIO.Control.Heartbeat': AgentProcessIOControlHeartbeat;
  readonly 'allocator.InverseOfferStatus': AllocatorInverseOfferStatus;
  readonly 'maintenance.Window': MaintenanceWindow;
  readonly 'maintenance.Schedule': MaintenanceSchedule;
  readonly 'maintenance.ClusterStatus': MaintenanceClusterStatus;
  readonly 'maintenance.ClusterStatus.DrainingMachine': MaintenanceClusterStatusDrainingMachine;
  readonly 'quota.QuotaInfo': QuotaQuotaInfo;
  readonly 'quota.QuotaRequest': QuotaQuotaRequest;
  readonly 'quota.QuotaConfig': QuotaQuotaConfig;
  readonly 'quota.QuotaStatus': QuotaQuotaStatus;
  readonly 'resource_provider.Event': ResourceProviderEvent;
  readonly 'resource_provider.Event.Subscribed': ResourceProviderEventSubscribed;
  readonly 'resource_provider.Event.ApplyOperation': ResourceProviderEventApplyOperation;
  readonly 'resource_provider.Event.PublishResources': ResourceProviderEventPublishResources;
  readonly 'resource_provider.Event.AcknowledgeOperationStatus': ResourceProviderEventAcknowledgeOperationStatus;
  readonly 'resource_provider.Event.ReconcileOperations': ResourceProviderEventReconcileOperations;
  readonly 'resource_provider.Call': ResourceProviderCall;
  readonly 'resource_provider.Call.Subscribe': ResourceProviderCallSubscribe;
  readonly 'resource_provider.Call.UpdateOperationStatus': ResourceProviderCallUpdateOperationStatus;
  readonly 'resource_provider.Call.UpdateState': ResourceProviderCallUpdateState;
  readonly 'resource_provider.Call.UpdatePublishResourcesStatus': ResourceProviderCallUpdatePublishResourcesStatus;
  readonly 'resource_provider.SlaveInfo': ResourceProviderSlaveInfo;
  readonly 'google.protobuf.Duration': GoogleProtobufDuration;
}
