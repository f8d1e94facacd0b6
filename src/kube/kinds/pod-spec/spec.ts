import {
  dns1123Label,
  dns1123Subdomain,
  dns1123SubdomainWithUnderscore,
  labelValue,
  qualifiedName,
} from '#machinery';
import { compareQuantities } from '#base';
import type { Field } from '../shared/field.ts';
import { checkAddress } from '../shared/addresses.ts';
import { checkLabels, isSelectable } from '../shared/meta.ts';
import { isHugePages } from '../shared/resources.ts';
import type { Container, EphemeralContainer, PodSpec, PodTemplateSpec } from '../types/core-v1.ts';
import { checkAffinity } from './affinity.ts';
import { checkContainers, checkEphemeralContainers, checkInitContainers } from './containers.ts';
import type { ContainerContext } from './containers.ts';
import { aggregateQuantities } from './defaults.ts';
import type { ValidVolumes } from './mounts.ts';
import { checkOverhead, checkRequirements } from './resources.ts';
import { checkPodSecurity, checkSystem } from './security.ts';
import { checkSpread } from './spread.ts';
import { checkTolerations } from './tolerations.ts';
import { checkVolumes } from './volumes.ts';
import { checkHostProcess } from './windows.ts';

/** What the old object broke already: an update need not mend it (POD, GetValidationOptions). */
export interface SpecLeniency {
  readonly anyHugePages: boolean;
  readonly anySelectorValue: boolean;
  readonly anyNodeValue: boolean;
  readonly anySpreadValue: boolean;
  readonly anyTokenPath: boolean;
  readonly anyHostSysctl: boolean;
  readonly keepsComparison: boolean;
  readonly keepsSeLinuxPolicy: boolean;
  readonly anyUserNamespace: boolean;
  readonly anyResizePolicy: boolean;
}
const strict: SpecLeniency = {
  anyHugePages: false,
  anySelectorValue: false,
  anyNodeValue: false,
  anySpreadValue: false,
  anyTokenPath: false,
  anyHostSysctl: false,
  keepsComparison: false,
  keepsSeLinuxPolicy: false,
  anyUserNamespace: false,
  anyResizePolicy: false,
};

export interface SpecSite {
  /** Undefined for templates. */
  readonly podName?: string;
  readonly isTemplate: boolean;
  readonly isMirror?: boolean;
  readonly leniency?: SpecLeniency;
}

