import type { Face, FaceReply, FaceRequest } from '#base';
import { compressed } from '#mesos/protocol';
import type { Engine } from '../engine/engine.ts';
import type { AccessIdentity } from '../engine/options.ts';
import { MarathonFailure } from '../model/index.ts';
import type { Call, Handler } from './http.ts';
import { acceptsJson, acceptsText, emptyReply, failureReply, messageReply } from './http.ts';
import { measured } from './metrics.ts';
import { methodsOf, routeOf } from './routes.ts';

/** `GzipHandler.DEFAULT_MIN_GZIP_SIZE`. */
const gzipBytesMin = 32;

const everybody: AccessIdentity = { name: '', allows: () => true };

/** Marathon's REST API over an engine: headers, who it is, the route, and failures as answers. */
export function createFace(engine: Engine): Face {
  const { hostname, port } = engine.options.address;
  const { access_control_allow_origin: origins, http_max_concurrent_requests: max } =
    engine.settings;
  const always = {
    'X-Marathon-Leader': `http://${hostname}:${port}`,
    'X-Frame-Options': 'DENY',
    'X-XSS-Protection': '1; mode=block',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Expires: '0',
  };
  let underWay = 0;
  return async (request) => {
    const headers = { ...always, ...corsHeaders(request, origins) };
    if (max !== undefined && underWay >= max) {
      const text = `Too many concurrent requests! Allowed: ${max}.`;
      return { status: 503, headers: always, body: new TextEncoder().encode(text) };
    }
    underWay += 1;
    try {
      return await measured(engine, request, async () => {
        const reply = withHeaders(request, await answer(engine, request), headers);
        return packed(request, reply);
      });
    } finally {
      underWay -= 1;
    }
  };
}

/** Jetty's GzipHandler: answers to a GET, but for the shortest, where the client takes them so. */
async function packed(request: FaceRequest, reply: FaceReply): Promise<FaceReply> {
  const { body, headers } = reply;
  if (request.method !== 'GET' || !(body instanceof Uint8Array) || body.length < gzipBytesMin)
    return reply;
  const varied = { ...reply, headers: { ...headers, Vary: 'Accept-Encoding' } };
  return compressed(request, varied, gzipBytesMin);
}

function withHeaders(
  { method }: FaceRequest,
  reply: FaceReply,
  headers: Readonly<Record<string, string>>,
): FaceReply {
  const all = { ...reply, headers: { ...headers, ...reply.headers } };
  if (method !== 'HEAD') return all;
  const { body: _body, ...head } = all;
  return head;
}

function corsHeaders(
  { headers }: FaceRequest,
  origins: readonly string[] | undefined,
): Readonly<Record<string, string>> {
  const origin = origins?.at(-1);
  if (origin === undefined) return {};
  const asked = headers['access-control-request-headers'];
  return {
    'Access-Control-Allow-Origin': origin,
    ...(asked !== undefined && { 'Access-Control-Allow-Headers': asked }),
    'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
    'Access-Control-Max-Age': '86400',
  };
}

async function answer(engine: Engine, request: FaceRequest): Promise<FaceReply> {
  try {
    return await route(engine, request);
  } catch (error) {
    if (error instanceof MarathonFailure) return failureReply(error);
    engine.options.logger.error('Cannot answer a request', { error, path: request.path });
    return messageReply(500, error instanceof Error ? error.message : String(error));
  }
}

async function route(engine: Engine, request: FaceRequest): Promise<FaceReply> {
  const path = decoded(request.path);
  const found = path === undefined ? undefined : routeOf(path);
  // NotFoundException has no status of its own since 1.6 (MarathonExceptionMapper.scala).
  if (path === undefined || found === undefined) return messageReply(500, 'URI not found');
  const { route: target, rest } = found;
  const method =
    request.method === 'HEAD' && target.handlers.HEAD === undefined ? 'GET' : request.method;
  const asText = method === 'GET' && !acceptsJson(request) && acceptsText(request);
  const handler: Handler | undefined =
    (asText ? target.asText : undefined) ?? target.handlers[method];
  if (method === 'OPTIONS') return emptyReply(200, { Allow: methodsOf(target) });
  if (handler === undefined)
    return { ...messageReply(405, 'Method Not Allowed'), headers: notAllowed(methodsOf(target)) };
  if (!target.anyType && handler !== target.asText && !acceptsJson(request))
    return messageReply(406, 'Not Acceptable');
  const verdict = await identify(engine, request, target.isOpen === true);
  if ('status' in verdict) return verdict;
  const call: Call = {
    request,
    method,
    path,
    query: new URLSearchParams(request.search),
    identity: verdict,
    engine,
  };
  return handler(call, rest);
}

function notAllowed(methods: string): Readonly<Record<string, string>> {
  return { 'Content-Type': 'application/json', Allow: methods };
}

async function identify(
  { options: { access } }: Engine,
  request: FaceRequest,
  isOpen: boolean,
): Promise<AccessIdentity | FaceReply> {
  if (access === undefined || isOpen) return everybody;
  const verdict = await access.authenticate(request);
  if (verdict.ok) return verdict.identity;
  const reply =
    verdict.status === 503 ? emptyReply(503) : messageReply(verdict.status, verdict.message);
  const challenge: Record<string, string> =
    verdict.status === 401 ? { 'WWW-Authenticate': 'Basic realm="Mesosphere"' } : {};
  return { ...reply, headers: { ...reply.headers, ...challenge, ...verdict.headers } };
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
