import { dns1123Label, portName, portNumber } from '#machinery';
import type { Field } from '../shared/field.ts';
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EphemeralContainer,
  PodSpec,
} from '../types/core-v1.ts';
import { checkEnv, checkEnvFrom } from './env.ts';
import { checkDevices, checkMounts } from './mounts.ts';
import type { ValidVolumes } from './mounts.ts';
import { isProcessPod, isSidecar } from './pod-facts.ts';
import { checkLifecycle, checkProbe } from './probes.ts';
import { checkRequirements } from './resources.ts';
import { checkSecurityContext } from './security.ts';

export interface ContainerContext {
  readonly spec: PodSpec;
  readonly volumes: ValidVolumes;
  readonly isTemplate: boolean;
  readonly claims: readonly string[];
  readonly anyHugePages: boolean;
  /** An old init container restarts on resize already. */
  readonly anyResizePolicy: boolean;
}

const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const noClaims: readonly string[] = [];

export function checkContainers(field: Field, context: ContainerContext): void {
  const { spec } = context;
  const containers = spec.containers ?? [];
  if (containers.length === 0) return field.at('containers').required();
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  for (let index = 0; index < containers.length; index++) {
    const container = containers[index];
    if (container === undefined) continue;
    const at = field.at('containers').at(index);
    checkCommon(container, at, context);
    if (names.has(container.name)) at.at('name').duplicate(container.name);
    names.add(container.name);
    checkLifeOf(container, at, spec);
    if (container.restartPolicyRules !== undefined || container.restartPolicy !== undefined)
      checkRestart(container, at);
    checkHostPorts(container.ports, at, hostPorts);
  }
}

function checkLifeOf(container: Container, field: Field, spec: PodSpec): void {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  if (lifecycle !== undefined)
    checkLifecycle(lifecycle, field.at('lifecycle'), spec.terminationGracePeriodSeconds);
  if (livenessProbe !== undefined)
    checkProbe(livenessProbe, field.at('livenessProbe'), { mustBeOnce: true });
  if (readinessProbe !== undefined)
    checkProbe(readinessProbe, field.at('readinessProbe'), { noGrace: true });
  if (startupProbe !== undefined)
    checkProbe(startupProbe, field.at('startupProbe'), { mustBeOnce: true });
}

export function checkInitContainers(field: Field, context: ContainerContext): void {
  const initContainers = context.spec.initContainers ?? [];
  if (initContainers.length === 0) return;
  const names = new Set((context.spec.containers ?? []).map(({ name }) => name));
  for (const [index, container] of initContainers.entries()) {
    const at = field.at('initContainers').at(index);
    checkCommon(container, at, context);
    if (names.has(container.name)) at.at('name').duplicate(container.name);
    names.add(container.name);
    if (container.restartPolicyRules !== undefined || container.restartPolicy !== undefined)
      checkRestart(container, at);
    // The reference compares within one container and always names the first.
    checkHostPorts(container.ports, field.at('initContainers').at(0), new Set());
    if (isSidecar(container)) checkLifeOf(container, at, context.spec);
    else
      for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
        if (container[name] !== undefined)
          at.at(name).forbidden('may not be set for init containers without restartPolicy=Always');
    if (!isSidecar(container) && !context.anyResizePolicy)
      for (const [number, policy] of (container.resizePolicy ?? []).entries())
        if (policy.restartPolicy === 'RestartContainer')
          at.at('resizePolicy')
            .at(number)
            .at('restartPolicy')
            .invalid(
              policy.restartPolicy,
              "must not be set to 'RestartContainer' for non-sidecar initContainers",
            );
  }
}

const notEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

export function checkEphemeralContainers(field: Field, context: ContainerContext): void {
  const { spec } = context;
  if (spec.ephemeralContainers === undefined) return;
  const targets = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(
    ({ name }) => name,
  );
  const names = new Set(targets);
  for (const [index, container] of spec.ephemeralContainers.entries()) {
    const at = field.at('ephemeralContainers').at(index);
    checkCommon(container, at, context);
    checkImageSpace(container.image, at.at('image'));
    if (names.has(container.name)) at.at('name').duplicate(container.name);
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !targets.includes(target)) at.at('targetContainerName').notFound(target);
    for (const name of notEphemeral)
      if (isGiven(container, name))
        at.at(name).forbidden('cannot be set for an Ephemeral Container');
    for (const [number, mount] of (container.volumeMounts ?? []).entries())
      for (const name of ['subPath', 'subPathExpr'] as const)
        if (mount[name])
          at.at('volumeMounts')
            .at(number)
            .at(name)
            .forbidden('cannot be set for an Ephemeral Container');
  }
}

function isGiven(container: EphemeralContainer, name: (typeof notEphemeral)[number]): boolean {
  const value = container[name];
  if (name === 'resources') return Object.keys(value ?? {}).length > 0;
  return value !== undefined && value !== '';
}

export function checkImageSpace(image: string | undefined, field: Field): void {
  if (image !== undefined && image.trim() !== image)
    field.invalid(image, 'must not have leading or trailing whitespace');
}

