import type { HttpApi } from '#client';
import { CommandError } from './errors.ts';

/** One resource as the server names it. */
export interface KnownResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly names: readonly string[];
}

interface DiscoveryResource {
  readonly resource: string;
  readonly responseKind?: { readonly kind?: string };
  readonly scope: string;
  readonly singularResource?: string;
  readonly shortNames?: readonly string[];
}
interface DiscoveryList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly DiscoveryResource[];
    }[];
  }[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Everything the server serves, preferred versions first. */
export async function discover(api: HttpApi): Promise<readonly KnownResource[]> {
  const lists = await Promise.all(
    ['/api', '/apis'].map(async (path) => {
      const response = await api.requestRaw({ path, headers: { accept: aggregated } });
      const text = new TextDecoder().decode(await response.body());
      if (response.status !== 200)
        throw new CommandError(`Cannot ask the server what it serves: ${text}`);
      return JSON.parse(text) as DiscoveryList;
    }),
  );
  const found: KnownResource[] = [];
  for (const item of lists.flatMap((list) => list.items ?? []))
    for (const { version, resources = [] } of item.versions ?? [])
      for (const resource of resources)
        found.push(known(item.metadata?.name ?? '', version, resource));
  return found;
}

function known(group: string, version: string, resource: DiscoveryResource): KnownResource {
  const kind = resource.responseKind?.kind ?? '';
  const names = [
    resource.resource,
    resource.singularResource ?? '',
    kind.toLowerCase(),
    ...(resource.shortNames ?? []),
  ];
  return {
    group,
    version,
    kind,
    plural: resource.resource,
    namespaced: resource.scope === 'Namespaced',
    names: [...new Set(names.filter((name) => name !== ''))],
  };
}

/** By plural, singular, kind or short name, with or without a group behind a dot. */
export function findResource(all: readonly KnownResource[], word: string): KnownResource {
  const wanted = word.toLowerCase();
  const found = all.find(
    (resource) =>
      resource.names.includes(wanted) ||
      (resource.group !== '' &&
        resource.names.some((name) => `${name}.${resource.group}` === wanted)),
  );
  if (found === undefined) throw new CommandError(`the server has no kind "${word}"`);
  return found;
}

export function findKind(
  all: readonly KnownResource[],
  apiVersion: string,
  kind: string,
): KnownResource {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const found = all.find(
    (resource) =>
      resource.group === group && resource.version === version && resource.kind === kind,
  );
  if (found === undefined)
    throw new CommandError(`the server has no kind "${kind}" in "${apiVersion}"`);
  return found;
}

export function pathOf(
  resource: KnownResource,
  target: { readonly namespace?: string | undefined; readonly name?: string | undefined },
): string {
  const root =
    resource.group === ''
      ? `/api/${resource.version}`
      : `/apis/${resource.group}/${resource.version}`;
  const inside =
    resource.namespaced && target.namespace !== undefined
      ? `/namespaces/${encodeURIComponent(target.namespace)}`
      : '';
  const name = target.name === undefined ? '' : `/${encodeURIComponent(target.name)}`;
  return `${root}${inside}/${resource.plural}${name}`;
}
