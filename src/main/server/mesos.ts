import type { Face, Logger } from '#base';
import { serve, systemClock } from '#io';
import type { Pki, Served } from '#io';
import type { KubeServer } from '#kube/server';
import {
  agents,
  appGroups,
  apps,
  frameworks,
  maintenanceSchedules,
  resourceRoles,
} from '#mesos/kinds';
import type { Pool } from '#pool';
import type { ClusterConfig } from '../cluster/config.ts';
import type { ClusterPlan } from '../cluster/plan.ts';
import type { MesosMessages } from './mesos-messages.ts';

export interface MesosParts {
  readonly config: ClusterConfig;
  readonly plan: ClusterPlan;
  readonly kube: KubeServer;
  readonly pool: Pool;
  readonly pki: Pki;
  readonly messages: MesosMessages;
  /** Of tokens; see `KubeServerOptions`. */
  readonly issuer: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Mesos, Marathon and Mesos-DNS on their ports. Their code is loaded, and their loops begin, with
 * the first request or when the store holds something of theirs: a cluster that uses none of them
 * pays nothing.
 */
export async function serveMesos(parts: MesosParts): Promise<AsyncDisposable> {
  const { config, plan, kube, logger } = parts;
  const faces = once(() => import('./mesos-faces.ts'));
  const started = once(async () => (await faces()).start(parts));
  const served: Served[] = [];
  const listen = async (what: string, port: number, face: Face): Promise<void> => {
    for (const host of config.root ? ['127.0.0.1', plan.hostIp] : ['127.0.0.1'])
      try {
        served.push(await serve({ face, host, port, clock: systemClock, logger }));
      } catch (error) {
        // Somebody else's 8080 must not keep a cluster from starting.
        logger.warn(`${what} is not served`, { host, port, error });
      }
  };
  const { mesosMaster, marathon, mesosDns } = plan.ports;
  const names = once(async () => (await faces()).namesFace(parts));
  await Promise.all([
    listen(
      'The Mesos master',
      mesosMaster,
      loaded(logger, async () => (await started()).master),
    ),
    listen(
      'Marathon',
      marathon,
      loaded(logger, async () => (await started()).marathon),
    ),
    listen('Mesos-DNS', mesosDns, loaded(logger, names)),
  ]);
  if (hasWork(kube.reader))
    started().catch((error: unknown) => logger.error('Mesos cannot be started', { error }));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(served.map((one) => one.close(500)));
    },
  };
}

/** Quotas, weights and reservations bind Pods too: they count from the start. */
function hasWork(reader: KubeServer['reader']): boolean {
  return (
    reader.list(frameworks).length > 0 ||
    reader.list(apps).length > 0 ||
    reader.list(appGroups).length > 0 ||
    reader.list(resourceRoles).length > 0 ||
    reader.list(maintenanceSchedules).length > 0 ||
    reader.list(agents).some(({ spec }) => (spec.resources ?? []).length > 0)
  );
}

/** A face that is made with its first request; what cannot be made is said, and tried again. */
export function loaded(logger: Logger, make: () => Promise<Face>): Face {
  return async (request) => {
    let face: Face;
    try {
      face = await make();
    } catch (error) {
      logger.error('What stands behind a port cannot be loaded', { error });
      return { status: 500, headers: {}, body: Buffer.from('500 Internal Server Error.') };
    }
    return await face(request);
  };
}

/** Made once; a failure is not kept. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () =>
    (made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    }));
}
