import { labelsInclude } from '#client';
import {
  isPodReady,
  isPodTerminal,
  type EndpointSlicePort,
  type Endpoint,
  type Pod,
  type Service,
  type ServicePort,
} from '#kube/kinds';

/** What a Service's selector finds, before it is written as slices or as Endpoints. */
export interface ServiceBackend {
  readonly pod: Pod;
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly ports: readonly EndpointSlicePort[];
}

export function hasSelector(service: Service): boolean {
  const { selector, type } = service.spec;
  return type !== 'ExternalName' && selector !== undefined && Object.keys(selector).length > 0;
}

export function isHeadless(service: Service): boolean {
  return service.spec.clusterIP === 'None';
}

export function selects(service: Service, pod: Pod): boolean {
  return hasSelector(service) && labelsInclude(service.spec.selector ?? {}, pod.metadata.labels);
}

/** One for each Pod that has an address of the family and has not ended. */
export function backendsOf(
  service: Service,
  pods: readonly Pod[],
  family: 'IPv4' | 'IPv6',
): readonly ServiceBackend[] {
  const found: ServiceBackend[] = [];
  for (const pod of pods) {
    if (!selects(service, pod) || isPodTerminal(pod)) continue;
    const address = addressOf(pod, family);
    if (address === undefined) continue;
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    const serving = isPodReady(pod);
    const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
    const ports = portsOf(service, pod);
    if (ports === undefined) continue;
    found.push({ pod, address, ready, serving, terminating, ports });
  }
  return found;
}

function addressOf(pod: Pod, family: 'IPv4' | 'IPv6'): string | undefined {
  const addresses = pod.status.podIPs?.map(({ ip }) => ip) ?? [pod.status.podIP ?? ''];
  return addresses.find((ip) => ip !== '' && ip.includes(':') === (family === 'IPv6'));
}

/** Undefined when the Service has ports and the Pod offers none of them. */
function portsOf(service: Service, pod: Pod): readonly EndpointSlicePort[] | undefined {
  const wanted = service.spec.ports ?? [];
  if (wanted.length === 0) return [];
  const found: EndpointSlicePort[] = [];
  for (const one of wanted) {
    const port = targetPortOf(one, pod);
    if (port === undefined) continue;
    found.push({
      name: one.name ?? '',
      port,
      protocol: one.protocol ?? 'TCP',
      ...(one.appProtocol === undefined ? {} : { appProtocol: one.appProtocol }),
    });
  }
  return found;
}

/** A name is looked up among the ports of containers and sidecars. */
function targetPortOf({ targetPort, port, protocol }: ServicePort, pod: Pod): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port;
  if (typeof targetPort === 'number') return targetPort;
  const sidecars = (pod.spec.initContainers ?? []).filter(
    ({ restartPolicy }) => restartPolicy === 'Always',
  );
  for (const container of [...(pod.spec.containers ?? []), ...sidecars])
    for (const one of container.ports ?? [])
      if (one.name === targetPort && (one.protocol ?? 'TCP') === (protocol ?? 'TCP'))
        return one.containerPort;
  return undefined;
}

/** The Pod's own host name below the Service, where it asks for one. */
export function hostnameOf(service: Service, pod: Pod): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname !== undefined && hostname !== '' && subdomain === service.metadata.name
    ? hostname
    : undefined;
}

export function targetRefOf(pod: Pod): NonNullable<Endpoint['targetRef']> {
  const { namespace, name, uid } = pod.metadata;
  return { kind: 'Pod', namespace, name, uid };
}

/** True when a change of a Pod may matter to a Service: most status updates do not. */
export function sameToServices(a: Pod, b: Pod): boolean {
  const facts = ({ metadata, spec, status }: Pod): string =>
    JSON.stringify([
      metadata.uid,
      metadata.labels,
      metadata.deletionTimestamp === undefined,
      spec.nodeName,
      spec.hostname,
      spec.subdomain,
      status.podIPs ?? status.podIP,
      status.phase,
      status.conditions?.find(({ type }) => type === 'Ready')?.status,
    ]);
  return facts(a) === facts(b);
}
