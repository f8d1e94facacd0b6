import { featureText, hasFeature } from '../feature.ts';
import { limitProblems } from '../limit-rules.ts';
import { linuxProblems } from '../linux-rules.ts';
import { type Problem, below } from '../problem.ts';
import { envProblems } from '../secret-rules.ts';
import type { ModelSettings } from '../settings.ts';
import type { Endpoint, HealthCheck, Network, Pod, PodContainer } from '../types.ts';
import { isURI } from '../uri.ts';

export interface PodCheckOptions {
  readonly pod: Pod;
  readonly settings: ModelSettings;
}

/** What is wrong with one container of a pod; paths start in the container. */
export function containerProblems(container: PodContainer, options: PodCheckOptions): Problem[] {
  const { pod, settings } = options;
  const { endpoints = [], volumeMounts = [], artifacts = [] } = container;
  const problems: Problem[] = [];
  if (container.name === '_app') problems.push({ path: '/name', text: 'equals _app' });
  problems.push(
    ...limitProblems(container.resourceLimits, container.resources),
    ...endpoints.flatMap((endpoint, index) =>
      below(`/endpoints(${index})`, endpointProblems(endpoint, pod.networks ?? [])),
    ),
    ...imageProblems(container, options),
    ...linuxProblems(container.linuxInfo),
    ...envProblems(container.environment, {
      path: '/environment',
      secrets: pod.secrets,
      settings,
    }),
    ...(container.healthCheck === undefined
      ? []
      : below('/healthCheck', healthProblems(container.healthCheck, endpoints))),
  );
  const names = (pod.volumes ?? []).map(({ name }) => name);
  for (const [index, { name }] of volumeMounts.entries())
    if (!names.includes(name))
      problems.push({
        path: `/volumeMounts(${index})/name`,
        text: 'Referenced Volume in VolumeMount should exist',
      });
  for (const [index, { uri }] of artifacts.entries())
    if (!isURI(uri))
      problems.push({ path: `/artifacts(${index})/uri`, text: 'URI has invalid syntax.' });
  if (pod.legacySharedCgroups === true && container.resourceLimits !== undefined)
    problems.push({
      path: '/resourceLimits',
      text: 'resourceLimits cannot be defined if legacySharedCgroups is enabled',
    });
  return problems;
}

function endpointProblems(endpoint: Endpoint, networks: readonly Network[]): Problem[] {
  const { networkNames = [], containerPort, protocol = [], hostPort } = endpoint;
  const names = networks.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const problems: Problem[] = [];
  for (const [index, name] of networkNames.entries())
    if (!names.includes(name))
      problems.push({
        path: `/networkNames(${index})`,
        text: `is not one of (${names.join(',')})`,
      });
  const host = networks.some(({ mode }) => mode === 'host');
  const container = networks.filter(({ mode }) => mode === 'container').length;
  if (host && containerPort !== undefined)
    problems.push({
      path: '/containerPort',
      text: 'is not allowed when using host-mode networking',
    });
  if (container > 0 && containerPort === undefined)
    problems.push({
      path: '/containerPort',
      text: 'is required when using container-mode networking',
    });
  if (new Set(protocol).size < protocol.length)
    problems.push({
      path: '/protocol',
      text: 'Duplicate protocols within the same endpoint are not allowed',
    });
  if (container > 1 && hostPort !== undefined && networkNames.length !== 1)
    problems.push({
      path: '/',
      text:
        'networkNames must be a single item list when hostPort is specified ' +
        'and more than 1 container network is defined',
    });
  return problems;
}

function imageProblems({ image }: PodContainer, { pod, settings }: PodCheckOptions): Problem[] {
  const secret = image?.pullConfig?.secret;
  if (secret === undefined) return [];
  const path = '/image/pullConfig';
  const problems: Problem[] = [];
  if (!hasFeature(settings, 'secrets'))
    problems.push({ path, text: 'must be empty' }, { path, text: featureText('secrets') });
  if (!Object.hasOwn(pod.secrets ?? {}, secret))
    problems.push({ path, text: 'pullConfig.secret must refer to an existing secret' });
  return problems;
}

function healthProblems(check: HealthCheck, endpoints: readonly Endpoint[]): Problem[] {
  const problems: Problem[] = [];
  if (check.timeoutSeconds >= check.intervalSeconds)
    problems.push({
      path: '/timeoutSeconds',
      text: `got ${check.timeoutSeconds}, expected less than ${check.intervalSeconds}`,
    });
  for (const kind of ['http', 'tcp'] as const) {
    const endpoint = check[kind]?.endpoint;
    if (endpoint !== undefined && !endpoints.some(({ name }) => name === endpoint))
      problems.push({
        path: `/${kind}/endpoint`,
        text: 'contained in the container endpoints',
      });
  }
  const kinds = [check.http, check.tcp, check.exec].filter((kind) => kind !== undefined);
  if (kinds.length !== 1)
    problems.push({ path: '/', text: 'Only one of http, tcp, or command may be specified' });
  return problems;
}
