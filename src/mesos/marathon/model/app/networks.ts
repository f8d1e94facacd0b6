import { normalizationFailure } from '../problem.ts';
import type { ModelSettings } from '../settings.ts';
import type { DockerNetwork, IpAddress, KVLabels, Network, NetworkMode } from '../types.ts';

/** Where an app or an update says how it is networked: two deprecated ways and the present one. */
export interface NetworkForms {
  readonly ipAddress?: IpAddress | undefined;
  readonly dockerNetwork?: DockerNetwork | undefined;
  readonly networks?: readonly Network[] | undefined;
}

function network(mode: NetworkMode, labels?: KVLabels, name?: string): Network {
  const hasLabels = labels !== undefined && Object.keys(labels).length > 0;
  return {
    ...(name === undefined ? {} : { name }),
    mode,
    ...(hasLabels ? { labels } : {}),
  };
}

/** `networks` from whichever form was used; undefined when none was. */
export function networksFrom(
  forms: NetworkForms,
  settings: ModelSettings,
): readonly Network[] | undefined {
  const { ipAddress, dockerNetwork, networks } = forms;
  if (ipAddress === undefined && dockerNetwork === undefined) return networks;
  if (networks !== undefined)
    throw normalizationFailure('cannot mix deprecated and canonical network APIs');
  if (dockerNetwork !== undefined) return [fromDocker(dockerNetwork, ipAddress)];
  const name = ipAddress?.networkName;
  return name !== undefined && name === settings.mesosBridgeName
    ? [network('container/bridge', ipAddress?.labels)]
    : [network('container', ipAddress?.labels, name)];
}

function fromDocker(dockerNetwork: DockerNetwork, ipAddress: IpAddress | undefined): Network {
  switch (dockerNetwork) {
    case 'HOST':
      return network('host');
    case 'BRIDGE':
      return network('container/bridge', ipAddress?.labels);
    case 'USER':
      return network('container', ipAddress?.labels, ipAddress?.networkName);
    default:
      throw normalizationFailure(`unsupported docker network type ${dockerNetwork}`);
  }
}

/** Container networks without a name get the default one; without a default that is refused. */
export function nameNetworks(
  networks: readonly Network[],
  settings: ModelSettings,
): readonly Network[] {
  const named = networks.map((one) => {
    if (one.mode !== 'container' || one.name !== undefined) return one;
    const name = settings.defaultNetworkName;
    return name === undefined ? one : { ...one, name };
  });
  if (named.some(({ mode, name }) => mode === 'container' && name === undefined))
    throw normalizationFailure('container network name is not defined');
  return named;
}

/** No network at all is host networking. */
export function isHostNetworked(networks: readonly Network[]): boolean {
  return networks.every(({ mode }) => mode === 'host');
}

export function hasBridge(networks: readonly Network[]): boolean {
  return networks.some(({ mode }) => mode === 'container/bridge');
}
