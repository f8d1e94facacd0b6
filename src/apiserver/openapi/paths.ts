import type { KindDeclaration, Verb } from '#machinery';
import { type Flavour, schemaName } from './schemas.ts';

type Operation = Record<string, unknown>;
type PathItem = Record<string, unknown>;

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
const mediaTypes = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
] as const;
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const;

/** Paths and operations of some kinds: what clients look up by group, version and kind. */
export function pathsOf(kinds: readonly KindDeclaration[], flavour: Flavour): object {
  const paths: Record<string, PathItem> = {};
  for (const kind of kinds) new KindPaths(kind, flavour).addTo(paths);
  return Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** HTTP method, action name of `x-kubernetes-action` and the verb in operation ids. */
const actions: Readonly<Record<Verb, { method: string; action: string; word: string }>> = {
  get: { method: 'get', action: 'get', word: 'read' },
  list: { method: 'get', action: 'list', word: 'list' },
  watch: { method: 'get', action: 'watchlist', word: 'watch' },
  create: { method: 'post', action: 'post', word: 'create' },
  update: { method: 'put', action: 'put', word: 'replace' },
  patch: { method: 'patch', action: 'patch', word: 'patch' },
  delete: { method: 'delete', action: 'delete', word: 'delete' },
  deletecollection: { method: 'delete', action: 'deletecollection', word: 'deleteCollection' },
};
const onCollection: readonly Verb[] = ['list', 'create', 'deletecollection'];
const onObject: readonly Verb[] = ['get', 'update', 'patch', 'delete'];

class KindPaths {
  readonly #kind: KindDeclaration;
  readonly #flavour: Flavour;
  readonly #tag: string;
  readonly #prefix: string;

  constructor(kind: KindDeclaration, flavour: Flavour) {
    this.#kind = kind;
    this.#flavour = flavour;
    const first = kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '');
    this.#tag = `${lowerFirst(camel(kind.group === '' ? 'core' : kind.group.replace(/\.k8s\.io$/, '')))}_${kind.version}`;
    this.#prefix = camel(first) + camel(kind.version) + (kind.namespaced ? 'Namespaced' : '');
  }

  addTo(paths: Record<string, PathItem>): void {
    const { group, version, plural, namespaced, subresources } = this.#kind;
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const collection = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
    this.#add(paths, collection, { verbs: onCollection });
    if (namespaced) this.#add(paths, `${root}/${plural}`, { verbs: ['list'], everywhere: true });
    this.#add(paths, `${collection}/{name}`, { verbs: onObject });
    for (const sub of subresources) {
      const item = this.#item(`${collection}/{name}`);
      for (const verb of sub.verbs) {
        const known = Object.hasOwn(actions, verb) ? (verb as Verb) : undefined;
        if (known === undefined) continue;
        const type = sub.type === undefined ? undefined : schemaName(sub.type);
        const gvk = {
          group: sub.group ?? group,
          version: sub.version ?? version,
          kind: sub.kind,
        };
        item[actions[known].method] = this.#operation(known, {
          suffix: camel(sub.name),
          type,
          gvk,
          everywhere: false,
        });
      }
      paths[`${collection}/{name}/${sub.name}`] = item;
    }
  }

  #add(
    paths: Record<string, PathItem>,
    path: string,
    {
      verbs,
      everywhere = false,
    }: { readonly verbs: readonly Verb[]; readonly everywhere?: boolean },
  ): void {
    const { kind, group, version, type, listType, verbs: served } = this.#kind;
    const mine = verbs.filter((verb) => served.includes(verb));
    if (mine.length === 0) return;
    const item = this.#item(path);
    for (const verb of mine)
      item[actions[verb].method] = this.#operation(verb, {
        suffix: everywhere ? 'ForAllNamespaces' : '',
        type: schemaName(verb === 'list' ? listType : type),
        gvk: { group, version, kind },
        everywhere,
      });
    paths[path] = item;
  }

  #item(path: string): PathItem {
    const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) =>
      this.#parameter(name ?? '', 'path', 'string'),
    );
    return { parameters };
  }

  #parameter(name: string, where: 'path' | 'query', type: string): object {
    const required = where === 'path' ? { required: true } : {};
    const unique = { uniqueItems: true };
    return this.#flavour === 'v2'
      ? { name, in: where, type, ...unique, ...required }
      : { name, in: where, schema: { type, ...unique }, ...required };
  }

  #operation(
    verb: Verb,
    about: {
      readonly suffix: string;
      readonly type: string | undefined;
      readonly gvk: object;
      readonly everywhere: boolean;
    },
  ): Operation {
    const { action, word } = actions[verb];
    const { kind } = this.#kind;
    const prefix = about.everywhere ? this.#prefix.replace(/Namespaced$/, '') : this.#prefix;
    const id = `${word}${prefix}${kind}${about.suffix}`;
    return {
      operationId: id,
      tags: [this.#tag],
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': about.gvk,
      parameters: this.#queries(verb),
      ...this.#body(verb, about.type),
      responses: this.#responses(verb, about.type),
    };
  }

  #queries(verb: Verb): readonly object[] {
    const strings: Readonly<Partial<Record<Verb, readonly string[]>>> = {
      create: ['dryRun', 'fieldManager', 'fieldValidation', 'pretty'],
      update: ['dryRun', 'fieldManager', 'fieldValidation', 'pretty'],
      patch: ['dryRun', 'fieldManager', 'fieldValidation', 'pretty'],
      delete: ['dryRun', 'propagationPolicy', 'pretty'],
      list: ['continue', 'fieldSelector', 'labelSelector', 'resourceVersion', 'pretty'],
      deletecollection: ['dryRun', 'fieldSelector', 'labelSelector', 'propagationPolicy', 'pretty'],
    };
    const out = (strings[verb] ?? ['pretty']).map((name) =>
      this.#parameter(name, 'query', 'string'),
    );
    if (verb === 'patch') out.push(this.#parameter('force', 'query', 'boolean'));
    if (verb === 'delete') out.push(this.#parameter('gracePeriodSeconds', 'query', 'integer'));
    if (verb === 'list')
      out.push(
        this.#parameter('limit', 'query', 'integer'),
        this.#parameter('timeoutSeconds', 'query', 'integer'),
        this.#parameter('watch', 'query', 'boolean'),
      );
    return out;
  }

  #schema(name: string): object {
    return {
      $ref: `${this.#flavour === 'v2' ? '#/definitions/' : '#/components/schemas/'}${name}`,
    };
  }

  #body(verb: Verb, type: string | undefined): object {
    const isDelete = verb === 'delete' || verb === 'deletecollection';
    const name =
      verb === 'patch'
        ? `${meta}Patch`
        : isDelete
          ? `${meta}DeleteOptions`
          : verb === 'create' || verb === 'update'
            ? type
            : undefined;
    if (name === undefined) return this.#flavour === 'v2' ? { produces: mediaTypes } : {};
    const schema = this.#schema(name);
    const consumes = verb === 'patch' ? patchTypes : ['*/*'];
    if (this.#flavour === 'v3')
      return {
        requestBody: {
          content: Object.fromEntries(consumes.map((one) => [one, { schema }])),
          ...(isDelete ? {} : { required: true }),
        },
      };
    const body = { name: 'body', in: 'body', ...(isDelete ? {} : { required: true }), schema };
    return { consumes, produces: mediaTypes, parameters: [body, ...this.#queries(verb)] };
  }

  #responses(verb: Verb, type: string | undefined): object {
    const name = verb === 'deletecollection' ? `${meta}Status` : (type ?? `${meta}Status`);
    const schema = this.#schema(name);
    const ok =
      this.#flavour === 'v2'
        ? { description: 'OK', schema }
        : {
            description: 'OK',
            content: Object.fromEntries(mediaTypes.map((one) => [one, { schema }])),
          };
    return {
      '200': ok,
      ...(verb === 'create' || verb === 'update' || verb === 'patch'
        ? { '201': { ...ok, description: 'Created' } }
        : {}),
      '401': { description: 'Unauthorized' },
    };
  }
}

function camel(text: string): string {
  return text
    .split(/[.\-_]/)
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('');
}
function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
