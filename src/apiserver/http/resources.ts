import type { FaceReply } from '#base';
import type { Draft, KindDeclaration, KubeObject, TableDeclaration } from '#machinery';
import { StatusError, badRequest, notFound, successStatus } from '#machinery';
import { type Call, type Core, type Outcome, draftOf, keyOf, viewOf } from '../core.ts';
import type { Door } from '../seams.ts';
import { createObject } from '../verbs/create.ts';
import { deleteObject } from '../verbs/delete.ts';
import { deleteCollection } from '../verbs/delete-collection.ts';
import { listObjects, parseVersion, reached } from '../verbs/list.ts';
import { checkPathName, checkUpdateName } from '../verbs/metadata.ts';
import { patchObject } from '../verbs/patch.ts';
import { readScale, writeScale } from '../verbs/scale.ts';
import { updateObject } from '../verbs/update.ts';
import { decodeBody, hasProtobuf, objectFromBody } from './body.ts';
import { attributesOf, type Context } from './context.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { openDoor } from './doors.ts';
import { type Bytes, type View, encodeObject, encodeTyped, includeObjectOf } from './encode.ts';
import { encodeList } from './encode-list.ts';
import { mediaTypes, negotiate, wantsPretty } from './negotiate.ts';
import { patchBodyOf } from './patch-body.ts';
import { isTrue } from './request-info.ts';
import { isServed } from './served-kinds.ts';
import { textReply } from './status-reply.ts';
import { type WatchLife, watchReply } from './watch-reply.ts';
import { type WriteQuery, writeQueryOf } from './write-options.ts';

/** Requests for resources: finds the kind and what serves it, runs the verb, writes the answer. */
export class Resources {
  readonly #core: Core;
  readonly #doors = new Map<string, Door>();
  readonly #stopping: AbortSignal;

  constructor(core: Core, options: { doors: readonly Door[]; stopping: AbortSignal }) {
    this.#core = core;
    this.#stopping = options.stopping;
    for (const door of options.doors)
      this.#doors.set(`${door.group}/${door.resource}/${door.subresource}`, door);
  }

