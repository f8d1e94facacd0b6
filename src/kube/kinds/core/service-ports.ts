import type { Field } from '../shared/field.ts';
import { dns1123Label, portNumber, portNumberOrName, qualifiedName } from '#machinery';
import type { Draft } from '#machinery';
import type { ServiceSpec } from '../types/core-v1.ts';

export function checkServicePorts({ ports = [] }: ServiceSpec, root: Field): void {
  const names = new Set<string>();
  for (const [index, { name, port, protocol, targetPort = 0, appProtocol }] of ports.entries()) {
    const at = root.at('ports').at(index);
    if (!name) {
      if (ports.length > 1) at.at('name').required();
    } else {
      at.at('name').invalidAll(name, dns1123Label(name));
      if (names.has(name)) at.at('name').duplicate(name);
      names.add(name);
    }
    at.at('port').invalidAll(port, portNumber(port));
    at.at('protocol').oneOf(protocol, ['SCTP', 'TCP', 'UDP']);
    at.at('targetPort').invalidAll(targetPort, portNumberOrName(targetPort));
    if (appProtocol !== undefined)
      at.at('appProtocol').invalidAll(appProtocol, qualifiedName(appProtocol));
  }
}

/** Does a LoadBalancer ask each node whether it has an endpoint? */
export function needsHealthCheckPort({
  type,
  externalTrafficPolicy,
}: Pick<ServiceSpec, 'type' | 'externalTrafficPolicy'>): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}
export function isExternallyAccessible(
  spec: Pick<ServiceSpec, 'type' | 'externalIPs'> | Draft<ServiceSpec>,
): boolean {
  return (
    spec.type === 'LoadBalancer' ||
    spec.type === 'NodePort' ||
    (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)
  );
}
