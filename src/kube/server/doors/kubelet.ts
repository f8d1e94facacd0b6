import type { FaceReply, FaceRequest, StreamBody } from '#base';
import type { Attributes, Authorizer, Door, DoorRequest, Reader } from '#apiserver';
import { websocketTokenPrefix } from '#apiserver';
import {
  type BackendClient,
  BackendError,
  type BackendReply,
  type BackendTarget,
  isWebSocketRequest,
  splice,
} from '#io';
import { nodes, pods, type Node, type Pod } from '#kube/kinds';
import {
  badRequest,
  forbidden,
  internalError,
  invalid,
  notFound,
  problem,
  serviceUnavailable,
} from '#machinery';
import { logSocket } from './log-socket.ts';

export interface TunnelParts {
  readonly reader: Reader;
  readonly backend: BackendClient;
  readonly authorizer: Authorizer;
}

const headMsMax = 30_000;
const kubeletPort = 10_250;
const logOptions = [
  'follow',
  'previous',
  'sinceSeconds',
  'sinceTime',
  'timestamps',
  'tailLines',
  'limitBytes',
] as const;

/** Logs, exec, attach and port-forward: passed on to the kubelet of the Pod's node. */
export function kubeletDoors(parts: TunnelParts): readonly Door[] {
  const door = (
    subresource: string,
    handle: (request: DoorRequest, parts: TunnelParts) => Promise<FaceReply>,
  ): Door => ({
    group: '',
    resource: 'pods',
    subresource,
    handle: (request) => handle(request, parts),
  });
  return [
    door('log', log),
    door('exec', (request, own) => stream(request, own, 'exec')),
    door('attach', (request, own) => stream(request, own, 'attach')),
    door('portforward', (request, own) => stream(request, own, 'portForward')),
  ];
}

function findPod(door: DoorRequest, reader: Reader): Pod {
  const { name, namespace } = door.attributes;
  const pod = reader.get(pods, name, namespace);
  if (pod === undefined) throw notFound(pods, name);
  return pod;
}

/** Where a node's kubelet listens: its internal address, and the port its status names. */
export function kubeletTarget(node: Node | undefined, name: string): BackendTarget {
  if (node === undefined) throw notFound(nodes, name);
  const addresses = node.status?.addresses ?? [];
  const order = ['InternalIP', 'ExternalIP', 'Hostname'];
  const address = order
    .map((type) => addresses.find((one) => one.type === type)?.address)
    .find((one) => one !== undefined);
  if (address === undefined)
    throw internalError(`no preferred addresses found; known addresses: []`);
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  return { scheme: 'https', host: address, port: port === 0 ? kubeletPort : port, trusted: true };
}

