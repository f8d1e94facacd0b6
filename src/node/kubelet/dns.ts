import type { Pod } from '#kube/kinds';

export interface DnsSettings {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}
export interface DnsResult extends DnsSettings {
  /** What was left out, for an event DNSConfigForming or MissingClusterDNS. */
  readonly problems: readonly { readonly reason: string; readonly message: string }[];
}

const serversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;

export function parseResolvConf(text: string): DnsSettings {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'nameserver' && rest[0] !== undefined) servers.push(rest[0]);
    if (word === 'search' || word === 'domain') searches = rest;
    if (word === 'options') options = [...options, ...rest];
  }
  return { servers, searches, options };
}

/** A Pod's resolver (k8s kubelet/network/dns). */
export function dnsOf(
  pod: Pod,
  host: DnsSettings,
  cluster: { readonly server: string; readonly domain: string },
): DnsResult {
  const problems: { reason: string; message: string }[] = [];
  const policy = policyOf(pod);
  let base: DnsSettings = host;
  if (policy === 'None') base = { servers: [], searches: [], options: [] };
  else if (policy === 'ClusterFirst' && cluster.server === '')
    problems.push({
      reason: 'MissingClusterDNS',
      message: `pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})". kubelet does not have ClusterDNS IP configured and cannot create Pod using "${pod.spec.dnsPolicy}" policy. Falling back to "Default" policy.`,
    });
  else if (policy === 'ClusterFirst') {
    const { domain } = cluster;
    const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
    base = {
      servers: [cluster.server],
      searches: [...own, ...host.searches.filter((name) => !own.includes(name))],
      options: ['ndots:5'],
    };
  }
  const merged = withConfig(base, pod.spec.dnsConfig);
  const bounded = bound(merged);
  if (bounded.servers.length < merged.servers.length)
    problems.push({
      reason: 'DNSConfigForming',
      message: `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${bounded.servers.join(' ')}`,
    });
  if (bounded.searches.length < merged.searches.length)
    problems.push({
      reason: 'DNSConfigForming',
      message: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${bounded.searches.join(' ')}`,
    });
  return { ...bounded, problems };
}

function policyOf(pod: Pod): 'None' | 'Default' | 'ClusterFirst' {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None' || policy === 'Default') return policy;
  return policy === 'ClusterFirst' && pod.spec.hostNetwork === true ? 'Default' : 'ClusterFirst';
}

function withConfig(base: DnsSettings, config: Pod['spec']['dnsConfig']): DnsSettings {
  if (config === undefined) return base;
  const options = new Map<string, string>();
  for (const option of base.options) options.set(option.split(':')[0] ?? option, option);
  for (const { name, value } of config.options ?? [])
    if (name !== undefined)
      options.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  return {
    servers: [...new Set([...base.servers, ...(config.nameservers ?? [])])],
    searches: [...new Set([...base.searches, ...(config.searches ?? [])])],
    options: [...options.values()],
  };
}

function bound(settings: DnsSettings): DnsSettings {
  const searches = settings.searches.slice(0, searchesMax);
  while (searches.join(' ').length > searchCharactersMax) searches.pop();
  return { ...settings, servers: settings.servers.slice(0, serversMax), searches };
}

/** What the Pod calls itself: its hostname and, with a subdomain, its full name. */
export function hostnameOf(
  pod: Pod,
  options: { readonly clusterDomain: string; readonly nodeName: string },
): { readonly hostname: string; readonly fqdn: string | undefined } {
  const override = pod.spec.hostnameOverride;
  if (override !== undefined && override !== '') return { hostname: override, fqdn: undefined };
  if (pod.spec.hostNetwork === true) return { hostname: options.nodeName, fqdn: undefined };
  const named = pod.spec.hostname ?? '';
  const short = named === '' ? pod.metadata.name.slice(0, 63).replace(/[-.]+$/, '') : named;
  const { subdomain } = pod.spec;
  if (subdomain === undefined || subdomain === '') return { hostname: short, fqdn: undefined };
  const fqdn = `${short}.${subdomain}.${pod.metadata.namespace}.svc.${options.clusterDomain}`;
  return { hostname: pod.spec.setHostnameAsFQDN === true ? fqdn : short, fqdn };
}
