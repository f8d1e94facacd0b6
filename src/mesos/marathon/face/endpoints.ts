import type { FaceReply } from '#base';
import type { App, Instance } from '../model/index.ts';
import { safeID, servicePortsOf } from '../model/index.ts';
import { appOf } from './apps.ts';
import { portAddresses } from '../engine/addresses.ts';
import type { Call } from './http.ts';
import { demandSpec, idOf, mayView } from './http.ts';

/**
 * Tasks as lines for scripts, as up to 1.9 (EndpointsHelper.scala): the app, a service port, and where
 * each running task is reached for it, with a tab after each.
 */

const encoder = new TextEncoder();

export function listEndpoints(call: Call): FaceReply {
  const apps = [...call.engine.root().apps.values()].filter(({ id }) => mayView(call, 'app', id));
  return textReply(call, apps);
}

export function listAppEndpoints(call: Call, [text = '']: readonly string[]): FaceReply {
  const app = appOf(call, idOf(text));
  demandSpec(call, 'view', { on: 'app', spec: app });
  return textReply(call, [app]);
}

function textReply({ engine, query }: Call, apps: readonly App[]): FaceReply {
  const networks = new Set((query.get('containerNetworks') ?? '').split(','));
  let text = '';
  for (const app of apps) {
    const running = [...engine.tracker.of(app.id).values()].filter(
      ({ condition }) => condition === 'Running',
    );
    text += linesOf(app, running, networks);
  }
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: encoder.encode(text) };
}

function linesOf(app: App, running: readonly Instance[], networks: ReadonlySet<string>): string {
  const id = safeID(app.id);
  const ports = servicePortsOf(app);
  const line = (first: string, places: readonly string[]): string =>
    `${[id, first, ...places].join('\t')}\t\n`;
  if (ports.length === 0)
    return line(
      ' ',
      running.flatMap(({ agent }) => agent?.host ?? []),
    );
  return ports
    .map((port, index) =>
      isShown(app, index, networks)
        ? line(
            String(port),
            running.flatMap((instance) => placeOf(app, instance, index)),
          )
        : line(String(port), []),
    )
    .join('');
}

/** Ports within a container's own network are for those who name the network, or all. */
function isShown(app: App, index: number, wanted: ReadonlySet<string>): boolean {
  const mapping = app.container?.portMappings?.[index];
  if (mapping === undefined || mapping.hostPort !== undefined) return true;
  const own = app.networks.filter(({ mode }) => mode === 'container').map(({ name = '' }) => name);
  const names = mapping.networkNames?.length ? mapping.networkNames : own;
  return names.some((name) => wanted.has('*') || wanted.has(name));
}

function placeOf(app: App, instance: Instance, index: number): readonly string[] {
  const [task] = instance.tasks;
  const place = task === undefined ? undefined : portAddresses(app, instance, task)[index];
  return place === undefined ? [] : [`${place.host}:${place.port}`];
}
