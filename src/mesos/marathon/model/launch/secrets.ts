import type { EnvironmentVariable, Secret, Volume } from '#mesos/protocol';
import { isSecret } from '../app/volumes.ts';
import type { RunSpec } from '../root.ts';
import type { EnvVarValueOrSecret, Secrets } from '../types.ts';

/** Values of secrets by their `source`, in base64. */
export type SecretValues = Readonly<Record<string, string>>;

/** How a definition's secrets are resolved. */
export interface SecretContext {
  readonly secrets: Secrets | undefined;
  readonly values: SecretValues | undefined;
}

/** The value where it is known, else a reference that the agent resolves. */
export function secretOf(name: string, { secrets = {}, values = {} }: SecretContext): Secret {
  const source = Object.hasOwn(secrets, name) ? (secrets[name]?.source ?? name) : name;
  const data = Object.hasOwn(values, source) ? values[source] : undefined;
  return data === undefined
    ? { type: 'REFERENCE', reference: referenceOf(source) }
    : { type: 'VALUE', value: { data } };
}

/**
 * A `source` is a path. Its last segment is the key in a Secret of the framework's namespace that is
 * named by the segments before, joined by dots: `db/prod/password` is `password` of `db.prod`. A source
 * of one segment names a Secret, whose key is the master's default.
 */
function referenceOf(source: string): { readonly name: string; readonly key?: string } {
  const segments = source.split('/').filter((segment) => segment !== '');
  const [only = source] = segments;
  if (segments.length < 2) return { name: only.toLowerCase() };
  return {
    name: segments.slice(0, -1).join('.').toLowerCase(),
    key: segments.at(-1) ?? '',
  };
}

export function secretVariables(
  env: Readonly<Record<string, EnvVarValueOrSecret>> | undefined,
  context: SecretContext,
): EnvironmentVariable[] {
  return Object.entries(env ?? {}).flatMap(([name, value]) =>
    typeof value === 'string'
      ? []
      : [{ name, type: 'SECRET', secret: secretOf(value.secret, context) }],
  );
}

/** A file with a secret in it. */
export function secretVolume(
  { containerPath, secret }: { readonly containerPath: string; readonly secret: string },
  context: SecretContext,
): Volume {
  return {
    mode: 'RO',
    container_path: containerPath,
    source: { type: 'SECRET', secret: secretOf(secret, context) },
  };
}

/** The sources of all secrets that tasks of a run spec need. */
export function secretSourcesOf({ kind, spec }: RunSpec): string[] {
  const names = kind === 'app' ? appSecretNames(spec) : podSecretNames(spec);
  const sources = names.map((name) => spec.secrets?.[name]?.source ?? name);
  return [...new Set(sources)];
}

type AppSpec = Extract<RunSpec, { readonly kind: 'app' }>['spec'];
type PodSpec = Extract<RunSpec, { readonly kind: 'pod' }>['spec'];

function envNames(env: Readonly<Record<string, EnvVarValueOrSecret>> | undefined): string[] {
  return Object.values(env ?? {}).flatMap((value) =>
    typeof value === 'string' ? [] : [value.secret],
  );
}

function appSecretNames({ env, container }: AppSpec): string[] {
  const pull = container?.docker?.pullConfig;
  return [
    ...envNames(env),
    ...(container?.volumes ?? []).filter(isSecret).map(({ secret }) => secret),
    ...(pull === undefined ? [] : [pull.secret]),
  ];
}

function podSecretNames({ environment, containers, volumes = [] }: PodSpec): string[] {
  return [
    ...envNames(environment),
    ...containers.flatMap((container) => envNames(container.environment)),
    ...volumes.flatMap((volume) => ('secret' in volume ? [volume.secret] : [])),
    ...containers.flatMap(({ image }) => image?.pullConfig?.secret ?? []),
  ];
}
