/**
 * The agent's heart: takes the Pods that are bound to this node from the API and makes them run.
 *
 * One level-triggered worker per Pod (`pod-worker.ts`) compares what the Pod wants with what the
 * runtime has and starts or stops what differs; everything it knows can be rebuilt from the API and
 * the runtime, so a restarted agent simply goes on. Also the kubelet's HTTPS API (`face.ts`), the
 * node's status and lease, probes, volumes, eviction and garbage collection. Does no I/O of its own:
 * files, mounts and probe connections come from `io`, containers from `node/runtime`.
 */
export { createKubelet } from './kubelet.ts';
export { PodRefused } from './extension.ts';
export type { PodExtension } from './extension.ts';
export type { Kubelet, KubeletOptions } from './options.ts';
