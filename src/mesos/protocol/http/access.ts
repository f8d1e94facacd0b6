import type { FaceReply, FaceRequest } from '#base';

/**
 * Who asks, and what they may: the door of authentication and authorization for the Mesos faces. The
 * names of actions are those of Mesos' ACLs.
 */
export interface Access {
  /** The caller, or the 401 or 403 that it gets. `realm` is what the endpoint belongs to. */
  authenticate(
    request: FaceRequest,
    realm: string,
  ): Promise<Caller | { readonly refusal: FaceReply }>;
}

export interface Caller {
  /** The name that was proved; undefined without authentication. */
  readonly principal: string | undefined;
  allows(action: Action, object?: ActionObject): boolean;
}

export type Action =
  | 'register_frameworks'
  | 'run_tasks'
  | 'teardown_frameworks'
  | 'reserve_resources'
  | 'unreserve_resources'
  | 'create_volumes'
  | 'destroy_volumes'
  | 'resize_volumes'
  | 'get_quotas'
  | 'update_quotas'
  | 'update_weights'
  | 'view_roles'
  | 'get_endpoints'
  | 'view_frameworks'
  | 'view_tasks'
  | 'view_executors'
  | 'view_containers'
  | 'access_sandboxes'
  | 'access_mesos_logs'
  | 'view_flags'
  | 'set_log_level'
  | 'get_maintenance_schedules'
  | 'update_maintenance_schedules'
  | 'start_maintenances'
  | 'stop_maintenances'
  | 'get_maintenance_statuses'
  | 'drain_agents'
  | 'deactivate_agents'
  | 'reactivate_agents'
  | 'mark_agents_gone'
  | 'launch_containers'
  | 'attach_containers'
  | 'wait_containers'
  | 'kill_containers'
  | 'remove_containers'
  | 'modify_resource_provider_configs'
  | 'prune_images'
  | 'run_executors';

/** What an action is about; absent members do not matter to it. */
export interface ActionObject {
  readonly role?: string | undefined;
  /** Operating system user of tasks and executors. */
  readonly user?: string | undefined;
  readonly frameworkID?: string | undefined;
  readonly frameworkName?: string | undefined;
  /** Namespace of the framework's Pods and Tasks. */
  readonly namespace?: string | undefined;
  readonly agentID?: string | undefined;
  /** Principal that reserved, created or registered. */
  readonly principal?: string | undefined;
  /** An endpoint's or file's path. */
  readonly path?: string | undefined;
}

/** Lets everybody in without a name and allows everything. */
export const openAccess: Access = {
  async authenticate() {
    return anybody;
  },
};

const anybody: Caller = { principal: undefined, allows: () => true };
