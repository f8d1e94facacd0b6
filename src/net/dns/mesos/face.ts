import type { Face, FaceReply } from '#base';
import { recordsOfTask, wholeZone } from './listing.ts';
import { mesosTtlSeconds, nameIn } from './names.ts';
import type { Found } from './records.ts';
import type { MesosView } from './view.ts';

export interface MesosDnsFaceOptions {
  readonly view: MesosView;
  /** What `/v1/version` says. */
  readonly version: string;
  /** Where the face is served, for `/v1/config`. */
  readonly httpPort: number;
}

const refreshSeconds = 60;

/** The HTTP API of Mesos-DNS (mesos-dns resolver, port 8123). */
export function createMesosDnsFace(options: MesosDnsFaceOptions): Face {
  return async (request) => {
    const answer = routes.find(({ path }) => path.test(trimmed(request.path)));
    if (answer === undefined) return text(404, '404: Page Not Found');
    if (request.method !== 'GET') return text(405, '405: Method Not Allowed');
    let asked = '';
    try {
      asked = decodeURIComponent(answer.path.exec(trimmed(request.path))?.[1] ?? '');
    } catch {
      return text(400, '400: Bad Request');
    }
    await options.view.ready();
    return answer.reply(options, asked);
  };
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

interface Route {
  readonly path: RegExp;
  reply(options: MesosDnsFaceOptions, asked: string): FaceReply;
}
const routes: readonly Route[] = [
  {
    path: /^\/v1\/version$/,
    reply: ({ version }) =>
      json({
        Service: 'Mesos-DNS',
        Version: version,
        URL: 'https://github.com/mesosphere/mesos-dns',
      }),
  },
  { path: /^\/v1\/config$/, reply: (options) => json(configOf(options)) },
  { path: /^\/v1\/hosts\/([^/]+)$/, reply: hosts },
  {
    path: /^\/v1\/hosts\/([^/]+)\/ports$/,
    reply: () => text(501, 'To be implemented...'),
  },
  { path: /^\/v1\/services\/([^/]+)$/, reply: services },
  { path: /^\/v1\/enumerate$/, reply: enumerate },
  { path: /^\/v1\/axfr$/, reply: axfr },
];

/** A name with or without its last dot; `host` ends with one. */
function find({ view }: MesosDnsFaceOptions, asked: string): Found & { readonly host: string } {
  const { domain } = view.records.zone;
  const host = asked.toLowerCase().replaceAll('.*', '').replace(/\.$/, '');
  const inside = host.endsWith(`.${domain}`);
  const found = inside ? view.records.find(nameIn(host, domain)) : { ips: [], services: [] };
  return { ...found, host: `${host}.` };
}

function hosts(options: MesosDnsFaceOptions, asked: string): FaceReply {
  const { ips, host } = find(options, asked);
  const list = ips.map((ip) => ({ host, ip }));
  return json(list.length === 0 ? [{ host: '', ip: '' }] : list);
}

function services(options: MesosDnsFaceOptions, asked: string): FaceReply {
  const found = find(options, asked).services.map(({ host, port }) => ({
    service: asked,
    host: `${host}.`,
    ip: find(options, host).ips.find((ip) => !ip.includes(':')) ?? '',
    port: String(port),
  }));
  return json(found.length === 0 ? [{ service: '', host: '', ip: '', port: '' }] : found);
}

function enumerate({ view: { records } }: MesosDnsFaceOptions): FaceReply {
  const frameworks = records.frameworks.map(({ id, name }) => ({
    tasks: records.entriesOf(id).map((entry) => ({
      name: entry.facts.name,
      id: entry.facts.taskID,
      records: recordsOfTask(records, entry),
    })),
    name,
  }));
  return json({ frameworks });
}

function axfr({ view }: MesosDnsFaceOptions): FaceReply {
  const { domain } = view.records.zone;
  return json({
    TTL: mesosTtlSeconds,
    Serial: view.serial,
    RefreshSeconds: refreshSeconds,
    Mname: `ns1.${domain}.`,
    Rname: `root.ns1.${domain}.`,
    Domain: domain,
    Records: wholeZone(view.records),
  });
}

function configOf({ view, httpPort }: MesosDnsFaceOptions): object {
  const { domain, master } = view.records.zone;
  return {
    RefreshSeconds: refreshSeconds,
    Port: 53,
    Timeout: 5,
    StateTimeoutSeconds: 300,
    ZkDetectionTimeout: 30,
    HttpPort: httpPort,
    TTL: mesosTtlSeconds,
    SRVRecordDefaultWeight: 1,
    SOASerial: view.serial,
    SOARefresh: refreshSeconds,
    SOARetry: 600,
    SOAExpire: 86_400,
    SOAMinttl: mesosTtlSeconds,
    SOAMname: `ns1.${domain}.`,
    SOARname: `root.ns1.${domain}.`,
    Masters: [`${master.ip}:${master.port}`],
    ZoneResolvers: {},
    Resolvers: [],
    IPSources: ['netinfo', 'mesos', 'host'],
    Zk: '',
    Domain: domain,
    File: '',
    Listener: '0.0.0.0',
    HTTPListener: '0.0.0.0',
    RecurseOn: true,
    DnsOn: true,
    HttpOn: true,
    ExternalOn: true,
    EnforceRFC952: false,
    SetTruncateBit: true,
    EnumerationOn: true,
    MesosHTTPSOn: false,
    CACertFile: '',
    CertFile: '',
    KeyFile: '',
    MesosCredentials: { Principal: '', Secret: '' },
    IAMConfigFile: '',
    MesosAuthentication: '',
  };
}

function json(value: unknown): FaceReply {
  const body = Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`);
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}
function text(status: number, words: string): FaceReply {
  return { status, headers: { 'content-type': 'text/plain' }, body: Buffer.from(words) };
}
