import { isWholeQuantity } from '#base';
import { labelValue } from '#machinery';
import type { ObjectMeta } from '#machinery';
import { addressWarnings } from '../shared/addresses.ts';
import { nodeLabelWarning } from '../shared/warnings.ts';
import type { Container, EphemeralContainer, PodSpec } from '../types/core-v1.ts';
import { allContainers } from './spec.ts';

interface Template {
  readonly metadata: Partial<ObjectMeta>;
  readonly spec: PodSpec;
}
const goneVolumes: readonly (readonly [string, string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];
const critical = 'scheduler.alpha.kubernetes.io/critical-pod';
const sysctls = [
  'security.alpha.kubernetes.io/sysctls',
  'security.alpha.kubernetes.io/unsafe-sysctls',
];

/** Warnings for a Pod (`prefix` '') or a template (`spec.template.`), in the reference's order. */
export function podSpecWarnings({ metadata, spec }: Template, prefix: string): readonly string[] {
  const texts: string[] = [];
  const at = `${prefix}spec`;
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const text = nodeLabelWarning(key);
    if (text !== undefined) texts.push(`${at}.nodeSelector[${key}]: ${text}`);
  }
  texts.push(...affinityWarnings(spec, at), ...spreadWarnings(spec, at));
  const { annotations = {} } = metadata;
  if (annotations[critical] !== undefined)
    texts.push(
      `${prefix}metadata.annotations[${critical}]: non-functional in v1.16+; use the "priorityClassName" field instead`,
    );
  for (const key of sysctls)
    if (annotations[key] !== undefined)
      texts.push(
        `${prefix}metadata.annotations[${key}]: non-functional in v1.11+; use the "sysctls" field instead`,
      );
  texts.push(...volumeWarnings(spec, at), ...smallWarnings(spec, at));
  for (const [list, index, container] of allContainers(spec))
    texts.push(...containerWarnings(container, `${at}.${list}[${index}]`));
  texts.push(...portWarnings(spec, at));
  if (prefix !== '' && (spec.terminationGracePeriodSeconds ?? 0) < 0)
    texts.push(
      `${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  texts.push(...selectorWarnings(spec, at));
  for (const [index, address] of (spec.dnsConfig?.nameservers ?? []).entries())
    texts.push(...addressWarnings(`${at}.dnsConfig.nameservers[${index}]`, address));
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries())
    texts.push(...addressWarnings(`${at}.hostAliases[${index}].ip`, ip));
  return texts;
}

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';

function affinityWarnings(spec: PodSpec, at: string): readonly string[] {
  const affinity = spec.affinity?.nodeAffinity;
  if (affinity === undefined) return [];
  const texts: string[] = [];
  for (const [i, { matchExpressions }] of (affinity[required]?.nodeSelectorTerms ?? []).entries())
    for (const [j, { key }] of (matchExpressions ?? []).entries()) {
      const text = nodeLabelWarning(key);
      if (text !== undefined)
        texts.push(
          `${at}.affinity.nodeAffinity.${required}.nodeSelectorTerms[${i}].matchExpressions[${j}].key: ${key} is ${text}`,
        );
    }
  for (const [i, { preference }] of (affinity[preferred] ?? []).entries())
    for (const [j, { key, values }] of (preference.matchExpressions ?? []).entries()) {
      const path = `${at}.affinity.nodeAffinity.${preferred}[${i}].preference.matchExpressions[${j}]`;
      const text = nodeLabelWarning(key);
      if (text !== undefined) texts.push(`${path}.key: ${key} is ${text}`);
      for (const [k, value] of (values ?? []).entries())
        for (const problem of labelValue(value))
          texts.push(`${path}.values[${k}]: ${value} is invalid, ${problem}`);
    }
  return texts;
}

const nullSelector = 'a null labelSelector results in matching no pod';

function spreadWarnings(spec: PodSpec, at: string): readonly string[] {
  return (spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
    const path = `${at}.topologySpreadConstraints[${index}]`;
    const text = nodeLabelWarning(topologyKey);
    return [
      ...(text === undefined ? [] : [`${path}.topologyKey: ${topologyKey} is ${text}`]),
      ...(labelSelector === undefined ? [`${path}.labelSelector: ${nullSelector}`] : []),
    ];
  });
}

function selectorWarnings(spec: PodSpec, at: string): readonly string[] {
  const texts: string[] = [];
  for (const name of ['podAffinity', 'podAntiAffinity'] as const) {
    const affinity = spec.affinity?.[name];
    for (const [index, { labelSelector }] of (affinity?.[required] ?? []).entries())
      if (labelSelector === undefined)
        texts.push(`${at}.affinity.${name}.${required}[${index}].labelSelector: ${nullSelector}`);
    for (const [index, { podAffinityTerm }] of (affinity?.[preferred] ?? []).entries())
      if (podAffinityTerm.labelSelector === undefined)
        texts.push(
          `${at}.affinity.${name}.${preferred}[${index}].podAffinityTerm.labelSelector: ${nullSelector}`,
        );
  }
  return texts;
}

function volumeWarnings(spec: PodSpec, at: string): readonly string[] {
  return (spec.volumes ?? []).flatMap((volume, index) => {
    const names = new Set(Object.keys(volume));
    const gone = goneVolumes.filter(([name]) =>
      names.has(name === 'storageOS' ? 'storageos' : name),
    );
    const texts = gone.map(([name, text]) => `${at}.volumes[${index}].${name}: ${text}`);
    if (volume.projected !== undefined && (volume.projected.sources ?? []).length === 0)
      texts.push(`volume "${volume.name}" (Projected) has no sources provided`);
    return texts;
  });
}

function smallWarnings(spec: PodSpec, at: string): readonly string[] {
  const texts: string[] = [];
  const addresses = new Set<string>();
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries()) {
    if (addresses.has(ip)) texts.push(`${at}.hostAliases[${index}].ip: duplicate ip "${ip}"`);
    addresses.add(ip);
  }
  const secrets = new Set<string>();
  for (const [index, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    const path = `${at}.imagePullSecrets[${index}].name`;
    if (name === '') texts.push(`${path}: invalid empty name ""`);
    else if (secrets.has(name)) texts.push(`${path}: duplicate name "${name}"`);
    secrets.add(name);
  }
  for (const name of ['memory', 'ephemeral-storage']) {
    const amount = spec.overhead?.[name];
    if (amount !== undefined && !isWholeQuantity(amount))
      texts.push(fraction(`${at}.overhead[${name}]`, amount));
  }
  return texts;
}
function fraction(path: string, amount: string): string {
  return `${path}: fractional byte value "${amount}" is invalid, must be an integer`;
}

function containerWarnings(
  { resources, env }: Container | EphemeralContainer,
  path: string,
): readonly string[] {
  const texts: string[] = [];
  for (const name of ['memory', 'ephemeral-storage'])
    for (const list of ['limits', 'requests'] as const) {
      const amount = resources?.[list]?.[name];
      if (amount !== undefined && !isWholeQuantity(amount))
        texts.push(fraction(`${path}.resources.${list}[${name}]`, amount));
    }
  const seen = new Set<string>();
  for (const [index, { name, value = '', valueFrom }] of (env ?? []).entries()) {
    const extendsItself = value.includes(`$(${name})`) && value !== `$(${name})`;
    if (seen.has(name) && (valueFrom !== undefined || !extendsItself))
      texts.push(
        `${path}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`,
      );
    seen.add(name);
  }
  return texts;
}

interface PortUse {
  readonly path: string;
  readonly hostIP: string;
  readonly hostPort: number;
}

function portWarnings(spec: PodSpec, at: string): readonly string[] {
  const texts: string[] = [];
  const uses = new Map<string, PortUse[]>();
  const named = new Map<string, string>();
  for (const [list, index, { ports }] of allContainers(spec))
    for (const [number, port] of (ports ?? []).entries()) {
      const path = `${at}.${list}[${index}].ports[${number}]`;
      const { name = '', hostIP = '', hostPort = 0, containerPort, protocol } = port;
      if (hostIP !== '' && hostPort === 0)
        texts.push(
          `${path}: hostIP set without hostPort: {Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`,
        );
      const key = `${containerPort}/${protocol}`;
      const earlier = uses.get(key) ?? [];
      const text = clashText(earlier, { path, hostIP, hostPort });
      if (text !== undefined) texts.push(`${path}: ${text}`);
      uses.set(key, [...earlier, { path, hostIP, hostPort }]);
      if (name === '') continue;
      const first = named.get(name);
      if (first === undefined) named.set(name, path);
      else
        texts.push(
          `${path}: duplicate port name "${name}" with ${first}, services and probes that select ports by name will use ${first}`,
        );
    }
  return texts;
}

function clashText(earlier: readonly PortUse[], use: PortUse): string | undefined {
  for (const other of earlier) {
    if (other.hostIP === use.hostIP && other.hostPort === use.hostPort)
      return `duplicate port definition with ${other.path}`;
    if ((other.hostPort === 0) !== (use.hostPort === 0))
      return `overlapping port definition with ${other.path}`;
    if (other.hostPort === use.hostPort && (other.hostIP === '') !== (use.hostIP === ''))
      return `dangerously ambiguous port definition with ${other.path}`;
  }
  return undefined;
}
