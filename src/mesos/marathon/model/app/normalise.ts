import { canonicalID } from '../ids.ts';
import { normalizationFailure } from '../problem.ts';
import type { RoleRules } from '../roles.ts';
import type { ModelSettings } from '../settings.ts';
import type {
  App,
  AppHealthCheck,
  AppUpdate,
  Artifact,
  Container,
  ContainerPortMapping,
  DockerContainer,
  IpDiscovery,
  Network,
  PortDefinition,
  ReadinessCheck,
} from '../types.ts';
import { hasBridge, isHostNetworked, nameNetworks, networksFrom } from './networks.ts';
import { hasPersistentVolumes } from './volumes.ts';

/**
 * Normalisation of apps, in the original's order: `canonised`, then (after the checks of the old form)
 * `migrated`, then (after the checks of the canonical form) `settled`. Updates go through
 * `migratedUpdate` before they are merged into an app, which then goes the whole way.
 */

const defaultMapping: ContainerPortMapping = {
  containerPort: 0,
  labels: {},
  name: 'default',
  protocol: 'tcp',
  servicePort: 0,
};
const plainMapping: ContainerPortMapping = {
  containerPort: 0,
  labels: {},
  protocol: 'tcp',
  servicePort: 0,
};
const mesosContainer: Container = { type: 'MESOS', volumes: [] };
const archives = ['.tar', '.tar.gz', '.tar.bz2', '.tar.xz', '.gz', '.tgz', '.tbz2', '.txz', '.zip'];

export function canonised<T extends App | AppUpdate>(definition: T, base: string): T {
  const { id, dependencies } = definition;
  return {
    ...definition,
    ...(id === undefined ? {} : { id: canonicalID(id, base) }),
    ...(dependencies === undefined
      ? {}
      : { dependencies: [...new Set(dependencies.map((one) => canonicalID(one, base)))] }),
  };
}

/** Without a member, so that it is left out of JSON too. */
function without<T extends object, K extends keyof T>(value: T, ...names: K[]): Omit<T, K> {
  const copy = { ...value };
  for (const name of names) delete copy[name];
  return copy;
}

