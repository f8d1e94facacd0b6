import type { Codec, TypeTables } from '#wire';
import type { KindDeclaration } from './kind.ts';

/** All kinds of one server: found by what a URL, a body or another object says of them. */
export interface Scheme {
  readonly codec: Codec;
  readonly tables: TypeTables;
  /** In the order they were declared. */
  readonly kinds: readonly KindDeclaration[];
  /** In the order of `/apis`; the core group ('') first. */
  readonly groups: readonly SchemeGroup[];
  group(name: string): SchemeGroup | undefined;
  /** `byPlural('apps', 'v1', 'deployments')`: what a URL names. */
  byPlural(group: string, version: string, plural: string): KindDeclaration | undefined;
  /** `byKind('apps/v1', 'Deployment')`: what an object or an owner reference names. */
  byKind(apiVersion: string, kind: string): KindDeclaration | undefined;
  /** The kind whose list this is: `byListKind('apps/v1', 'DeploymentList')`. */
  byListKind(apiVersion: string, listKind: string): KindDeclaration | undefined;
  /** The preferred version of a resource in any of its versions. */
  preferred(group: string, plural: string): KindDeclaration | undefined;
  /** Every version of a resource, preferred first. */
  versions(group: string, plural: string): readonly KindDeclaration[];
  /**
   * Name in the field tables of a kind, a list, a subresource's body or a meta kind (DeleteOptions,
   * Status, Table, ...). This is the `typeOf` that `Codec.decodeProtobuf` asks for.
   */
  typeOf(apiVersion: string, kind: string): string | undefined;
}

export interface SchemeGroup {
  readonly group: string;
  readonly preferredVersion: string;
  /** In discovery order. */
  readonly versions: readonly SchemeVersion[];
}
export interface SchemeVersion {
  readonly version: string;
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kinds: readonly KindDeclaration[];
}

export interface SchemeParts {
  readonly kinds: readonly KindDeclaration[];
  readonly codec: Codec;
  readonly tables: TypeTables;
  /** Order of groups and of their versions; groups not named follow in the order of the kinds. */
  readonly groupOrder?: readonly {
    group: string;
    preferred: string;
    versions: readonly string[];
  }[];
  /** Kinds that are bodies or answers but no resources (Scale, Eviction, TokenReview, ...). */
  readonly bodyTypes?: readonly BodyType[];
}
export interface BodyType {
  readonly apiVersion: string;
  readonly kind: string;
  readonly type: string;
}

/** `apps/v1`; just the version for the core group. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** `deployments.apps`, `pods`: how messages name a resource (schema.GroupResource). */
export function groupResource(name: { readonly group: string; readonly plural: string }): string {
  return name.group === '' ? name.plural : `${name.plural}.${name.group}`;
}
/** `Deployment.apps`, `Pod`: how messages name a kind (schema.GroupKind). */
export function groupKind(name: { readonly group: string; readonly kind: string }): string {
  return name.group === '' ? name.kind : `${name.kind}.${name.group}`;
}

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
/** Registered in every group version (metav1.AddToGroupVersion). */
const metaEverywhere: Readonly<Record<string, string>> = {
  WatchEvent: `${meta}WatchEvent`,
  ListOptions: `${meta}ListOptions`,
  GetOptions: `${meta}GetOptions`,
  DeleteOptions: `${meta}DeleteOptions`,
  CreateOptions: `${meta}CreateOptions`,
  UpdateOptions: `${meta}UpdateOptions`,
  PatchOptions: `${meta}PatchOptions`,
};
/** Registered as `v1` without a group. */
const metaUnversioned: Readonly<Record<string, string>> = {
  Status: `${meta}Status`,
  APIVersions: `${meta}APIVersions`,
  APIGroup: `${meta}APIGroup`,
  APIGroupList: `${meta}APIGroupList`,
  APIResourceList: `${meta}APIResourceList`,
};
const metaGroup: Readonly<Record<string, string>> = {
  Table: `${meta}Table`,
  PartialObjectMetadata: `${meta}PartialObjectMetadata`,
  PartialObjectMetadataList: `${meta}PartialObjectMetadataList`,
  ...metaUnversioned,
};

