import type { App, Instance, InstanceTask } from '../model/index.ts';

/** Where one declared port of a task is reached. */
export interface PortAddress {
  readonly name: string | undefined;
  readonly host: string;
  readonly port: number;
}

/**
 * One per port definition or mapping, in order: the agent's port where there is one, else the
 * container's own address and port (Task.scala, effectivePort and effectiveIpAddress).
 */
export function portAddresses(
  app: App,
  instance: Instance,
  task: InstanceTask,
): readonly (PortAddress | undefined)[] {
  const host = instance.agent?.host ?? '';
  const mappings = app.container?.portMappings;
  if (mappings === undefined)
    return (app.portDefinitions ?? []).map(({ name }, at) => {
      const port = task.hostPorts[at];
      return port === undefined ? undefined : { name, host, port };
    });
  const own = task.ipAddresses[0]?.ipAddress;
  let at = 0;
  return mappings.map(({ name, hostPort, containerPort }) => {
    if (hostPort !== undefined) {
      const port = task.hostPorts[at++];
      return port === undefined ? undefined : { name, host, port };
    }
    return own === undefined ? undefined : { name, host: own, port: containerPort };
  });
}

/** The host under which a fixed port is asked. */
export function hostOf(app: App, instance: Instance, task: InstanceTask): string {
  const isHost = app.networks.every(({ mode }) => mode === 'host');
  return (isHost ? undefined : task.ipAddresses[0]?.ipAddress) ?? instance.agent?.host ?? '';
}
