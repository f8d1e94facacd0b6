import type { Informer } from '#client';
import type { Endpoint, EndpointSlice, Pod, Service } from '#kube/kinds';
import { recordType, responseCode } from '#wire';
import type { DnsAnswer, DnsQuery, DnsRecord } from '#wire';
import type { NameSpace } from './chain.ts';

/** What is read of a cache; informers have it. */
export type Names<T extends Service | EndpointSlice | Pod> = Pick<
  Informer<T>,
  'get' | 'list' | 'by'
>;

export interface ClusterNamesOptions {
  /** With the index `clusterIP` (all cluster addresses of a Service). */
  readonly services: Names<Service>;
  /** With the indexes `service` ("namespace/name") and `address` (addresses of its endpoints). */
  readonly slices: Names<EndpointSlice>;
  /** Pods by address, for `a-b-c-d.ns.pod` names; absent: any well-formed address is answered. */
  readonly pods?: Names<Pod> | undefined;
  /** `cluster.local`. */
  readonly zone: string;
  /** Networks whose reverse names are ours: addresses there without a name do not exist. */
  readonly ownAddress: (ip: string) => boolean;
}

const ttlSeconds = 5;
/** Version of the schema that is served (kubernetes/dns docs/specification.md). */
const schemaVersion = '1.1.0';

