import type { FaceRequest } from '#base';
import { badRequest } from '#machinery';

/** What a request is for, from its method and path (AS/endpoints/request/requestinfo.go). */
export interface RequestInfo {
  readonly isResource: boolean;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Decoded. */
  readonly path: string;
  /** What follows the subresource, with its slash; '' when nothing does. */
  readonly rest: string;
  readonly query: URLSearchParams;
}

const noQuery = new URLSearchParams();
const verbsByMethod: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

export function parseRequestInfo(request: FaceRequest): RequestInfo {
  const path = request.path.includes('%') ? decoded(request.path) : request.path;
  const query = request.search === '' ? noQuery : new URLSearchParams(request.search);
  const parts = path.split('/');
  parts.shift();
  if (parts.at(-1) === '') parts.pop();
  const prefix = parts[0];
  const enough = prefix === 'api' ? parts.length >= 3 : prefix === 'apis' && parts.length >= 4;
  if (!enough) return nonResource(request.method, path, query);
  const group = prefix === 'api' ? '' : (parts[1] ?? '');
  const version = (prefix === 'api' ? parts[1] : parts[2]) ?? '';
  return resourceInfo(
    { method: request.method, path, query, group, version },
    parts.slice(prefix === 'api' ? 2 : 3),
  );
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badRequest(`invalid URL escape in path "${path.slice(0, 200)}"`);
  }
}

function nonResource(method: string, path: string, query: URLSearchParams): RequestInfo {
  return {
    isResource: false,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    path,
    rest: '',
    query,
  };
}

interface Head {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly group: string;
  readonly version: string;
}

function resourceInfo(head: Head, rest: readonly string[]): RequestInfo {
  const { method, path, query, group, version } = head;
  let parts = rest;
  let verb = verbsByMethod[method] ?? '';
  const special = parts[0] === 'watch' || parts[0] === 'proxy';
  if (special) {
    if (parts.length < 2)
      throw badRequest(`unable to determine kind and namespace from url, ${path}`);
    verb = parts[0] ?? '';
    parts = parts.slice(1);
  }
  let namespace = '';
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] ?? '';
    const inside = parts[2];
    if (inside !== undefined && inside !== 'status' && inside !== 'finalize')
      parts = parts.slice(2);
  }
  let name = parts[1] ?? '';
  const subresource = special ? '' : (parts[2] ?? '');
  if (name === '' && verb === 'get') verb = isTrue(query.get('watch')) ? 'watch' : 'list';
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  // For authorisation a selection by name is that name (requestinfo.go).
  if (name === '' && (verb === 'list' || verb === 'watch' || verb === 'deletecollection'))
    name = nameSelected(query.get('fieldSelector') ?? '');
  return {
    isResource: true,
    verb,
    group,
    version,
    namespace,
    resource: parts[0] ?? '',
    subresource,
    name,
    path,
    rest:
      parts.length > 3
        ? `/${parts.slice(3).join('/')}`
        : subresource !== '' && path.endsWith('/')
          ? '/'
          : '',
    query,
  };
}

function nameSelected(selector: string): string {
  const match = /(?:^|,)metadata\.name==?([^,\\=!]+)(?:,|$)/.exec(selector);
  return match?.[1] ?? '';
}

/** Query parameters that are booleans: present without a value, or anything but 0 and false. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** Not bound to the request timeout, and not counted as work at hand. */
export function isLongRunning(info: RequestInfo): boolean {
  if (info.verb === 'watch' || info.verb === 'proxy') return true;
  return longRunning.has(info.subresource);
}
const longRunning = new Set(['attach', 'exec', 'proxy', 'log', 'portforward']);