/** ValidatePodSpec, in its order. */
export function checkPodSpec(spec: PodSpec, field: Field, site: SpecSite): void {
  const leniency = site.leniency ?? strict;
  if (spec.terminationGracePeriodSeconds === undefined)
    field.at('terminationGracePeriodSeconds').required();
  const volumes = checkVolumes(spec.volumes, field.at('volumes'), {
    podName: site.podName,
    isTemplate: site.isTemplate,
    anyTokenPath: leniency.anyTokenPath,
  });
  const claims = checkResourceClaims(spec, field, site.isMirror === true);
  const context: ContainerContext = {
    spec,
    volumes,
    claims,
    isTemplate: site.isTemplate,
    anyHugePages: leniency.anyHugePages,
    anyResizePolicy: leniency.anyResizePolicy,
  };
  checkContainers(field, context);
  checkInitContainers(field, context);
  checkEphemeralContainers(field, context);
  if (spec.resources !== undefined) checkPodResources(spec, field);
  if (spec.hostNetwork === true) checkHostPorts(spec, field, site.isTemplate);
  field.at('restartPolicy').oneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never']);
  field
    .at('dnsPolicy')
    .oneOf(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']);
  if (spec.nodeSelector !== undefined) checkLabels(spec.nodeSelector, field.at('nodeSelector'));
  checkPodSecurity(spec, field.at('securityContext'), leniency);
  if (spec.affinity !== undefined) checkAffinity(spec.affinity, field.at('affinity'), leniency);
  checkDns(spec, field);
  checkGates(spec, field);
  if (spec.topologySpreadConstraints !== undefined)
    checkSpread(
      spec.topologySpreadConstraints,
      field.at('topologySpreadConstraints'),
      leniency.anySpreadValue,
    );
  checkHostProcess(spec, field);
  if (spec.hostUsers === false && !leniency.anyUserNamespace) checkUserNamespace(spec, field);
  checkNames(spec, field);
  if (spec.tolerations !== undefined)
    checkTolerations(spec.tolerations, field.at('tolerations'), leniency.keepsComparison);
  for (const [index, { ip, hostnames }] of (spec.hostAliases ?? []).entries()) {
    const at = field.at('hostAliases').at(index);
    checkAddress(ip, at.at('ip'));
    for (const [number, name] of (hostnames ?? []).entries())
      at.at('hostnames').at(number).invalidAll(name, dns1123Subdomain(name));
  }
  checkClasses(spec, field);
  checkFileKeys(spec, field, volumes);
}

const noClaims: readonly string[] = [];

function checkResourceClaims(spec: PodSpec, field: Field, isMirror: boolean): readonly string[] {
  if (spec.resourceClaims === undefined) return noClaims;
  const names: string[] = [];
  if (isMirror && spec.resourceClaims.length > 0)
    field.found.push({
      type: 'FieldValueForbidden',
      path: '[]',
      detail: 'static pods do not support resource claims',
    });
  for (const [index, claim] of spec.resourceClaims.entries()) {
    const at = field.at('resourceClaims').at(index);
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === '') at.at('name').required();
    else if (names.includes(name)) at.at('name').duplicate(name);
    else {
      at.at('name').invalidAll(name, dns1123Label(name));
      names.push(name);
    }
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      at.invalid(
        claim,
        'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      );
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      at.invalid(claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    for (const key of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[key];
      if (value !== undefined) at.at(key).invalidAll(value, dns1123Subdomain(value));
    }
  }
  return names;
}

/** Pod-level resources against themselves and against what the containers ask. */
function checkPodResources(spec: PodSpec, root: Field): void {
  const { resources } = spec;
  if (resources === undefined) return;
  const field = root.at('resources');
  if (spec.os?.name === 'windows') return field.forbidden('may not be set for a windows pod');
  if (resources.claims !== undefined)
    field.at('claims').forbidden('claims may not be set for Resources at pod-level');
  const { limits, requests } = resources;
  checkRequirements({ limits, requests }, field, { isPodLevel: true });
  const asked = aggregateQuantities(spec, 'requests');
  for (const [name, amount] of Object.entries(requests ?? {})) {
    const sum = asked[name];
    if (sum !== undefined && compareQuantities(amount, sum) < 0)
      field
        .at('requests')
        .key(name)
        .invalid(amount, `must be greater than or equal to aggregate container requests of ${sum}`);
  }
  const allowed = aggregateQuantities(spec, 'limits');
  for (const [name, amount] of Object.entries(limits ?? {})) {
    const sum = allowed[name];
    if (isHugePages(name) && sum !== undefined && compareQuantities(amount, sum) < 0)
      field
        .at('limits')
        .key(name)
        .invalid(amount, `must be greater than or equal to aggregate container limits of ${sum}`);
    for (const [index, container] of (spec.containers ?? []).entries()) {
      const own = container.resources.limits?.[name];
      if (own !== undefined && compareQuantities(own, amount) > 0)
        field
          .at('containers')
          .at(index)
          .key(name)
          .at('limits')
          .invalid(own, `must be less than or equal to pod limits of ${amount}`);
    }
  }
}

function checkHostPorts(spec: PodSpec, field: Field, isTemplate: boolean): void {
  for (const [index, { ports }] of (spec.containers ?? []).entries())
    for (const [number, { hostPort = 0, containerPort }] of (ports ?? []).entries())
      if (hostPort !== containerPort && (!isTemplate || hostPort !== 0))
        field
          .at('containers')
          .at(index)
          .at('ports')
          .at(number)
          .at('hostPort')
          .invalid(hostPort, 'must match `containerPort` when `hostNetwork` is true');
}

function checkDns({ dnsPolicy, dnsConfig }: PodSpec, root: Field): void {
  const field = root.at('dnsConfig');
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined)
      return field.required('must provide `dnsConfig` when `dnsPolicy` is None');
    if ((dnsConfig.nameservers ?? []).length === 0)
      return field
        .at('nameservers')
        .required('must provide at least one DNS nameserver when `dnsPolicy` is None');
  }
  if (dnsConfig === undefined) return;
  const { nameservers = [], searches = [], options = [] } = dnsConfig;
  if (nameservers.length > 3)
    field.at('nameservers').invalid(nameservers, 'must not have more than 3 nameservers');
  for (const [index, address] of nameservers.entries())
    checkAddress(address, field.at('nameservers').at(index));
  if (searches.length > 32)
    field.at('searches').invalid(searches, 'must not have more than 32 search paths');
  if (searches.join(' ').length > 2048)
    field
      .at('searches')
      .invalid(
        searches,
        'must not have more than 2048 characters (including spaces) in the search list',
      );
  for (const [index, search] of searches.entries()) {
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    if (search !== '.')
      field.at('searches').at(index).invalidAll(name, dns1123SubdomainWithUnderscore(name));
  }
  for (const [index, { name }] of options.entries())
    if (!name) field.at('options').at(index).required('must not be empty');
}

