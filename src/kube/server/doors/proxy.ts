import type { FaceReply, Random } from '#base';
import type { Door, DoorRequest } from '#apiserver';
import type { BackendTarget } from '#io';
import { endpointSlices, nodes, pods, services, type Pod } from '#kube/kinds';
import { badRequest, notFound, serviceUnavailable } from '#machinery';
import {
  type TunnelParts,
  forwardedHeaders,
  isUpgrade,
  kubeletTarget,
  passUpgrade,
  replyHeaders,
  send,
  streamed,
} from './kubelet.ts';

interface ProxyParts extends TunnelParts {
  readonly random: Random;
}

/** `pods`, `services` and `nodes` `/proxy`: any request, passed on to what stands behind the name. */
export function proxyDoors(parts: ProxyParts): readonly Door[] {
  const door = (
    resource: string,
    find: (request: DoorRequest, parts: ProxyParts) => BackendTarget,
  ): Door => ({
    group: '',
    resource,
    subresource: 'proxy',
    handle: (request) => pass(request, parts, find(request, parts)),
  });
  return [door('pods', podTarget), door('services', serviceTarget), door('nodes', nodeTarget)];
}

interface Named {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  readonly port: string;
}

/** `[scheme:]name[:port]` (apimachinery util/net SplitSchemeNamePort). */
function split(text: string, what: string): Named {
  const parts = text.split(':');
  const wrong = badRequest(`invalid ${what} request ${JSON.stringify(text)}`);
  if (parts.length === 1) return { scheme: 'http', name: text, port: '' };
  if (parts.length === 2) return { scheme: 'http', name: parts[0] ?? '', port: parts[1] ?? '' };
  const [scheme = '', name = '', port = ''] = parts;
  if (parts.length > 3 || name === '') throw wrong;
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') throw wrong;
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

function podTarget(door: DoorRequest, parts: ProxyParts): BackendTarget {
  const wanted = split(door.attributes.name, 'pod');
  const pod = parts.reader.get(pods, wanted.name, door.attributes.namespace);
  if (pod === undefined) throw notFound(pods, wanted.name);
  const host = podAddress(pod);
  const declared = pod.spec.containers.flatMap((one) => one.ports ?? [])[0]?.containerPort;
  return reachable({
    scheme: wanted.scheme,
    host,
    port: portNumber(wanted.port, declared),
    trusted: false,
  });
}

function podAddress(pod: Pod): string {
  return pod.status?.podIP ?? '';
}

function portNumber(text: string, fallback: number | undefined): number {
  const port = text === '' ? fallback : Number(text);
  if (port === undefined) return 80;
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw badRequest(`invalid port ${JSON.stringify(text)}`);
  return port;
}

function serviceTarget(door: DoorRequest, parts: ProxyParts): BackendTarget {
  const wanted = split(door.attributes.name, 'service');
  const { namespace } = door.attributes;
  const service = parts.reader.get(services, wanted.name, namespace);
  if (service === undefined) throw notFound(services, wanted.name);
  const declared = service.spec.ports ?? [];
  const port =
    wanted.port === ''
      ? declared.length === 1
        ? declared[0]
        : declared.find((one) => (one.name ?? '') === '')
      : declared.find((one) => one.name === wanted.port || `${one.port}` === wanted.port);
  if (port === undefined)
    throw serviceUnavailable(
      `no service port ${JSON.stringify(wanted.port)} found for service ${JSON.stringify(wanted.name)}`,
    );
  const ready: BackendTarget[] = [];
  for (const slice of parts.reader.list(endpointSlices, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== wanted.name) continue;
    const number = (slice.ports ?? []).find((one) => (one.name ?? '') === (port.name ?? ''))?.port;
    if (number === undefined || number === null) continue;
    for (const endpoint of slice.endpoints ?? [])
      if (endpoint.conditions?.ready !== false)
        for (const host of endpoint.addresses)
          ready.push({ scheme: wanted.scheme, host, port: number, trusted: false });
  }
  const chosen = ready[parts.random.below(ready.length)];
  if (chosen === undefined)
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(wanted.name)}`);
  return reachable(chosen);
}

function nodeTarget(door: DoorRequest, parts: ProxyParts): BackendTarget {
  const wanted = split(door.attributes.name, 'node');
  const kubelet = kubeletTarget(parts.reader.get(nodes, wanted.name), wanted.name);
  if (wanted.port === '' || Number(wanted.port) === kubelet.port) return kubelet;
  return reachable({
    scheme: wanted.scheme,
    host: kubelet.host,
    port: portNumber(wanted.port, undefined),
    trusted: false,
  });
}

/** The server must not be used to reach itself: no loopback, link-local or unspecified addresses. */
function reachable(target: BackendTarget): BackendTarget {
  const { host } = target;
  const global =
    host !== '' &&
    !/^(127\.|169\.254\.|0\.|22[4-9]\.|23\d\.|255\.)/.test(host) &&
    !/^(::1?$|fe[89ab]|ff)/i.test(host);
  if (!global) throw badRequest('address not allowed');
  return target;
}

async function pass(
  door: DoorRequest,
  parts: ProxyParts,
  target: BackendTarget,
): Promise<FaceReply> {
  const { request, rest } = door;
  await door.admit('CONNECT', undefined);
  if (rest === '' && (request.method === 'GET' || request.method === 'HEAD'))
    return {
      status: 301,
      headers: { location: `${request.path}/${request.search === '' ? '' : `?${request.search}`}` },
    };
  const path = `${rest === '' ? '/' : rest}${request.search === '' ? '' : `?${request.search}`}`;
  if (isUpgrade(request)) return passUpgrade(request, parts, { target, path });
  const prefix = request.path.slice(0, request.path.length - rest.length);
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const reply = await send(parts, target, {
    method: request.method,
    path,
    headers: {
      ...forwardedHeaders(request, false),
      'x-forwarded-uri': request.path,
      'x-forwarded-host': request.headers['host'] ?? '',
      'x-forwarded-proto': request.peer.secure ? 'https' : 'http',
    },
    body: hasBody ? request.bodyStream() : undefined,
    signal: request.signal,
  });
  const headers = replyHeaders(reply, false);
  const location = reply.headers['location'];
  if (typeof location === 'string') headers['location'] = prefixed(location, prefix, target);
  return { status: reply.status, headers, body: streamed(reply) };
}

/** A redirect to the backend itself is led back through the proxy. */
function prefixed(location: string, prefix: string, target: BackendTarget): string {
  if (location.startsWith('/') && !location.startsWith('//'))
    return location.startsWith(prefix) ? location : `${prefix}${location}`;
  const own = `${target.scheme}://${target.host}:${target.port}`;
  return location.startsWith(`${own}/`) ? `${prefix}${location.slice(own.length)}` : location;
}
