/** What stands behind the ports of Mesos, Marathon and Mesos-DNS; loaded when it is first needed. */
import { hostname } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { Face } from '#base';
import { createInformer } from '#client';
import { logVerbosely, systemClock, systemProbeNet, systemRandom } from '#io';
import { systemUser } from '#kube/server';
import { createMarathon } from '#mesos/marathon';
import { createMaster, createMasterFace, legacyRoutes } from '#mesos/master';
import { lookupHost, mesosZone } from '../cluster/mesos-zone.ts';
import type { ClusterPlan } from '../cluster/plan.ts';
import { logPath, serverName } from '../cluster/start.ts';
import { systemStats } from '../system-stats.ts';
import { mesosDnsVersion, mesosVersion } from '../version.ts';
import { masterLog } from './master-log.ts';
import { mesosAccess } from './mesos-access.ts';
import { agentDoor } from './mesos-messages.ts';
import type { MesosParts } from './mesos.ts';

/** The HTTP API of Mesos-DNS: reads the store, so it needs no master that runs. */
export async function namesFace(parts: MesosParts): Promise<Face> {
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

/**
 * Thousands of tasks a second fill a heap faster than a small one can be kept small: looking through
 * it at every 60 % (see `serverRuntime`) took a tenth of the time of launches, all threads together.
 */
const heapGrowingPercent = 100;

export function start(parts: MesosParts): Faces {
  const { config, plan, kube, pool, pki, logger, signal } = parts;
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`);
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
  const flags = masterFlags(plan, config.authenticate);
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
      systemStats,
      routes: legacyRoutes({ facts: { ...address, version: mesosVersion, flags } }),
    }),
    marathon: marathon.face,
  };
}

/** What `/flags` tells: those of the reference's flags that are true here. */
function masterFlags(plan: ClusterPlan, authenticates: boolean): Readonly<Record<string, string>> {
  const asks = String(authenticates);
  return {
    agent_ping_timeout: '15secs',
    allocation_interval: '1secs',
    allocator: 'hierarchical',
    authenticate_agents: 'false',
    authenticate_frameworks: asks,
    authenticate_http_frameworks: asks,
    authenticate_http_readonly: asks,
    authenticate_http_readwrite: asks,
    filter_gpu_resources: 'true',
    framework_sorter: 'drf',
    http_authenticators: 'basic',
    http_framework_authenticators: 'basic',
    max_agent_ping_timeouts: '5',
    max_completed_frameworks: '50',
    max_completed_tasks_per_framework: '1000',
    max_operator_event_stream_subscribers: '1000',
    max_unreachable_tasks_per_framework: '1000',
    min_allocatable_resources: 'cpus:0.01|mem:32',
    offer_constraints_re2_max_mem: '4096B',
    offer_constraints_re2_max_program_size: '100',
    port: String(plan.ports.mesosMaster),
    publish_per_framework_metrics: 'true',
    role_sorter: 'drf',
    root_submissions: 'true',
    version: 'false',
  };
}