/** What every sort of container has. */
function checkCommon(container: Container, field: Field, context: ContainerContext): void {
  const { spec } = context;
  if (container.name === '') field.at('name').required();
  else {
    const problems = dns1123Label(container.name);
    if (problems.length > 0) field.at('name').invalidAll(container.name, problems);
  }
  if (!container.image && !isProcessPod(spec)) field.at('image').required();
  const { terminationMessagePolicy: messages } = container;
  if (messages !== 'File' && messages !== 'FallbackToLogsOnError')
    field.at('terminationMessagePolicy').oneOf(messages, ['File', 'FallbackToLogsOnError']);
  if (container.ports !== undefined) checkPorts(container.ports, field.at('ports'));
  if (container.env !== undefined) checkEnv(container.env, field.at('env'));
  if (container.envFrom !== undefined) checkEnvFrom(container.envFrom, field.at('envFrom'));
  if (container.volumeMounts !== undefined || container.volumeDevices !== undefined) {
    const site = {
      mounts: container.volumeMounts,
      devices: container.volumeDevices,
      volumes: context.volumes,
      isPrivileged: container.securityContext?.privileged === true,
    };
    checkMounts(site, field);
    checkDevices(site, field);
  }
  field.at('imagePullPolicy').oneOf(container.imagePullPolicy, pullPolicies);
  const { resources } = container;
  if (
    resources?.limits !== undefined ||
    resources?.requests !== undefined ||
    resources?.claims !== undefined
  )
    checkRequirements(resources, field.at('resources'), {
      claims: context.claims.length === 0 ? noClaims : context.claims,
      anyHugePages: context.anyHugePages,
    });
  if (container.resizePolicy !== undefined)
    checkResize(container.resizePolicy, field.at('resizePolicy'), spec.restartPolicy);
  if (container.securityContext !== undefined)
    checkSecurityContext(container.securityContext, field.at('securityContext'), spec.hostUsers);
}

function checkPorts(ports: readonly ContainerPort[], field: Field): void {
  const names = new Set<string>();
  for (let index = 0; index < ports.length; index++) {
    const port = ports[index];
    if (port === undefined) continue;
    const { name, containerPort, hostPort, protocol } = port;
    const at = field.at(index);
    if (name) {
      const problems = portName(name);
      if (problems.length > 0) at.at('name').invalidAll(name, problems);
      else if (names.has(name)) at.at('name').duplicate(name);
      else names.add(name);
    }
    if (containerPort === 0) at.at('containerPort').required();
    else {
      const problems = portNumber(containerPort);
      if (problems.length > 0) at.at('containerPort').invalidAll(containerPort, problems);
    }
    if (hostPort) at.at('hostPort').invalidAll(hostPort, portNumber(hostPort));
    if (protocol !== 'TCP') at.at('protocol').oneOf(protocol, protocols);
  }
}

function checkHostPorts(
  ports: readonly ContainerPort[] | undefined,
  field: Field,
  taken: Set<string>,
): void {
  if (ports === undefined) return;
  for (const [index, { hostPort, hostIP = '', protocol = '' }] of ports.entries()) {
    if (!hostPort) continue;
    const use = `${protocol}/${hostIP}/${hostPort}`;
    if (taken.has(use)) field.at('ports').at(index).at('hostPort').duplicate(use);
    taken.add(use);
  }
}

function checkResize(
  policies: readonly ContainerResizePolicy[],
  field: Field,
  podRestart: string | undefined,
): void {
  const seen = new Set<string>();
  for (const [index, { resourceName, restartPolicy }] of policies.entries()) {
    if (seen.has(resourceName)) field.at(index).duplicate(resourceName);
    seen.add(resourceName);
    field.oneOf(resourceName, ['cpu', 'memory']);
    field.oneOf(restartPolicy, ['NotRequired', 'RestartContainer']);
    if (podRestart === 'Never' && restartPolicy === 'RestartContainer')
      field.invalid(restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
  }
}

function checkRestart({ restartPolicy, restartPolicyRules }: Container, field: Field): void {
  const at = field.at('restartPolicy');
  if (restartPolicy === undefined) {
    if ((restartPolicyRules ?? []).length > 0)
      at.required('must specify restartPolicy when restart rules are used');
  } else if (!['Always', 'Never', 'OnFailure'].includes(restartPolicy))
    at.notSupported(restartPolicy, ['Always', 'Never', 'OnFailure']);
  const rules = field.at('restartPolicyRules');
  if ((restartPolicyRules ?? []).length > 20) rules.tooMany(restartPolicyRules?.length ?? 0, 20);
  for (const [index, { action = '', exitCodes }] of (restartPolicyRules ?? []).entries()) {
    const rule = rules.at(index);
    if (action !== 'Restart' && action !== 'RestartAllContainers')
      rule.at('action').notSupported(action, ['Restart', 'RestartAllContainers']);
    if (exitCodes === undefined) {
      rule.at('exitCodes').required('must be specified');
      continue;
    }
    const { operator, values = [] } = exitCodes;
    if (operator !== 'In' && operator !== 'NotIn')
      rule.at('exitCodes.operator').notSupported(operator, ['In', 'NotIn']);
    if (values.length > 255) rule.at('exitCodes.values').tooMany(values.length, 255);
  }
}
