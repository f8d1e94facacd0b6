import { silentLogger, type Clock, type Logger, type Random } from '#base';
import type { Api } from '#machinery';
import { createContext, type ControllerContext, type Runnable } from './context.ts';
import { deploymentController } from './deployment/controller.ts';
import { endpointSliceController } from './endpoint-slices.ts';
import { endpointSliceMirroringController } from './endpoint-slice-mirroring.ts';
import { garbageCollector } from './garbage-collector.ts';
import { nodeIpamController } from './node-ipam.ts';
import { nodeLifecycleController } from './node-lifecycle.ts';
import { podGcController } from './pod-gc.ts';
import { taintEvictionController } from './taint-eviction.ts';
import { endpointsController } from './endpoints.ts';
import { loadBalancerController, type AddressRange } from './load-balancer.ts';
import { namespaceController, type NamespacedResources } from './namespace.ts';
import { replicaSetController } from './replica-set.ts';
import { rootCaController, serviceAccountController } from './service-accounts.ts';

export interface ControllersOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger | undefined;
  /** PEM of the CA that Pods trust; published in every namespace. */
  readonly rootCaPem: string;
  /** Addresses for Services of type LoadBalancer; absent: they stay pending. */
  readonly loadBalancerRange?: AddressRange | undefined;
  /** All resources that are served now, custom ones included: for namespaces and garbage collection. */
  readonly resources: NamespacedResources;
  /** Where nodes get their Pod ranges from; default 10.244.0.0/16 in pieces of /24. */
  readonly podRange?: { readonly cidr: string; readonly nodeBits: number } | undefined;
}

type Make = (context: ControllerContext, options: ControllersOptions) => Runnable | undefined;

/** Every controller that runs, by hand and in one place. */
const controllers: readonly Make[] = [
  (context, { resources }) => namespaceController(context, resources),
  (context) => serviceAccountController(context),
  (context, { rootCaPem }) => rootCaController(context, rootCaPem),
  (context) => deploymentController(context),
  (context) => replicaSetController(context),
  (context) => endpointsController(context),
  (context) => endpointSliceController(context),
  (context) => endpointSliceMirroringController(context),
  (context, { loadBalancerRange: range }) =>
    range === undefined ? undefined : loadBalancerController(context, range),
  (context) => nodeLifecycleController(context),
  (context) => taintEvictionController(context),
  (context, { podRange = { cidr: '10.244.0.0/16', nodeBits: 24 } }) =>
    nodeIpamController(context, podRange),
  (context) => podGcController(context),
  (context, { resources }) => garbageCollector(context, resources),
];

/** All controllers over one set of informers. The first runnable is the informers themselves. */
export function createControllers(options: ControllersOptions): readonly Runnable[] {
  const context = createContext({ ...options, logger: options.logger ?? silentLogger });
  const made = controllers.flatMap((make) => make(context, options) ?? []);
  return [{ name: 'informers', run: (signal) => context.informers.run(signal) }, ...made];
}
