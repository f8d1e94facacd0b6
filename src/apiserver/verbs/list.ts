import type { KindDeclaration } from '#machinery';
import { StatusError, badRequest, expired, invalid } from '#machinery';
import type { Problem } from '#machinery';
import { CompactedError, type Entry } from '#store';
import type { StoredObject } from '../cache/stored-object.ts';
import type { Core } from '../core.ts';
import { type KindSelection, type Wanted, selectionOf } from './selection.ts';

export interface ListRequest extends Wanted {
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly sendInitialEvents?: boolean | undefined;
}
export interface ListPage {
  readonly objects: readonly StoredObject[];
  readonly revision: number;
  readonly continue: string | undefined;
  readonly remaining: number | undefined;
}

// k8s storage/cacher: how long a read waits for a version that is not there yet.
const waitMs = 3000;

/** GET of a collection: from the watch cache, at the newest revision or at the one asked for. */
export async function listObjects(
  core: Core,
  kind: KindDeclaration,
  request: ListRequest,
): Promise<ListPage> {
  checkListOptions(request);
  const selection = selectionOf(kind, request);
  const limit = request.limit ?? 0;
  const asked = parseVersion(request.resourceVersion);
  if (request.continue !== undefined && request.continue !== '') {
    if (asked !== undefined && asked !== 0)
      throw badRequest('specifying resource version is not allowed when using continue');
    const token = decodeContinue(request.continue);
    const revision = token.revision === -1 ? core.cache.revision : token.revision;
    const after = core.cache.of(kind).prefix + token.after;
    return await pageAt(core, kind, { selection, limit, revision, after, token: request.continue });
  }
  if (asked === undefined) {
    return pageNow(core, kind, { selection, limit });
  }
  await reached(core, asked);
  // A limit is ignored for "any" (RV 0), as the reference's cache does.
  if (asked === 0) return pageNow(core, kind, { selection, limit: 0 });
  const exact =
    request.resourceVersionMatch === 'Exact' ||
    ((request.resourceVersionMatch ?? '') === '' && limit > 0);
  if (!exact) return pageNow(core, kind, { selection, limit });
  return await pageAt(core, kind, { selection, limit, revision: asked });
}

export async function reached(core: Core, revision: number): Promise<void> {
  if (revision <= core.cache.revision) return;
  if (await core.cache.waitFor(revision, waitMs)) return;
  throw new StatusError(
    'Timeout',
    `Timeout: Too large resource version: ${revision}, current: ${core.cache.revision}`,
    {
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    },
  );
}

