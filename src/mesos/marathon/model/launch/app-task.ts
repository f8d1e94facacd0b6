import type { CommandInfo, ExecutorInfo, TaskInfo, ValueScalar } from '#mesos/protocol';
import { dottedName } from '../ids.ts';
import { taskIDOf } from '../instance-ids.ts';
import type { App, Artifact, ResourceLimits } from '../types.ts';
import { appContainer } from './app-container.ts';
import { appDiscovery } from './discovery.ts';
import {
  type Variables,
  addPlain,
  addPrefixed,
  appContext,
  environmentOf,
  portRequestsOf,
  portVariables,
} from './environment.ts';
import { appCheck, appHealthCheck, checkPortsOf } from './health.ts';
import { type LaunchRequest, ifGiven, mesosLabels } from './request.ts';
import { secretVariables } from './secrets.ts';

/** The task of an app's instance. */
export function appTask(app: App, request: LaunchRequest): TaskInfo {
  const { offer, match, settings } = request;
  const { hostPorts } = match;
  const taskID = taskIDOf(request.instanceID, request.incarnation);
  const secrets = { secrets: app.secrets, values: request.secrets };
  const container = appContainer(app, { taskID, hostPorts, settings, secrets });
  const command = commandInfo(app, taskID, request);
  const path = executorPath(app, settings.executor);
  const ports = checkPortsOf(app, hostPorts);
  const grace = app.taskKillGracePeriodSeconds;
  return {
    name: dottedName(app.id),
    task_id: { value: taskID },
    agent_id: offer.agent_id,
    resources: match.resources,
    ...(path === undefined
      ? { command, ...ifGiven('container', container) }
      : { executor: customExecutor(app, { path, taskID, command, request }) }),
    ...ifGiven('health_check', appHealthCheck(app, ports)),
    ...ifGiven('check', appCheck(app, ports)),
    ...(grace === undefined ? {} : { kill_policy: { grace_period: seconds(grace) } }),
    ...ifGiven('labels', mesosLabels(app.labels)),
    discovery: appDiscovery(app, hostPorts),
    ...ifGiven('limits', limitsOf(app.resourceLimits)),
  };
}

export function seconds(count: number): { readonly nanoseconds: number } {
  return { nanoseconds: Math.round(count * 1e9) };
}

/** `unlimited` is infinite. */
export function limitsOf(
  limits: ResourceLimits | undefined,
): Readonly<Record<string, ValueScalar>> | undefined {
  const entries = Object.entries({ cpus: limits?.cpus, mem: limits?.mem }).flatMap(
    ([name, limit]): [string, ValueScalar][] =>
      limit === undefined ? [] : [[name, { value: typeof limit === 'number' ? limit : Infinity }]],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

export function urisOf(fetch: readonly Artifact[] | undefined): CommandInfo['uris'] {
  if (fetch === undefined || fetch.length === 0) return undefined;
  return fetch.map(({ uri, extract, executable, cache, destPath }) => ({
    value: uri,
    executable,
    extract,
    cache,
    ...ifGiven('output_file', destPath),
  }));
}

function commandInfo(app: App, taskID: string, request: LaunchRequest): CommandInfo {
  const { cmd, args = [], user, fetch, container } = app;
  const shell = cmd !== undefined && cmd !== '' && args.length === 0;
  const firstArgument = container === undefined ? args[0] : undefined;
  const value = shell ? cmd : firstArgument;
  return {
    ...ifGiven('uris', urisOf(fetch)),
    environment: environmentOf(variablesOf(app, taskID, request), secretsOf(app, request)),
    shell,
    ...ifGiven('value', value),
    ...(args.length > 0 ? { arguments: args } : {}),
    ...ifGiven('user', user),
  };
}

function secretsOf(app: App, request: LaunchRequest): ReturnType<typeof secretVariables> {
  return secretVariables(app.env, { secrets: app.secrets, values: request.secrets });
}

function variablesOf(app: App, taskID: string, request: LaunchRequest): Variables {
  const { offer, match, settings, enforceRole, random } = request;
  const variables = appContext(app, { taskID, enforceRole });
  const ports = portVariables(portRequestsOf(app), match.hostPorts, random);
  ports.set('HOST', offer.hostname);
  addPrefixed(variables, ports, settings.envVarsPrefix);
  addPlain(variables, app.env);
  return variables;
}

/** A program of the sandbox or the host that is to be the executor; undefined for mere commands. */
function executorPath(app: App, settingsExecutor: string): string | undefined {
  const executor = app.executor === '' ? settingsExecutor : app.executor;
  return executor === '' || executor === '//cmd' ? undefined : executor;
}

function customExecutor(
  app: App,
  options: {
    readonly path: string;
    readonly taskID: string;
    readonly command: CommandInfo;
    readonly request: LaunchRequest;
  },
): ExecutorInfo {
  const { path, taskID, command, request } = options;
  const quoted = `'${path.replaceAll("'", String.raw`'\''`)}'`;
  const rest = app.cmd ?? (app.args ?? []).join(' ');
  const { arguments: _arguments, ...others } = command;
  const secrets = { secrets: app.secrets, values: request.secrets };
  const { hostPorts } = request.match;
  const container = appContainer(app, { taskID, hostPorts, settings: request.settings, secrets });
  return {
    executor_id: { value: `marathon-${taskID}` },
    framework_id: request.offer.framework_id,
    ...ifGiven('container', container),
    ...(request.match.executorResources.length > 0
      ? { resources: request.match.executorResources }
      : {}),
    command: { ...others, shell: true, value: `chmod ug+rx ${quoted} && exec ${quoted} ${rest}` },
  };
}
