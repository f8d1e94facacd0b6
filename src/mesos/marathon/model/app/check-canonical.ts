import { doubleText } from '#mesos/protocol';
import { appConstraintText } from '../constraint-rules.ts';
import { featureText, hasFeature } from '../feature.ts';
import { emptyIDProblems, idProblems } from '../ids.ts';
import { limitProblems } from '../limit-rules.ts';
import { networkProblems } from '../network-rules.ts';
import type { Problem } from '../problem.ts';
import { type RoleRules, acceptedRoleProblems } from '../roles.ts';
import { envProblems, secretProblems } from '../secret-rules.ts';
import type { ModelSettings } from '../settings.ts';
import type { App, AppHealthCheck, PortDefinition, UpgradeStrategy } from '../types.ts';
import { isURI } from '../uri.ts';
import { containerProblems } from './check-container.ts';
import { duplicateNames, hasDuplicates } from './unique.ts';

export interface AppCheckOptions {
  readonly settings: ModelSettings;
  readonly roles: RoleRules;
}

/** Checks of an app whose deprecated forms are replaced. */
export function canonicalProblems(app: App, options: AppCheckOptions): Problem[] {
  const { settings, roles } = options;
  return [
    ...(app.container === undefined ? [] : containerProblems(app.container, { app, settings })),
    ...definitionProblems(app.portDefinitions ?? []),
    ...commandProblems(app),
    ...healthCheckProblems(app),
    ...fetchProblems(app),
    ...limitProblems(app.resourceLimits, app),
    ...secretProblems(app.secrets, settings),
    ...envProblems(app.env, { path: '/env', secrets: app.secrets, settings }),
    ...acceptedRoleProblems(app.acceptedResourceRoles, {
      path: '/acceptedResourceRoles',
      kind: 'app',
      resident: app.residency !== undefined,
      role: app.role,
    }),
    ...gpuProblems(app, settings),
    ...readinessProblems(app),
    ...strategyProblems(app),
    ...constraintProblems(app),
    ...networkProblems(app.networks, settings),
    ...wholeAppProblems(app),
    ...roleProblems(app, roles),
    ...idProblems(app.id, '/id'),
    ...emptyIDProblems(app.id, '/id'),
    ...(app.dependencies ?? []).flatMap((id, index) => idProblems(id, `/dependencies(${index})`)),
  ];
}

export function isSingleInstance(app: App): boolean {
  return app.labels['MARATHON_SINGLE_INSTANCE_APP'] === 'true';
}

function definitionProblems(definitions: readonly PortDefinition[]): Problem[] {
  const path = '/portDefinitions';
  // Numbers in `ports` have no lower limit of their own when they are read.
  const problems: Problem[] = definitions.flatMap(({ port }, index) =>
    port >= 0 ? [] : [{ path: `${path}(${index})/port`, text: `got ${port}, expected 0 or more` }],
  );
  if (duplicateNames(definitions)) problems.push({ path, text: 'Port names must be unique.' });
  const fixed = definitions.map(({ port }) => port).filter((port) => port !== 0);
  if (hasDuplicates(fixed)) problems.push({ path, text: 'Ports must be unique.' });
  return problems;
}

function commandProblems(app: App): Problem[] {
  const problems: Problem[] = [];
  const cmd = app.cmd !== undefined;
  const args = (app.args?.length ?? 0) > 0;
  const { container } = app;
  const runnable =
    container !== undefined && (container.type === 'MESOS' || container.docker !== undefined);
  if ((cmd && args) || (!cmd && !args && !runnable))
    problems.push({
      path: '/',
      text: "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
    });
  if (cmd && app.cmd.length < 2) problems.push({ path: '/', text: 'must not be an empty string' });
  return problems;
}

/** How many ports an app has for `portIndex` to point at. */
export function portCount(app: App): number {
  return (app.container?.portMappings ?? app.portDefinitions ?? []).length;
}

const portIndexText =
  'Health check port indices must address an element of the ports array or container port mappings.';
const ipv6Text =
  'IPv6 can only be used for container type DOCKER and Mesos http/https/tcp health checks';
const byMarathon = ['HTTP', 'HTTPS', 'TCP'];

function healthCheckProblems(app: App): Problem[] {
  const checks = app.healthChecks ?? [];
  const problems: Problem[] = [];
  for (const [index, check] of checks.entries()) {
    const path = `/healthChecks(${index})`;
    if (!pointsAtPort(check, portCount(app))) problems.push({ path, text: portIndexText });
    const mesos = check.protocol.startsWith('MESOS_');
    const docker = app.container?.type === 'DOCKER';
    if (check.ipProtocol !== 'IPv4' && !(mesos && docker)) problems.push({ path, text: ipv6Text });
  }
  const commands = checks.filter(({ command }) => command !== undefined).length;
  const mesosChecks = checks.filter(
    ({ command, protocol }) => command !== undefined || !byMarathon.includes(protocol),
  ).length;
  if (mesosChecks - commands > 1)
    problems.push({
      path: '/',
      text: 'AppDefinition can contain at most one Mesos health check',
    });
  return problems;
}

