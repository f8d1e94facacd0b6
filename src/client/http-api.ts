import type { Clock } from '#base';
import { createHttpClient, HttpConnectError, type HttpClient, type HttpResponse } from '#io';
import {
  StatusError,
  statusCodes,
  type Api,
  type DeleteOptions,
  type KubeObject,
  type ListOptions,
  type ListResult,
  type NewObject,
  type Patch,
  type ResourceName,
  type Selection,
  type StatusDetails,
  type StatusReason,
  type Target,
  type WatchEvent,
  type WatchOptions,
  type WriteOptions,
} from '#machinery';
import { deepFreeze } from './freeze.ts';

export interface HttpApiOptions {
  /** `https://host:port`, with a path prefix where there is one. */
  readonly server: string;
  readonly clock: Clock;
  readonly ca?: string | Uint8Array | undefined;
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** A bearer token, or where to get the current one. */
  readonly token?: string | (() => string | undefined) | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  readonly serverName?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Bound of one call that is not a watch. */
  readonly requestMsMax?: number | undefined;
}

export interface RawRequest {
  readonly method?: string;
  /** Path with query, encoded: `/api/v1/pods?limit=500`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** The API over HTTP, with the plain request beneath it for what has no object (tables, logs, files). */
export interface HttpApi extends Api {
  readonly server: string;
  /** Any status is an answer here; only a broken connection throws (`StatusError` ServiceUnavailable). */
  requestRaw(request: RawRequest): Promise<HttpResponse>;
  close(): void;
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
const requestMsDefault = 60_000;
const watchLineBytesMax = 16 * 1024 * 1024;

export function createHttpApi(options: HttpApiOptions): HttpApi {
  return new RemoteApi(options);
}

class RemoteApi implements HttpApi {
  readonly server: string;
  readonly #http: HttpClient;
  readonly #options: HttpApiOptions;

  constructor(options: HttpApiOptions) {
    this.#options = options;
    this.server = options.server;
    this.#http = createHttpClient(options);
  }

  close(): void {
    this.#http.close();
  }

  async requestRaw(request: RawRequest): Promise<HttpResponse> {
    const { token, userAgent } = this.#options;
    const bearer = typeof token === 'function' ? token() : token;
    try {
      return await this.#http.request({
        method: request.method ?? 'GET',
        path: request.path,
        headers: {
          accept: 'application/json',
          'user-agent': userAgent ?? 'tandem',
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          ...request.headers,
        },
        body: request.body,
        signal: request.signal,
      });
    } catch (error) {
      throw asStatus(error);
    }
  }

  async get<T extends KubeObject>(resource: ResourceName<T>, target: Target): Promise<T> {
    return this.#call<T>('GET', objectPath(resource, target));
  }

  async list<T extends KubeObject>(
    resource: ResourceName<T>,
    options: ListOptions = {},
  ): Promise<ListResult<T>> {
    const query = selectionQuery(options);
    if (options.limit !== undefined) query.set('limit', String(options.limit));
    if (options.continue !== undefined) query.set('continue', options.continue);
    if (options.resourceVersion !== undefined)
      query.set('resourceVersion', options.resourceVersion);
    const path = withQuery(collectionPath(resource, options.namespace), query);
    const list = await this.#call<{
      metadata: { resourceVersion: string; continue?: string };
      items: T[] | null;
    }>('GET', path, { signal: options.signal });
    // Items of a list come without kind and apiVersion, as encoding/json of the reference writes them.
    const apiVersion =
      resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    const items = (list.items ?? []).map((item) =>
      item.kind === undefined ? deepFreeze({ ...item, kind: resource.kind, apiVersion }) : item,
    );
    return {
      items,
      resourceVersion: list.metadata.resourceVersion,
      continue: list.metadata.continue === '' ? undefined : list.metadata.continue,
    };
  }

  async *watch<T extends KubeObject>(
    resource: ResourceName<T>,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]> {
    const query = selectionQuery(options);
    query.set('watch', 'true');
    query.set('resourceVersion', options.resourceVersion);
    if (options.allowWatchBookmarks === true) query.set('allowWatchBookmarks', 'true');
    const path = withQuery(collectionPath(resource, options.namespace), query);
    const answer = await this.requestRaw({ path, signal: options.signal });
    if (answer.status >= 300) throw statusOf(answer.status, await text(answer));
    try {
      yield* watchBatches<T>(answer.chunks);
    } catch (error) {
      if (error instanceof StatusError || options.signal.aborted) throw error;
      throw asStatus(error);
    }
  }

  async create<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    const path = withQuery(
      collectionPath(resource, object.metadata.namespace),
      writeQuery(options),
    );
    return this.#call<T>('POST', path, { body: object, signal: options.signal });
  }

  async update<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    options: WriteOptions & { readonly subresource?: string } = {},
  ): Promise<T> {
    const { name = '', namespace } = object.metadata;
    const target = { name, namespace, subresource: options.subresource };
    const path = withQuery(objectPath(resource, target), writeQuery(options));
    return this.#call<T>('PUT', path, { body: object, signal: options.signal });
  }

  async patch<T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    patch: Patch,
  ): Promise<T> {
    const query = writeQuery(patch);
    if (patch.type === 'apply' && patch.force === true) query.set('force', 'true');
    return this.#call<T>('PATCH', withQuery(objectPath(resource, target), query), {
      body: patch.body,
      type: patchTypes[patch.type],
      signal: patch.signal,
    });
  }

  async delete<T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    options: DeleteOptions = {},
  ): Promise<T | undefined> {
    const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options;
    const preconditions =
      uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds,
      propagationPolicy,
      preconditions,
    };
    const answer = await this.#call<T>('DELETE', objectPath(resource, target), {
      body,
      signal: options.signal,
    });
    const { metadata } = answer;
    const held =
      (metadata?.finalizers?.length ?? 0) > 0 || (metadata?.deletionGracePeriodSeconds ?? 0) > 0;
    return answer.kind !== 'Status' && held ? answer : undefined;
  }

  async post<R>(
    resource: ResourceName,
    target: Target & { readonly subresource: string },
    body: unknown,
  ): Promise<R> {
    return this.#call<R>('POST', objectPath(resource, target), { body });
  }

  async #call<R>(method: string, path: string, options: CallOptions = {}): Promise<R> {
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(options.signal?.reason);
    if (options.signal?.aborted === true) onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const waitMs = this.#options.requestMsMax ?? requestMsDefault;
    const cancel = this.#options.clock.after(waitMs, () =>
      abort.abort(new StatusError('Timeout', `Timeout: no answer within ${waitMs} ms`)),
    );
    try {
      const answer = await this.requestRaw({
        method,
        path,
        signal: abort.signal,
        ...(options.body === undefined
          ? {}
          : {
              body: JSON.stringify(options.body),
              headers: { 'content-type': options.type ?? 'application/json' },
            }),
      });
      const body = await text(answer);
      if (answer.status >= 300) throw statusOf(answer.status, body);
      return deepFreeze(JSON.parse(body));
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      throw asStatus(error);
    } finally {
      cancel();
      options.signal?.removeEventListener('abort', onAbort);
    }
  }
}

