import type { Endpoint, EndpointSlice, Service, ServicePort } from '#kube/kinds';

/** One place a Service's port leads to. */
export interface Destination {
  readonly ip: string;
  readonly port: number;
  readonly local: boolean;
}
/** Where the proxy stands; without a node it is the host in front of the nodes. */
export interface Place {
  readonly nodeName: string | undefined;
  readonly zone: string | undefined;
}
export type Traffic = 'internal' | 'external';

interface Candidate {
  readonly endpoint: Endpoint;
  readonly port: number;
}

/**
 * The endpoints that traffic of a kind goes to: ready ones, else those that still serve while they
 * terminate (pkg/proxy/topology.go). Empty with `some` true: the Service has endpoints, but the Local
 * policy leaves none here, so packets are dropped; with `some` false they are refused.
 */
export function destinationsOf(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  options: { readonly service: Service; readonly traffic: Traffic; readonly place: Place },
): { readonly destinations: readonly Destination[]; readonly some: boolean } {
  const { service, traffic, place } = options;
  const all = candidates(port, slices);
  const ready = all.filter(({ endpoint }) => endpoint.conditions.ready !== false);
  const serving = all.filter(
    ({ endpoint }) =>
      endpoint.conditions.serving !== false && endpoint.conditions.terminating === true,
  );
  const policy =
    traffic === 'internal'
      ? service.spec.internalTrafficPolicy
      : service.spec.externalTrafficPolicy;
  const some = ready.length > 0 || serving.length > 0;
  let chosen: readonly Candidate[];
  if (policy === 'Local' && place.nodeName !== undefined) {
    const here = ready.filter(({ endpoint }) => endpoint.nodeName === place.nodeName);
    chosen =
      here.length > 0
        ? here
        : serving.filter(({ endpoint }) => endpoint.nodeName === place.nodeName);
  } else chosen = ready.length > 0 ? nearest(ready, place) : serving;
  return { destinations: unique(chosen, place), some };
}

/** Topology hints: same node if every endpoint is hinted and one is for here, then same zone. */
function nearest(ready: readonly Candidate[], place: Place): readonly Candidate[] {
  if (place.nodeName !== undefined) {
    const hinted = ready.every(({ endpoint }) => (endpoint.hints?.forNodes ?? []).length > 0);
    const here = ready.filter(({ endpoint }) =>
      endpoint.hints?.forNodes?.some((node) => node.name === place.nodeName),
    );
    if (hinted && here.length > 0) return here;
  }
  if (place.zone !== undefined && place.zone !== '') {
    const hinted = ready.every(({ endpoint }) => (endpoint.hints?.forZones ?? []).length > 0);
    const here = ready.filter(({ endpoint }) =>
      endpoint.hints?.forZones?.some((zone) => zone.name === place.zone),
    );
    if (hinted && here.length > 0) return here;
  }
  return ready;
}

function candidates(port: ServicePort, slices: readonly EndpointSlice[]): Candidate[] {
  const found: Candidate[] = [];
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const match = (slice.ports ?? []).find(
      (candidate) =>
        (candidate.name ?? '') === (port.name ?? '') &&
        (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (match?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) found.push({ endpoint, port: match.port });
  }
  return found;
}

/** An address may stand in two slices for a moment; sorted, so that equal sets give equal rules. */
function unique(chosen: readonly Candidate[], place: Place): Destination[] {
  const byKey = new Map<string, Destination>();
  for (const { endpoint, port } of chosen) {
    const ip = endpoint.addresses[0];
    if (ip === undefined) continue;
    const local = place.nodeName !== undefined && endpoint.nodeName === place.nodeName;
    byKey.set(`${ip}:${port}`, { ip, port, local });
  }
  return [...byKey.values()].toSorted((a, b) =>
    a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1,
  );
}
