import type { KindDeclaration, Scheme } from '#machinery';
import { isServed } from '../http/served-kinds.ts';
import { pathsOf } from './paths.ts';
import { type Describe, type Flavour, schemasOf } from './schemas.ts';

export interface SpecOptions {
  readonly version: string;
  readonly describe?: Describe | undefined;
}

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
const always = ['Status', 'DeleteOptions', 'Patch', 'WatchEvent'].map((name) => meta + name);

/** `api/v1`, `apis/apps/v1`, ... */
export function openApiV3Keys(scheme: Scheme): readonly string[] {
  return scheme.groups.flatMap(({ group, versions }) =>
    versions
      .filter(({ kinds }) => kinds.some(isServed))
      .map(({ version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`)),
  );
}

/** One document of everything, Swagger 2.0. */
export function openApiV2(scheme: Scheme, options: SpecOptions): object {
  const kinds = scheme.kinds.filter(isServed);
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: options.version },
    paths: pathsOf(kinds, 'v2'),
    definitions: schemas(scheme, kinds, { ...options, flavour: 'v2' }),
  };
}

/** The document of one group version, OpenAPI 3.0. */
export function openApiV3(scheme: Scheme, key: string, options: SpecOptions): object {
  const parts = key.split('/');
  const group = parts[0] === 'api' ? '' : (parts[1] ?? '');
  const version = parts.at(-1) ?? '';
  const kinds = scheme.kinds.filter(
    (kind) => kind.group === group && kind.version === version && isServed(kind),
  );
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: options.version },
    paths: pathsOf(kinds, 'v3'),
    components: { schemas: schemas(scheme, kinds, { ...options, flavour: 'v3' }) },
  };
}

function schemas(
  scheme: Scheme,
  kinds: readonly KindDeclaration[],
  options: SpecOptions & { readonly flavour: Flavour },
): object {
  const roots = kinds.flatMap(({ type, listType, subresources }) => [
    type,
    ...(listType === '' ? [] : [listType]),
    ...subresources.flatMap((sub) => (sub.type === undefined ? [] : [sub.type])),
  ]);
  return schemasOf(scheme, [...always, ...roots], options);
}
