import type { Clock, Random } from '#base';
import { recordType, responseCode } from '#wire';
import type { DnsAnswer, DnsQuery, DnsRecord } from '#wire';
import type { NameSpace } from '../chain.ts';
import type { Found, MesosRecords } from './records.ts';
import type { MesosView } from './view.ts';

export const mesosTtlSeconds = 60;
const serviceWeight = 1;
/** A resolver asks again after five seconds. */
const readyWaitMs = 4000;

/** Mesos-DNS' answers to questions in its domain (mesos-dns resolver/resolver.go). */
export function mesosNames(options: {
  readonly view: MesosView;
  readonly clock: Clock;
  readonly random: Random;
}): NameSpace {
  const { view, random } = options;
  const { domain } = view.records.zone;
  return {
    name: 'mesos',
    async answer(query) {
      const asked = query.name.toLowerCase();
      if (asked !== domain && !asked.endsWith(`.${domain}`)) return undefined;
      if (!(await isReady(view, options.clock)))
        return { code: responseCode.serverFailure, authoritative: true, answers: [] };
      const found = view.records.find(nameIn(asked, domain));
      const answer = answerTo(query, found, { records: view.records, serial: view.serial });
      return { ...answer, answers: shuffled(answer.answers, random), partial: true };
    },
  };
}

/** Without the domain and, as in the reference, without wildcards. */
export function nameIn(asked: string, domain: string): string {
  const name = asked.replaceAll('.*', '').replace(/\.$/, '');
  return name === domain ? '' : name.slice(0, -domain.length - 1);
}

async function isReady(view: MesosView, clock: Clock): Promise<boolean> {
  const stop = new AbortController();
  const late = clock.sleep(readyWaitMs, stop.signal).then(
    () => false,
    () => false,
  );
  const known = await Promise.race([view.ready().then(() => true), late]);
  stop.abort();
  return known;
}

interface Zone {
  readonly records: MesosRecords;
  readonly serial: number;
}

function answerTo(query: DnsQuery, found: Found, zone: Zone): DnsAnswer {
  const { type } = query;
  const is = (...types: readonly number[]): boolean => [...types, recordType.ANY].includes(type);
  const addresses = found.ips.map((ip) => addressRecord(query.name, ip));
  const services = is(recordType.SRV)
    ? found.services.map(
        ({ host, port }): DnsRecord => ({
          name: query.name,
          type: 'SRV',
          ttl: mesosTtlSeconds,
          priority: 0,
          weight: serviceWeight,
          port,
          target: host,
        }),
      )
    : [];
  const answers = [...services, ...addresses.filter((record) => is(recordType[record.type]))];
  // The reference puts what it says of the zone itself into the authority section.
  const authority = [
    ...(is(recordType.SOA) ? [soaOf(zone)] : []),
    ...(is(recordType.NS) ? [nsOf(zone)] : []),
  ];
  const head = { authoritative: true, answers };
  if (answers.length > 0) {
    const additional = services.length > 0 ? targetsOf(found, zone) : [];
    return { code: responseCode.noError, ...head, authority, additional };
  }
  if (type === recordType.SRV || type === recordType.SOA || type === recordType.NS)
    return { code: responseCode.noError, ...head, authority };
  const exists = found.ips.length + found.services.length > 0;
  const known = exists && (type === recordType.A || type === recordType.AAAA);
  const code = known ? responseCode.noError : responseCode.nameError;
  return { code, ...head, authority: [...authority, soaOf(zone)] };
}

function addressRecord(name: string, ip: string): DnsRecord {
  return { name, type: ip.includes(':') ? 'AAAA' : 'A', ttl: mesosTtlSeconds, address: ip };
}

/** One address of each kind per target. */
function targetsOf(found: Found, { records }: Zone): readonly DnsRecord[] {
  const hosts = [...new Set(found.services.map(({ host }) => host))];
  return hosts.flatMap((host) => {
    const { ips } = records.find(nameIn(host, records.zone.domain));
    const four = ips.find((ip) => !ip.includes(':'));
    const six = ips.find((ip) => ip.includes(':'));
    return [four, six].flatMap((ip) => (ip === undefined ? [] : [addressRecord(host, ip)]));
  });
}

function soaOf({ records, serial }: Zone): DnsRecord {
  const { domain } = records.zone;
  return {
    name: domain,
    type: 'SOA',
    ttl: mesosTtlSeconds,
    primary: `ns1.${domain}`,
    mailbox: `root.ns1.${domain}`,
    serial,
    refresh: 60,
    retry: 600,
    expire: 86_400,
    minimum: mesosTtlSeconds,
  };
}
function nsOf({ records }: Zone): DnsRecord {
  const { domain } = records.zone;
  return { name: domain, type: 'NS', ttl: mesosTtlSeconds, target: `ns1.${domain}` };
}

function shuffled<T>(list: readonly T[], random: Random): readonly T[] {
  const mixed = [...list];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    const [a, b] = [mixed[at], mixed[other]];
    if (a === undefined || b === undefined) continue;
    mixed[at] = b;
    mixed[other] = a;
  }
  return mixed;
}
