import type { DiscoveryInfo, Port } from '#mesos/protocol';
import { isHostNetworked } from '../app/networks.ts';
import { dottedName } from '../ids.ts';
import type { App, Endpoint, KVLabels, Network } from '../types.ts';
import { ifGiven, mesosLabels } from './request.ts';

interface DiscoveredPort {
  readonly name?: string | undefined;
  readonly labels?: KVLabels | undefined;
  readonly protocols: readonly string[];
  readonly networkNames?: readonly string[] | undefined;
  readonly containerPort?: number | undefined;
  readonly hostPort?: number | undefined;
}

function portOf(port: DiscoveredPort, number: number, scope: KVLabels): Port[] {
  const labels = mesosLabels({ ...port.labels, ...scope });
  return port.protocols.map((protocol) => ({
    number,
    ...ifGiven('name', port.name),
    protocol,
    ...ifGiven('labels', labels),
  }));
}

/** With container networks a label says whose port it is: the host's, or that of a network. */
function discovered(port: DiscoveredPort, networks: readonly Network[]): Port[] {
  const { hostPort, containerPort, networkNames = [] } = port;
  if (isHostNetworked(networks)) return hostPort === undefined ? [] : portOf(port, hostPort, {});
  if (hostPort !== undefined) return portOf(port, hostPort, { 'network-scope': 'host' });
  if (containerPort === undefined) return [];
  const all = networks.flatMap(({ mode, name }) =>
    mode === 'container' && name !== undefined ? [name] : [],
  );
  return (networkNames.length === 0 ? all : networkNames).flatMap((name) =>
    portOf(port, containerPort, { 'network-scope': 'container', 'network-name': name }),
  );
}

function info(id: string, ports: readonly Port[]): DiscoveryInfo {
  return { visibility: 'FRAMEWORK', name: dottedName(id), ports: { ports } };
}

/** How a task of an app is found. */
export function appDiscovery(app: App, hostPorts: readonly (number | undefined)[]): DiscoveryInfo {
  const mappings = app.container?.portMappings ?? [];
  const ports: readonly DiscoveredPort[] = isHostNetworked(app.networks)
    ? (app.portDefinitions ?? []).map((definition, index) => ({
        ...definition,
        protocols: definition.protocol.split(','),
        hostPort: hostPorts[index],
      }))
    : mappings.map((mapping, index) => ({
        ...mapping,
        protocols: mapping.protocol.split(','),
        hostPort: hostPorts[index],
      }));
  return info(
    app.id,
    ports.flatMap((port) => discovered(port, app.networks)),
  );
}

/** How a container of a pod is found; `endpoints` hold the host ports that were given out. */
export function podDiscovery(
  id: string,
  networks: readonly Network[],
  endpoints: readonly Endpoint[],
): DiscoveryInfo {
  const ports = endpoints.flatMap((endpoint) =>
    discovered({ ...endpoint, protocols: endpoint.protocol ?? [] }, networks),
  );
  return info(id, ports);
}
