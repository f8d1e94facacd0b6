import { BodyTooLargeError } from '#base';
import type { Face, FaceReply, FaceRequest, HeaderMap } from '#base';
import { DecodeError, gunzip } from '#wire';
import type { Access, Caller } from './access.ts';
import { compressed } from './compress.ts';
import { decodeComponent, decodeQuery } from './negotiate.ts';
import { failureReply, textReply } from './replies.ts';

/** What a route gets. */
export interface HttpRequest {
  readonly method: string;
  /** Still percent-encoded, the process id in front: `/master/quota/dev`. */
  readonly path: string;
  /** Still encoded, without `?`. */
  readonly search: string;
  readonly query: ReadonlyMap<string, string>;
  /** Lower-case names. */
  readonly headers: HeaderMap;
  readonly caller: Caller;
  /** Aborts when the client has gone away. */
  readonly signal: AbortSignal;
  /** The request as it came, for streams and peers. */
  readonly raw: FaceRequest;
  /** Whole and decompressed; rejects past the face's limit. */
  body(): Promise<Uint8Array>;
  text(): Promise<string>;
}

export interface Route {
  /** Whom the endpoint belongs to (mesos.md section 11); absent: nobody is asked who they are. */
  readonly realm?: string | undefined;
  /** A `CallRejected` becomes its status and text, any other error a 500 with its message. */
  readonly handle: (request: HttpRequest) => Promise<FaceReply>;
}

/**
 * Routes of a process by name without slashes around: `state`, `api/v1/scheduler`; '' is the process'
 * root, which matches only exactly. The longest name that the path begins with is taken.
 */
export type Routes = Readonly<Record<string, Route>>;

export interface RouterOptions {
  /** By process id: `master`, `files`, `slave(1)`. */
  readonly processes: Readonly<Record<string, Routes>>;
  /** The process that paths without a known process id belong to. */
  readonly delegate: string;
  readonly access: Access;
  readonly bodyBytesMax?: number | undefined;
}

/** Task groups of hundreds of tasks with their data are some megabytes. */
const bodyBytesMaxDefault = 64 * 1024 * 1024;
/** libprocess encoder.hpp: shorter bodies are sent as they are. */
const gzipBytesMin = 1024;

/** Requests to routes as libprocess dispatches them (process.cpp, ProcessManager::handle). */
export function createRouterFace(options: RouterOptions): Face {
  const processes = new Map(
    Object.entries(options.processes).map(([id, routes]) => [id, new Map(Object.entries(routes))]),
  );
  return async (request) => {
    const reply = await dispatch(options, processes, request);
    return await compressed(request, reply, gzipBytesMin);
  };
}

type Processes = ReadonlyMap<string, ReadonlyMap<string, Route>>;

async function dispatch(
  options: RouterOptions,
  processes: Processes,
  request: FaceRequest,
): Promise<FaceReply> {
  if (!request.path.startsWith('/')) return textReply(400, "Request URL path must start with '/'");
  if (request.path.includes('/..')) return textReply(404);
  const path = delegated(options, processes, request.path);
  const [first = ''] = tokens(path);
  const routes = processes.get(decodeComponent(first) ?? '');
  const route = routes === undefined ? undefined : routeOf(routes, path, first);
  if (route === undefined) return textReply(404);
  const query = decodeQuery(request.search);
  if (query === undefined) return textReply(400);
  try {
    const caller = await callerOf(options.access, route, request);
    if ('refusal' in caller) return caller.refusal;
    const bytesMax = options.bodyBytesMax ?? bodyBytesMaxDefault;
    const body = (): Promise<Uint8Array> => bodyOf(request, bytesMax);
    return await route.handle({
      method: request.method,
      path,
      search: request.search,
      query,
      headers: request.headers,
      caller,
      signal: request.signal,
      raw: request,
      body,
      text: async () => Buffer.from(await body()).toString('utf8'),
    });
  } catch (error) {
    if (error instanceof BodyTooLargeError)
      return textReply(413, `Request body is longer than ${error.bytesMax} bytes`);
    return failureReply(error);
  }
}

function tokens(path: string): string[] {
  return path.split('/').filter((token) => token !== '');
}

function delegated(options: RouterOptions, processes: Processes, path: string): string {
  const [first] = tokens(path);
  if (first === undefined) return `/${options.delegate}`;
  const id = decodeComponent(first);
  return id !== undefined && processes.has(id) ? path : `/${options.delegate}${path}`;
}

function routeOf(
  routes: ReadonlyMap<string, Route>,
  path: string,
  process: string,
): Route | undefined {
  // The process id is cut off once, as a text: `//master/x` is not cut there either.
  const prefix = `/${process}`;
  let name = (path.startsWith(prefix) ? path.slice(prefix.length) : path).replaceAll(
    /^\/+|\/+$/g,
    '',
  );
  for (;;) {
    const route = routes.get(name);
    if (route !== undefined) return route;
    const slash = name.lastIndexOf('/');
    if (slash <= 0) return undefined;
    name = name.slice(0, slash).replace(/\/+$/, '');
  }
}

async function callerOf(
  access: Access,
  route: Route,
  request: FaceRequest,
): Promise<Caller | { readonly refusal: FaceReply }> {
  if (route.realm === undefined) return unnamed;
  return await access.authenticate(request, route.realm);
}

/** Endpoints without a realm do nothing that would need a right. */
const unnamed: Caller = { principal: undefined, allows: () => true };

async function bodyOf(request: FaceRequest, bytesMax: number): Promise<Uint8Array> {
  const bytes = await request.body(bytesMax);
  if (request.headers['content-encoding']?.toLowerCase() !== 'gzip') return bytes;
  try {
    return await gunzip(bytes, bytesMax);
  } catch (error) {
    if (error instanceof DecodeError)
      throw new Error(`Failed to decompress body: ${error.message}`, { cause: error });
    throw error;
  }
}
