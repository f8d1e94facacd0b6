import { featureText, hasFeature } from './feature.ts';
import type { Problem } from './problem.ts';
import type { ModelSettings } from './settings.ts';
import type { EnvVarValueOrSecret, Secrets } from './types.ts';

export function secretProblems(secrets: Secrets | undefined, settings: ModelSettings): Problem[] {
  const names = Object.keys(secrets ?? {});
  if (names.length === 0) return [];
  if (!hasFeature(settings, 'secrets')) return [{ path: '/secrets', text: featureText('secrets') }];
  const problems: Problem[] = [];
  for (const [index, name] of names.entries())
    if (name === '') problems.push({ path: `/secrets/keys(${index})`, text: 'must not be empty' });
  return problems;
}

type Env = Readonly<Record<string, EnvVarValueOrSecret>>;

/** What is wrong with `env` (`environment` of pods), seen from its owner's secrets. */
export function envProblems(
  env: Env | undefined,
  options: {
    readonly path: string;
    readonly secrets: Secrets | undefined;
    readonly settings: ModelSettings;
  },
): Problem[] {
  const { path, secrets, settings } = options;
  const problems: Problem[] = [];
  const entries = Object.entries(env ?? {});
  for (const [index, [key]] of entries.entries())
    if (key === '') problems.push({ path: `${path}/keys(${index})`, text: 'must not be empty' });
  const references = entries.flatMap(([key, value]) =>
    typeof value === 'string' ? [] : [{ key, secret: value.secret }],
  );
  if (references.length > 0 && !hasFeature(settings, 'secrets'))
    problems.push({
      path,
      text: 'use of secret-references in the environment requires the secrets feature to be enabled',
    });
  for (const { key, secret } of references)
    if (!Object.hasOwn(secrets ?? {}, secret))
      problems.push({ path: `${path}/${key}/secret`, text: 'references an undefined secret' });
  return problems;
}
