import { allFixedNames } from './fixed-names.ts';
import { labelOf } from './labels.ts';
import { anyProtocol, canonicalOf, protocolsOf, slaveSuffix } from './records.ts';
import type { ListedRecord, MesosRecords, TaskEntry } from './records.ts';

/** Every record of a task, for `/v1/enumerate` and `/v1/axfr`. Names end with a dot. */
export function recordsOfTask(records: MesosRecords, entry: TaskEntry): readonly ListedRecord[] {
  return entry.names.flatMap((name) => [
    ...addresses(records, entry, name),
    ...services(records, entry, name),
  ]);
}

function addresses(records: MesosRecords, entry: TaskEntry, name: string): readonly ListedRecord[] {
  const { domain } = records.zone;
  const names = [`${name}.${entry.framework}`, `${name}-${entry.tail}.${entry.framework}`];
  const agent = records.agentIps(entry.facts.agentID) ?? [];
  return names.flatMap((one) => [
    ...records.taskIps(entry).map((ip) => address(`${one}.${domain}.`, ip)),
    ...agent.map((ip) => address(`${one}${slaveSuffix}.${domain}.`, ip)),
  ]);
}

function address(name: string, ip: string): ListedRecord {
  return { name, host: ip, rtype: ip.includes(':') ? 'AAAA' : 'A' };
}

function services(records: MesosRecords, entry: TaskEntry, name: string): readonly ListedRecord[] {
  const { zone } = records;
  const { facts, framework } = entry;
  const { discovery } = facts;
  const list: ListedRecord[] = [];
  const add = (front: string, tail: string, at: { slave: boolean; port: number }): void => {
    const host = `${canonicalOf(zone, entry, { name, slave: at.slave })}.:${at.port}`;
    list.push({ name: `${front}.${framework}${tail}.${zone.domain}.`, host, rtype: 'SRV' });
  };
  for (const port of facts.ports)
    for (const protocol of anyProtocol) {
      add(`_${name}._${protocol}`, slaveSuffix, { slave: true, port });
      if (discovery === undefined) add(`_${name}._${protocol}`, '', { slave: true, port });
    }
  for (const { number: port, protocol, name: portName } of discovery?.ports ?? [])
    for (const one of protocolsOf(protocol)) {
      add(`_${name}._${one}`, '', { slave: false, port });
      const label = labelOf(portName);
      if (label !== '') add(`_${label}._${name}._${one}`, '', { slave: false, port });
    }
  return list;
}

/** All names of the zone with what they have, by kind of record. */
export function wholeZone(records: MesosRecords): {
  readonly As: Readonly<Record<string, readonly string[]>>;
  readonly AAAAs: Readonly<Record<string, readonly string[]>>;
  readonly SRVs: Readonly<Record<string, readonly string[]>>;
} {
  const maps = {
    A: new Map<string, string[]>(),
    AAAA: new Map<string, string[]>(),
    SRV: new Map<string, string[]>(),
  };
  const add = ({ name, host, rtype }: ListedRecord): void => {
    const hosts = maps[rtype].get(name) ?? [];
    if (!hosts.includes(host)) hosts.push(host);
    maps[rtype].set(name, hosts);
  };
  const { domain } = records.zone;
  for (const name of allFixedNames(records)) {
    const { ips, services: targets } = records.find(name);
    for (const ip of ips) add(address(`${name}.${domain}.`, ip));
    for (const { host, port } of targets)
      add({ name: `${name}.${domain}.`, host: `${host}.:${port}`, rtype: 'SRV' });
  }
  for (const { id } of records.frameworks)
    for (const entry of records.entriesOf(id))
      for (const record of recordsOfTask(records, entry)) add(record);
  return {
    As: Object.fromEntries(maps.A),
    AAAAs: Object.fromEntries(maps.AAAA),
    SRVs: Object.fromEntries(maps.SRV),
  };
}
