import type { Problem } from '../problem.ts';
import type { App, Container } from '../types.ts';
import { isURI } from '../uri.ts';
import { duplicateNames } from './unique.ts';

/** Checks of the deprecated forms, before they are replaced. */
export function oldFormProblems(app: App): Problem[] {
  const problems: Problem[] = [];
  if (app.container !== undefined) problems.push(...containerProblems(app.container));
  if (app.container?.type === 'DOCKER' && app.ipAddress?.discovery !== undefined)
    problems.push({
      path: '/ipAddress',
      text: 'ipAddress/discovery is not allowed for Docker containers',
    });
  problems.push(...uriProblems(app));
  for (const [wrong, text] of wholeAppRules) if (wrong(app)) problems.push({ path: '/', text });
  return problems;
}

function containerProblems({ type, docker }: Container): Problem[] {
  if (docker === undefined) return [];
  const path = '/container/docker';
  const problems: Problem[] = [];
  const mustBeEmpty = (name: string, value: unknown): void => {
    const empty = value === undefined || (Array.isArray(value) && value.length === 0);
    if (!empty) problems.push({ path: `${path}/${name}`, text: 'must be empty' });
  };
  mustBeEmpty('credential', docker.credential);
  if (type === 'MESOS') {
    mustBeEmpty('network', docker.network);
    mustBeEmpty('parameters', docker.parameters);
    if (docker.portMappings !== undefined)
      problems.push({ path: `${path}/portMappings`, text: 'must be empty' });
  }
  if (duplicateNames(docker.portMappings ?? []))
    problems.push({ path: `${path}/portMappings`, text: 'Port names must be unique.' });
  return problems;
}

function uriProblems({ uris, fetch }: App): Problem[] {
  if (uris === undefined) return [];
  const problems: Problem[] = [];
  for (const [index, uri] of uris.entries())
    if (!isURI(uri)) problems.push({ path: `/uris(${index})`, text: 'URI has invalid syntax.' });
  if (uris.length > 0 && (fetch?.length ?? 0) > 0)
    problems.push({ path: '/uris', text: 'may not be set in conjunction with fetch' });
  return problems;
}

type WholeAppRule = readonly [(app: App) => boolean, string];

const wholeAppRules: readonly WholeAppRule[] = [
  [
    (app) => app.container?.docker?.network !== undefined && app.networks.length > 0,
    'must not specify both container.docker.network and networks',
  ],
  [
    (app) => app.ipAddress !== undefined && app.networks.length > 0,
    'must not specify both networks and ipAddress',
  ],
  [
    ({ ports }) => {
      const fixed = (ports ?? []).filter((port) => port !== 0);
      return new Set(fixed).size < fixed.length;
    },
    'ports must be unique',
  ],
  [
    ({ ipAddress, ports, portDefinitions }) =>
      ipAddress !== undefined && ((ports?.length ?? 0) > 0 || (portDefinitions?.length ?? 0) > 0),
    'cannot specify both an IP address and port',
  ],
  [
    ({ ports, portDefinitions }) =>
      ports !== undefined &&
      portDefinitions !== undefined &&
      portDefinitions.map(({ port }) => port).join() !== ports.join(),
    'cannot specify both ports and port definitions',
  ],
];
