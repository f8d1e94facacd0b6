import type { Face, FaceReply, FaceRequest } from '#base';
import type { Api } from '#machinery';
import { StatusError, fromStatus } from '#machinery';
import { createOpenApi } from './http/openapi.ts';
import { createDiscovery } from './http/discovery.ts';
import { type Context, type Handler, chain } from './http/context.ts';
import { Deadlines } from './http/deadlines.ts';
import { Metrics } from './http/metrics.ts';
import { type HealthEndpoint, healthReply, versionHandler } from './http/paths.ts';
import { Resources } from './http/resources.ts';
import { textReply } from './http/status-reply.ts';
import { refusal, stepsOf } from './http/steps.ts';
import { Warnings } from './http/warnings.ts';
import { InProcessApi, type PostThrough } from './api-for.ts';
import { ObjectCache } from './cache/object-cache.ts';
import type { Core } from './core.ts';
import { createReader } from './reader.ts';
import type { Attributes, Decision, UserInfo } from './seams.ts';
import type { ApiServer, ApiServerOptions, HealthCheck } from './server-types.ts';
import { updateMany } from './update-many.ts';
import { prepareCreate, writeMany } from './write-many.ts';

const inFlightMaxDefault = 600; // k8s --max-requests-inflight + --max-mutating-requests-inflight
const nobody: UserInfo = { name: '', groups: [] };

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, scheme, clock } = options;
  const cache = new ObjectCache({ store, clock, kinds: scheme.kinds });
  const core: Core = {
    store,
    cache,
    scheme,
    codec: options.codec,
    clock,
    random: options.random,
    logger: options.logger,
    admission: options.admission,
    authorize: (attributes) => decide(options, attributes),
    refusal,
    storeFailed: storeFailure(options),
  };
  const stopping = new AbortController();
  const state = { ready: false };
  const metrics = new Metrics();
  const checks = [...baseChecks(options, state), ...(options.healthChecks ?? [])];
  const resources = new Resources(core, { doors: options.doors, stopping: stopping.signal });
  const served = { core, options, metrics, checks, resources };
  const steps = stepsOf({
    clock,
    random: options.random,
    logger: options.logger,
    authenticators: options.authenticators,
    authorize: core.authorize,
    deadlines: new Deadlines(clock),
    metrics,
    inFlightMax: options.inFlightMax ?? inFlightMaxDefault,
    isReady: () => state.ready,
  });
  const handle = chain(steps, dispatcher(served));
  const face: Face = async (request) => await handle(contextOf(request));
  const trusted = options.trusted ?? ((user: UserInfo) => user.groups.includes('system:masters'));
  const post = postThrough(resources);
  return {
    face,
    apiFor: (user): Api => new InProcessApi(core, user, { trusted: trusted(user), post }),
    reader: createReader(cache, scheme),
    updateMany: (updates) => updateMany(core, updates),
    writeMany: (groups) => writeMany(core, groups),
    prepareCreate: (object) => prepareCreate(core, object),
    kinds: scheme.kinds,
    addHealthCheck: (check) => {
      checks.push(check);
    },
    start: async () => {
      await cache.start();
      state.ready = true;
    },
    get ready() {
      return state.ready;
    },
    stop: async () => {
      state.ready = false;
      stopping.abort();
      cache.stop();
    },
  };
}

/** Said and told once, however many writes find it out. */
function storeFailure({ logger, onStoreFailed }: ApiServerOptions): Core['storeFailed'] {
  let known = false;
  return (error) => {
    if (known) return;
    known = true;
    logger.error('The store is broken: the server has to start anew', { error });
    onStoreFailed?.(error);
  };
}

function contextOf(request: FaceRequest): Context {
  return { request, warnings: new Warnings(), auditId: '', info: unknownInfo, user: nobody };
}
const unknownInfo: Context['info'] = {
  isResource: false,
  verb: '',
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  path: '',
  rest: '',
  query: new URLSearchParams(),
};

/** The first opinion counts; without any the answer is no. Masters are asked nothing. */
function decide({ authorizers }: ApiServerOptions, attributes: Attributes): Decision {
  if (attributes.user.groups.includes('system:masters')) return { decision: 'allow', reason: '' };
  const reasons: string[] = [];
  for (const authorizer of authorizers) {
    const decision = authorizer.authorize(attributes);
    if (decision.decision !== 'noOpinion') return decision;
    if (decision.reason !== '') reasons.push(decision.reason);
  }
  return { decision: 'deny', reason: reasons.join('\n') };
}

interface ServedParts {
  readonly core: Core;
  readonly options: ApiServerOptions;
  readonly metrics: Metrics;
  readonly checks: readonly HealthCheck[];
  readonly resources: Resources;
}

