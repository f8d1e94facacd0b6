import type { KubeObject } from '#machinery';

/**
 * What lasts of Marathon, all in the namespace of Marathon's framework (`mesos-marathon`). Definitions
 * are kept in the JSON form of Marathon's REST API (version line 1.11) after normalisation; their types
 * belong to `mesos/marathon`. Times are RFC 3339 with milliseconds, as Marathon writes them.
 */

/** A definition as JSON; `mesos/marathon` knows its fields. */
export type MarathonJson = Readonly<Record<string, unknown>>;

/** `/v2/apps`: `spec` is the whole App, `versionInfo` included. */
export interface App extends KubeObject {
  readonly spec: MarathonJson & { readonly id: string; readonly instances: number };
  readonly status: RunSpecStatus;
}
/** `/v2/pods`: `spec` is the whole Pod definition. */
export interface AppPod extends KubeObject {
  readonly spec: MarathonJson & { readonly id: string };
  readonly status: RunSpecStatus;
}
/** For people (`kubectl get apps`); the truth is the instances. */
export interface RunSpecStatus {
  readonly instances?: number | undefined;
  readonly running?: number | undefined;
  readonly healthy?: number | undefined;
  readonly lastTaskFailure?: MarathonJson | undefined;
}

/** `/v2/groups`: one object per group, the root too. Members are known by their ids. */
export interface AppGroup extends KubeObject {
  readonly spec: {
    readonly id: string;
    readonly dependencies?: readonly string[] | undefined;
    readonly enforceRole?: boolean | undefined;
    readonly version: string;
  };
}

/** A definition as it was, for versions and rollbacks. */
export interface AppVersion extends KubeObject {
  readonly spec: {
    readonly of: 'app' | 'pod' | 'group';
    readonly id: string;
    readonly version: string;
    readonly definition: MarathonJson;
  };
}

/** A running deployment; its plan and how far it is. */
export interface AppDeployment extends KubeObject {
  readonly spec: {
    readonly id: string;
    readonly version: string;
    readonly force: boolean;
    /** Definitions of the affected run specs before and after, and the steps. */
    readonly plan: MarathonJson;
  };
  readonly status: { readonly currentStep: number };
}

/** One instance of an app or pod, with its tasks. */
export interface AppInstance extends KubeObject {
  readonly spec: {
    readonly instanceID: string;
    readonly runSpecID: string;
    readonly role: string;
    readonly runSpecVersion: string;
    readonly goal: 'Running' | 'Stopped' | 'Decommissioned';
    /** Held for resident tasks. */
    readonly reservation?: MarathonJson | undefined;
  };
  readonly status: {
    readonly condition: string;
    readonly since: string;
    readonly agent?: MarathonJson | undefined;
    readonly tasks?: readonly MarathonJson[] | undefined;
    readonly healthy?: boolean | undefined;
  };
}
