/**
 * Services of every type, and host ports, as nftables rules of one table per cluster.
 *
 * Reads Services, EndpointSlices and the node's Pods; writes nothing but nftables. Loses nothing
 * when it stops: the rules stay. Start with `proxy.ts`, then `rules.ts`.
 */
export { ServiceProxy, serviceNameLabel, serviceOfSlice } from './proxy.ts';
export type { LoopbackPorts, ProxyOptions } from './proxy.ts';
export { createLoopbackPorts } from './loopback.ts';
export type { PortHolder } from './loopback.ts';
export type { FrameOptions } from './frame.ts';