/** An extension counts at the end of the path, before any query. */
function isArchive(uri: string): boolean {
  const path = uri.replace(/[?#].*$/s, '');
  return archives.some((extension) => path.endsWith(extension));
}

function fetchFrom(
  uris: readonly string[] | undefined,
  fetch: readonly Artifact[] | undefined,
): readonly Artifact[] | undefined {
  if (uris === undefined || uris.length === 0) return fetch;
  if (fetch !== undefined && fetch.length > 0)
    throw normalizationFailure('cannot specify both uris and fetch fields');
  return uris.map((uri) => ({ uri, extract: isArchive(uri), executable: false, cache: false }));
}

/** Mappings under `docker` move up; the network of docker is known elsewhere by now. */
function withoutDockerForms(container: Container): Container {
  const { docker } = container;
  if (docker === undefined) return container;
  const mappings = docker.portMappings;
  const plain: DockerContainer = without(docker, 'network', 'portMappings');
  if (mappings === undefined) return { ...container, docker: plain };
  const own = container.portMappings;
  if (own !== undefined && mappings.length > 0)
    throw normalizationFailure('cannot specify both portMappings and docker.portMappings');
  return { ...container, docker: plain, portMappings: own ?? mappings };
}

function withDiscoveryPorts(container: Container, discovery: IpDiscovery | undefined): Container {
  const ports = discovery?.ports ?? [];
  if (ports.length === 0) return container;
  if (container.type !== 'MESOS')
    throw normalizationFailure(
      `ipAddress.discovery.ports do not apply for container type ${container.type}`,
    );
  if (container.portMappings !== undefined)
    throw normalizationFailure(
      'container.portMappings and ipAddress.discovery.ports must not both be set',
    );
  const portMappings = ports.map(({ number, name, protocol, labels }) => ({
    containerPort: number,
    labels: labels ?? {},
    name,
    protocol,
    servicePort: 0,
  }));
  return { ...container, portMappings };
}

/** By host networking no mappings; else a default one, and one for each deprecated port beyond. */
function withMappings(
  container: Container,
  networks: readonly Network[],
  deprecated: readonly PortDefinition[] | undefined,
): Container {
  if (isHostNetworked(networks)) return without(container, 'portMappings');
  const mappings = container.portMappings ?? [defaultMapping];
  const missing = (deprecated?.length ?? 0) - mappings.length;
  const added = missing > 0 ? Array.from({ length: missing }, () => plainMapping) : [];
  return { ...container, portMappings: [...mappings, ...added] };
}

function withPortIndices(
  checks: readonly AppHealthCheck[] | undefined,
): readonly AppHealthCheck[] | undefined {
  return checks?.map((check) =>
    check.protocol !== 'COMMAND' && check.port === undefined && check.portIndex === undefined
      ? { ...check, portIndex: 0 }
      : check,
  );
}

function withReadyCodes(
  checks: readonly ReadinessCheck[] | undefined,
): ReadinessCheck[] | undefined {
  return checks?.map((check) =>
    check.httpStatusCodesForReady === undefined
      ? { ...check, httpStatusCodesForReady: [200] }
      : check,
  );
}

function definitionsFrom(
  app: Pick<App, 'portDefinitions' | 'ports'>,
): readonly PortDefinition[] | undefined {
  return app.portDefinitions ?? app.ports?.map((port) => ({ port, protocol: 'tcp' }));
}

/** The deprecated forms replaced, defaults that the checks need filled in, the role set. */
export function migrated(app: App, options: { settings: ModelSettings; roles: RoleRules }): App {
  const { settings, roles } = options;
  const fetch = fetchFrom(app.uris, app.fetch);
  const networks =
    networksFrom(
      {
        ipAddress: app.ipAddress,
        dockerNetwork: app.container?.docker?.network,
        networks: app.networks.length === 0 ? undefined : app.networks,
      },
      settings,
    ) ?? [];
  const definitions = definitionsFrom(app);
  const given = app.container ?? (app.ipAddress === undefined ? undefined : mesosContainer);
  const container =
    given === undefined
      ? undefined
      : withMappings(
          withDiscoveryPorts(withoutDockerForms(given), app.ipAddress?.discovery),
          networks,
          definitions,
        );
  const hasPorts = (app.portDefinitions?.length ?? 0) > 0 || container?.portMappings !== undefined;
  const resident = hasPersistentVolumes(app);
  return {
    ...without(app, 'uris', 'ipAddress', 'ports'),
    fetch,
    networks,
    container,
    portDefinitions: isHostNetworked(networks)
      ? (definitions ?? [{ port: 0, name: 'default', protocol: 'tcp' }])
      : undefined,
    healthChecks: hasPorts ? withPortIndices(app.healthChecks) : app.healthChecks,
    readinessChecks: withReadyCodes(app.readinessChecks),
    residency:
      app.residency ??
      (resident
        ? { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: 'WAIT_FOREVER' }
        : undefined),
    role: app.role ?? roles.defaultRole,
  };
}

/** What the canonical checks let pass, settled: named networks, host ports, the container itself. */
export function settled(app: App, settings: ModelSettings): App {
  const named = nameNetworks(app.networks, settings);
  const networks: readonly Network[] = named.length === 0 ? [{ mode: 'host' }] : named;
  const host = isHostNetworked(networks);
  return {
    ...app,
    container: networkedContainer(app.container, networks),
    networks,
    unreachableStrategy:
      app.unreachableStrategy ??
      (hasPersistentVolumes(app)
        ? 'disabled'
        : { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }),
    requirePorts: host && app.requirePorts,
  };
}

function networkedContainer(
  container: Container | undefined,
  networks: readonly Network[],
): Container | undefined {
  const made: Container | undefined =
    container ??
    (isHostNetworked(networks) ? undefined : { ...mesosContainer, portMappings: [defaultMapping] });
  if (made === undefined) return undefined;
  const { docker } = made;
  const plain: Container =
    docker === undefined ? made : { ...made, docker: without(docker, 'network') };
  if (!hasBridge(networks) || plain.portMappings === undefined) return plain;
  const portMappings = plain.portMappings.map((one) =>
    one.hostPort === undefined ? { ...one, hostPort: 0 } : one,
  );
  return { ...plain, portMappings };
}

/** An update's deprecated forms replaced. Ports get their defaults after the merge. */
export function migratedUpdate(update: AppUpdate, settings: ModelSettings): AppUpdate {
  const networks = networksFrom(
    {
      ipAddress: update.ipAddress,
      dockerNetwork: update.container?.docker?.network,
      networks: update.networks,
    },
    settings,
  );
  const given = update.container ?? (update.ipAddress === undefined ? undefined : mesosContainer);
  const container =
    given === undefined
      ? undefined
      : withDiscoveryPorts(withoutDockerForms(given), update.ipAddress?.discovery);
  return {
    ...without(update, 'uris', 'ipAddress', 'ports'),
    fetch: fetchFrom(update.uris, update.fetch),
    networks,
    container,
    portDefinitions: definitionsFrom(update),
    healthChecks: withPortIndices(update.healthChecks),
    readinessChecks: withReadyCodes(update.readinessChecks),
  };
}

/** Networks named and the container made to fit them, before the merge. */
export function settledUpdate(update: AppUpdate, settings: ModelSettings): AppUpdate {
  if (update.networks === undefined) return update;
  return {
    ...update,
    container: networkedContainer(update.container, update.networks),
    networks: nameNetworks(update.networks, settings),
  };
}