export function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(
    `invalid resource version: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

interface PageRequest {
  readonly selection: KindSelection;
  readonly limit: number;
  readonly after?: string;
}

function pageNow(core: Core, kind: KindDeclaration, request: PageRequest): ListPage {
  const resource = core.cache.of(kind);
  const revision = core.cache.revision;
  const { selection, limit, after } = request;
  if (selection.name !== undefined && selection.prefix !== resource.prefix) {
    const one = resource.get(selection.prefix + selection.name);
    const found = one !== undefined && selection.matches?.(one) !== false;
    return { objects: found ? [one] : [], revision, continue: undefined, remaining: undefined };
  }
  const page = take(resource.select(selection, after), limit);
  const last = page.objects.at(-1);
  if (!page.more || last === undefined)
    return { objects: page.objects, revision, continue: undefined, remaining: undefined };
  return {
    objects: page.objects,
    revision,
    continue: encodeContinue(revision, last.key.slice(resource.prefix.length)),
    remaining: selection.filtered ? undefined : resource.countAfter(selection.prefix, last.key),
  };
}

function take(
  objects: Iterable<StoredObject>,
  limit: number,
): { objects: StoredObject[]; more: boolean } {
  if (limit <= 0) return { objects: [...objects], more: false };
  const taken: StoredObject[] = [];
  for (const object of objects) {
    if (taken.length === limit) return { objects: taken, more: true };
    taken.push(object);
  }
  return { objects: taken, more: false };
}

/** The resource as it was: unchanged since then, or with the changes since undone, or from the store. */
async function pageAt(
  core: Core,
  kind: KindDeclaration,
  request: PageRequest & { readonly revision: number; readonly token?: string },
): Promise<ListPage> {
  const resource = core.cache.of(kind);
  const { selection, limit, revision, after } = request;
  await reached(core, revision);
  if (resource.lastChange <= revision)
    return { ...restamped(pageNow(core, kind, request), revision) };
  const objects = resource.history.covers(revision)
    ? undone(resource, selection, revision)
    : await fromStore(core, kind, request);
  const later = after === undefined ? objects : objects.filter(({ key }) => key > after);
  const page = limit > 0 ? later.slice(0, limit) : later;
  const last = page.at(-1);
  const more = page.length < later.length;
  return {
    objects: page,
    revision,
    continue:
      more && last !== undefined
        ? encodeContinue(revision, last.key.slice(resource.prefix.length))
        : undefined,
    remaining: more && !selection.filtered ? later.length - page.length : undefined,
  };
}

/** A page of unchanged objects is the page at any later revision too. */
function restamped(page: ListPage, revision: number): ListPage {
  if (page.continue === undefined) return { ...page, revision };
  const { after } = decodeContinue(page.continue);
  return { ...page, revision, continue: encodeContinue(revision, after) };
}

function undone(
  resource: ReturnType<Core['cache']['of']>,
  selection: KindSelection,
  revision: number,
): StoredObject[] {
  const before = resource.history.undo(revision);
  const kept = [...resource.select(selection)].filter(({ key }) => !before.has(key));
  for (const [key, object] of before) {
    if (object === undefined || !key.startsWith(selection.prefix)) continue;
    if (selection.matches === undefined || selection.matches(object)) kept.push(object);
  }
  return kept.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

async function fromStore(
  core: Core,
  kind: KindDeclaration,
  request: PageRequest & { readonly revision: number; readonly token?: string },
): Promise<StoredObject[]> {
  const { selection, revision } = request;
  const resource = core.cache.of(kind);
  let entries: readonly Entry[];
  try {
    ({ entries } = await core.store.range(selection.prefix, { atRevision: revision }));
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    if (request.token === undefined)
      throw expired('The resourceVersion for the provided list is too old.');
    const { after } = decodeContinue(request.token);
    throw new ContinueExpired(encodeContinue(-1, after));
  }
  return entries
    .map((entry) => resource.stored(entry))
    .filter((object) => selection.matches === undefined || selection.matches(object));
}

/** 410 that carries a token with which the client may go on, inconsistently. */
export class ContinueExpired extends StatusError {
  readonly continueToken: string;
  constructor(continueToken: string) {
    super(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    );
    this.continueToken = continueToken;
  }
}

export function encodeContinue(revision: number, after: string): string {
  const token = { v: 'meta.k8s.io/v1', rv: revision, start: `${after}\u0000` };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

export function decodeContinue(text: string): { revision: number; after: string } {
  if (!/^[A-Za-z0-9_-]+$/.test(text))
    throw badRequest('invalid continue token: continue key is not valid: illegal base64 data');
  let token: unknown;
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (error) {
    throw badRequest(
      `invalid continue token: continue key is not valid: ${error instanceof Error ? error.message : ''}`,
    );
  }
  const { v, rv, start } = (token ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== 'meta.k8s.io/v1')
    throw badRequest(
      `invalid continue token: continue key is not valid: server does not recognize this encoded version ${String(v).slice(0, 100)}`,
    );
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || rv < -1)
    throw badRequest(
      'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  if (typeof start !== 'string' || start === '')
    throw badRequest(
      'invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)',
    );
  return { revision: rv, after: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}

/** ValidateListOptions (apimachinery meta/internalversion/validation). */
function checkListOptions(request: ListRequest): void {
  const { resourceVersion = '', resourceVersionMatch: match = '' } = request;
  const problems: Problem[] = [];
  const forbid = (path: string, detail: string): void => {
    problems.push({ type: 'FieldValueForbidden', path, detail });
  };
  if (match !== '') {
    if (resourceVersion === '')
      forbid(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden unless resourceVersion is provided',
      );
    if ((request.continue ?? '') !== '')
      forbid('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided');
    if (match !== 'Exact' && match !== 'NotOlderThan')
      problems.push({
        type: 'FieldValueNotSupported',
        path: 'resourceVersionMatch',
        value: match,
        detail: '',
        supported: ['Exact', 'NotOlderThan', ''],
      });
    if (match === 'Exact' && resourceVersion === '0')
      forbid(
        'resourceVersionMatch',
        'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      );
  }
  if (request.sendInitialEvents !== undefined)
    forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  if (problems.length > 0)
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', problems);
}