/** The addresses a Service is known by, for the informer's index `clusterIP`. */
export function addressesOfService(service: Service): readonly string[] {
  const { clusterIP, clusterIPs } = service.spec;
  return [...new Set([...(clusterIPs ?? []), clusterIP ?? ''])].filter(
    (ip) => ip !== '' && ip !== 'None',
  );
}
/** The addresses of a slice's endpoints, for the informer's index `address`. */
export function addressesOfSlice(slice: EndpointSlice): readonly string[] {
  return (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
}

/** Names of Services and Pods by the Kubernetes DNS schema. */
export function clusterNames(options: ClusterNamesOptions): NameSpace {
  const zone = options.zone.toLowerCase();
  return {
    name: 'cluster',
    async answer(query) {
      const name = query.name.toLowerCase();
      if (name === zone || name.endsWith(`.${zone}`)) {
        const labels = name === zone ? [] : name.slice(0, -zone.length - 1).split('.');
        return finish(query, resolve(options, labels), zone);
      }
      const ip = reverseAddress(name);
      if (ip === undefined || !options.ownAddress(ip)) return undefined;
      return finish(query, reverse(options, name, ip), zone);
    },
  };
}

/** Records under a name of any type; undefined: there is no such name. */
type Found = readonly DnsRecord[] | undefined;

function finish(query: DnsQuery, found: Found, zone: string): DnsAnswer {
  const soa: DnsRecord = {
    name: zone,
    type: 'SOA',
    ttl: ttlSeconds,
    primary: `ns.dns.${zone}`,
    mailbox: `hostmaster.${zone}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttlSeconds,
  };
  if (found === undefined)
    return { code: responseCode.nameError, authoritative: true, answers: [], authority: [soa] };
  const wanted = found.filter(
    (record) =>
      query.type === recordType.ANY ||
      recordType[record.type] === query.type ||
      record.type === 'CNAME',
  );
  const answers = wanted.filter((record) => record.name.toLowerCase() === query.name.toLowerCase());
  if (answers.length === 0)
    return { code: responseCode.noError, authoritative: true, answers: [], authority: [soa] };
  const targets = new Set(
    answers.flatMap((record) => (record.type === 'SRV' ? [record.target] : [])),
  );
  const additional = found.filter((record) => record.type === 'A' && targets.has(record.name));
  return { code: responseCode.noError, authoritative: true, answers, additional };
}

function resolve(options: ClusterNamesOptions, labels: readonly string[]): Found {
  const { zone } = options;
  const name = [...labels, zone].join('.');
  if (labels.length === 0) return [];
  if (labels.length === 1 && labels[0] === 'dns-version')
    return [{ name, type: 'TXT', ttl: 28_800, texts: [schemaVersion] }];
  const kind = labels.at(-1);
  // Names between the zone and a Service exist, but hold nothing.
  if (labels.length === 1) return kind === 'svc' || kind === 'pod' ? [] : undefined;
  const namespace = labels.at(-2) ?? '';
  if (kind === 'pod') return podRecords(options, name, { labels: labels.slice(0, -2), namespace });
  if (kind !== 'svc') return undefined;
  if (labels.length === 2)
    return options.services.list().some((service) => service.metadata.namespace === namespace)
      ? []
      : undefined;
  return serviceRecords(options, name, { labels: labels.slice(0, -2), namespace });
}

interface Below {
  readonly labels: readonly string[];
  readonly namespace: string;
}

function podRecords(options: ClusterNamesOptions, name: string, below: Below): Found {
  if (below.labels.length === 0) return [];
  if (below.labels.length !== 1) return undefined;
  const address = (below.labels[0] ?? '').replaceAll('-', '.');
  if (!/^(\d{1,3}\.){3}\d{1,3}$/.test(address)) return undefined;
  if (address.split('.').some((part) => Number(part) > 255)) return undefined;
  const known = options.pods?.by('address', address);
  if (known !== undefined && !known.some((pod) => pod.metadata.namespace === below.namespace))
    return undefined;
  return [{ name, type: 'A', ttl: ttlSeconds, address }];
}

function serviceRecords(options: ClusterNamesOptions, name: string, below: Below): Found {
  const { labels, namespace } = below;
  const serviceName = labels.at(-1) ?? '';
  const service = options.services.get(`${namespace}/${serviceName}`);
  if (service === undefined) return undefined;
  const own = `${serviceName}.${namespace}.svc.${options.zone}`;
  const front = labels.slice(0, -1);
  if (service.spec.type === 'ExternalName') {
    if (front.length > 0) return undefined;
    return [{ name, type: 'CNAME', ttl: ttlSeconds, target: service.spec.externalName ?? '' }];
  }
  const headless = service.spec.clusterIP === 'None';
  if (front.length === 2 && front.every((label) => label.startsWith('_')))
    return portRecords(options, {
      service,
      own,
      name,
      port: (front[0] ?? '').slice(1),
      protocol: (front[1] ?? '').slice(1),
    });
  if (!headless) {
    if (front.length > 0) return undefined;
    return addressesOfService(service).map((address) => addressRecord(name, address));
  }
  const endpoints = endpointsOf(options, service);
  if (front.length === 1) {
    const named = endpoints.filter(({ endpoint }) => hostnameOf(endpoint) === front[0]);
    return named.length === 0
      ? undefined
      : unique(named.flatMap(({ endpoint }) => addressRecords(name, endpoint)));
  }
  if (front.length > 0 || endpoints.length === 0) return undefined;
  return unique(endpoints.flatMap(({ endpoint }) => addressRecords(name, endpoint)));
}

interface PortQuestion {
  readonly service: Service;
  readonly own: string;
  readonly name: string;
  readonly port: string;
  readonly protocol: string;
}

/** `_port._protocol.service`: one SRV for the Service, or one per endpoint of a headless one. */
function portRecords(options: ClusterNamesOptions, question: PortQuestion): Found {
  const { service, own, name, port, protocol } = question;
  const srv = (target: string, number: number): DnsRecord => ({
    name,
    type: 'SRV',
    ttl: ttlSeconds,
    priority: 0,
    weight: 100,
    port: number,
    target,
  });
  const matches = (candidate: {
    name?: string | undefined;
    protocol?: string | undefined;
  }): boolean =>
    (candidate.name ?? '').toLowerCase() === port &&
    (candidate.protocol ?? 'TCP').toLowerCase() === protocol;
  if (service.spec.clusterIP !== 'None') {
    const match = (service.spec.ports ?? []).find(
      (candidate) => candidate.name !== undefined && matches(candidate),
    );
    if (match === undefined) return undefined;
    return [
      srv(own, match.port),
      ...addressesOfService(service).map((address) => addressRecord(own, address)),
    ];
  }
  const records: DnsRecord[] = [];
  for (const { endpoint, slice } of endpointsOf(options, service)) {
    const match = (slice.ports ?? []).find(matches);
    if (match?.port === undefined) continue;
    const target = `${hostnameOf(endpoint)}.${own}`;
    records.push(srv(target, match.port), ...addressRecords(target, endpoint));
  }
  return records.length === 0 ? undefined : unique(records);
}

function endpointsOf(
  options: ClusterNamesOptions,
  service: Service,
): { readonly endpoint: Endpoint; readonly slice: EndpointSlice }[] {
  const key = `${service.metadata.namespace ?? ''}/${service.metadata.name}`;
  return options.slices
    .by('service', key)
    .flatMap((slice) => (slice.endpoints ?? []).map((endpoint) => ({ endpoint, slice })))
    .filter(
      ({ endpoint }) =>
        service.spec.publishNotReadyAddresses === true || endpoint.conditions.ready !== false,
    );
}

/** The Pod's hostname, else a name made of the address. */
function hostnameOf(endpoint: Endpoint): string {
  if (endpoint.hostname !== undefined && endpoint.hostname !== '') return endpoint.hostname;
  return (endpoint.addresses[0] ?? '').replaceAll(/[.:]/g, '-');
}

function addressRecords(name: string, endpoint: Endpoint): DnsRecord[] {
  return endpoint.addresses.map((address) => addressRecord(name, address));
}
function addressRecord(name: string, address: string): DnsRecord {
  return { name, type: address.includes(':') ? 'AAAA' : 'A', ttl: ttlSeconds, address };
}

function unique(records: readonly DnsRecord[]): readonly DnsRecord[] {
  return [...new Map(records.map((record) => [JSON.stringify(record), record])).values()];
}

/** `4.3.2.1.in-addr.arpa` to `1.2.3.4`. */
export function reverseAddress(name: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  return match === null ? undefined : match.slice(1).toReversed().join('.');
}

function reverse(options: ClusterNamesOptions, name: string, ip: string): Found {
  const pointer = (target: string): DnsRecord => ({ name, type: 'PTR', ttl: ttlSeconds, target });
  const services = options.services.by('clusterIP', ip);
  if (services.length > 0)
    return services.map(({ metadata }) =>
      pointer(`${metadata.name}.${metadata.namespace}.svc.${options.zone}`),
    );
  const records: DnsRecord[] = [];
  for (const slice of options.slices.by('address', ip)) {
    const [key] = [slice.metadata.labels?.['kubernetes.io/service-name']];
    const service = options.services.get(`${slice.metadata.namespace}/${key}`);
    if (service?.spec.clusterIP !== 'None') continue;
    for (const endpoint of slice.endpoints ?? [])
      if (endpoint.addresses.includes(ip))
        records.push(
          pointer(`${hostnameOf(endpoint)}.${key}.${slice.metadata.namespace}.svc.${options.zone}`),
        );
  }
  return records.length === 0 ? undefined : unique(records);
}
