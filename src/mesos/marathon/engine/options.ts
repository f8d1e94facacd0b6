import type { Clock, Face, FaceRequest, Logger, Random } from '#base';
import type { CreateInformer } from '#client';
import type { Api, KubeObject, NewObject, ResourceName, SystemWriter, Target } from '#machinery';
import type { SchedulerLink } from '#mesos/protocol';

/** What Marathon needs of the process around it. */
export interface MarathonOptions {
  /** As the system itself. */
  readonly api: Api;
  readonly createInformer: CreateInformer;
  /** Atomic writes of several objects. */
  readonly writer: SystemWriter;
  readonly link: SchedulerLink;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly net: ProbeNet;
  /** What differs from `defaultSettings`. */
  readonly settings?: Partial<MarathonSettings> | undefined;
  /** Where clients reach this Marathon. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Where the Mesos master is, for `/v2/info` (`http://host:5050`). */
  readonly masterURL?: string | undefined;
  /** Left out: everybody may do everything. */
  readonly access?: MarathonAccess | undefined;
}

export interface Marathon {
  readonly face: Face;
  /** Runs until the signal aborts. The face answers 503 until the store's objects are loaded. */
  run(signal: AbortSignal): Promise<void>;
  /** Recomputes counts and indexes the slow way; throws at the first difference. */
  check(): void;
}

/** One object of an atomic write. `status` is written as given, beside `spec`. */
export type CommitOp =
  | { readonly op: 'create'; readonly resource: ResourceName; readonly object: NewObject }
  /** Replaces the whole object; without `resourceVersion` whatever it was, which must exist. */
  | { readonly op: 'update'; readonly resource: ResourceName; readonly object: NewObject }
  /** One that is not there any more is no error. */
  | { readonly op: 'delete'; readonly resource: ResourceName; readonly target: Target };

/** All or nothing, durable when it resolves; the objects as stored, in order (deleted: undefined). */
export type Commit = (ops: readonly CommitOp[]) => Promise<readonly (KubeObject | undefined)[]>;

/** Connections to tasks, for health and readiness checks that Marathon itself makes (io's fits). */
export interface ProbeNet {
  /** GET. Certificates are not verified. Rejects when there is no answer in time. */
  http(target: ProbeTarget, timeoutMs: number): Promise<ProbeAnswer>;
  /** Connects and hangs up. Rejects when that fails. */
  tcp(host: string, port: number, timeoutMs: number): Promise<void>;
}
export interface ProbeTarget {
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
}
export interface ProbeAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly contentType: string;
  /** Its first bytes. */
  readonly body: string;
}

/** Who may do what: Marathon's authenticator and authorizer plugins. */
export interface MarathonAccess {
  authenticate(request: FaceRequest): Promise<AccessVerdict>;
}
export type AccessVerdict =
  | { readonly ok: true; readonly identity: AccessIdentity }
  | {
      readonly ok: false;
      readonly status: 401 | 403 | 503;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };
export interface AccessIdentity {
  readonly name: string;
  allows(wanted: WantedMarathonAccess): boolean;
}
export interface WantedMarathonAccess {
  readonly action: 'create' | 'update' | 'delete' | 'view';
  /** `system`: leader, logging, events, metrics, deployments as a whole. */
  readonly on: 'app' | 'pod' | 'group' | 'system';
  /** Absolute path of the app, pod or group; '' for the system. */
  readonly id: string;
  /** User that its plain processes would run as; undefined when it runs none. */
  readonly user?: string | undefined;
}

/** The flags of Marathon that mean something here, with their names and units (ms unless said). */
export interface MarathonSettings {
  readonly framework_name: string;
  readonly failover_timeout: number;
  readonly checkpoint: boolean;
  readonly hostname: string;
  readonly webui_url: string | undefined;
  readonly mesos_role: string;
  readonly mesos_user: string;
  readonly mesos_authentication_principal: string | undefined;
  readonly executor: string;
  readonly local_port_min: number;
  readonly local_port_max: number;
  readonly default_network_name: string | undefined;
  readonly mesos_bridge_name: string;
  readonly env_vars_prefix: string | undefined;
  readonly enable_features: readonly string[];
  readonly task_launch_timeout: number;
  readonly task_launch_confirm_timeout: number;
  readonly task_reservation_timeout: number;
  readonly reconciliation_initial_delay: number;
  readonly reconciliation_interval: number;
  readonly scale_apps_initial_delay: number;
  readonly scale_apps_interval: number;
  readonly task_lost_expunge_initial_delay: number;
  readonly task_lost_expunge_interval: number;
  readonly max_running_deployments: number;
  readonly max_apps: number | undefined;
  readonly decline_offer_duration: number;
  readonly min_revive_offers_interval: number;
  readonly launch_tokens: number;
  readonly launch_token_refresh_interval: number;
  readonly max_instances_per_offer: number;
  readonly draining_seconds: number;
  readonly gpu_scheduling_behavior: 'restricted' | 'unrestricted';
  readonly max_concurrent_marathon_health_checks: number;
  readonly accepted_resource_roles_default_behavior: 'any' | 'unreserved' | 'reserved';
  readonly new_group_enforce_role: 'off' | 'top';
  readonly event_stream_max_outstanding_messages: number;
  readonly access_control_allow_origin: readonly string[] | undefined;
  readonly max_versions: number;
  readonly http_max_concurrent_requests: number | undefined;
}

/**
 * The reference's, but for three that ration launches (docs/decisions/marathon.md): a master in the
 * same process takes what the reference would spread over minutes.
 */
export const defaultSettings: MarathonSettings = {
  framework_name: 'marathon',
  failover_timeout: 604_800,
  checkpoint: true,
  hostname: '',
  webui_url: undefined,
  mesos_role: '*',
  mesos_user: 'root',
  mesos_authentication_principal: 'marathon',
  executor: '//cmd',
  local_port_min: 10_000,
  local_port_max: 20_000,
  default_network_name: undefined,
  mesos_bridge_name: 'mesos-bridge',
  env_vars_prefix: undefined,
  enable_features: ['vips', 'task_killing', 'secrets', 'gpu_resources'],
  task_launch_timeout: 300_000,
  task_launch_confirm_timeout: 300_000,
  task_reservation_timeout: 20_000,
  reconciliation_initial_delay: 15_000,
  reconciliation_interval: 600_000,
  scale_apps_initial_delay: 15_000,
  scale_apps_interval: 300_000,
  task_lost_expunge_initial_delay: 300_000,
  task_lost_expunge_interval: 30_000,
  max_running_deployments: 100,
  max_apps: undefined,
  decline_offer_duration: 120_000,
  min_revive_offers_interval: 1_000,
  launch_tokens: 10_000,
  launch_token_refresh_interval: 30_000,
  max_instances_per_offer: 100,
  draining_seconds: 0,
  gpu_scheduling_behavior: 'restricted',
  max_concurrent_marathon_health_checks: 256,
  accepted_resource_roles_default_behavior: 'any',
  new_group_enforce_role: 'off',
  event_stream_max_outstanding_messages: 1024,
  access_control_allow_origin: undefined,
  max_versions: 50,
  http_max_concurrent_requests: undefined,
};
