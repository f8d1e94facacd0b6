import type { LoggingLevel, MessageCodec } from '#mesos/protocol';
import type { CustomExecutors } from '../custom/custom-executors.ts';
import type { Fetcher } from '../fetch/fetcher.ts';
import type { SandboxGc } from '../sandbox-gc.ts';
import type { LaunchedContainers } from '../nested/launched.ts';
import type { Sessions } from '../nested/sessions.ts';
import type { ExecutorsOptions } from '../options.ts';
import type { WorkPaths } from '../paths.ts';
import type { World } from '../world.ts';
import type { AgentFactsReader } from './agent-facts.ts';
import type { SandboxView } from './sandbox-files.ts';

/** What all endpoints of the agent share. */
export interface AgentContext {
  readonly options: ExecutorsOptions;
  readonly world: World;
  readonly paths: WorkPaths;
  readonly codec: MessageCodec;
  readonly logging: LoggingLevel;
  readonly custom: CustomExecutors;
  readonly fetcher: Fetcher;
  readonly gc: SandboxGc;
  readonly launched: LaunchedContainers;
  readonly sessions: Sessions;
  readonly files: SandboxView;
  readonly facts: AgentFactsReader;
  readonly startedMs: number;
  /** By name, for GET_FLAGS, `/flags` and `/state`. */
  flags(): Readonly<Record<string, string>>;
}

/** The defaults of an agent, with what is ours in their place. */
export function flagsOf(options: ExecutorsOptions): Readonly<Record<string, string>> {
  return {
    agent_ping_timeout: '15secs',
    authenticate_http_executors: 'false',
    cgroups_enable_cfs: 'true',
    container_disk_watch_interval: '15secs',
    containerizers: 'docker,mesos',
    default_role: '*',
    disk_watch_interval: '1mins',
    docker_remove_delay: '6hrs',
    executor_registration_timeout: '1mins',
    executor_reregistration_timeout: '15secs',
    executor_shutdown_grace_period: '5secs',
    fetcher_cache_dir: `${options.dataDir}/fetch`,
    fetcher_cache_size: '2GB',
    fetcher_stall_timeout: '1mins',
    frameworks_home: '',
    gc_delay: '1weeks',
    gc_disk_headroom: '0.1',
    hostname: options.hostname,
    hostname_lookup: 'false',
    http_heartbeat_interval: '30secs',
    image_providers: 'docker',
    ip: options.nodeIp,
    isolation: 'cgroups/cpu,cgroups/mem,disk/du,docker/runtime,filesystem/linux,namespaces/pid',
    launcher: 'linux',
    max_completed_executors_per_framework: '150',
    port: String(options.port),
    recover: 'reconnect',
    recovery_timeout: '15mins',
    sandbox_directory: '/mnt/mesos/sandbox',
    strict: 'true',
    switch_user: 'true',
    version: 'false',
    work_dir: options.dataDir,
  };
}