export function createScheme(parts: SchemeParts): Scheme {
  // Asked with every read in process: by a text that is there already, not by one made for it.
  const plurals = new Map<string, KindDeclaration[]>();
  const kinds = new Map<string, KindDeclaration>();
  const lists = new Map<string, KindDeclaration>();
  const types = new Map<string, string>();
  for (const body of parts.bodyTypes ?? []) types.set(`${body.apiVersion} ${body.kind}`, body.type);
  for (const kind of parts.kinds) {
    const apiVersion = apiVersionOf(kind.group, kind.version);
    const namesakes = plurals.get(kind.plural);
    if (namesakes === undefined) plurals.set(kind.plural, [kind]);
    else namesakes.push(kind);
    kinds.set(`${apiVersion} ${kind.kind}`, kind);
    types.set(`${apiVersion} ${kind.kind}`, kind.type);
    if (kind.listKind !== '') {
      lists.set(`${apiVersion} ${kind.listKind}`, kind);
      types.set(`${apiVersion} ${kind.listKind}`, kind.listType);
    }
    for (const sub of kind.subresources) {
      if (sub.type === undefined) continue;
      const of = apiVersionOf(sub.group ?? kind.group, sub.version ?? kind.version);
      if (!types.has(`${of} ${sub.kind}`)) types.set(`${of} ${sub.kind}`, sub.type);
    }
  }
  const groups = groupsOf(parts);
  const byName = new Map(groups.map((group) => [group.group, group]));
  const versions = (group: string, plural: string) => versionsOf(byName.get(group), plural);
  return {
    codec: parts.codec,
    tables: parts.tables,
    kinds: parts.kinds,
    groups,
    group: (name) => byName.get(name),
    byPlural: (group, version, plural) =>
      plurals.get(plural)?.find((kind) => kind.group === group && kind.version === version),
    byKind: (apiVersion, kind) => kinds.get(`${apiVersion} ${kind}`),
    byListKind: (apiVersion, listKind) => lists.get(`${apiVersion} ${listKind}`),
    preferred: (group, plural) => versions(group, plural)[0],
    versions,
    typeOf: (apiVersion, kind) =>
      types.get(`${apiVersion} ${kind}`) ?? metaTypeOf(apiVersion, kind),
  };
}

function metaTypeOf(apiVersion: string, kind: string): string | undefined {
  if (Object.hasOwn(metaEverywhere, kind)) return metaEverywhere[kind];
  if (apiVersion === 'v1' && Object.hasOwn(metaUnversioned, kind)) return metaUnversioned[kind];
  if (apiVersion === 'meta.k8s.io/v1' && Object.hasOwn(metaGroup, kind)) return metaGroup[kind];
  return undefined;
}

function versionsOf(group: SchemeGroup | undefined, plural: string): readonly KindDeclaration[] {
  if (group === undefined) return [];
  const found: KindDeclaration[] = [];
  for (const version of group.versions) {
    const kind = version.kinds.find((one) => one.plural === plural);
    if (kind === undefined) continue;
    if (version.version === group.preferredVersion) found.unshift(kind);
    else found.push(kind);
  }
  return found;
}

function groupsOf(parts: SchemeParts): SchemeGroup[] {
  const perGroup = new Map<string, Map<string, KindDeclaration[]>>();
  for (const kind of parts.kinds) {
    const versions = perGroup.get(kind.group) ?? new Map<string, KindDeclaration[]>();
    perGroup.set(kind.group, versions);
    const list = versions.get(kind.version) ?? [];
    versions.set(kind.version, list);
    list.push(kind);
  }
  const order = new Map(
    (parts.groupOrder ?? []).map((one, index) => [one.group, { ...one, index }]),
  );
  const rank = (group: string) =>
    group === '' ? -1 : (order.get(group)?.index ?? Number.MAX_SAFE_INTEGER);
  const sorted = [...perGroup].toSorted(([a], [b]) => Math.sign(rank(a) - rank(b)));
  return sorted.map(([group, versions]) => {
    const wanted = order.get(group);
    const names = [
      ...(wanted?.versions ?? []).filter((name) => versions.has(name)),
      ...[...versions.keys()].filter((name) => wanted?.versions.includes(name) !== true),
    ];
    const preferred = wanted?.preferred;
    return {
      group,
      preferredVersion:
        preferred !== undefined && versions.has(preferred) ? preferred : (names[0] ?? ''),
      versions: names.map((version) => ({
        version,
        apiVersion: apiVersionOf(group, version),
        kinds: versions.get(version) ?? [],
      })),
    };
  });
}
