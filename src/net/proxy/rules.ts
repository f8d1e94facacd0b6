import type { EndpointSlice, Pod, Service, ServicePort } from '#kube/kinds';
import { destinationsOf } from './endpoints.ts';
import type { Destination, Place, Traffic } from './endpoints.ts';
import { masqueradeMark } from './frame.ts';
import type { RuleSet } from './ruleset.ts';

/** What the rules follow from. */
export interface ProxyState {
  readonly services: readonly Service[];
  /** Slices of a Service, by "namespace/name". */
  readonly slicesOf: (key: string) => readonly EndpointSlice[];
  /** Pods on this node: their host ports, and who must be masqueraded to reach himself. */
  readonly localPods: readonly Pod[];
  readonly place: Place;
  readonly podRange: string;
  /** Service ports answered on this machine whatever their endpoints: "ip/protocol/port" to an address. */
  readonly fixed: ReadonlyMap<string, { readonly ip: string; readonly port: number }>;
  /** Ports of LoadBalancer Services that are ours on 127.0.0.1. */
  readonly loopbackPorts: ReadonlySet<string>;
}

interface Draft {
  readonly chains: Map<string, readonly string[]>;
  readonly elements: Map<string, Map<string, string>>;
  readonly dynamicSets: Map<string, string>;
}

/** All rules of a state. Pure: equal states give equal rules. */
export function rulesOf(state: ProxyState): RuleSet {
  const draft: Draft = { chains: new Map(), elements: new Map(), dynamicSets: new Map() };
  for (const service of state.services) addService(draft, state, service);
  for (const pod of state.localPods) addPod(draft, pod);
  return draft;
}

function put(draft: Draft, map: string, entry: { key: string; value: string }): void {
  const elements = draft.elements.get(map) ?? new Map<string, string>();
  // The first Service that asks for an address keeps it: the order of Services is stable.
  if (!elements.has(entry.key)) elements.set(entry.key, entry.value);
  draft.elements.set(map, elements);
}

function addService(draft: Draft, state: ProxyState, service: Service): void {
  const { spec } = service;
  const { clusterIP } = spec;
  if (spec.type === 'ExternalName' || clusterIP === undefined || clusterIP === '') return;
  if (clusterIP === 'None') return;
  const slices = state.slicesOf(`${service.metadata.namespace ?? ''}/${service.metadata.name}`);
  for (const port of spec.ports ?? []) addPort(draft, state, { service, port, slices, clusterIP });
}

interface PortOf {
  readonly service: Service;
  readonly port: ServicePort;
  readonly slices: readonly EndpointSlice[];
  readonly clusterIP: string;
}

function addPort(draft: Draft, state: ProxyState, of: PortOf): void {
  const { service, port, clusterIP } = of;
  const protocol = (port.protocol ?? 'TCP').toLowerCase();
  const id = chainId(
    `${service.metadata.namespace}/${service.metadata.name}`,
    `${protocol}-${port.port}`,
  );
  const fixed = state.fixed.get(`${clusterIP}/${protocol}/${port.port}`);
  if (fixed !== undefined) {
    draft.chains.set(`svc-${id}`, [`meta l4proto ${protocol} dnat to ${fixed.ip}:${fixed.port}`]);
    put(draft, 'services', {
      key: `${clusterIP} . ${protocol} . ${port.port}`,
      value: `goto svc-${id}`,
    });
    return;
  }
  const inner = chainFor(draft, state, { ...of, id: `svc-${id}`, protocol, traffic: 'internal' });
  reach(draft, { address: clusterIP, protocol, port: port.port, target: inner });
  const outside = externalAddresses(service);
  if (outside.length === 0 && (port.nodePort ?? 0) === 0) return;
  const outer = externalChain(draft, state, { ...of, id, protocol });
  for (const address of outside)
    reach(draft, { address, protocol, port: port.port, target: outer });
  if (typeof outer !== 'string') {
    if ((port.nodePort ?? 0) > 0 && outer.refused)
      put(draft, 'refused-ports', { key: `${protocol} . ${port.nodePort}`, value: '' });
    return;
  }
  if ((port.nodePort ?? 0) > 0)
    put(draft, 'node-ports', { key: `${protocol} . ${port.nodePort}`, value: `goto ${outer}` });
  if (state.loopbackPorts.has(`${protocol}/${port.port}`) && isLoadBalanced(service))
    put(draft, 'loopback-ports', { key: `${protocol} . ${port.port}`, value: `goto ${outer}` });
}

/** A chain to go to, or nothing to go to: refused when no endpoint exists at all, else dropped. */
type TargetChain = string | { readonly refused: boolean };

function reach(
  draft: Draft,
  to: { address: string; protocol: string; port: number; target: TargetChain },
): void {
  const key = `${to.address} . ${to.protocol} . ${to.port}`;
  if (typeof to.target === 'string') put(draft, 'services', { key, value: `goto ${to.target}` });
  else if (to.target.refused) put(draft, 'refused', { key, value: '' });
  else put(draft, 'dropped', { key, value: 'drop' });
}

