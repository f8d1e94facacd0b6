import type { CheckInfo, CheckStatusInfo, CommandInfo, HealthCheck } from '../types.ts';
import { validateCommand } from './container.ts';

/** Health checks, checks and what checks report (mesos.md 4.7). */

export function validateHealthCheck(check: HealthCheck): string | undefined {
  if (check.type === undefined) return "HealthCheck must specify 'type'";
  return (
    validateHealthKind(check) ??
    negative(check, [
      'delay_seconds',
      'grace_period_seconds',
      'interval_seconds',
      'timeout_seconds',
    ])
  );
}

function validateHealthKind({ type, command, http, tcp }: HealthCheck): string | undefined {
  switch (type) {
    case 'COMMAND':
      if (command === undefined) return "Expecting 'command' to be set for COMMAND health check";
      return validateCheckCommand(command, 'health check');
    case 'HTTP': {
      if (http === undefined) return "Expecting 'http' to be set for HTTP health check";
      const { scheme, path } = http;
      if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
        return `Unsupported HTTP health check scheme: '${scheme}'`;
      return relative(path, 'HTTP health check');
    }
    case 'TCP':
      return tcp === undefined ? "Expecting 'tcp' to be set for TCP health check" : undefined;
    default:
      return "'UNKNOWN' is not a valid health check type";
  }
}

export function validateCheck(check: CheckInfo): string | undefined {
  if (check.type === undefined) return "CheckInfo must specify 'type'";
  return (
    validateCheckKind(check) ??
    negative(check, ['delay_seconds', 'interval_seconds', 'timeout_seconds'])
  );
}

function validateCheckKind({ type, command, http, tcp }: CheckInfo): string | undefined {
  switch (type) {
    case 'COMMAND':
      if (command === undefined) return "Expecting 'command' to be set for COMMAND check";
      return validateCheckCommand(command.command, 'check');
    case 'HTTP':
      if (http === undefined) return "Expecting 'http' to be set for HTTP check";
      return relative(http.path, 'HTTP check');
    case 'TCP':
      return tcp === undefined ? "Expecting 'tcp' to be set for TCP check" : undefined;
    default:
      return "'UNKNOWN' is not a valid check type";
  }
}

function validateCheckCommand(
  command: CommandInfo,
  kind: 'check' | 'health check',
): string | undefined {
  if (command.value === undefined) {
    const missing = (command.shell ?? true) ? "'shell command'" : "'executable path'";
    return `Command ${kind} must contain ${missing}`;
  }
  const problem = validateCommand(command);
  if (problem === undefined) return undefined;
  return `${kind === 'check' ? 'Check' : 'Health check'}'s \`CommandInfo\` is invalid: ${problem}`;
}

function relative(path: string | undefined, kind: string): string | undefined {
  if (path === undefined || path.startsWith('/')) return undefined;
  return `The path '${path}' of ${kind} must start with '/'`;
}

function negative<Field extends string>(
  check: Readonly<Partial<Record<Field, number | undefined>>>,
  fields: readonly Field[],
): string | undefined {
  const field = fields.find((name) => (check[name] ?? 0) < 0);
  return field === undefined ? undefined : `Expecting '${field}' to be non-negative`;
}

/** What an executor says a check found. */
export function validateCheckStatus(status: CheckStatusInfo): string | undefined {
  const { type, command, http, tcp } = status;
  if (type === undefined) return "CheckStatusInfo must specify 'type'";
  if (type === 'UNKNOWN') return "'UNKNOWN' is not a valid check's status type";
  const found = { COMMAND: command, HTTP: http, TCP: tcp }[type];
  if (found !== undefined) return undefined;
  return `Expecting '${type.toLowerCase()}' to be set for ${type} check's status`;
}
