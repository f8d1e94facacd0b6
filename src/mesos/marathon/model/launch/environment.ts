import { doubleText } from '#mesos/protocol';
import type { Random } from '#base';
import type { Environment, EnvironmentVariable } from '#mesos/protocol';
import type { App, EnvVarValueOrSecret, KVLabels } from '../types.ts';

/** Variables by name; what is set later wins. */
export type Variables = Map<string, string>;

const labelPrefix = 'MARATHON_APP_LABEL_';
const valueLengthMax = 512;

/** A port that a task asks for: the container's, or for host networking the definition's. */
export interface PortRequest {
  readonly name?: string | undefined;
  readonly port: number;
}

export function portRequestsOf(app: App): PortRequest[] {
  const mappings = app.container?.portMappings ?? [];
  return mappings.length > 0
    ? mappings.map(({ name, containerPort }) => ({ name, port: containerPort }))
    : (app.portDefinitions ?? []).map(({ name, port }) => ({ name, port }));
}

/** PORT0, PORT, PORTS, PORT_<requested>, PORT_<NAME>. */
export function portVariables(
  requests: readonly PortRequest[],
  hostPorts: readonly (number | undefined)[],
  random: Random,
): Variables {
  const variables: Variables = new Map();
  if (hostPorts.length === 0) return variables;
  const used = new Set([...requests.map(({ port }) => port), ...hostPorts]);
  const generated: number[] = [];
  const effective = hostPorts.map((hostPort, index): number => {
    const requested = requests[index]?.port ?? 0;
    if (hostPort !== undefined) return hostPort;
    if (requested !== 0) return requested;
    const port = unusedPort(used, random);
    generated.push(port);
    return port;
  });
  for (const [index, port] of effective.entries()) variables.set(`PORT${index}`, String(port));
  for (const [index, { port }] of requests.entries()) {
    const own = effective[index] ?? port;
    variables.set(`PORT_${port === 0 ? own : port}`, String(own));
  }
  for (const [index, { name, port }] of requests.entries())
    if (name !== undefined)
      variables.set(`PORT_${name.toUpperCase()}`, String(effective[index] ?? port));
  const assigned = [...hostPorts.filter((port) => port !== undefined), ...generated];
  if (assigned[0] !== undefined) variables.set('PORT', String(assigned[0]));
  variables.set('PORTS', assigned.join(','));
  return variables;
}

/** Of the container's own network, which has all ports free but those named. */
function unusedPort(used: Set<number | undefined>, random: Random): number {
  const [least, most] = [1025, 65_535];
  const start = random.below(most - least + 1);
  for (let step = 0; step <= most - least; step++) {
    const port = least + ((start + step) % (most - least + 1));
    if (used.has(port)) continue;
    used.add(port);
    return port;
  }
  return most;
}

/** MARATHON_APP_LABELS and a variable for each label that is not too long. */
export function labelVariables(labels: KVLabels): Variables {
  const variables: Variables = new Map();
  const keyLengthMax = valueLengthMax - labelPrefix.length;
  const short = Object.entries(labels).filter(
    ([key, value]) => key.length < keyLengthMax && value.length < valueLengthMax,
  );
  const named = new Map(short.map(([key, value]) => [escapedName(key), value]));
  variables.set('MARATHON_APP_LABELS', [...named.keys()].join(' '));
  for (const [name, value] of named) variables.set(`${labelPrefix}${name}`, value);
  return variables;
}

function escapedName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]+/g, '_').toUpperCase();
}

/** What a task of an app is told of itself. */
export function appContext(
  app: App,
  { taskID, enforceRole }: { readonly taskID: string; readonly enforceRole: boolean },
): Variables {
  const variables: Variables = new Map([
    ['MESOS_TASK_ID', taskID],
    ['MARATHON_APP_ID', app.id],
    ['MARATHON_APP_VERSION', app.version ?? ''],
  ]);
  const { container } = app;
  if (container?.type === 'DOCKER' && container.docker !== undefined)
    variables.set('MARATHON_APP_DOCKER_IMAGE', container.docker.image);
  variables.set('MARATHON_APP_RESOURCE_CPUS', doubleText(app.cpus));
  variables.set('MARATHON_APP_RESOURCE_MEM', doubleText(app.mem));
  variables.set('MARATHON_APP_RESOURCE_DISK', doubleText(app.disk));
  variables.set('MARATHON_APP_RESOURCE_GPUS', String(app.gpus));
  variables.set('MARATHON_APP_ENFORCE_GROUP_ROLE', enforceRole ? 'TRUE' : 'FALSE');
  for (const [name, value] of labelVariables(app.labels)) variables.set(name, value);
  return variables;
}

export function addPrefixed(
  variables: Variables,
  added: Variables,
  prefix: string | undefined,
): void {
  for (const [name, value] of added) variables.set(`${prefix ?? ''}${name}`, value);
}

/** The plain ones of a definition; secrets become variables of their own. */
export function addPlain(
  variables: Variables,
  env: Readonly<Record<string, EnvVarValueOrSecret>> | undefined,
): void {
  for (const [name, value] of Object.entries(env ?? {}))
    if (typeof value === 'string') variables.set(name, value);
}

export function environmentOf(
  variables: Variables,
  secrets: readonly EnvironmentVariable[],
): Environment {
  const secretNames = new Set(secrets.map(({ name }) => name));
  const plain = Array.from(variables, ([name, value]) => ({ name, value }));
  return { variables: [...plain.filter(({ name }) => !secretNames.has(name)), ...secrets] };
}