/** The chain for addresses outside the cluster: source ranges, then masquerade unless the policy is Local. */
function externalChain(
  draft: Draft,
  state: ProxyState,
  of: PortOf & { id: string; protocol: string },
): TargetChain {
  const { service, id } = of;
  const local = service.spec.externalTrafficPolicy === 'Local';
  const target = chainFor(draft, state, {
    ...of,
    id: local ? `loc-${id}` : `exs-${id}`,
    traffic: 'external',
  });
  if (typeof target !== 'string') return target;
  const rules: string[] = [];
  const ranges = (service.spec.loadBalancerSourceRanges ?? []).filter(
    (range) => !range.includes(':'),
  );
  // Local policy keeps the client's address; Pods of the cluster take the ordinary way.
  if (local) {
    const inner = `svc-${id}`;
    if (draft.chains.has(inner)) rules.push(`ip saddr ${state.podRange} goto ${inner}`);
  }
  if (ranges.length > 0 && isLoadBalanced(service))
    rules.push(`ip saddr != { ${ranges.join(', ')}, 127.0.0.0/8 } drop`);
  if (!local)
    rules.push(`ip saddr != ${state.podRange} meta mark set meta mark or ${masqueradeMark}`);
  rules.push(`goto ${target}`);
  draft.chains.set(`ext-${id}`, rules);
  return `ext-${id}`;
}

function chainFor(
  draft: Draft,
  state: ProxyState,
  of: PortOf & { id: string; protocol: string; traffic: Traffic },
): TargetChain {
  const { service, port, slices, traffic, id, protocol } = of;
  const { destinations, some } = destinationsOf(port, slices, {
    service,
    traffic,
    place: state.place,
  });
  for (const { ip } of destinations) put(draft, 'hairpin', { key: `${ip} . ${ip}`, value: '' });
  if (destinations.length === 0) return { refused: !some };
  const affinity = service.spec.sessionAffinity === 'ClientIP';
  const rules = affinity
    ? affinityRules(draft, destinations, {
        id,
        protocol,
        seconds: service.spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800,
      })
    : [balance(destinations, protocol)];
  draft.chains.set(id, rules);
  return id;
}

function balance(destinations: readonly Destination[], protocol: string): string {
  const [first] = destinations;
  if (first !== undefined && destinations.length === 1)
    return `meta l4proto ${protocol} dnat to ${first.ip}:${first.port}`;
  const choices = destinations.map(({ ip, port }, index) => `${index} : ${ip} . ${port}`);
  return `meta l4proto ${protocol} dnat ip addr . port to numgen random mod ${destinations.length} map { ${choices.join(', ')} }`;
}

/** A chain and a set of clients per endpoint: whoever is in the set stays there until it times out. */
function affinityRules(
  draft: Draft,
  destinations: readonly Destination[],
  of: { readonly id: string; readonly protocol: string; readonly seconds: number },
): string[] {
  const rules: string[] = [];
  const choices: string[] = [];
  for (const [index, { ip, port }] of destinations.entries()) {
    const name = `${of.id}-${ip}-${port}`;
    const clients = `aff-${name}`;
    draft.dynamicSets.set(
      clients,
      `type ipv4_addr; flags dynamic,timeout; timeout ${of.seconds}s;`,
    );
    draft.chains.set(`ep-${name}`, [
      `update @${clients} { ip saddr timeout ${of.seconds}s }`,
      `meta l4proto ${of.protocol} dnat to ${ip}:${port}`,
    ]);
    rules.push(`ip saddr @${clients} goto ep-${name}`);
    choices.push(`${index} : goto ep-${name}`);
  }
  rules.push(`numgen random mod ${destinations.length} vmap { ${choices.join(', ')} }`);
  return rules;
}

function externalAddresses(service: Service): string[] {
  const balancers = isLoadBalanced(service)
    ? (service.status.loadBalancer.ingress ?? [])
        .filter((ingress) => ingress.ipMode !== 'Proxy')
        .flatMap((ingress) => (ingress.ip === undefined ? [] : [ingress.ip]))
    : [];
  return [...balancers, ...(service.spec.externalIPs ?? [])].filter((ip) => !ip.includes(':'));
}

export function isLoadBalanced(service: Service): boolean {
  return service.spec.type === 'LoadBalancer';
}

/** Host ports of a running Pod lead to its address; Pods on the host's network have them by nature. */
function addPod(draft: Draft, pod: Pod): void {
  const ip = pod.status.podIP;
  if (ip === undefined || ip === '' || pod.spec.hostNetwork === true) return;
  if (pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return;
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    for (const port of container.ports ?? []) {
      if ((port.hostPort ?? 0) === 0) continue;
      const protocol = (port.protocol ?? 'TCP').toLowerCase();
      const id = chainId(
        `${pod.metadata.namespace}/${pod.metadata.name}`,
        `${protocol}-${port.hostPort}`,
      );
      draft.chains.set(`host-${id}`, [
        `meta l4proto ${protocol} dnat to ${ip}:${port.containerPort}`,
      ]);
      put(draft, 'hairpin', { key: `${ip} . ${ip}`, value: '' });
      const address = port.hostIP ?? '';
      if (address === '' || address === '0.0.0.0')
        put(draft, 'any-host-ports', {
          key: `${protocol} . ${port.hostPort}`,
          value: `goto host-${id}`,
        });
      else
        put(draft, 'host-ports', {
          key: `${address} . ${protocol} . ${port.hostPort}`,
          value: `goto host-${id}`,
        });
    }
  }
}

/**
 * A name for chains: readable at the front, a 53-bit hash behind, within nft's 128 characters even
 * with the prefixes and an endpoint's address around it.
 */
export function chainId(key: string, port: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const char of `${key} ${port}`) {
    const code = char.codePointAt(0) ?? 0;
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  const hash = (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
  const readable = key.replaceAll(/[^a-z0-9-]/g, '-').slice(0, 40);
  return `${readable}-${port}-${hash}`;
}
