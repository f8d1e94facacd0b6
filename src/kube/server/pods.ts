import { addQuantities, compareQuantities, quantityToMillis, quantityValue } from '#base';
import type { HostPort } from '#pool';
import type { Container, Namespace, Pod } from '#kube/kinds';

/** Annotation by which the Mesos master says whose role a Pod is on. */
export const roleAnnotation = 'tandem.dev/role';
export const roleLabel = 'tandem.dev/role';

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
    total[name] = addQuantities(total[name] ?? '0', value);
  };
  const resized = new Map((pod.status?.containerStatuses ?? []).map((one) => [one.name, one]));
  for (const container of pod.spec.containers) {
    const wanted = container.resources?.[field] ?? {};
    const actual =
      field === 'requests' ? (resized.get(container.name)?.resources?.requests ?? {}) : {};
    for (const [name, value] of Object.entries(wanted)) {
      const other = actual[name];
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
  for (const [name, value] of Object.entries(amounts))
    units[name] = name === 'cpu' ? quantityToMillis(value) : quantityValue(value);
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
  return ports;
}

/** Who pays: what the Mesos master wrote on the Pod, else the namespace's label, else everyone. */
export function roleOf(pod: Pod, namespace: Namespace | undefined): string {
  return (
    pod.metadata.annotations?.[roleAnnotation] ?? namespace?.metadata.labels?.[roleLabel] ?? '*'
  );
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
