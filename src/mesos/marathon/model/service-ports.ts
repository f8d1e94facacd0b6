import { MarathonFailure } from './problem.ts';
import { type Root, draftOf } from './root.ts';
import type { ModelSettings } from './settings.ts';
import type { App } from './types.ts';
import { isUpgrade } from './versions.ts';

/** The ports an app is known by: of its mappings if it has any, else of its definitions. */
export function servicePortsOf(app: App): number[] {
  const mappings = app.container?.portMappings ?? [];
  return mappings.length > 0
    ? mappings.map(({ servicePort }) => servicePort)
    : (app.portDefinitions ?? []).map(({ port }) => port);
}

function withServicePorts(app: App, ports: readonly number[]): App {
  const { container } = app;
  const mappings = container?.portMappings ?? [];
  if (container !== undefined && mappings.length > 0) {
    const portMappings = mappings.map((mapping, index) => ({
      ...mapping,
      servicePort: ports[index] ?? mapping.servicePort,
    }));
    return { ...app, container: { ...container, portMappings } };
  }
  if (app.portDefinitions === undefined) return app;
  const portDefinitions = app.portDefinitions.map((definition, index) => ({
    ...definition,
    port: ports[index] ?? definition.port,
  }));
  return { ...app, portDefinitions };
}

/**
 * Gives numbers to service ports that are 0, of new and changed apps: first those the app had and no
 * longer names, then the smallest free ones of the range.
 */
export function withAssignedPorts(from: Root, to: Root, settings: ModelSettings): Root {
  const waiting = [...to.apps.values()].filter((app) => {
    const before = from.apps.get(app.id);
    if (before === app || !servicePortsOf(app).includes(0)) return false;
    if (before === undefined) return true;
    return isUpgrade({ kind: 'app', spec: before }, { kind: 'app', spec: app });
  });
  if (waiting.length === 0) return to;
  const free = freePorts(from, to, settings);
  const draft = draftOf(to);
  for (const app of waiting) {
    const own = servicePortsOf(app);
    const before = from.apps.get(app.id);
    const kept = (before === undefined ? [] : servicePortsOf(before)).filter(
      (port) => inRange(port, settings) && !own.includes(port),
    );
    const ports = own.map((port) => (port === 0 ? (kept.shift() ?? next(free, settings)) : port));
    draft.apps.set(app.id, withServicePorts(app, ports));
  }
  return draft;
}

function inRange(port: number, { localPortMin, localPortMax }: ModelSettings): boolean {
  return port >= localPortMin && port <= localPortMax;
}

function* freePorts(from: Root, to: Root, settings: ModelSettings): Generator<number, undefined> {
  const used = new Set<number>();
  for (const root of [from, to])
    for (const app of root.apps.values()) for (const port of servicePortsOf(app)) used.add(port);
  for (let port = settings.localPortMin; port <= settings.localPortMax; port++)
    if (!used.has(port)) yield port;
  return undefined;
}

function next(free: Generator<number, undefined>, settings: ModelSettings): number {
  const { value } = free.next();
  if (value !== undefined) return value;
  const range = `[${settings.localPortMin}-${settings.localPortMax}]`;
  throw new MarathonFailure(500, { message: `All ports in the range ${range} are already in use` });
}
