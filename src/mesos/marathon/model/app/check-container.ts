import { volumeConstraintProblem } from '../constraint-rules.ts';
import { featureText, hasFeature } from '../feature.ts';
import { linuxProblems } from '../linux-rules.ts';
import { type Problem, below } from '../problem.ts';
import type { ModelSettings } from '../settings.ts';
import type {
  App,
  AppPersistentVolume,
  AppVolume,
  Container,
  ContainerPortMapping,
  Network,
  PersistentVolumeInfo,
} from '../types.ts';
import { duplicateNames, hasDuplicates } from './unique.ts';
import { isExternal, isPersistent, isSecret } from './volumes.ts';

/** What is wrong with an app's container in its canonical form; paths start at `/container`. */
export function containerProblems(
  container: Container,
  options: { readonly app: App; readonly settings: ModelSettings },
): Problem[] {
  const { app, settings } = options;
  const inContainer = [
    ...below('/portMappings', mappingProblems(container.portMappings ?? [], app.networks)),
    ...volumesProblems(container.volumes, options),
    ...dockerProblems(container, options),
    ...(container.type === 'MESOS' ? linuxProblems(container.linuxInfo) : []),
  ];
  if (container.volumes.some(isSecret) && !hasFeature(settings, 'secrets'))
    inContainer.push({ path: '/', text: featureText('secrets') });
  return below('/container', inContainer);
}

export function mappingProblems(
  mappings: readonly ContainerPortMapping[],
  networks: readonly Network[],
): Problem[] {
  const problems: Problem[] = [];
  if (duplicateNames(mappings)) problems.push({ path: '/', text: 'Port names must be unique.' });
  const several = networks.filter(({ mode }) => mode === 'container').length > 1;
  const names = networks.flatMap(({ name }) => (name === undefined ? [] : [name]));
  for (const [index, { hostPort, networkNames = [] }] of mappings.entries()) {
    if (several && hostPort !== undefined && networkNames.length !== 1)
      problems.push({
        path: `(${index})`,
        text:
          'networkNames must be a single item list when hostPort is specified ' +
          'and more than 1 container network is defined',
      });
    for (const [at, name] of networkNames.entries())
      if (!names.includes(name))
        problems.push({
          path: `(${index})/networkNames(${at})`,
          text: `is not one of (${names.join(',')})`,
        });
  }
  return problems;
}

function dockerProblems(
  { type, docker }: Container,
  { app, settings }: { readonly app: App; readonly settings: ModelSettings },
): Problem[] {
  if (docker === undefined)
    return type === 'DOCKER' ? [{ path: '/docker', text: 'not defined' }] : [];
  const problems: Problem[] = [];
  if (docker.image === '') problems.push({ path: '/docker/image', text: 'must not be empty' });
  const { pullConfig } = docker;
  if (pullConfig === undefined) return problems;
  const path = '/docker/pullConfig';
  if (type === 'DOCKER')
    problems.push({ path, text: 'pullConfig is not supported with Docker containerizer' });
  else {
    // Both alternatives are told: there is none, or the feature is on.
    if (!hasFeature(settings, 'secrets'))
      problems.push({ path, text: 'must be empty' }, { path, text: featureText('secrets') });
    if (!Object.hasOwn(app.secrets ?? {}, pullConfig.secret))
      problems.push({ path, text: 'pullConfig.secret must refer to an existing secret' });
  }
  return problems;
}

function volumesProblems(
  volumes: readonly AppVolume[],
  options: { readonly app: App; readonly settings: ModelSettings },
): Problem[] {
  const problems: Problem[] = [];
  const names = volumes.filter(isExternal).flatMap(({ external }) => external.name ?? []);
  if (hasDuplicates(names))
    problems.push({ path: '/volumes', text: 'Volume names must be unique' });
  for (const [index, volume] of volumes.entries())
    problems.push(...below(`/volumes(${index})`, volumeProblems(volume, options)));
  return problems;
}

function volumeProblems(
  volume: AppVolume,
  { app, settings }: { readonly app: App; readonly settings: ModelSettings },
): Problem[] {
  if (isPersistent(volume)) return persistentProblems(volume);
  if (isSecret(volume))
    return Object.hasOwn(app.secrets ?? {}, volume.secret)
      ? []
      : [{ path: '/', text: 'volume.secret must refer to an existing secret' }];
  if (isExternal(volume))
    return hasFeature(settings, 'external_volumes')
      ? []
      : [{ path: '/', text: featureText('external_volumes') }];
  return [
    ...(volume.containerPath === '' ? [{ path: '/containerPath', text: 'must not be empty' }] : []),
    ...(volume.hostPath === '' ? [{ path: '/hostPath', text: 'must not be empty' }] : []),
  ];
}

function persistentProblems({ containerPath, mode, persistent }: AppPersistentVolume): Problem[] {
  const problems: Problem[] = [];
  const path = '/containerPath';
  if (containerPath === '') problems.push({ path, text: 'equals ' });
  if (containerPath === '.' || containerPath === '..')
    problems.push({ path, text: 'can not be one of (.,..)' });
  if (containerPath.includes('/')) problems.push({ path, text: 'value must not contain "/"' });
  if (mode !== 'RW') problems.push({ path: '/mode', text: 'does not equal RW' });
  return [...problems, ...below('/persistent', persistentInfoProblems(persistent))];
}

/** What is wrong with a persistent volume, of an app or a pod. */
export function persistentInfoProblems(info: PersistentVolumeInfo): Problem[] {
  const problems: Problem[] = [];
  if (info.size <= 0)
    problems.push({ path: '/size', text: `got ${info.size}, expected more than 0` });
  for (const [index, constraint] of info.constraints.entries()) {
    const problem = volumeConstraintProblem(constraint);
    if (problem !== undefined)
      problems.push({ path: `/constraints(${index})${problem.path}`, text: problem.text });
  }
  if (info.maxSize !== undefined && info.type !== 'mount')
    problems.push({ path: '/', text: 'Only mount volumes can have maxSize' });
  if ((info.type ?? 'root') === 'root' && info.constraints.length > 0)
    problems.push({ path: '/', text: 'Constraints on root volumes are not supported' });
  if (info.maxSize !== undefined && info.maxSize <= info.size)
    problems.push({ path: '/', text: 'Max size must be larger than size' });
  return problems;
}
