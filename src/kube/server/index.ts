/**
 * Kubernetes on the generic API server: who may do what, what may be written, the special doors, the
 * objects a cluster begins with, and the claims that follow Pods.
 *
 * Start with `createKubeServer()` in `server.ts`; the order of admission is in `admission/index.ts`.
 */
export { createKubeServer, systemUser } from './server.ts';
export type { KubeServer, KubeServerOptions } from './server.ts';
export { kubeletTarget } from './doors/kubelet.ts';
export { PodLedger } from './pod-ledger.ts';
export type { BindResult, Binding, LedgerParts } from './pod-ledger.ts';
export type { Growth, Launch, LaunchResult } from './launcher.ts';
export { heldPortsAnnotation, roleAnnotation, roleLabel } from './pods.ts';
export { apiAddress, dnsAddress } from './bootstrap/objects.ts';
export type { ClusterFacts } from './bootstrap/objects.ts';
export { createFaceAccess } from './face-access.ts';
export { groupsAnnotation, userLabel } from './passwords.ts';
export type { FaceAccess, FaceAccessOptions, FaceVerdict, WantedAccess } from './face-access.ts';
