import { lookup } from 'node:dns/promises';
import type { ZoneFacts } from '#net/dns';
import type { ClusterPlan } from './plan.ts';

/** What the names of Mesos say of this cluster; `listener` is where they are asked. */
export function mesosZone(plan: ClusterPlan, listener: string): ZoneFacts {
  return {
    domain: 'mesos',
    master: { ip: plan.hostIp, port: plan.ports.mesosMaster },
    agentPort: plan.ports.mesosAgent,
    listeners: [listener],
  };
}

/** As this machine resolves names. */
export async function lookupHost(hostname: string): Promise<readonly string[]> {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address }) => address);
}
