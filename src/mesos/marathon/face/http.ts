import type { FaceReply, FaceRequest } from '#base';
import { BodyTooLargeError } from '#base';
import type { Engine } from '../engine/engine.ts';
import type { AccessIdentity, WantedMarathonAccess } from '../engine/options.ts';
import type { RootUpdate, UpdateResult } from '../engine/updates.ts';
import { notAuthorizedText } from '../engine/updates.ts';
import type { RamlTypes } from '../model/index.ts';
import { MarathonFailure, canonicalID, parseJson, textOf } from '../model/index.ts';

/** One request on its way to its resource. */
export interface Call {
  readonly request: FaceRequest;
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly identity: AccessIdentity;
  readonly engine: Engine;
}
/** `rest` is what the route's pattern left of the path. */
export type Handler = (call: Call, rest: readonly string[]) => Promise<FaceReply> | FaceReply;

const encoder = new TextEncoder();
/** Jetty takes any size; a tree of thousands of apps is a few megabytes. */
const bodyBytesMax = 32 * 1024 * 1024;

export function jsonReply(
  text: string,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): FaceReply {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: encoder.encode(text),
  };
}

export function ramlReply<K extends keyof RamlTypes>(
  type: K,
  value: RamlTypes[K],
  status = 200,
): FaceReply {
  return jsonReply(textOf(type, value), status);
}

export function emptyReply(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): FaceReply {
  return { status, headers };
}

export function messageReply(status: number, message: string): FaceReply {
  return jsonReply(JSON.stringify({ message }), status);
}

/** What every change answers with. */
export function deploymentReply(
  { plan }: UpdateResult,
  { status = 200, location }: { readonly status?: number; readonly location?: string } = {},
): FaceReply {
  const body = { version: plan.version, deploymentId: plan.id };
  return jsonReply(JSON.stringify(body), status, {
    'Marathon-Deployment-Id': plan.id,
    ...(location !== undefined && { Location: location }),
  });
}

/** `true` in any case; everything else is false, as for a Java boolean. */
export function flag({ query }: Call, name: string, fallback = false): boolean {
  const value = query.get(name);
  return value === null || value === '' ? fallback : value.toLowerCase() === 'true';
}

/** Groups alone are taken under any type of content (GroupsResource.scala has no @Consumes). */
export async function bodyOf({ request, path }: Call): Promise<unknown> {
  const type = path.startsWith('/v2/groups') ? undefined : request.headers['content-type'];
  if (type !== undefined && !/^(application\/json|\*\/\*)\s*(;|$)/i.test(type.trim()))
    throw new MarathonFailure(415, { message: 'Unsupported Media Type' });
  try {
    const body = await request.body(bodyBytesMax);
    if (body.length === 0)
      throw new MarathonFailure(400, {
        message: 'Please specify data in JSON format',
        details: 'No content to map due to end-of-input',
      });
    return parseJson(body);
  } catch (error) {
    if (error instanceof BodyTooLargeError)
      throw new MarathonFailure(413, { message: error.message });
    throw error;
  }
}

/** What is wrong with a request is told before anybody hears that a change was tried. */
export async function applyChecked({ engine }: Call, update: RootUpdate): Promise<UpdateResult> {
  await update.change(engine.root(), new Date(engine.options.clock.nowMs()).toISOString());
  return engine.updates.apply(update);
}

export function demand(call: Call, wanted: WantedMarathonAccess): void {
  if (!call.identity.allows(wanted)) throw new MarathonFailure(403, { message: notAuthorizedText });
}

/** Of apps and pods, with the user that plain processes of them would run as. */
export function demandSpec(
  call: Call,
  action: WantedMarathonAccess['action'],
  target: { readonly on: 'app' | 'pod'; readonly spec: Startable },
): void {
  const { on, spec } = target;
  demand(call, { action, on, id: spec.id, user: processUser(spec, call.engine.settings) });
}

/** What of a definition says as whom its processes run. */
interface Startable {
  readonly id: string;
  readonly user?: string | undefined;
  /** An app's. */
  readonly container?: { readonly docker?: unknown } | undefined;
  /** A pod's. */
  readonly containers?:
    | readonly { readonly image?: unknown; readonly user?: string | undefined }[]
    | undefined;
}

/** Undefined when all of it runs in images. Whoever may be root may be anybody: root counts most. */
export function processUser(
  spec: Startable,
  settings: { readonly mesos_user: string },
): string | undefined {
  const byDefault = spec.user ?? settings.mesos_user;
  if (spec.containers === undefined)
    return spec.container?.docker === undefined ? byDefault : undefined;
  const users = spec.containers
    .filter(({ image }) => image === undefined)
    .map(({ user }) => user ?? byDefault);
  return users.find((user) => user === 'root' || user === '0') ?? users[0];
}

export function mayView(call: Call, on: 'app' | 'pod' | 'group', id: string): boolean {
  return call.identity.allows({ action: 'view', on, id });
}

/** `/a//b/` of a request's path, as an id. */
export function idOf(text: string): string {
  return canonicalID(text, '/');
}

/** As Java's OffsetDateTime reads it: the offset must be there. */
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:\d{2})?)$/;

/** An instant in the form in which versions are kept; 422 when it is none. */
export function timestampOf(text: string): string {
  const ms = timestamp.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new MarathonFailure(422, {
      message: `Invalid timestamp provided '${text}'. Expecting ISO-8601 datetime string.`,
    });
  return new Date(ms).toISOString();
}

export function failureReply(failure: MarathonFailure): FaceReply {
  return jsonReply(JSON.stringify(failure.body), failure.status);
}

export function acceptsJson(request: FaceRequest): boolean {
  return accepts(request, ['*/*', 'application/*', 'application/json']);
}

export function acceptsText(request: FaceRequest): boolean {
  return accepts(request, ['*/*', 'text/*', 'text/plain']);
}

function accepts({ headers }: FaceRequest, types: readonly string[]): boolean {
  const accept = headers['accept'];
  if (accept === undefined || accept.trim() === '') return true;
  return accept.split(',').some((one) => {
    const [type = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
    return !parameters.includes('q=0') && types.includes(type);
  });
}
