import { distinct } from '../equality.ts';
import { normalizationFailure } from '../problem.ts';
import type {
  App,
  AppCheck,
  AppHealthCheck,
  AppVolume,
  Container,
  UpgradeStrategy,
} from '../types.ts';
import { isHostNetworked } from './networks.ts';
import { hasExternalVolumes, hasPersistentVolumes, isPersistent } from './volumes.ts';

/**
 * An app as it is kept and answered: what the original's own model drops is dropped, what it fills in
 * is filled in, absent members are really absent.
 */
export function complete(app: App): App {
  const host = isHostNetworked(app.networks);
  const full: App = {
    ...app,
    acceptedResourceRoles: ifAny(app.acceptedResourceRoles),
    args: ifAny(app.args),
    constraints: ifAny(distinct((app.constraints ?? []).map(keptConstraint))),
    container: app.container === undefined ? undefined : keptContainer(app.container, host),
    dependencies: ifAny(app.dependencies),
    env: ifAnyKey(app.env),
    fetch: ifAny(app.fetch),
    // What differed before may be the same now.
    healthChecks: ifAny(distinct((app.healthChecks ?? []).map(keptHealthCheck))),
    check: app.check === undefined ? undefined : keptCheck(app.check),
    networks: host ? [{ mode: 'host' }] : app.networks,
    portDefinitions: host ? (app.portDefinitions ?? []) : undefined,
    readinessChecks: ifAny(app.readinessChecks),
    residency: residencyOf(app),
    secrets: ifAnyKey(app.secrets),
    upgradeStrategy: app.upgradeStrategy ?? defaultStrategy(app),
    unreachableStrategy:
      typeof app.unreachableStrategy === 'string' ? 'disabled' : app.unreachableStrategy,
    ports: undefined,
    uris: undefined,
    ipAddress: undefined,
  };
  return dropUndefined(full);
}

function keptConstraint([field = '', operator = '', ...value]: readonly string[]): string[] {
  return [field, operator.toUpperCase(), ...value];
}

function dropUndefined(app: App): App {
  const entries = Object.entries(app).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as App;
}

function ifAny<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function ifAnyKey<T extends object>(map: T | undefined): T | undefined {
  return map === undefined || Object.keys(map).length === 0 ? undefined : map;
}

function defaultStrategy(app: App): UpgradeStrategy {
  return hasPersistentVolumes(app) || hasExternalVolumes(app)
    ? { maximumOverCapacity: 0, minimumHealthCapacity: 0.5 }
    : { maximumOverCapacity: 1, minimumHealthCapacity: 1 };
}

/** Written for residents only, and without effect. */
function residencyOf(app: App): App['residency'] {
  if (!hasPersistentVolumes(app)) return undefined;
  const strategy = app.unreachableStrategy;
  const seconds = typeof strategy === 'object' ? strategy.inactiveAfterSeconds : 3600;
  return { relaunchEscalationTimeoutSeconds: seconds, taskLostBehavior: 'WAIT_FOREVER' };
}

function keptContainer(container: Container, host: boolean): Container {
  const { type, docker, linuxInfo } = container;
  const kept: Container = {
    type,
    ...(docker === undefined ? {} : { docker: keptDocker(type, docker) }),
    ...(linuxInfo === undefined || type === 'DOCKER' ? {} : { linuxInfo }),
    volumes: container.volumes.map(keptVolume),
    ...(host ? {} : { portMappings: container.portMappings ?? [] }),
  };
  return kept;
}

function keptDocker(
  type: Container['type'],
  docker: NonNullable<Container['docker']>,
): NonNullable<Container['docker']> {
  const { image, forcePullImage, parameters, privileged, pullConfig } = docker;
  if (type === 'DOCKER') return { forcePullImage, image, parameters, privileged };
  return {
    ...(pullConfig === undefined ? {} : { pullConfig }),
    forcePullImage,
    image,
    parameters: [],
    privileged: false,
  };
}

/** A persistent volume without a type is one of the root disk, or a mount when it names a profile. */
function keptVolume(volume: AppVolume): AppVolume {
  if (!isPersistent(volume) || volume.persistent.type !== undefined) return volume;
  const type = volume.persistent.profileName === undefined ? 'root' : 'mount';
  return { ...volume, persistent: { type, ...volume.persistent } };
}

function keptHealthCheck(check: AppHealthCheck): AppHealthCheck {
  const { gracePeriodSeconds, intervalSeconds, maxConsecutiveFailures, timeoutSeconds } = check;
  const { command, protocol, path, port, portIndex, delaySeconds, ipProtocol } = check;
  const common = { gracePeriodSeconds, intervalSeconds, maxConsecutiveFailures, timeoutSeconds };
  if (command !== undefined) {
    if (protocol !== 'COMMAND')
      throw normalizationFailure(`illegal protocol ${protocol} specified with command`);
    return { ...common, command, protocol, ipProtocol: 'IPv4', delaySeconds };
  }
  if (protocol === 'COMMAND')
    throw normalizationFailure('illegal protocol COMMAND for non-command health check');
  const where = {
    ...(port === undefined ? {} : { port }),
    ...(portIndex === undefined ? {} : { portIndex }),
  };
  const mesos = protocol.startsWith('MESOS_');
  const http = protocol.endsWith('HTTP') || protocol.endsWith('HTTPS');
  return {
    ...common,
    ...(mesos || !http ? {} : { ignoreHttp1xx: check.ignoreHttp1xx ?? false }),
    ...(http && path !== undefined ? { path } : {}),
    ...where,
    protocol,
    ipProtocol: mesos ? ipProtocol : 'IPv4',
    // Checks by Marathon itself know no delay.
    delaySeconds: mesos ? delaySeconds : 15,
  };
}

function keptCheck(check: AppCheck): AppCheck {
  const kinds = [check.http, check.tcp, check.exec].filter((one) => one !== undefined);
  if (kinds.length !== 1)
    throw normalizationFailure('illegal RAML Check: expected one of http, tcp or exec checks');
  return check;
}