interface CallOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly signal?: AbortSignal | undefined;
}

/** The path of a collection: `/apis/apps/v1/namespaces/default/deployments`. */
export function collectionPath(resource: ResourceName, namespace: string | undefined): string {
  const { group, version, plural } = resource;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope =
    resource.namespaced && namespace !== undefined && namespace !== ''
      ? `/namespaces/${encodeURIComponent(namespace)}`
      : '';
  return `${root}${scope}/${plural}`;
}

/** The path of one object or of its subresource. */
export function objectPath(resource: ResourceName, target: Target): string {
  const path = `${collectionPath(resource, target.namespace)}/${encodeURIComponent(target.name)}`;
  return target.subresource === undefined ? path : `${path}/${target.subresource}`;
}

function selectionQuery(selection: Selection): URLSearchParams {
  const query = new URLSearchParams();
  if (selection.labelSelector) query.set('labelSelector', selection.labelSelector);
  if (selection.fieldSelector) query.set('fieldSelector', selection.fieldSelector);
  return query;
}

function writeQuery(options: WriteOptions): URLSearchParams {
  const query = new URLSearchParams();
  if (options.fieldManager !== undefined) query.set('fieldManager', options.fieldManager);
  if (options.dryRun === true) query.set('dryRun', 'All');
  return query;
}

function withQuery(path: string, query: URLSearchParams): string {
  return query.size === 0 ? path : `${path}?${query}`;
}

async function text(answer: HttpResponse): Promise<string> {
  return Buffer.from(await answer.body()).toString('utf8');
}

/** One batch for each chunk that ended at least one line; a line cut in two waits for its rest. */
async function* watchBatches<T extends KubeObject>(
  chunks: AsyncIterable<Uint8Array>,
): AsyncIterable<readonly WatchEvent<T>[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = buffer.lastIndexOf(10);
    if (end < 0) {
      rest.push(buffer);
      restBytes += buffer.length;
      if (restBytes > watchLineBytesMax)
        throw new StatusError(
          'InternalError',
          `Watch event is longer than ${watchLineBytesMax} bytes`,
        );
      continue;
    }
    const whole = Buffer.concat([...rest, buffer.subarray(0, end)]).toString('utf8');
    rest = end + 1 < buffer.length ? [buffer.subarray(end + 1)] : [];
    restBytes = rest[0]?.length ?? 0;
    const events: WatchEvent<T>[] = [];
    for (const line of whole.split('\n')) if (line !== '') events.push(watchEvent<T>(line));
    if (events.length > 0) yield events;
  }
}

function watchEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  const event: { type: WatchEvent<T>['type'] | 'ERROR'; object: T } = JSON.parse(line);
  if (event.type === 'ERROR') throw statusFrom(event.object, 500);
  return deepFreeze({ type: event.type, object: event.object });
}

function statusOf(code: number, body: string): StatusError {
  try {
    return statusFrom(JSON.parse(body), code);
  } catch {
    // Not JSON: a proxy or a plain text handler answered. Its text is all there is.
    return new StatusError(reasonOf(code), body.trim() || `the server answered ${code}`, { code });
  }
}

interface StatusShape {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: StatusDetails;
}

function statusFrom(object: unknown, code: number): StatusError {
  const status: StatusShape = typeof object === 'object' && object !== null ? object : {};
  const reason = isReason(status.reason) ? status.reason : reasonOf(status.code ?? code);
  return new StatusError(reason, status.message ?? `the server answered ${code}`, {
    code: status.code ?? code,
    ...(status.details === undefined ? {} : { details: status.details }),
  });
}

function isReason(reason: string | undefined): reason is StatusReason {
  return reason !== undefined && Object.hasOwn(statusCodes, reason);
}

function reasonOf(code: number): StatusReason {
  for (const [reason, known] of Object.entries(statusCodes))
    if (known === code && isReason(reason)) return reason;
  return '';
}

function asStatus(error: unknown): unknown {
  if (error instanceof StatusError || !(error instanceof Error)) return error;
  if (error.name === 'AbortError') return error;
  const message =
    error instanceof HttpConnectError ? error.message : `Cannot read the answer: ${error.message}`;
  return new StatusError('ServiceUnavailable', message, { cause: error });
}
