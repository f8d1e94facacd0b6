import type {
  Api,
  Draft,
  KindDeclaration,
  KubeObject,
  ListOptions,
  NewObject,
  Patch,
  ResourceName,
  Target,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '#machinery';
import { StatusError, apiVersionOf, notFound } from '#machinery';
import type { DeleteOptions } from '#machinery';
import { type Call, type Core, draftOf, keyOf, viewOf } from './core.ts';
import { kindOf, typed } from './reader.ts';
import type { Attributes, UserInfo } from './seams.ts';
import { createObject } from './verbs/create.ts';
import { deleteObject } from './verbs/delete.ts';
import { listObjects } from './verbs/list.ts';
import { patchObject } from './verbs/patch.ts';
import { updateObject } from './verbs/update.ts';
import { watchInProcess } from './watch-in-process.ts';

/** What a POST to a subresource in process goes through: the very door that HTTP uses. */
export type PostThrough = (
  user: UserInfo,
  attributes: Attributes,
  body: unknown,
) => Promise<unknown>;

/** The API for one user within the process: no bytes are parsed, everything else is as over HTTP. */
export class InProcessApi implements Api {
  readonly #core: Core;
  readonly #user: UserInfo;
  readonly #trusted: boolean;
  readonly #post: PostThrough;

  constructor(core: Core, user: UserInfo, options: { trusted: boolean; post: PostThrough }) {
    this.#core = core;
    this.#user = user;
    this.#trusted = options.trusted;
    this.#post = options.post;
  }

  async get<T extends KubeObject>(resource: ResourceName<T>, target: Target): Promise<T> {
    const kind = this.#allow('get', resource, target);
    const stored = this.#core.cache.of(kind).get(keyOf(kind, target.name, target.namespace ?? ''));
    if (stored === undefined) throw notFound(kind, target.name);
    return typed<T>(viewOf(kind, stored));
  }

  async list<T extends KubeObject>(resource: ResourceName<T>, options: ListOptions = {}) {
    const kind = this.#allow('list', resource, { name: '', namespace: options.namespace });
    const page = await listObjects(this.#core, kind, {
      ...options,
      namespace: options.namespace ?? '',
    });
    return {
      items: page.objects.map((stored) => typed<T>(viewOf(kind, stored))),
      resourceVersion: String(page.revision),
      continue: page.continue,
    };
  }

  watch<T extends KubeObject>(
    resource: ResourceName<T>,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]> {
    const kind = this.#allow('watch', resource, { name: '', namespace: options.namespace });
    return watchInProcess<T>(this.#core, kind, options);
  }

  async create<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    options: WriteOptions = {},
  ): Promise<T> {
    const namespace = object.metadata.namespace ?? '';
    const kind = this.#allow('create', resource, { name: '', namespace });
    const draft = this.#draft(kind, object);
    const call = this.#call(kind, { name: '', namespace }, options);
    const { object: created } = await createObject(this.#core, call, draft);
    return typed<T>(created);
  }

  async update<T extends KubeObject>(
    resource: ResourceName<T>,
    object: NewObject<T>,
    options: WriteOptions & { readonly subresource?: string } = {},
  ): Promise<T> {
    const { name = '', namespace } = object.metadata;
    const target = { name, namespace, subresource: options.subresource };
    const kind = this.#allow('update', resource, target);
    const call = this.#call(kind, target, options);
    const change = (): Draft<KubeObject> => this.#draft(kind, object);
    const { object: updated } = await updateObject(this.#core, call, { change, put: true });
    return typed<T>(updated);
  }

  async patch<T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    patch: Patch,
  ): Promise<T> {
    const kind = this.#allow('patch', resource, target);
    const call = this.#call(kind, target, patch);
    const body = {
      type: patch.type,
      value: patch.body,
      force: patch.force === true,
      judge() {},
    };
    const mayCreate = (): void => {
      this.#allow('create', resource, target);
    };
    const { object } = await patchObject(this.#core, call, body, mayCreate);
    return typed<T>(object);
  }

  async delete<T extends KubeObject>(
    resource: ResourceName<T>,
    target: Target,
    options: DeleteOptions = {},
  ): Promise<T | undefined> {
    const kind = this.#allow('delete', resource, target);
    const { uid, resourceVersion } = options;
    const { object } = await deleteObject(this.#core, this.#call(kind, target, {}), {
      gracePeriodSeconds: options.gracePeriodSeconds,
      propagationPolicy: options.propagationPolicy,
      preconditions: { uid, resourceVersion },
    });
    return typed<T>(object);
  }

  async post<R>(
    resource: ResourceName,
    target: Target & { readonly subresource: string },
    body: unknown,
  ): Promise<R> {
    this.#allow('create', resource, target);
    return (await this.#post(this.#user, this.#attributes('create', resource, target), body)) as R;
  }

  #draft(kind: KindDeclaration, object: NewObject): Draft<KubeObject> {
    const { value } = this.#core.codec.canonical(kind.type, object);
    const draft = value as unknown as Draft<KubeObject>;
    const expected = apiVersionOf(kind.group, kind.version);
    if (draft.kind !== kind.kind || draft.apiVersion !== expected)
      throw new StatusError('BadRequest', `the object is no ${expected} ${kind.kind}`);
    return draftOf(draft as KubeObject);
  }

  #call(kind: KindDeclaration, target: Target, options: WriteOptions): Call {
    return {
      kind,
      user: this.#user,
      namespace: kind.namespaced ? (target.namespace ?? '') : '',
      name: target.name,
      subresource: target.subresource ?? '',
      dryRun: options.dryRun === true,
      fieldManager: options.fieldManager ?? this.#user.name.split(':').at(-1) ?? 'unknown',
      options: {},
      warn() {},
    };
  }

  #attributes(verb: string, resource: ResourceName, target: Target): Attributes {
    return {
      user: this.#user,
      verb,
      isResource: true,
      group: resource.group,
      version: resource.version,
      resource: resource.plural,
      subresource: target.subresource ?? '',
      namespace: target.namespace ?? '',
      name: target.name,
      path: '',
    };
  }

  #allow(verb: string, resource: ResourceName, target: Target): KindDeclaration {
    const kind = kindOf(this.#core.scheme, resource);
    if (this.#trusted) return kind;
    const attributes = this.#attributes(verb, resource, target);
    const decision = this.#core.authorize(attributes);
    if (decision.decision !== 'allow') throw this.#core.refusal(attributes, decision);
    return kind;
  }
}