function pointsAtPort(check: AppHealthCheck, count: number): boolean {
  if (check.command !== undefined || !byMarathon.includes(check.protocol)) return true;
  if (check.portIndex !== undefined) return check.portIndex < count;
  return check.port !== undefined || count === 1;
}

function fetchProblems(app: App): Problem[] {
  return (app.fetch ?? []).flatMap(({ uri }, index) =>
    isURI(uri) ? [] : [{ path: `/fetch(${index})/uri`, text: 'URI has invalid syntax.' }],
  );
}

function gpuProblems(app: App, settings: ModelSettings): Problem[] {
  if (app.gpus <= 0) return [];
  if (app.container?.type === 'DOCKER')
    return [{ path: '/', text: 'GPU resources only work with the Mesos containerizer' }];
  return hasFeature(settings, 'gpu_resources')
    ? []
    : [{ path: '/', text: featureText('gpu_resources') }];
}

function readinessProblems(app: App): Problem[] {
  const checks = app.readinessChecks ?? [];
  const problems: Problem[] = [];
  if (checks.length > 1)
    problems.push({
      path: '/readinessChecks/size',
      text: `got ${checks.length}, expected 1 or less`,
    });
  const ports = app.container?.portMappings ?? app.portDefinitions ?? [];
  for (const [index, check] of checks.entries()) {
    const path = `/readinessChecks(${index})`;
    if (!ports.some(({ name }) => name === check.portName))
      problems.push({
        path: `${path}/portName`,
        text: `No port definition reference for portName ${check.portName}`,
      });
    if (check.timeoutSeconds >= check.intervalSeconds)
      problems.push({
        path: `${path}/timeoutSeconds`,
        text: `got ${check.timeoutSeconds}, expected less than ${check.intervalSeconds}`,
      });
  }
  return problems;
}

function strategyProblems(app: App): Problem[] {
  const problems: Problem[] = [];
  if (isSingleInstance(app) && app.instances > 1)
    problems.push({ path: '/', text: 'Single instance app may only have one instance' });
  const strategy = app.upgradeStrategy;
  if (strategy === undefined) return problems;
  if (isSingleInstance(app)) problems.push(...mustBeZero(strategy, 'minimumHealthCapacity'));
  if (isSingleInstance(app) || app.residency !== undefined)
    problems.push(...mustBeZero(strategy, 'maximumOverCapacity'));
  return problems;
}

export function mustBeZero(strategy: UpgradeStrategy, name: keyof UpgradeStrategy): Problem[] {
  const value = strategy[name];
  if (value === 0) return [];
  return [{ path: `/upgradeStrategy/${name}`, text: `got ${doubleText(value)}, expected 0.0` }];
}

function constraintProblems(app: App): Problem[] {
  return (app.constraints ?? []).flatMap((constraint, index) => {
    const text = appConstraintText(constraint);
    return text === undefined ? [] : [{ path: `/constraints(${index})`, text }];
  });
}

function roleProblems(app: App, { validRoles }: RoleRules): Problem[] {
  if (app.role === undefined || validRoles.includes(app.role)) return [];
  const text = `got ${app.role}, expected one of: [${validRoles.join(', ')}]`;
  return [{ path: '/role', text }];
}

type WholeAppRule = readonly [(app: App) => boolean, string];

function isFilled(labels: App['labels'], name: string): boolean {
  return (labels[name] ?? '') !== '';
}

const wholeAppRules: readonly WholeAppRule[] = [
  [
    ({ labels }) =>
      isFilled(labels, 'DCOS_MIGRATION_API_VERSION') &&
      (labels['DCOS_MIGRATION_API_VERSION'] !== 'v1' ||
        !isFilled(labels, 'DCOS_PACKAGE_FRAMEWORK_NAME') ||
        !isFilled(labels, 'DCOS_MIGRATION_API_PATH')),
    'DCOS_PACKAGE_FRAMEWORK_NAME and DCOS_MIGRATION_API_PATH must be defined' +
      ' when using DCOS_MIGRATION_API_VERSION',
  ],
  [
    ({ container, networks }) =>
      container?.type === 'DOCKER' &&
      networks.filter(({ mode }) => mode === 'container').length > 1,
    'may only specify a single container network when using the Docker container engine',
  ],
  [
    ({ residency, unreachableStrategy }) =>
      residency !== undefined && typeof unreachableStrategy === 'object',
    'unreachableStrategy must be disabled for resident tasks',
  ],
  [({ id }) => id === '/', 'must not be root'],
  [
    ({ networks, container }) =>
      networks.some(({ mode }) => mode === 'host') && (container?.portMappings?.length ?? 0) > 0,
    'portMappings are not allowed with host-networking',
  ],
  [
    ({ networks, portDefinitions }) =>
      networks.some(({ mode }) => mode !== 'host') && (portDefinitions?.length ?? 0) > 0,
    'portDefinitions are only allowed with host-networking',
  ],
];

function wholeAppProblems(app: App): Problem[] {
  return wholeAppRules.flatMap(([wrong, text]) => (wrong(app) ? [{ path: '/', text }] : []));
}
