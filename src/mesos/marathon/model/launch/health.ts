import type { CheckInfo, CommandInfo, HealthCheck } from '#mesos/protocol';
import type { App, AppHealthCheck, MesosCommand } from '../types.ts';
import { ifGiven } from './request.ts';

/** Where a check inside the task's network finds each of its ports; undefined where there is none. */
export type CheckPorts = readonly (number | undefined)[];

/** Mesos enters the task's network, so a container's port comes first. */
export function checkPortsOf(app: App, hostPorts: readonly (number | undefined)[]): CheckPorts {
  const mappings = app.container?.portMappings ?? [];
  if (mappings.length === 0) return hostPorts;
  return mappings.map(({ containerPort }, index) =>
    containerPort === 0 ? hostPorts[index] : containerPort,
  );
}

/** The one health check of an app that the agent runs; Marathon runs the others itself. */
export function appHealthCheck(app: App, ports: CheckPorts): HealthCheck | undefined {
  for (const check of app.healthChecks ?? []) {
    const made = mesosHealthCheck(check, ports);
    if (made !== undefined) return made;
  }
  return undefined;
}

function mesosHealthCheck(check: AppHealthCheck, ports: CheckPorts): HealthCheck | undefined {
  const timing = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  if (check.command !== undefined)
    return { ...timing, type: 'COMMAND', command: shellCommand(check.command.value) };
  if (!check.protocol.startsWith('MESOS_')) return undefined;
  const port = check.port ?? portAt(ports, check.portIndex);
  if (port === undefined) return undefined;
  const protocol = check.ipProtocol;
  if (check.protocol === 'MESOS_TCP') return { ...timing, type: 'TCP', tcp: { protocol, port } };
  const scheme = check.protocol === 'MESOS_HTTPS' ? 'https' : 'http';
  const http = { protocol, scheme, port, ...ifGiven('path', check.path) };
  return { ...timing, type: 'HTTP', http };
}

function portAt(ports: CheckPorts, index: number | undefined): number | undefined {
  return index === undefined ? undefined : ports[index];
}

export function shellCommand(value: string): CommandInfo {
  return { shell: true, value };
}

export function commandOf(command: MesosCommand): CommandInfo {
  return 'shell' in command
    ? shellCommand(command.shell)
    : { shell: false, ...ifGiven('value', command.argv[0]), arguments: command.argv };
}

/** An app's check, which tells but does not kill. */
export function appCheck({ check }: App, ports: CheckPorts): CheckInfo | undefined {
  if (check === undefined) return undefined;
  const timing = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
  };
  if (check.exec !== undefined)
    return { ...timing, type: 'COMMAND', command: { command: commandOf(check.exec.command) } };
  const where = check.http ?? check.tcp;
  const port = where?.port ?? portAt(ports, where?.portIndex);
  if (port === undefined) return undefined;
  return check.http === undefined
    ? { ...timing, type: 'TCP', tcp: { port } }
    : { ...timing, type: 'HTTP', http: { port, ...ifGiven('path', check.http.path) } };
}
