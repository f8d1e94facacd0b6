/**
 * The cluster's DNS: an ordered chain of name spaces, first answer wins, the host's resolver last.
 *
 * Answers from informers' caches, so it goes on when the server is away. Start with `chain.ts`.
 */
export { askChain } from './chain.ts';
export type { NameAnswer, NameSpace } from './chain.ts';
export { addressesOfService, addressesOfSlice, clusterNames } from './cluster.ts';
export type { ClusterNamesOptions } from './cluster.ts';
export { forwarding } from './forward.ts';
export type { AskUpstream } from './forward.ts';
export type { MesosDnsFaceOptions } from './mesos/face.ts';
export { loadMesosDns, mesosSpace } from './mesos/load.ts';
export type { ZoneFacts } from './mesos/records.ts';
export type { MesosViewOptions } from './mesos/view.ts';
export { dnsHandler } from './server.ts';
export type { DnsHandler } from './server.ts';