  async handle(context: Context): Promise<FaceReply> {
    const { info } = context;
    const { scheme } = this.#core;
    const kind = scheme.byPlural(info.group, info.version, info.resource);
    if (kind === undefined || !isServed(kind)) {
      const version = scheme
        .group(info.group)
        ?.versions.find((one) => one.version === info.version);
      if (version === undefined) return textReply(404, '404 page not found\n');
      throw noResource();
    }
    const served = new Served(this.#core, context, kind);
    const door = this.#doors.get(`${info.group}/${info.resource}/${info.subresource}`);
    // What is not stored has nothing but its door.
    const behind = info.subresource !== '' || info.verb === 'create' || kind.storagePrefix === '';
    if (door !== undefined && behind) return await openDoor(this.#core, served, door);
    if (info.subresource !== '') return await served.subresource();
    return await served.resource(this.#stopping);
  }
}

function noResource(): StatusError {
  return new StatusError('NotFound', 'the server could not find the requested resource', {
    details: {},
  });
}

/** One request for a resource whose kind is known. */
export class Served {
  readonly core: Core;
  readonly context: Context;
  readonly kind: KindDeclaration;
  #view: View | undefined;

  constructor(core: Core, context: Context, kind: KindDeclaration) {
    this.core = core;
    this.context = context;
    this.kind = kind;
  }

  /** What the client wants to see; throws 406. */
  get view(): View {
    if (this.#view !== undefined) return this.#view;
    const { request, info } = this.context;
    const watch = info.verb === 'watch';
    const offer = { protobuf: hasProtobuf(this.core, this.kind.type), watch, convertible: true };
    const accepted = negotiate(request.headers['accept'], offer);
    this.#view = {
      kind: this.kind,
      accepted,
      pretty: !watch && wantsPretty(accepted, info.query, request.headers['user-agent']),
      includeObject: accepted.as === 'Table' ? includeObjectOf(info.query) : '',
    };
    return this.#view;
  }

  async resource(stopping: AbortSignal): Promise<FaceReply> {
    const { info } = this.context;
    const { kind } = this;
    if (!kind.verbs.some((verb) => verb === info.verb)) throw noMethod();
    if (info.name === '' && /^(update|patch)$/.test(info.verb)) throw noMethod();
    if (kind.namespaced && info.namespace === '' && !/^(list|watch)$/.test(info.verb))
      throw noMethod();
    if (!kind.namespaced && info.namespace !== '' && kind.plural !== 'namespaces')
      throw noResource();
    switch (info.verb) {
      case 'get':
        return await this.#get();
      case 'list':
        return await this.#list();
      case 'watch':
        return await this.#watch(stopping);
      case 'create':
        return await this.#create();
      case 'update':
        return await this.#update();
      case 'patch':
        return await this.#patch();
      case 'delete':
        return await this.#delete();
      case 'deletecollection':
        return await this.#deleteCollection();
      default:
        throw noMethod();
    }
  }

  /** Those that are views of the object itself: status, scale, and what a kind declares of its own type. */
  async subresource(): Promise<FaceReply> {
    const { info } = this.context;
    const declared = this.kind.subresources.find(({ name }) => name === info.subresource);
    if (declared === undefined) throw noResource();
    if (!declared.verbs.includes(info.verb)) throw noMethod();
    if (declared.name === 'scale' && this.kind.scale !== undefined) return await this.#scale();
    if (declared.kind !== this.kind.kind) throw noResource();
    if (info.verb === 'get') return await this.#get();
    if (info.verb === 'update') return await this.#update();
    if (info.verb === 'patch') return await this.#patch();
    throw noMethod();
  }

  call(write?: Pick<WriteQuery, 'dryRun' | 'options'> & { readonly fieldManager?: string }): Call {
    const { info, user, warnings } = this.context;
    // A namespace is a cluster object although its path looks like a namespace of something.
    const namespace = this.kind.namespaced ? info.namespace : '';
    return {
      kind: this.kind,
      user,
      namespace,
      name: info.name,
      subresource: info.subresource,
      dryRun: write?.dryRun ?? false,
      fieldManager: write?.fieldManager ?? 'unknown',
      options: write?.options ?? {},
      warn: (text) => warnings.add(text),
    };
  }

  async reply(status: number, outcome: Pick<Outcome, 'object' | 'stored'>): Promise<FaceReply> {
    const body = await encodeObject(this.core, this.view, {
      object: () => outcome.object,
      stored: outcome.stored,
    });
    return this.bytes(status, body);
  }

  bytes(status: number, body: Bytes): FaceReply {
    return { status, headers: { 'content-type': mediaTypes[this.view.accepted.format] }, body };
  }

  async #get(): Promise<FaceReply> {
    const { info } = this.context;
    const { core, kind, view } = this;
    checkPathName(info.name);
    if (isTrue(info.query.get('export')))
      throw badRequest('the export parameter, deprecated since v1.14, is no longer supported');
    const asked = parseVersion(info.query.get('resourceVersion') ?? undefined);
    if (asked !== undefined) await reached(core, asked);
    const key = keyOf(kind, info.name, info.namespace);
    const stored = core.cache.of(kind).get(key);
    if (stored === undefined) throw notFound(kind, info.name);
    const plain = kind.storedAs === undefined;
    const body = await encodeObject(core, view, {
      object: () => viewOf(kind, stored),
      stored: plain ? stored : undefined,
    });
    return this.bytes(200, body);
  }

  async #list(): Promise<FaceReply> {
    const { core, kind, view } = this;
    const page = await listObjects(core, kind, this.#listRequest());
    const body = await encodeList(core, view, {
      objects: page.objects,
      meta: {
        resourceVersion: String(page.revision),
        ...(page.continue === undefined ? {} : { continue: page.continue }),
        ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
      },
    });
    return this.bytes(200, body);
  }

  #listRequest() {
    const { query, namespace } = this.context.info;
    const sendInitialEvents = query.get('sendInitialEvents');
    const limit = query.get('limit');
    if (limit !== null && !/^-?\d{0,18}$/.test(limit))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(limit)}: invalid syntax`);
    return {
      namespace,
      labelSelector: query.get('labelSelector') ?? undefined,
      fieldSelector: query.get('fieldSelector') ?? undefined,
      limit: limit === null ? undefined : Number(limit),
      continue: query.get('continue') ?? undefined,
      resourceVersion: query.get('resourceVersion') ?? undefined,
      resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
      sendInitialEvents: sendInitialEvents === null ? undefined : isTrue(sendInitialEvents),
    };
  }

  async #watch(stopping: AbortSignal): Promise<FaceReply> {
    const { query } = this.context.info;
    const { core, view } = this;
    const { name } = this.context.info;
    const list = this.#listRequest();
    const seconds = query.get('timeoutSeconds');
    if (seconds !== null && !/^\d{1,9}$/.test(seconds))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(seconds)}: invalid syntax`);
    const life: WatchLife = {
      stopping,
      timeoutSeconds: seconds === null || Number(seconds) === 0 ? undefined : Number(seconds),
    };
    const selected = /(?:^|,)metadata\.name==?([^,]*)/.exec(list.fieldSelector ?? '')?.[1];
    if (name !== '' && selected !== undefined && selected !== name)
      throw badRequest("fieldSelector metadata.name doesn't match requested name");
    // `/watch/.../name` watches that one object.
    const named = name !== '' && selected === undefined;
    const fields = [list.fieldSelector, named ? `metadata.name=${name}` : undefined];
    const request = {
      ...list,
      fieldSelector: fields.filter((one) => one !== undefined && one !== '').join(','),
      allowBookmarks: isTrue(query.get('allowWatchBookmarks')),
    };
    return await watchReply(core, view, { request, life });
  }

  async #create(): Promise<FaceReply> {
    const { context, core } = this;
    void this.view;
    if (context.info.name !== '') throw noMethod();
    const query = writeQueryOf(context.request, context.info.query, 'CreateOptions');
    const draft = await this.#body(query);
    const outcome = await createObject(core, this.call(query), draft);

    return await this.reply(201, outcome);
  }

  async #body(query: WriteQuery): Promise<Draft<KubeObject>> {
    const { context, core, kind } = this;
    return await objectFromBody(core, context.request, {
      kind,
      validation: query.fieldValidation,
      warn: (text) => context.warnings.add(text),
    });
  }

  async #update(): Promise<FaceReply> {
    const { context, core, kind } = this;
    void this.view;
    checkPathName(context.info.name);
    const query = writeQueryOf(context.request, context.info.query, 'UpdateOptions');
    const draft = await this.#body(query);
    const call = this.call(query);
    checkUpdateName(call, draft);
    const bytes = draftOf(draft);
    let first = true;
    const change = (): Draft<KubeObject> => {
      const own = first ? draft : draftOf(bytes);
      first = false;
      return own;
    };
    const creates = kind.allowCreateOnUpdate === true && call.subresource === '';
    const create = (): Draft<KubeObject> => {
      this.mayCreate();
      return change();
    };
    const outcome = await updateObject(core, call, {
      change,
      put: true,
      create: creates ? create : undefined,
    });
    return await this.reply(outcome.created ? 201 : 200, outcome);
  }

  /** A write that turns out to create needs that permission too. */
  mayCreate(): void {
    const attributes = { ...attributesOf(this.context), verb: 'create' };
    const decision = this.core.authorize(attributes);
    if (decision.decision !== 'allow') throw this.core.refusal(attributes, decision);
  }

  async #patch(): Promise<FaceReply> {
    const { context, core } = this;
    void this.view;
    checkPathName(context.info.name);
    const query = writeQueryOf(context.request, context.info.query, 'PatchOptions');
    const patch = await patchBodyOf(context, this.kind, query);
    const outcome = await patchObject(core, this.call(query), patch, () => this.mayCreate());
    return await this.reply(outcome.created ? 201 : 200, outcome);
  }

  async #delete(): Promise<FaceReply> {
    const { context, core, kind } = this;
    void this.view;
    checkPathName(context.info.name);
    const options = await deleteOptionsOf(core, context);
    const call = this.call({ dryRun: options.dryRun, options: options.options });
    const { object, gone } = await deleteObject(core, call, options);
    if (!gone || kind.deleteReturnsObject === true)
      return await this.reply(200, { object, stored: undefined });
    const { name, uid } = object.metadata;
    const status = successStatus({ name, group: kind.group, kind: kind.plural, uid });
    return await this.status(200, status);
  }

  /** A Status is never converted, only encoded. */
  async status(code: number, status: object): Promise<FaceReply> {
    const { format } = this.view.accepted;
    const view = { ...this.view, accepted: { ...this.view.accepted, as: '' } as const };

    const type = 'k8s.io.apimachinery.pkg.apis.meta.v1.Status';
    const body = await encodeTyped(this.core, view, { type, object: status });
    return { status: code, headers: { 'content-type': mediaTypes[format] }, body };
  }

  async #deleteCollection(): Promise<FaceReply> {
    const { context, core, view } = this;
    const options = await deleteOptionsOf(core, context);
    const call = this.call({ dryRun: options.dryRun, options: options.options });
    const page = await deleteCollection(core, call, { request: this.#listRequest(), options });
    const meta = { resourceVersion: String(page.revision) };
    return this.bytes(200, await encodeList(core, view, { objects: page.objects, meta }));
  }

  async #scale(): Promise<FaceReply> {
    const { context, core } = this;
    const { info, request } = context;
    checkPathName(info.name);
    const type = 'k8s.io.api.autoscaling.v1.Scale';
    // Columns see what they were declared for, as with every kind.
    const columns = this.kind.scale?.table as TableDeclaration<KubeObject> | undefined;
    const { table: _table, ...kind } = this.kind;
    const shown = { ...kind, type, ...(columns === undefined ? {} : { table: columns }) };
    const view: View = { ...this.view, kind: shown };
    const answer = async (scale: KubeObject): Promise<FaceReply> =>
      this.bytes(200, await encodeObject(core, view, { object: () => scale, stored: undefined }));
    if (info.verb === 'get') return await answer(readScale(core, this.call()));
    const isPatch = info.verb === 'patch';
    const query = writeQueryOf(request, info.query, isPatch ? 'PatchOptions' : 'UpdateOptions');
    const body = isPatch
      ? await patchBodyOf(context, this.kind, query)
      : (await decodeBody(core, request, { type, kind: 'Scale', version: 'v1' })).value;
    return await answer(await writeScale(core, this.call(query), body));
  }
}

export function noMethod(): StatusError {
  return new StatusError(
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    { details: {} },
  );
}
