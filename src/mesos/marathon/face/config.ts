import type { Engine } from '../engine/engine.ts';

/** The version line whose behaviour this is. */
const version = '1.11.0';

/** `GET /v2/info` (InfoResource.scala): options that are not set are null. */
export function infoOf(engine: Engine): Readonly<Record<string, unknown>> {
  const { address } = engine.options;
  return {
    name: 'marathon',
    version,
    buildref: 'tandem',
    elected: true,
    leader: `${address.hostname}:${address.port}`,
    frameworkId: engine.framework.id ?? null,
    marathon_config: marathonConfig(engine),
    zookeeper_config: zookeeperConfig,
    http_config: { http_port: address.port, https_port: 8443 + address.port - 8080 },
  };
}

function marathonConfig({ settings, options }: Engine): Readonly<Record<string, unknown>> {
  return {
    access_control_allow_origin: settings.access_control_allow_origin ?? null,
    checkpoint: settings.checkpoint,
    decline_offer_duration: settings.decline_offer_duration,
    default_network_name: settings.default_network_name ?? null,
    env_vars_prefix: settings.env_vars_prefix ?? null,
    executor: settings.executor,
    failover_timeout: settings.failover_timeout,
    features: [...settings.enable_features],
    framework_name: settings.framework_name,
    ha: true,
    hostname: settings.hostname,
    launch_token: settings.launch_tokens,
    launch_token_refresh_interval: settings.launch_token_refresh_interval,
    leader_proxy_connection_timeout_ms: 5000,
    leader_proxy_read_timeout_ms: 10_000,
    local_port_max: settings.local_port_max,
    local_port_min: settings.local_port_min,
    master: options.masterURL ?? null,
    max_instances_per_offer: settings.max_instances_per_offer,
    mesos_bridge_name: settings.mesos_bridge_name,
    mesos_heartbeat_failure_threshold: 5,
    mesos_heartbeat_interval: 15_000,
    mesos_leader_ui_url: options.masterURL ?? null,
    mesos_role: settings.mesos_role,
    mesos_user: settings.mesos_user,
    new_group_enforce_role: settings.new_group_enforce_role,
    min_revive_offers_interval: settings.min_revive_offers_interval,
    offer_matching_timeout: 3000,
    on_elected_prepare_timeout: 180_000,
    reconciliation_initial_delay: settings.reconciliation_initial_delay,
    reconciliation_interval: settings.reconciliation_interval,
    scale_apps_initial_delay: settings.scale_apps_initial_delay,
    scale_apps_interval: settings.scale_apps_interval,
    store_cache: true,
    task_launch_confirm_timeout: settings.task_launch_confirm_timeout,
    task_launch_timeout: settings.task_launch_timeout,
    task_lost_expunge_initial_delay: settings.task_lost_expunge_initial_delay,
    task_lost_expunge_interval: settings.task_lost_expunge_interval,
    task_reservation_timeout: settings.task_reservation_timeout,
    webui_url: settings.webui_url ?? null,
    maintenance_mode: true,
  };
}

/** There is no ZooKeeper: what a client would read of one that was never configured. */
const zookeeperConfig = {
  zk: 'zk://localhost:2181/marathon',
  zk_compression: true,
  zk_compression_threshold: 65_536,
  zk_connection_timeout: 10_000,
  zk_max_node_size: 1_024_000,
  zk_max_versions: 50,
  zk_session_timeout: 10_000,
  zk_timeout: 10_000,
};

/** `GET /config`: the flags by their names. */
export function configOf({ settings, options }: Engine): Readonly<Record<string, unknown>> {
  const flags = Object.entries({ ...settings, http_port: options.address.port });
  return { marathon: Object.fromEntries(flags.filter(([, value]) => value !== undefined)) };
}