function checkGates(spec: PodSpec, field: Field): void {
  for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries())
    field
      .at('readinessGates')
      .at(index)
      .at('conditionType')
      .invalidAll(conditionType, qualifiedName(conditionType));
  const seen = new Set<string>();
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    const at = field.at('schedulingGates').at(index);
    at.invalidAll(name, qualifiedName(name));
    if (seen.has(name)) at.duplicate(name);
    seen.add(name);
  }
}

function checkUserNamespace(spec: PodSpec, field: Field): void {
  const text = 'when `hostUsers` is false';
  if (spec.hostNetwork === true) field.at('hostNetwork').forbidden(text);
  // The reference spells these two with a capital.
  if (spec.hostPID === true) field.at('HostPID').forbidden(text);
  if (spec.hostIPC === true) field.at('HostIPC').forbidden(text);
  for (const [list, index, { volumeDevices }] of allContainers(spec))
    if ((volumeDevices ?? []).length > 0)
      field.at(list).at(index).at('volumeDevices').forbidden(text);
}

/** Init, ordinary and ephemeral containers with the place they have. */
export function allContainers(spec: PodSpec): readonly PlacedContainer[] {
  const all: PlacedContainer[] = [];
  for (const list of containerLists) {
    const containers = spec[list] ?? [];
    for (const [index, one] of containers.entries()) all.push([list, index, one]);
  }
  return all;
}
type PlacedContainer = readonly [string, number, Container | EphemeralContainer];
const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

function checkNames(spec: PodSpec, field: Field): void {
  const { hostnameOverride, activeDeadlineSeconds } = spec;
  if (hostnameOverride !== undefined) {
    const at = field.at('hostnameOverride');
    if (spec.setHostnameAsFQDN === true)
      at.forbidden('may not be specified when setHostnameAsFQDN is true');
    if (spec.hostNetwork === true) at.forbidden('may not be specified when hostNetwork is true');
    if (hostnameOverride.length > 64) at.tooLong(64);
    at.invalidAll(hostnameOverride, dns1123Subdomain(hostnameOverride));
  }
  for (const name of ['serviceAccountName', 'nodeName'] as const)
    if (spec[name]) field.at(name).invalidAll(spec[name], dns1123Subdomain(spec[name]));
  if (activeDeadlineSeconds !== undefined)
    field.at('activeDeadlineSeconds').between(activeDeadlineSeconds, 1, 2_147_483_647);
  for (const name of ['hostname', 'subdomain'] as const)
    if (spec[name]) field.at(name).invalidAll(spec[name], dns1123Label(spec[name]));
}

