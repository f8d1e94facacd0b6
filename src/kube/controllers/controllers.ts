import { silentLogger, type Clock, type Logger, type Random } from '#base';
import type { Api } from '#machinery';
import { createContext, type ControllerContext, type Runnable } from './context.ts';
import { deploymentController } from './deployment/controller.ts';
import { endpointSliceController } from './endpoint-slices.ts';
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
  /** All resources that are served now, custom ones included: for namespaces and garbage collection. */
  readonly resources: NamespacedResources;
}

type Make = (context: ControllerContext, options: ControllersOptions) => Runnable;

/** Every controller that runs, by hand and in one place. */
const controllers: readonly Make[] = [
  (context, { resources }) => namespaceController(context, resources),
  (context) => serviceAccountController(context),
  (context, { rootCaPem }) => rootCaController(context, rootCaPem),
  (context) => deploymentController(context),
  (context) => replicaSetController(context),
  (context) => endpointSliceController(context),
];

/** All controllers over one set of informers. The first runnable is the informers themselves. */
export function createControllers(options: ControllersOptions): readonly Runnable[] {
  const context = createContext({ ...options, logger: options.logger ?? silentLogger });
  const made = controllers.map((make) => make(context, options));
  return [{ name: 'informers', run: (signal) => context.informers.run(signal) }, ...made];
}
