import type { Clock, Logger, Random } from '#base';
import { createControllers } from '#kube/controllers';
import type { Runnable } from '#kube/controllers';
import { systemUser } from '#kube/server';
import type { KubeServer } from '#kube/server';
import type { ResourceName } from '#machinery';
import type { ClusterPlan } from '../cluster/plan.ts';

export interface ControllerParts {
  readonly kube: KubeServer;
  readonly plan: ClusterPlan;
  /** PEM of the authority that Pods are told to trust. */
  readonly authorityPem: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Every controller over the API in process. */
export function controllersOf(parts: ControllerParts): readonly Runnable[] {
  const { kube, plan, authorityPem, clock, random, logger } = parts;
  return createControllers({
    api: kube.apiFor(systemUser),
    clock,
    random,
    logger,
    rootCaPem: authorityPem,
    loadBalancerRange: { first: plan.balancerFirst, last: plan.balancerLast },
    resources: () => ownedResources(kube),
    podRange: { cidr: plan.podRange, nodeBits: 24 },
  });
}

/** What is listed, deleted and created like any object, once each: what a namespace is emptied of. */
function ownedResources(kube: KubeServer): readonly ResourceName[] {
  const byStorage = new Map<string, ResourceName>();
  for (const kind of kube.apiServer.kinds) {
    if (kind.enabledByDefault === false || kind.storagePrefix === '') continue;
    const like = (['list', 'watch', 'delete', 'create'] as const).every((verb) =>
      kind.verbs.includes(verb),
    );
    if (like && !byStorage.has(kind.storagePrefix)) byStorage.set(kind.storagePrefix, kind);
  }
  return [...byStorage.values()];
}