/** What is behind the steps: resources, and the paths beside them. */
function dispatcher(parts: ServedParts): Handler {
  const { core, options, resources } = parts;
  const discovery = createDiscovery(core.scheme, options.publicAddress);
  const openapi = createOpenApi(core.scheme, {
    clock: core.clock,
    version: options.version.gitVersion,
    describe: options.describe,
  });
  const version = versionHandler(options.version);
  return async (context) => {
    const { info, request } = context;
    if (info.isResource) return await resources.handle(context);
    const path =
      info.path.length > 1 && info.path.endsWith('/') ? info.path.slice(0, -1) : info.path;
    const own = options.paths?.[path];
    if (own !== undefined) return await own(request);
    const health = /^\/(livez|readyz|healthz)(\/|$)/.exec(path)?.[1];
    if (health !== undefined) return healthReply(health as HealthEndpoint, parts.checks, context);
    if (path === '/version') return await version(context);
    if (path === '/metrics') return metricsReply(parts);
    const answer = (await discovery(context, path)) ?? (await openapi(context, path));
    if (answer !== undefined) return answer;
    if (path === '/' || path === '/index.html') return rootReply(parts);
    return textReply(404, '404 page not found\n');
  };
}

function rootReply({ core, options, checks }: ServedParts): FaceReply {
  const groups = core.scheme.groups.filter(({ group }) => group !== '');
  const paths = [
    '/api',
    '/api/v1',
    '/apis',
    ...groups.flatMap(({ group, versions }) => [
      `/apis/${group}`,
      ...versions.map(({ version }) => `/apis/${group}/${version}`),
    ]),
    ...(['healthz', 'livez', 'readyz'] as const).flatMap((endpoint) => [
      `/${endpoint}`,
      ...checks
        .filter((check) => check.endpoints.includes(endpoint))
        .map(({ name }) => `/${endpoint}/${name}`),
    ]),
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/version',
    ...Object.keys(options.paths ?? {}),
  ];
  const body = Buffer.from(JSON.stringify({ paths: paths.toSorted() }, undefined, 2));
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

function metricsReply({ core, options, metrics }: ServedParts): FaceReply {
  const sizes: string[] = [
    '# HELP apiserver_storage_objects Stored objects by resource.',
    '# TYPE apiserver_storage_objects gauge',
  ];
  const watchers: string[] = [
    '# HELP apiserver_longrunning_requests Open watches by resource.',
    '# TYPE apiserver_longrunning_requests gauge',
  ];
  for (const { prefix, size, watchers: count } of core.cache.resources) {
    const resource = prefix.slice('/registry/'.length, -1);
    if (size > 0) sizes.push(`apiserver_storage_objects{resource="${resource}"} ${size}`);
    if (count > 0)
      watchers.push(
        `apiserver_longrunning_requests{verb="WATCH",resource="${resource}",component="apiserver"} ${count}`,
      );
  }
  const more = (options.metrics ?? []).map((source) => source());
  const text = [metrics.text(), `${sizes.join('\n')}\n`, `${watchers.join('\n')}\n`, ...more].join(
    '',
  );
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
  return { status: 200, headers, body: Buffer.from(text) };
}

function baseChecks(options: ApiServerOptions, state: { ready: boolean }): HealthCheck[] {
  const all = ['livez', 'readyz', 'healthz'] as const;
  return [
    { name: 'ping', endpoints: all, check: () => undefined },
    { name: 'log', endpoints: all, check: () => undefined },
    // The name that operators' tools know; what it asks is our store.
    {
      name: 'etcd',
      endpoints: ['readyz', 'healthz'],
      check: () => options.store.refusal,
      tellsReason: true,
    },
    {
      name: 'informer-sync',
      endpoints: ['readyz'],
      check: () => (state.ready ? undefined : 'the store is still being loaded'),
    },
  ];
}

/** A POST to a subresource from within: through the door, with a body that is already decoded. */
function postThrough(resources: Resources): PostThrough {
  return async (user, attributes, body) => {
    const { group, version, namespace, resource, name, subresource } = attributes;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const scope = namespace === '' ? '' : `/namespaces/${namespace}`;
    const path = `${root}${scope}/${resource}/${name}/${subresource}`;
    const bytes = Buffer.from(JSON.stringify(body));
    const request: FaceRequest = {
      method: 'POST',
      path,
      search: '',
      headers: { 'content-type': 'application/json' },
      peer: inProcessPeer,
      signal: new AbortController().signal,
      body: async () => bytes,
      async *bodyStream() {
        yield bytes;
      },
    };
    const info = { ...unknownInfo, ...attributes, isResource: true, path };
    const reply = await resources.handle({ ...contextOf(request), info, user });
    const answer = JSON.parse(Buffer.concat(bodyParts(reply)).toString('utf8')) as unknown;
    if (reply.status < 400) return answer;
    throw fromStatus(answer as Parameters<typeof fromStatus>[0]);
  };
}
const inProcessPeer = {
  address: '',
  port: 0,
  localAddress: '',
  localPort: 0,
  secure: true,
  certificates: [],
};
function bodyParts({ body }: FaceReply): readonly Uint8Array[] {
  if (body === undefined) return [];
  if (body instanceof Uint8Array) return [body];
  if (typeof body === 'function')
    throw new StatusError('BadRequest', 'the answer is a stream, which cannot be had in process');
  return body;
}
