import { nameNetworks } from '../app/networks.ts';
import { canonicalID } from '../ids.ts';
import type { RoleRules } from '../roles.ts';
import { isPodPersistent } from '../run-spec.ts';
import type { ModelSettings } from '../settings.ts';
import type { Pod, PodContainer, PodSchedulingPolicy } from '../types.ts';

/** A pod with its networks named, host ports asked for, its role set. Checks come before. */
export function normalisedPod(
  pod: Pod,
  { settings, roles }: { readonly settings: ModelSettings; readonly roles: RoleRules },
): Pod {
  const networks = nameNetworks(pod.networks ?? [], settings);
  const container = networks.some(({ mode }) => mode === 'container');
  return {
    ...pod,
    id: canonicalID(pod.id),
    networks,
    containers: container ? pod.containers : pod.containers.map(withHostPorts),
    role: pod.role ?? roles.defaultRole,
  };
}

/** Outside of container networks every endpoint is a port of the host. */
function withHostPorts(container: PodContainer): PodContainer {
  const { endpoints } = container;
  if (endpoints === undefined) return container;
  return {
    ...container,
    endpoints: endpoints.map((endpoint) => ({ ...endpoint, hostPort: endpoint.hostPort ?? 0 })),
  };
}

/** A pod as it is kept and answered: everything that has a default is there. */
export function completePod(pod: Pod): Pod {
  const full: Pod = {
    ...pod,
    scaling: pod.scaling ?? { kind: 'fixed', instances: 1 },
    scheduling: completeScheduling(pod),
    executorResources: pod.executorResources ?? { cpus: 0.1, mem: 32, disk: 10 },
    networks: (pod.networks ?? []).length === 0 ? undefined : pod.networks,
    volumes: pod.volumes?.map((volume) =>
      isPodPersistent(volume) && volume.persistent.type === undefined
        ? {
            ...volume,
            persistent: {
              ...volume.persistent,
              type: volume.persistent.profileName === undefined ? 'root' : 'mount',
            },
          }
        : volume,
    ),
    legacySharedCgroups: pod.legacySharedCgroups === true ? true : undefined,
  };
  const entries = Object.entries(full).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as Pod;
}

function completeScheduling(pod: Pod): PodSchedulingPolicy {
  const { backoff, upgrade, placement, killSelection, unreachableStrategy } = pod.scheduling ?? {};
  const resident = (pod.volumes ?? []).some(isPodPersistent);
  const strategy = typeof unreachableStrategy === 'string' ? 'disabled' : unreachableStrategy;
  return {
    backoff: backoff ?? { backoff: 1, backoffFactor: 1.15, maxLaunchDelay: 300 },
    upgrade:
      upgrade ??
      (resident
        ? { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 }
        : { minimumHealthCapacity: 1, maximumOverCapacity: 1 }),
    placement: placement ?? {},
    killSelection: killSelection ?? 'YOUNGEST_FIRST',
    unreachableStrategy:
      strategy ?? (resident ? 'disabled' : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }),
  };
}
