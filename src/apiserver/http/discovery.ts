import { createHash } from 'node:crypto';
import type { FaceReply } from '#base';
import type { KindDeclaration, Scheme, SchemeGroup, SubresourceDeclaration } from '#machinery';
import { apiVersionOf } from '#machinery';
import type { Context } from './context.ts';
import { encodeValue } from './encode.ts';
import { mediaTypes, negotiate, parseAccept, typeMatches, wantsPretty } from './negotiate.ts';
import { isServed } from './served-kinds.ts';

type Documents = (context: Context, path: string) => Promise<FaceReply | undefined>;

/** `/api`, `/apis` and what is below them, plain and aggregated. */
export function createDiscovery(scheme: Scheme, publicAddress = '127.0.0.1:6443'): Documents {
  const plain = new Map<string, object>();
  const groups = servedGroups(scheme);
  plain.set('/api', {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: publicAddress }],
  });
  const named = groups.filter(({ group }) => group !== '');
  plain.set('/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(groupEntry) });
  for (const group of groups) {
    if (group.group !== '')
      plain.set(`/apis/${group.group}`, {
        kind: 'APIGroup',
        apiVersion: 'v1',
        ...groupEntry(group),
      });
    for (const { version, apiVersion, kinds } of group.versions)
      plain.set(group.group === '' ? `/api/${version}` : `/apis/${apiVersion}`, {
        kind: 'APIResourceList',
        ...(group.group === '' ? {} : { apiVersion: 'v1' }),
        groupVersion: apiVersion,
        resources: kinds.flatMap(resourceEntries).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      });
  }
  const aggregated = new Map<string, { readonly body: Buffer; readonly etag: string }>();
  return async (context, path) => {
    const document = plain.get(path);
    if (document === undefined) return undefined;
    if (path === '/api' || path === '/apis') {
      const version = aggregatedVersion(context.request.headers['accept']);
      if (version !== undefined) {
        const key = `${path} ${version}`;
        let made = aggregated.get(key);
        if (made === undefined) {
          const wanted = groups.filter(({ group }) => (group === '') === (path === '/api'));
          made = aggregate(wanted, version);
          aggregated.set(key, made);
        }
        return aggregatedReply(context, made, version);
      }
    }
    return await plainReply(context, document);
  };
}

function servedGroups(scheme: Scheme): readonly SchemeGroup[] {
  return scheme.groups
    .map((group) => ({
      ...group,
      versions: group.versions
        .map((version) => ({ ...version, kinds: version.kinds.filter(isServed) }))
        .filter(({ kinds }) => kinds.length > 0),
    }))
    .filter(({ versions }) => versions.length > 0);
}

async function plainReply({ request, info }: Context, document: object): Promise<FaceReply> {
  const offer = { protobuf: false, watch: false, convertible: false };
  const accepted = negotiate(request.headers['accept'], offer);
  const pretty = wantsPretty(accepted, info.query, request.headers['user-agent']);
  const body = await encodeValue(document, { accepted, pretty });
  return { status: 200, headers: { 'content-type': mediaTypes[accepted.format] }, body };
}

function groupEntry({ group, versions, preferredVersion }: SchemeGroup) {
  const entries = versions.map(({ version }) => ({
    groupVersion: apiVersionOf(group, version),
    version,
  }));
  return {
    name: group,
    versions: entries,
    preferredVersion: entries.find(({ version }) => version === preferredVersion) ?? entries[0],
  };
}

interface ResourceEntry {
  readonly name: string;
}

function resourceEntries(kind: KindDeclaration): readonly ResourceEntry[] {
  const main = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    ...(kind.storageVersionHash === undefined
      ? {}
      : { storageVersionHash: kind.storageVersionHash }),
  };
  const below = kind.subresources.map((sub) => ({
    name: `${kind.plural}/${sub.name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(sub.version === undefined ? {} : { group: sub.group ?? '', version: sub.version }),
    kind: sub.kind,
    verbs: sub.verbs,
  }));
  return kind.verbs.length === 0 ? below : [main, ...below];
}

/** The version of apidiscovery.k8s.io that the client prefers to the plain form; undefined: plain. */
function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of parseAccept(accept ?? '')) {
    if (!typeMatches(type, mediaTypes.json)) continue;
    const { as, g, v } = parameters;
    if (as === undefined) return undefined;
    if (as !== 'APIGroupDiscoveryList' || g !== 'apidiscovery.k8s.io') continue;
    if (v === 'v2' || v === 'v2beta1') return v;
  }
  return undefined;
}

function aggregate(groups: readonly SchemeGroup[], version: string) {
  const list = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((one) => ({
        version: one.version,
        resources: one.kinds
          .toSorted((a, b) => (a.plural < b.plural ? -1 : 1))
          .map((kind) => discovered(kind)),
        freshness: 'Current',
      })),
    })),
  };
  const body = Buffer.from(JSON.stringify(list));
  return { body, etag: `"${hashOf(body)}"` };
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('hex').toUpperCase();
}

function discovered(kind: KindDeclaration): object {
  return {
    resource: kind.plural,
    responseKind: { group: '', version: '', kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    ...(kind.subresources.length > 0 ? { subresources: kind.subresources.map(below) } : {}),
  };
}
function below(sub: SubresourceDeclaration): object {
  return {
    subresource: sub.name,
    responseKind: { group: sub.group ?? '', version: sub.version ?? '', kind: sub.kind },
    verbs: sub.verbs,
  };
}

function aggregatedReply(
  { request }: Context,
  { body, etag }: { readonly body: Buffer; readonly etag: string },
  version: string,
): FaceReply {
  const headers = {
    'content-type': `${mediaTypes.json};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    etag,
    vary: 'Accept',
    'cache-control': 'public',
  };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers };
  return { status: 200, headers, body };
}
