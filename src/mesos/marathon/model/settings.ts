/** The flags of Marathon that its definitions, matching and tasks depend on, with their defaults. */
export interface ModelSettings {
  /** `--mesos_role`: the role of apps that name none. */
  readonly mesosRole: string;
  /** `--new_group_enforce_role`. */
  readonly newGroupEnforceRole: 'off' | 'top';
  /** `--default_network_name`. */
  readonly defaultNetworkName?: string | undefined;
  /** `--mesos_bridge_name`. */
  readonly mesosBridgeName: string;
  /** `--local_port_min` and `--local_port_max`: service ports given out. */
  readonly localPortMin: number;
  readonly localPortMax: number;
  /** `--enable_features`: vips, task_killing, external_volumes, secrets, gpu_resources. */
  readonly features: readonly string[];
  /** `--env_vars_prefix`. */
  readonly envVarsPrefix?: string | undefined;
  /** `--executor`. */
  readonly executor: string;
  /** `--mesos_authentication_principal`, of reservations and volumes. */
  readonly principal?: string | undefined;
  /** `--accepted_resource_roles_default_behavior`. */
  readonly acceptedResourceRolesDefault: 'any' | 'unreserved' | 'reserved';
  /** `--gpu_scheduling_behavior`. */
  readonly gpuScheduling: 'restricted' | 'unrestricted';
  /** `--maintenance_mode` and `--draining_seconds`. */
  readonly maintenanceMode: boolean;
  readonly drainingSeconds: number;
}

export const defaultSettings: ModelSettings = {
  mesosRole: '*',
  newGroupEnforceRole: 'off',
  mesosBridgeName: 'mesos-bridge',
  localPortMin: 10_000,
  localPortMax: 20_000,
  features: ['vips', 'task_killing', 'secrets', 'gpu_resources'],
  executor: '//cmd',
  principal: 'marathon',
  acceptedResourceRolesDefault: 'any',
  gpuScheduling: 'restricted',
  maintenanceMode: true,
  drainingSeconds: 0,
};
