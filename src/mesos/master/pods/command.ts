import type { Container } from '#kube/kinds';
import type { CommandInfo, ContainerInfo, EnvironmentVariable } from '#mesos/protocol';

/** What a container is told to execute. */
export interface Execution {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

/**
 * Kubernetes replaces `$(NAME)` in commands and values, and `$$` by `$`; Mesos hands them over as
 * they are. A doubled dollar comes out as one.
 */
export function literal(text: string): string {
  return text.replace(/\$(?=[$(])/g, '$$$$');
}

/** Of a plain process or of the Mesos containerizer: the shell, or a file with its whole argv. */
export function mesosExecution(command: CommandInfo | undefined): Execution {
  const { value, shell = true, arguments: argv = [] } = command ?? {};
  if (shell) return value === undefined ? {} : { command: ['/bin/sh', '-c', literal(value)] };
  // Without a value the image's entrypoint runs, with these arguments if there are any.
  if (value === undefined) return argv.length === 0 ? {} : { args: argv.map(literal) };
  return { command: [value, ...argv.slice(1)].map(literal) };
}

/** Docker: the shell replaces the entrypoint; without it value and arguments go to the entrypoint. */
export function dockerExecution(
  command: CommandInfo | undefined,
  entrypoint: string | undefined,
): Execution {
  const { value, shell = true, arguments: argv = [] } = command ?? {};
  const own = entrypoint === undefined ? {} : { command: [literal(entrypoint)] };
  if (shell && value !== undefined) return { command: ['/bin/sh', '-c', literal(value)] };
  const args = [...(value === undefined ? [] : [value]), ...argv].map(literal);
  return { ...own, ...(args.length > 0 && { args }) };
}

export function executionOf(
  command: CommandInfo | undefined,
  container: ContainerInfo | undefined,
): Execution {
  if (container?.type !== 'DOCKER') return mesosExecution(command);
  const entrypoint = container.docker?.parameters?.findLast(({ key }) => key === 'entrypoint');
  return dockerExecution(command, entrypoint?.value);
}

export function environmentOf(command: CommandInfo | undefined): NonNullable<Container['env']> {
  const byName = new Map<string, NonNullable<Container['env']>[number]>();
  for (const variable of command?.environment?.variables ?? []) {
    byName.delete(variable.name);
    byName.set(variable.name, variableOf(variable));
  }
  return [...byName.values()];
}

function variableOf({
  name,
  value = '',
  secret,
}: EnvironmentVariable): NonNullable<Container['env']>[number] {
  if (secret?.reference !== undefined) {
    const { name: secretName, key = 'value' } = secret.reference;
    return { name, valueFrom: { secretKeyRef: { name: secretName, key } } };
  }
  if (secret?.value === undefined) return { name, value: literal(value) };
  return { name, value: literal(Buffer.from(secret.value.data, 'base64').toString()) };
}
