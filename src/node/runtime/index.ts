/**
 * Images, sandboxes, containers, cgroups, logs of one machine, behind one interface.
 *
 * Knows nothing of Pods' life or the API. Start with `runtime.ts`.
 */
export { ContainerError, ImageError } from './runtime.ts';
export type {
  Container,
  ContainerSpec,
  ContainerStats,
  ExecResult,
  ExecSyncOptions,
  Image,
  ImageConfig,
  Images,
  Machine,
  Mount,
  Process,
  PullOptions,
  ResourceLimits,
  Runtime,
  Sandbox,
  SandboxSpec,
  Security,
  StreamOptions,
} from './runtime.ts';