/** The container that is meant (registry/core/pod/strategy.go validateContainer). */
function containerOf(pod: Pod, asked: string): string {
  const names = [
    ...(pod.spec.initContainers ?? []),
    ...pod.spec.containers,
    ...(pod.spec.ephemeralContainers ?? []),
  ].map((one) => one.name);
  if (asked !== '') {
    if (names.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  const [only] = pod.spec.containers;
  const annotated = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (only === undefined)
    throw badRequest(`a container name must be specified for pod ${pod.metadata.name}`);
  if (pod.spec.containers.length === 1) return only.name;
  if (annotated !== undefined && names.includes(annotated)) return annotated;
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`,
  );
}

async function log(door: DoorRequest, parts: TunnelParts): Promise<FaceReply> {
  const pod = findPod(door, parts.reader);
  checkLogOptions(door);
  const container = containerOf(pod, door.query.get('container') ?? '');
  const { nodeName = '' } = pod.spec;
  // Nothing has run yet: an empty log, not an error (registry/core/pod/rest/log.go).
  if (nodeName === '') return { status: 200, headers: { 'content-type': 'text/plain' } };
  const query = new URLSearchParams();
  for (const option of logOptions) {
    const value = door.query.get(option);
    if (value !== null && value !== '' && value !== 'false') query.set(option, value);
  }
  const { namespace = '', name } = pod.metadata;
  const search = query.size === 0 ? '' : `?${query}`;
  const reply = await send(parts, kubeletTarget(parts.reader.get(nodes, nodeName), nodeName), {
    method: 'GET',
    path: `/containerLogs/${namespace}/${name}/${container}${search}`,
    headers: {},
    signal: door.request.signal,
  });
  if (reply.status !== 200) throw await kubeletError(reply, name);
  if (isWebSocketRequest(door.request.headers)) return logSocket(door.request, reply);
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: streamed(reply) };
}

function checkLogOptions(door: DoorRequest): void {
  const number = (name: string): number | undefined => {
    const text = door.query.get(name);
    return text === null || text === '' ? undefined : Number(text);
  };
  const problems = [
    ...((number('tailLines') ?? 0) < 0
      ? [problem.invalid('tailLines', number('tailLines'), 'must be greater than or equal to 0')]
      : []),
    ...(['limitBytes', 'sinceSeconds'] as const)
      .filter((name) => (number(name) ?? 1) < 1)
      .map((name) => problem.invalid(name, number(name), 'must be greater than 0')),
    ...((door.query.get('sinceTime') ?? '') !== '' && number('sinceSeconds') !== undefined
      ? [problem.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified')]
      : []),
  ];
  if (problems.length > 0)
    throw invalid({ group: '', kind: 'PodLogOptions' }, door.attributes.name, problems);
}

/** A kubelet's refusal in the API's words: its text is the message. */
async function kubeletError(reply: BackendReply, name: string): Promise<Error> {
  const text = (await textOf(reply)).trim();
  if (reply.status === 404) return notFound(pods, name);
  if (reply.status === 400) return badRequest(text);
  return internalError(text === '' ? `kubelet answered ${reply.status}` : text);
}

const errorTextBytesMax = 64 * 1024;

async function textOf(reply: BackendReply): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reply.body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > errorTextBytesMax) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes a backend's body on as it comes; ends with either side. */
export function streamed(reply: BackendReply): StreamBody {
  return async (sink, signal) => {
    for await (const chunk of reply.body) {
      if (signal.aborted) return;
      if (!sink.write(chunk)) await sink.drained();
    }
  };
}

type StreamKind = 'exec' | 'attach' | 'portForward';

async function stream(door: DoorRequest, parts: TunnelParts, kind: StreamKind): Promise<FaceReply> {
  mayCreate(door, parts.authorizer);
  const pod = findPod(door, parts.reader);
  const container =
    kind === 'portForward' ? '' : containerOf(pod, door.query.get('container') ?? '');
  if (
    kind !== 'portForward' &&
    !['stdin', 'stdout', 'stderr'].some((one) => isTrue(door.query.get(one)))
  )
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  await door.admit('CONNECT', undefined);
  const { nodeName = '' } = pod.spec;
  if (nodeName === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  if (!isUpgrade(door.request)) throw badRequest('Upgrade request required');
  const target = kubeletTarget(parts.reader.get(nodes, nodeName), nodeName);
  const query = kubeletQuery(door.query, kind);
  const { namespace = '', name } = pod.metadata;
  const last = container === '' ? '' : `/${container}`;
  const search = query.size === 0 ? '' : `?${query}`;
  return passUpgrade(door.request, parts, {
    target,
    path: `/${kind}/${namespace}/${name}${last}${search}`,
  });
}

/** A WebSocket opens with GET: it must not need less than the POST of SPDY does. */
function mayCreate(door: DoorRequest, authorizer: Authorizer): void {
  if (door.attributes.verb === 'create') return;
  const attributes: Attributes = { ...door.attributes, verb: 'create' };
  const { decision, reason } = authorizer.authorize(attributes);
  if (decision === 'allow') return;
  const { user, namespace, name, subresource } = attributes;
  const why = reason === '' ? '' : `: ${reason}`;
  throw forbidden(
    pods,
    name,
    `User ${JSON.stringify(user.name)} cannot create resource "pods/${subresource}" in API group "" in the namespace ${JSON.stringify(namespace)}${why}`,
  );
}

function kubeletQuery(query: URLSearchParams, kind: StreamKind): URLSearchParams {
  const own = new URLSearchParams();
  if (kind === 'portForward') {
    for (const port of query.getAll('ports')) own.append('port', port);
    return own;
  }
  // The kubelet's own names of these options (core/v1 ExecStdinParam and the like).
  const names = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const;
  for (const [name, kubeletName] of Object.entries(names))
    if (isTrue(query.get(name))) own.set(kubeletName, '1');
  for (const part of query.getAll('command')) own.append('command', part);
  return own;
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1' || value === 't' || value === 'True' || value === 'TRUE';
}

export function isUpgrade(request: FaceRequest): boolean {
  return (
    (request.headers['upgrade'] ?? '') !== '' &&
    /(^|[\s,])upgrade([\s,]|$)/i.test(request.headers['connection'] ?? '')
  );
}

/** Sends the same upgrade on, and joins the two connections when it is taken. */
export async function passUpgrade(
  request: FaceRequest,
  parts: Pick<TunnelParts, 'backend'>,
  to: { readonly target: BackendTarget; readonly path: string },
): Promise<FaceReply> {
  // The tunnel outlives the request: its own end is what closes the far side.
  const opening = new AbortController();
  const abort = (): void => opening.abort(request.signal.reason);
  request.signal.addEventListener('abort', abort, { once: true });
  const reply = await send(parts, to.target, {
    method: request.method,
    path: to.path,
    headers: forwardedHeaders(request, true),
    signal: opening.signal,
    headMsMax,
  });
  request.signal.removeEventListener('abort', abort);
  const headers = replyHeaders(reply, reply.socket !== undefined);
  const { socket } = reply;
  if (socket === undefined) return { status: reply.status, headers, body: streamed(reply) };
  return {
    status: 101,
    headers,
    upgrade: (client) => {
      void splice(client, socket);
    },
  };
}

export async function send(
  parts: Pick<TunnelParts, 'backend'>,
  target: BackendTarget,
  request: Parameters<BackendClient['send']>[1],
): Promise<BackendReply> {
  try {
    return await parts.backend.send(target, request);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    throw serviceUnavailable(`error trying to reach service: ${error.message}`);
  }
}

const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What a backend is sent: never the caller's credentials, nor what belongs to one connection only. */
export function forwardedHeaders(
  request: FaceRequest,
  upgrade: boolean,
): Record<string, string | readonly string[]> {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || hopHeaders.has(name) || name.startsWith(':')) continue;
    if (['authorization', 'host', 'content-length', 'proxy-authorization'].includes(name)) continue;
    if (name.startsWith('impersonate-') || name.startsWith('x-remote-')) continue;
    headers[name] = value;
  }
  const protocols = request.headers['sec-websocket-protocol'];
  if (protocols !== undefined)
    headers['sec-websocket-protocol'] = protocols
      .split(',')
      .map((one) => one.trim())
      .filter((one) => !one.startsWith(websocketTokenPrefix))
      .join(', ');
  if (!upgrade) return headers;
  headers['connection'] = 'Upgrade';
  headers['upgrade'] = request.headers['upgrade'] ?? '';
  // Clients of SPDY offer each version in a header of its own; older kubelets know no other way.
  const versions = request.headers['x-stream-protocol-version'];
  if (versions !== undefined)
    headers['x-stream-protocol-version'] = versions.split(',').map((one) => one.trim());
  return headers;
}

export function replyHeaders(
  reply: BackendReply,
  upgraded: boolean,
): Record<string, string | readonly string[]> {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(reply.headers)) {
    if (!upgraded && hopHeaders.has(name)) continue;
    headers[name] = value;
  }
  return headers;
}
