import type { Pod } from '#kube/kinds';
import type { ContainerSpec, SandboxSpec } from '#node/runtime';

/**
 * What another part of the agent adds to Pods of its own kind (Mesos executors and tasks): the
 * kubelet asks it for every Pod and goes its usual way where nothing is answered.
 */
export interface PodExtension {
  /** Does it want to have a say in this Pod? */
  handles(pod: Pod): boolean;
  /**
   * Before the first container of the Pod is made, volumes are mounted: makes directories, fetches
   * files. Throws `PodRefused` when the Pod cannot run: it fails with that reason and message.
   */
  prepare(pod: Pod, signal: AbortSignal): Promise<void>;
  /** The last word on the Pod's sandbox: its network and host name. */
  sandboxSpec?(pod: Pod, spec: SandboxSpec): SandboxSpec | Promise<SandboxSpec>;
  /** The last word on a container: environment, mounts, user. Called each time it is made. */
  containerSpec(pod: Pod, spec: ContainerSpec): ContainerSpec | Promise<ContainerSpec>;
  /**
   * Before each container is made, those appended to a running Pod too. Throws `PodRefused`: the
   * container counts as ended (exit code 128, this reason and message) and is not tried again.
   */
  prepareContainer?(pod: Pod, name: string, signal: AbortSignal): Promise<void>;
  /** Docker config documents to look for registry credentials in, besides the Pod's own secrets. */
  pullSecrets?(pod: Pod, name: string): Promise<readonly unknown[]>;
  /** Asked before a container is made or tried again: why it never may be. It counts as ended then. */
  forbids?(
    pod: Pod,
    name: string,
  ): { readonly reason: string; readonly message: string } | undefined;
  /** Before a running container is told to stop, once; the grace goes on meanwhile and bounds it. */
  beforeStop?(pod: Pod, name: string, graceMs: number): Promise<void>;
  /**
   * A container of the Pod has ended: the Pod is looked at when this resolves, so that what somebody
   * waits for is told before the kubelet tidies up. Soon, whatever happens; never rejects.
   */
  told?(pod: Pod): Promise<void>;
  /** All containers have ended, their logs are still there. Awaited before these are removed. */
  ended?(pod: Pod): Promise<void>;
  /** Gives the extension a way to have a Pod looked at again: an answer of `forbids` changed. */
  onWake?(wake: (podUid: string) => void): void;
  /** The Pod's containers and directories are gone from this node. */
  released(pod: Pod): void;
}

/** Ends a Pod that was never started: phase Failed with this reason and message. */
export class PodRefused extends Error {
  override readonly name = 'PodRefused';
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
