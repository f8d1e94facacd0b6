import { hostname } from 'node:os';
import type { Face, Logger } from '#base';
import { createInformer } from '#client';
import { logVerbosely, serve, systemClock, systemProbeNet, systemRandom } from '#io';
import type { Pki, Served } from '#io';
import { systemUser } from '#kube/server';
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
import { lookupHost, mesosZone } from '../cluster/mesos-zone.ts';
import type { ClusterPlan } from '../cluster/plan.ts';
import { logPath, serverName } from '../cluster/start.ts';
import { systemStats } from '../system-stats.ts';
import { mesosDnsVersion, mesosVersion } from '../version.ts';
import { masterLog } from './master-log.ts';
import { mesosAccess } from './mesos-access.ts';
import { agentDoor } from './mesos-messages.ts';
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
  const started = once(() => start(parts));
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
  const names = once(() => namesFace(parts));
  await Promise.all([
    listen('The Mesos master', mesosMaster, async (request) => (await started()).master(request)),
    listen('Marathon', marathon, async (request) => (await started()).marathon(request)),
    listen('Mesos-DNS', mesosDns, async (request) => (await names())(request)),
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

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** The HTTP API of Mesos-DNS: reads the store, so it needs no master that runs. */
async function namesFace(parts: MesosParts): Promise<Face> {
  const { plan, kube, logger, signal } = parts;
  const { MesosView, createMesosDnsFace } = await (await import('#net/dns')).loadMesosDns();
  const view = new MesosView({
    api: kube.apiFor(systemUser),
    createInformer,
    clock: systemClock,
    logger,
    signal,
    zone: mesosZone(plan, plan.hostIp),
    lookup: lookupHost,
  });
  const httpPort = plan.ports.mesosDns;
  const face = createMesosDnsFace({ view, version: mesosDnsVersion, httpPort });
  // The names of all tasks are for those who may see the tasks.
  const access = mesosAccess(parts).master;
  return async (request) => {
    const caller = await access.authenticate(request, 'mesos-dns');
    if ('refusal' in caller) return caller.refusal;
    return caller.allows('view_tasks') ? face(request) : { status: 403, headers: {} };
  };
}

interface Faces {
  readonly master: Face;
  readonly marathon: Face;
}

async function start(parts: MesosParts): Promise<Faces> {
  const { config, plan, kube, pool, pki, logger, signal } = parts;
  const [{ createMaster, createMasterFace, legacyRoutes }, { createMarathon }] = await Promise.all([
    import('#mesos/master'),
    import('#mesos/marathon'),
  ]);
  const system = { clock: systemClock, random: systemRandom, logger };
  const common = { ...system, api: kube.apiFor(systemUser), createInformer };
  const address = {
    hostname: hostname(),
    ip: config.root ? plan.hostIp : '127.0.0.1',
    port: plan.ports.mesosMaster,
  };
  const access = mesosAccess(parts);
  const master = createMaster({
    ...common,
    pool,
    doors: kube,
    agentDoor: agentDoor(kube, pki),
    address,
    version: mesosVersion,
    agentPort: plan.ports.mesosAgent,
  });
  parts.messages.onMessage((message) => master.executorMessage(message));
  const marathon = createMarathon({
    ...common,
    writer: kube,
    link: master.link,
    net: systemProbeNet,
    address: { hostname: 'localhost', port: plan.ports.marathon },
    masterURL: `http://localhost:${plan.ports.mesosMaster}/`,
    access: access.marathon,
  });
  for (const loop of [master.run(signal), marathon.run(signal)])
    loop.catch((error: unknown) => {
      if (!signal.aborted) logger.error('A loop of Mesos ended', { error });
    });
  const flags = masterFlags(plan);
  return {
    master: createMasterFace({
      ...system,
      master,
      access: access.master,
      address,
      version: mesosVersion,
      flags,
      files: masterLog(logPath(config, serverName)),
      logLevel: (level) => logVerbosely(level > 0),
      routes: legacyRoutes({ facts: { ...address, version: mesosVersion, flags }, systemStats }),
    }),
    marathon: marathon.face,
  };
}

/** What `/flags` tells: those of the reference's flags that are true here. */
function masterFlags(plan: ClusterPlan): Readonly<Record<string, string>> {
  return {
    allocation_interval: '1secs',
    allocator: 'hierarchical',
    authenticate_agents: 'false',
    authenticate_frameworks: 'false',
    max_completed_frameworks: '50',
    max_completed_tasks_per_framework: '1000',
    port: String(plan.ports.mesosMaster),
    root_submissions: 'true',
    version: 'false',
  };
}
