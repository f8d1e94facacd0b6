import type { Found, MesosRecords } from './records.ts';

const nothing: Found = { ips: [], services: [] };

/** Names that are not of a task: master, agents, frameworks and this server. */
export function fixedNames(records: MesosRecords, name: string): Found {
  const { zone } = records;
  const { master, domain } = zone;
  if (name === 'leader' || name === 'master' || name === 'master0') return of([master.ip]);
  if (name === 'slave') return of(records.allAgentIps);
  if (name === 'ns1') return of(zone.listeners);
  if (name === '_leader._tcp' || name === '_leader._udp')
    return { ips: [], services: [{ host: `leader.${domain}`, port: master.port }] };
  if (name === '_slave._tcp')
    return records.allAgentIps.length === 0
      ? nothing
      : { ips: [], services: [{ host: `slave.${domain}`, port: zone.agentPort }] };
  return of(records.frameworkIps(name));
}

/** All of them, for lists. */
export function allFixedNames(records: MesosRecords): readonly string[] {
  return [
    'leader',
    'master',
    'master0',
    'slave',
    'ns1',
    '_leader._tcp',
    '_leader._udp',
    '_slave._tcp',
    ...new Set(records.frameworks.map(({ labels }) => labels)),
  ];
}

function of(ips: readonly string[]): Found {
  return { ips, services: [] };
}
