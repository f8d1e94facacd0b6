import type { Pod } from '#kube/kinds';
import type { Task } from '#mesos/kinds';
import type { ContainerInfo } from '#mesos/protocol';
import type { SandboxSpec } from '#node/runtime';
import { podAnnotations } from './names.ts';

/**
 * Names that the cluster's one network for containers answers to: its own, Docker's, what Marathon
 * calls `container/bridge` by default (--mesos_bridge_name), and what DC/OS calls its overlay.
 */
const networks: ReadonlySet<string> = new Set(['default', 'bridge', 'mesos-bridge', 'dcos']);

/** Why a task cannot have the network it asks for, in the words of CNI isolator and Docker. */
export function networkProblem({ spec }: Task): string | undefined {
  const { task: info, execution } = spec;
  const own = execution === 'Custom' ? undefined : containerNetworks(info.container);
  return own ?? containerNetworks(info.executor?.container);
}

function containerNetworks(container: ContainerInfo | undefined): string | undefined {
  if (container === undefined) return undefined;
  const { type } = container;
  const problem = type === 'DOCKER' ? dockerProblem(container) : undefined;
  if (problem !== undefined) return `Failed to run docker container: ${problem}`;
  const seen = new Set<string>();
  for (const { name } of container.network_infos ?? []) {
    if (name === undefined) continue;
    if (!networks.has(name))
      return type === 'DOCKER'
        ? `docker: Error response from daemon: network ${name} not found.`
        : `Unknown CNI network '${name}'`;
    if (seen.has(name)) return `Attempted to join CNI network '${name}' multiple times`;
    seen.add(name);
  }
  return undefined;
}

/** docker.cpp, RunOptions::create. */
function dockerProblem({ docker, hostname }: ContainerInfo): string | undefined {
  const network = docker?.network ?? 'HOST';
  if (network === 'HOST' && hostname !== undefined)
    return 'Unable to set hostname with host network mode';
  const mapped = (docker?.port_mappings ?? []).length > 0;
  return mapped && (network === 'HOST' || network === 'NONE')
    ? 'Port mappings are only supported for bridge and user-defined networks'
    : undefined;
}

/** What Mesos has and Pods have not: no network at all, a host name on the node's own. */
export function podSandbox(pod: Pod, spec: SandboxSpec): SandboxSpec {
  const { hostname } = pod.spec;
  if (pod.metadata.annotations?.[podAnnotations.network] === 'none')
    return { ...spec, noNetwork: true };
  return spec.hostNetwork && hostname !== undefined
    ? { ...spec, hostname, ownHostname: true }
    : spec;
}
