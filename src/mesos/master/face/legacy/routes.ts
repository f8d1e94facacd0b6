import type { Clock, FaceReply } from '#base';
import {
  documentReply,
  emptyReply,
  jsonReply,
  loadCodec,
  methodNotAllowed,
  textReply,
} from '#mesos/protocol';
import type { Action, HttpRequest, MessageCodec, Route, Routes } from '#mesos/protocol';
import type { Master } from '../../core/master.ts';
import {
  deleteQuota,
  formOperation,
  formOperations,
  machines,
  maintenanceStatusDocument,
  postQuota,
  postSchedule,
  putWeights,
  quotaDocument,
  scheduleDocument,
  teardown,
} from './actions.ts';
import type { Submission } from './actions.ts';
import { constraintsDebug } from './constraints-debug.ts';
import { jsonText } from './json.ts';
import type { Document } from './json.ts';
import { metricsRoute } from './metrics.ts';
import { rolesDocument, weightsDocument } from './roles.ts';
import {
  agentsDocument,
  frameworksDocument,
  stateDocument,
  summaryDocument,
  taskQuery,
  tasksDocument,
  versionJson,
} from './state.ts';
import type { MasterFacts } from './state.ts';
import { View } from './view.ts';

export interface LegacyOptions {
  readonly master: Master;
  readonly facts: MasterFacts;
  readonly clock: Clock;
  /** `system/stats.json`. */
  systemStats(): Readonly<Record<string, number>>;
  metrics(): Promise<Readonly<Record<string, number>>>;
}

/** Realms of mesos.md section 11. */
const readOnly = 'mesos-master-readonly';
const readWrite = 'mesos-master-readwrite';

/** The endpoints of the process `master` beside the v1 APIs. */
export function masterRoutes(options: LegacyOptions): Routes {
  const { master, facts } = options;
  const show = (make: (view: View, request: HttpRequest) => Document): Route =>
    reading(options, make);
  return {
    ...writingRoutes(options),
    state: show((view) => stateDocument(master, facts, view)),
    'state-summary': show((view) => summaryDocument(master, facts, view)),
    slaves: show((view, { query }) => agentsDocument(master.state, query.get('slave_id'), view)),
    frameworks: show((view, { query }) =>
      frameworksDocument(master.state, query.get('framework_id'), view),
    ),
    tasks: show((view, { query }) => tasksDocument(master.state, taskQuery(query), view)),
    roles: show((view) => rolesDocument(master.state, view)),
    'maintenance/status': allowed('get_maintenance_statuses', {
      realm: readOnly,
      handle: byMethod({
        GET: async (request) =>
          document(options, request, maintenanceStatusDocument(master, await loadCodec())),
      }),
    }),
    flags: allowed('view_flags', {
      realm: readOnly,
      handle: async (request) => document(options, request, [jsonText({ flags: facts.flags })]),
    }),
    health: { handle: () => Promise.resolve(emptyReply(200)) },
  };
}

/** What changes something. */
function writingRoutes(options: LegacyOptions): Routes {
  const { master } = options;
  const forms = Object.entries(formOperations).map(([name, operation]): [string, Route] => [
    name,
    writing(options, (submission) => formOperation(submission, operation), { status: 202 }),
  ]);
  return {
    ...Object.fromEntries(forms),
    teardown: writing(options, teardown),
    weights: {
      realm: readWrite,
      handle: byMethod({
        GET: async (request) =>
          document(options, request, weightsDocument(master.state, await viewOf(request))),
        PUT: (request) => submitted(options, request, { run: putWeights }),
      }),
    },
    quota: {
      realm: readWrite,
      handle: byMethod({
        GET: async (request) =>
          document(options, request, quotaDocument(master, await loadCodec())),
        POST: (request) => submitted(options, request, { run: postQuota }),
        DELETE: async (request) => {
          await deleteQuota(master, request.path, request.caller);
          return emptyReply(200);
        },
      }),
    },
    'maintenance/schedule': {
      realm: readWrite,
      handle: byMethod({
        GET: async (request) =>
          document(options, request, scheduleDocument(master, await loadCodec())),
        POST: (request) => submitted(options, request, { run: postSchedule }),
      }),
    },
    'machine/down': writing(options, (submission) => machines(submission, 'down')),
    'machine/up': writing(options, (submission) => machines(submission, 'up')),
  };
}

/** Other processes than `master` that the master's port serves. */
export function otherProcesses(options: LegacyOptions): Readonly<Record<string, Routes>> {
  const { facts } = options;
  return {
    version: {
      '': {
        handle: (request) =>
          Promise.resolve(
            jsonReply(jsonText(versionJson(facts.version)), request.query.get('jsonp')),
          ),
      },
    },
    metrics: { snapshot: metricsRoute(options) },
    system: {
      'stats.json': {
        handle: (request) =>
          Promise.resolve(
            jsonReply(jsonText({ ...options.systemStats() }), request.query.get('jsonp')),
          ),
      },
    },
    allocator: {
      offer_constraints_debug: {
        realm: readOnly,
        handle: async (request) =>
          document(options, request, [
            jsonText({ frameworks: constraintsDebug(options.master.state) }),
          ]),
      },
    },
  };
}

function reading(
  options: LegacyOptions,
  make: (view: View, request: HttpRequest) => Document,
): Route {
  return {
    realm: readOnly,
    handle: async (request) => document(options, request, make(await viewOf(request), request)),
  };
}

function writing(
  options: LegacyOptions,
  run: (submission: Submission) => Promise<void>,
  { status = 200 }: { readonly status?: 200 | 202 } = {},
): Route {
  return {
    realm: readWrite,
    handle: byMethod({ POST: (request) => submitted(options, request, { run, status }) }),
  };
}

async function submitted(
  { master }: LegacyOptions,
  request: HttpRequest,
  work: { run(submission: Submission): Promise<void>; readonly status?: 200 | 202 },
): Promise<FaceReply> {
  const codec: MessageCodec = await loadCodec();
  const body = await request.text();
  const { caller } = request;
  await work.run({ master, codec, body, caller, principal: caller.principal });
  return emptyReply(work.status ?? 200);
}

function document(
  { clock }: LegacyOptions,
  request: HttpRequest,
  pieces: Document,
): Promise<FaceReply> {
  return documentReply(pieces, { clock, jsonp: request.query.get('jsonp') });
}

async function viewOf(request: HttpRequest): Promise<View> {
  return new View(await loadCodec(), request.caller);
}

type Handler = (request: HttpRequest) => Promise<FaceReply>;

function byMethod(handlers: Readonly<Record<string, Handler>>): Handler {
  const map = new Map(Object.entries(handlers));
  return async (request) => {
    const handler = map.get(request.method);
    return (await handler?.(request)) ?? methodNotAllowed([...map.keys()], request.method);
  };
}

function allowed(action: Action, route: Route): Route {
  return {
    ...route,
    handle: async (request) =>
      request.caller.allows(action) ? route.handle(request) : textReply(403),
  };
}
