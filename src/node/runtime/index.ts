/**
 * Images, sandboxes, containers, cgroups, logs of one machine, behind one interface.
 *
 * Knows nothing of Pods' life or the API. `runtime.ts` is the seam, `oci/` stands behind it with crun
 * or runc under conmon, `images/` is the cluster's content store. Containers outlive the process:
 * all that must be known of them is in files. Start with `runtime.ts`, then `oci/oci-runtime.ts`.
 */
export { openImages } from './images/images.ts';
export type { ImageOptions, ImageStore } from './images/images.ts';
export { registrySettings } from './images/settings.ts';
export { openNodeNamespace } from './oci/namespace.ts';
export type { NodeNamespace } from './oci/namespace.ts';
export { openOciRuntime } from './oci/oci-runtime.ts';
export { probeMachine } from './oci/probe.ts';
export type { MachineProbe } from './oci/probe.ts';
export { removeEverything } from './oci/removal.ts';
export type { RemovalOptions } from './oci/removal.ts';
export type { NetworkOptions, RegistryOptions, RuntimeOptions } from './options.ts';
export { ContainerError, ImageError } from './runtime.ts';
export type {
  Container,
  ContainerSpec,
  ContainerStats,
  ExecOptions,
  ExecResult,
  ExecSyncOptions,
  Image,
  ImageConfig,
  Images,
  Machine,
  Mount,
  Process,
  ProcessLimit,
  PullOptions,
  ResourceLimits,
  Runtime,
  Sandbox,
  SandboxSpec,
  Security,
  StreamOptions,
} from './runtime.ts';
