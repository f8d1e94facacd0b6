import { addQuantities, compareQuantities, quantityToMillis, quantityValue } from '#base';
import type { Reader } from '#apiserver';
import { nodes, type Container, type Namespace, type Pod } from '#kube/kinds';
import type { HostPort } from '#pool';

/** Annotation by which the Mesos master says whose role a Pod is on. */
export const roleAnnotation = 'tandem.dev/role';
/** On a namespace: the role of its Pods. */
export const roleLabel = 'tandem.dev/role';
/** Ports that a Pod of Mesos holds, TCP and UDP both, mapped or not: `31000-31002,31005-31005`. */
export const heldPortsAnnotation = 'mesos.tandem.dev/held-ports';

/** Annotations and labels on Pods that only Tandem's own parts write. */
export function reservedKeys(key: string): boolean {
  return key === roleAnnotation || key.startsWith('mesos.tandem.dev/');
}

/** Neither Succeeded nor Failed: it holds what it was given. */
export function isActive(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase !== 'Succeeded' && phase !== 'Failed';
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/**
 * What a Pod asks for as a whole (component-helpers resource.PodRequests): its containers and
 * sidecars together, or the greatest moment of its init containers; the Pod's own amounts replace
 * that sum; overhead comes on top.
 */
export function podAmounts(
  pod: Pod,
  field: 'requests' | 'limits',
): Readonly<Record<string, string>> {
  const total: Record<string, string> = {};
  const add = (name: string, value: string): void => {
    const before = total[name];
    total[name] = before === undefined ? value : addQuantities(before, value);
  };
  const statuses = field === 'requests' ? pod.status?.containerStatuses : undefined;
  const resized = statuses && new Map(statuses.map((one) => [one.name, one]));
  for (const container of pod.spec.containers) {
    const actual = resized?.get(container.name)?.resources?.requests;
    const wanted = container.resources?.[field];
    for (const name in wanted) {
      const value = wanted[name] ?? '0';
      const other = actual?.[name];
      add(name, other !== undefined && compareQuantities(other, value) > 0 ? other : value);
    }
  }
  const sidecars: Record<string, string> = {};
  const peak: Record<string, string> = {};
  for (const container of pod.spec.initContainers ?? []) {
    for (const [name, value] of Object.entries(container.resources?.[field] ?? {})) {
      const moment = addQuantities(sidecars[name] ?? '0', value);
      if (isSidecar(container)) {
        sidecars[name] = moment;
        add(name, value);
      }
      if (compareQuantities(moment, peak[name] ?? '0') > 0) peak[name] = moment;
    }
  }
  for (const [name, value] of Object.entries(peak))
    if (total[name] === undefined || compareQuantities(value, total[name]) > 0) total[name] = value;
  Object.assign(total, pod.spec.resources?.[field]);
  for (const [name, value] of Object.entries(pod.spec.overhead ?? {}))
    if (field === 'requests' || total[name] !== undefined) add(name, value);
  return total;
}

/** Base units of the pool: CPU in millicores, everything else in whole units. */
export function baseUnits(amounts: Readonly<Record<string, string>>): Record<string, number> {
  const units: Record<string, number> = {};
  for (const name in amounts) {
    const value = amounts[name] ?? '0';
    units[name] = name === 'cpu' ? quantityToMillis(value) : quantityValue(value);
  }
  return units;
}

export function claimAmounts(pod: Pod): Readonly<Record<string, number>> {
  return { ...baseUnits(podAmounts(pod, 'requests')), pods: 1 };
}

export function hostPortsOf(pod: Pod): readonly HostPort[] {
  const ports: HostPort[] = [];
  const running = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  for (const container of running)
    for (const port of container.ports ?? [])
      if ((port.hostPort ?? 0) > 0)
        ports.push({
          protocol: port.protocol ?? 'TCP',
          address: port.hostIP ?? '',
          port: port.hostPort ?? 0,
        });
  const held = pod.metadata.annotations?.[heldPortsAnnotation];
  return held === undefined ? ports : [...ports, ...heldPorts(held, ports)];
}

/** Those of the annotation that no container port takes already. Text that is no list holds nothing. */
function heldPorts(text: string, taken: readonly HostPort[]): readonly HostPort[] {
  const known = new Set(
    taken
      .filter(({ address }) => address === '' || address === '0.0.0.0')
      .map(({ protocol, port }) => `${protocol}/${port}`),
  );
  const ports: HostPort[] = [];
  for (const range of text.split(',')) {
    const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range.trim()) ?? [];
    if (first === '') continue;
    for (let port = Number(first); port <= Math.min(Number(last), 65_535); port++)
      for (const protocol of ['TCP', 'UDP']) {
        if (known.has(`${protocol}/${port}`)) continue;
        known.add(`${protocol}/${port}`);
        ports.push({ protocol, address: '', port });
      }
  }
  return ports;
}

/** Who pays: what the Mesos master wrote on the Pod, else the namespace's label, else everyone. */
export function roleOf(pod: Pod, namespaceOf: (pod: Pod) => Namespace | undefined): string {
  return (
    pod.metadata.annotations?.[roleAnnotation] ??
    namespaceOf(pod)?.metadata.labels?.[roleLabel] ??
    '*'
  );
}

const topologyKeys = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** Labels that a Pod learns from its node: zone and region (admission plugin PodTopologyLabels). */
export function placeOf(
  reader: Reader,
  node: string,
): Readonly<Record<string, string>> | undefined {
  const own = reader.get(nodes, node)?.metadata.labels ?? {};
  const place = topologyKeys.flatMap((key) => {
    const value = own[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return place.length === 0 ? undefined : Object.fromEntries(place);
}

export function ownerOf(pod: Pod): string {
  return `pod/${pod.metadata.namespace}/${pod.metadata.name}`;
}

export function podCondition(
  pod: Pod,
  type: string,
): { readonly status: string; readonly reason?: string | undefined } | undefined {
  return pod.status?.conditions?.find((one) => one.type === type);
}
