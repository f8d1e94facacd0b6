import { doubleText } from '#mesos/protocol';
import { persistentInfoProblems } from '../app/check-container.ts';
import { unreachableProblems } from '../app/check-model.ts';
import { hasDuplicates } from '../app/unique.ts';
import { constraintText } from '../constraint-rules.ts';
import { featureText, hasFeature } from '../feature.ts';
import { emptyIDProblems, idProblems } from '../ids.ts';
import { linuxProblems } from '../linux-rules.ts';
import { networkProblems } from '../network-rules.ts';
import { type Problem, below } from '../problem.ts';
import { type RoleRules, acceptedRoleProblems, residentRoleProblems } from '../roles.ts';
import { isPodPersistent } from '../run-spec.ts';
import { envProblems, secretProblems } from '../secret-rules.ts';
import type { Endpoint, Pod, PodVolume } from '../types.ts';
import { type PodCheckOptions, containerProblems } from './check-container.ts';

/** Checks of a pod as it was sent. */
export function podProblems(pod: Pod, options: PodCheckOptions): Problem[] {
  const { settings } = options;
  return [
    ...idProblems(pod.id, '/id'),
    ...emptyIDProblems(pod.id, '/id'),
    ...(pod.user === '' ? [{ path: '/user', text: 'must not be empty' }] : []),
    ...envProblems(pod.environment, { path: '/environment', secrets: pod.secrets, settings }),
    ...volumesProblems(pod, options),
    ...pod.containers.flatMap((container, index) =>
      below(`/containers(${index})`, containerProblems(container, options)),
    ),
    ...(hasDuplicates(pod.containers.map(({ name }) => name))
      ? [{ path: '/containers', text: 'container names must be unique' }]
      : []),
    ...secretProblems(pod.secrets, settings),
    ...networkProblems(pod.networks ?? [], settings),
    ...endpointsProblems(pod),
    ...schedulingProblems(pod),
    ...linuxProblems(pod.linuxInfo, 'pod'),
  ];
}

function volumesProblems(pod: Pod, { settings }: PodCheckOptions): Problem[] {
  const volumes = pod.volumes ?? [];
  const problems: Problem[] = [];
  if (volumes.some((volume) => 'secret' in volume) && !hasFeature(settings, 'secrets'))
    problems.push({ path: '/volumes', text: featureText('secrets') });
  for (const [index, volume] of volumes.entries())
    problems.push(...below(`/volumes(${index})`, volumeProblems(volume, pod)));
  if (hasDuplicates(volumes.map(({ name }) => name)))
    problems.push({ path: '/volumes', text: 'volume names must be unique' });
  return problems;
}

function volumeProblems(volume: PodVolume, pod: Pod): Problem[] {
  const problems: Problem[] = [];
  const mounted = pod.containers.some(({ volumeMounts = [] }) =>
    volumeMounts.some(({ name }) => name === volume.name),
  );
  if (!mounted)
    problems.push({ path: '/', text: 'volume must be referenced by at least one container' });
  if ('secret' in volume && !Object.hasOwn(pod.secrets ?? {}, volume.secret))
    problems.push({ path: '/secret', text: 'volume.secret must refer to an existing secret' });
  if (isPodPersistent(volume))
    problems.push(...below('/persistent', persistentInfoProblems(volume.persistent)));
  return problems;
}

/** The first text has its letter wrong in the original. */
function endpointsProblems(pod: Pod): Problem[] {
  const endpoints = pod.containers.flatMap((container) => container.endpoints ?? []);
  const fixed = (portOf: (endpoint: Endpoint) => number | undefined): number[] =>
    endpoints.flatMap((endpoint) => portOf(endpoint) ?? []).filter((port) => port !== 0);
  const rules: readonly (readonly [boolean, string])[] = [
    [
      hasDuplicates(endpoints.map(({ name }) => name)),
      'endpoint names nust be unique across all containers',
    ],
    [
      hasDuplicates(fixed(({ containerPort }) => containerPort)),
      'container ports must be unique across all containers',
    ],
    [
      hasDuplicates(fixed(({ hostPort }) => hostPort)),
      'host ports must be unique across all containers',
    ],
  ];
  return rules.flatMap(([wrong, text]) => (wrong ? [{ path: '/', text }] : []));
}

function schedulingProblems(pod: Pod): Problem[] {
  const { placement, upgrade, unreachableStrategy } = pod.scheduling ?? {};
  const resident = (pod.volumes ?? []).some(isPodPersistent);
  const problems: Problem[] = [];
  for (const [index, constraint] of (placement?.constraints ?? []).entries()) {
    const text = constraintText(constraint);
    if (text !== undefined)
      problems.push({ path: `/scheduling/placement/constraints(${index})`, text });
  }
  if (resident && upgrade !== undefined && upgrade.maximumOverCapacity !== 0)
    problems.push({
      path: '/upgrade/maximumOverCapacity',
      text: `got ${doubleText(upgrade.maximumOverCapacity)}, expected 0.0`,
    });
  if (resident && typeof unreachableStrategy === 'object')
    problems.push({
      path: '/',
      text: 'unreachableStrategy must be disabled for pods with persistent volumes',
    });
  return problems;
}

/** Checks of a pod in its final form. */
export function podModelProblems(pod: Pod, roles: RoleRules): Problem[] {
  const problems: Problem[] = [];
  const { role } = pod;
  const resident = (pod.volumes ?? []).some(isPodPersistent);
  if (role !== undefined && !roles.validRoles.includes(role))
    problems.push({
      path: '/role',
      text: `got ${role}, expected one of: [${roles.validRoles.join(', ')}]`,
    });
  if (resident && role !== undefined)
    problems.push(...residentRoleProblems(role, { rules: roles, kind: 'pods' }));
  const accepted = pod.scheduling?.placement?.acceptedResourceRoles ?? [];
  if (accepted.length > 0)
    problems.push(
      ...acceptedRoleProblems(accepted, {
        path: '/acceptedResourceRoles',
        kind: 'pod',
        resident,
        role,
      }),
    );
  const strategy = pod.scheduling?.unreachableStrategy;
  return [...problems, ...unreachableProblems(strategy, '/unreachableStrategy')];
}