function checkClasses(spec: PodSpec, field: Field): void {
  const { priorityClassName, runtimeClassName, preemptionPolicy, os } = spec;
  if (priorityClassName)
    field
      .at('priorityClassName')
      .invalidAll(priorityClassName, dns1123Subdomain(priorityClassName));
  if (runtimeClassName !== undefined)
    field.at('runtimeClassName').invalidAll(runtimeClassName, dns1123Subdomain(runtimeClassName));
  if (preemptionPolicy !== undefined)
    field.at('preemptionPolicy').oneOf(preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  if (spec.overhead !== undefined) checkOverhead(spec.overhead, field.at('overhead'));
  if (os === undefined) return;
  if (os.name === '') field.at('os').at('name').required();
  else if (os.name !== 'linux' && os.name !== 'windows')
    field.at('os').notSupported(os.name, ['linux', 'windows']);
  else checkSystem(spec, field);
}

function checkFileKeys(spec: PodSpec, field: Field, volumes: ValidVolumes): void {
  for (const [list, index, { env }] of allContainers(spec)) {
    if (env === undefined) continue;
    for (const [number, { valueFrom }] of env.entries()) {
      const name = valueFrom?.fileKeyRef?.volumeName;
      if (name === undefined) continue;
      const at = field
        .at(list)
        .at(index)
        .at('env')
        .at(number)
        .at('valueFrom.fileKeyRef.volumeName');
      const volume = volumes.get(name);
      if (volume === undefined) at.notFound(name);
      else if (volume.emptyDir === undefined)
        at.invalid(name, 'referenced volume must be of type emptyDir');
    }
  }
}

/** What an update of this object may keep although it is wrong. */
export function leniencyOf(old: PodSpec): SpecLeniency {
  const anti = [old.affinity?.podAffinity, old.affinity?.podAntiAffinity];
  const terms = anti.flatMap((affinity) => [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ]);
  const nodeTerms =
    old.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ??
    [];
  return {
    ...strict,
    anySelectorValue: terms.some(({ labelSelector }) =>
      (labelSelector?.matchExpressions ?? []).some(({ values }) => hasBadValue(values)),
    ),
    anyNodeValue: nodeTerms.some(({ matchExpressions }) =>
      (matchExpressions ?? []).some(({ values }) => hasBadValue(values)),
    ),
    anySpreadValue: (old.topologySpreadConstraints ?? []).some(
      ({ labelSelector }) => labelSelector !== undefined && !isSelectable(labelSelector),
    ),
    anyTokenPath: (old.volumes ?? []).some(
      ({ projected }) =>
        projected?.sources?.some(({ serviceAccountToken }) =>
          /^(\/|\.\.)|(^|\/)\.\.(\/|$)/.test(serviceAccountToken?.path ?? ''),
        ) === true,
    ),
    anyHostSysctl: old.hostNetwork === true || old.hostIPC === true,
    keepsComparison: (old.tolerations ?? []).some(
      ({ operator }) => operator === 'Lt' || operator === 'Gt',
    ),
    keepsSeLinuxPolicy: old.securityContext?.seLinuxChangePolicy !== undefined,
    anyUserNamespace:
      old.hostUsers === false &&
      (old.hostNetwork === true ||
        [...allContainers(old)].some(([, , one]) => (one.volumeDevices ?? []).length > 0)),
    anyResizePolicy: (old.initContainers ?? []).some(
      ({ restartPolicy, resizePolicy }) =>
        restartPolicy !== 'Always' &&
        (resizePolicy ?? []).some((policy) => policy.restartPolicy === 'RestartContainer'),
    ),
  };
}
function hasBadValue(values: readonly string[] | undefined): boolean {
  return (values ?? []).some((value) => labelValue(value).length > 0);
}

export type { PodTemplateSpec };
