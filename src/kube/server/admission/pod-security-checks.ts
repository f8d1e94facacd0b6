import type { Container, Pod, SELinuxOptions } from '#kube/kinds';
import {
  allowedSysctls,
  baselineCapabilities,
  restrictedVolumeTypes,
} from './pod-security-lists.ts';

/** What a check finds wrong: a short reason, and the detail in parentheses. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}
export type Level = 'privileged' | 'baseline' | 'restricted';
/** Minor version of a policy `v1.<minor>`; `latest` is the newest we know. */
export interface Policy {
  readonly level: Level;
  readonly minor: number;
}

type PodParts = Pick<Pod, 'spec'> & { readonly annotations: Readonly<Record<string, string>> };
interface Check {
  readonly level: 'baseline' | 'restricted';
  /** First minor version that has it. */
  readonly since: number;
  /** The baseline check that this one is the stricter form of. */
  readonly instead?: string;
  readonly id: string;
  run(pod: PodParts, minor: number): Violation | undefined;
}

/** Every check the Pod fails under the policy (Pod Security Standards; pod-security-admission policy/). */
export function podViolations(pod: PodParts, policy: Policy): readonly Violation[] {
  if (policy.level === 'privileged') return [];
  const active = checks.filter(
    (check) =>
      check.since <= policy.minor && (policy.level === 'restricted' || check.level === 'baseline'),
  );
  const replaced = new Set(active.map((check) => check.instead));
  return active
    .filter((check) => !replaced.has(check.id))
    .map((check) => check.run(pod, policy.minor))
    .filter((violation) => violation !== undefined);
}

export function violationText(violations: readonly Violation[]): string {
  return violations
    .map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`))
    .join(', ');
}

/** Baseline first, each level in the order of ids, as messages list them. */
const checks: readonly Check[] = [
  { id: 'appArmorProfile', level: 'baseline', since: 0, run: appArmor },
  { id: 'capabilities_baseline', level: 'baseline', since: 0, run: capabilitiesBaseline },
  { id: 'hostNamespaces', level: 'baseline', since: 0, run: hostNamespaces },
  { id: 'hostPathVolumes', level: 'baseline', since: 0, run: hostPathVolumes },
  { id: 'hostPorts', level: 'baseline', since: 0, run: hostPorts },
  { id: 'hostProbesAndHostLifecycle', level: 'baseline', since: 34, run: probeHosts },
  { id: 'privileged', level: 'baseline', since: 0, run: privileged },
  { id: 'procMount', level: 'baseline', since: 0, run: procMount },
  { id: 'seLinuxOptions', level: 'baseline', since: 0, run: seLinuxOptions },
  { id: 'seccompProfile_baseline', level: 'baseline', since: 0, run: seccompBaseline },
  { id: 'sysctls', level: 'baseline', since: 0, run: sysctls },
  { id: 'tandemProcess', level: 'baseline', since: 0, run: hostProcesses },
  { id: 'windowsHostProcess', level: 'baseline', since: 0, run: windowsHostProcess },
  { id: 'allowPrivilegeEscalation', level: 'restricted', since: 8, run: privilegeEscalation },
  {
    id: 'capabilities_restricted',
    level: 'restricted',
    since: 22,
    instead: 'capabilities_baseline',
    run: capabilitiesRestricted,
  },
  {
    id: 'restrictedVolumes',
    level: 'restricted',
    since: 0,
    instead: 'hostPathVolumes',
    run: restrictedVolumes,
  },
  { id: 'runAsNonRoot', level: 'restricted', since: 0, run: runAsNonRoot },
  { id: 'runAsUser', level: 'restricted', since: 23, run: runAsUser },
  {
    id: 'seccompProfile_restricted',
    level: 'restricted',
    since: 19,
    instead: 'seccompProfile_baseline',
    run: seccompRestricted,
  },
];

function containersOf(
  pod: PodParts,
): readonly Pick<
  Container,
  | 'name'
  | 'securityContext'
  | 'ports'
  | 'livenessProbe'
  | 'readinessProbe'
  | 'startupProbe'
  | 'lifecycle'
>[] {
  const { initContainers, containers, ephemeralContainers } = pod.spec;
  return [...(initContainers ?? []), ...containers, ...(ephemeralContainers ?? [])];
}

function quoted(values: Iterable<string>): string {
  return [...values].map((value) => JSON.stringify(value)).join(', ');
}

function plural(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}

function named(names: readonly string[], noun = 'container'): string {
  return `${plural(names.length, noun)} ${quoted(names)}`;
}

function sorted(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].toSorted();
}

/** A field that Pod and containers may set: who sets it wrongly, and to what. */
function wrongSetters(
  pod: PodParts,
  valueOf: (context: NonNullable<Container['securityContext']>) => string | undefined,
): { readonly setters: readonly string[]; readonly values: readonly string[] } {
  const podValue =
    pod.spec.securityContext === undefined ? undefined : valueOf(pod.spec.securityContext);
  const values: string[] = podValue === undefined ? [] : [podValue];
  const names: string[] = [];
  for (const container of containersOf(pod)) {
    const value =
      container.securityContext === undefined ? undefined : valueOf(container.securityContext);
    if (value === undefined) continue;
    names.push(container.name);
    values.push(value);
  }
  const setters = [
    ...(podValue === undefined ? [] : ['pod']),
    ...(names.length === 0 ? [] : [named(names)]),
  ];
  return { setters, values: sorted(values) };
}

function appArmor(pod: PodParts): Violation | undefined {
  const allowed = new Set(['', 'RuntimeDefault', 'Localhost']);
  const { setters, values } = wrongSetters(pod, ({ appArmorProfile }) =>
    appArmorProfile === undefined || allowed.has(appArmorProfile.type)
      ? undefined
      : appArmorProfile.type,
  );
  const annotations = Object.entries(pod.annotations)
    .filter(([key]) => key.startsWith('container.apparmor.security.beta.kubernetes.io/'))
    .filter(
      ([, value]) => value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .toSorted();
  const all = [...values, ...annotations];
  const who =
    annotations.length === 0 ? setters : [...setters, plural(annotations.length, 'annotation')];
  if (who.length === 0) return undefined;
  return {
    reason: plural(all.length, 'forbidden AppArmor profile'),
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(all)}`,
  };
}

function capabilitiesBaseline(pod: PodParts): Violation | undefined {
  const bad = containersOf(pod)
    .map(({ name, securityContext }) => ({
      name,
      added: (securityContext?.capabilities?.add ?? []).filter(
        (one) => !baselineCapabilities.has(one),
      ),
    }))
    .filter(({ added }) => added.length > 0);
  if (bad.length === 0) return undefined;
  const added = sorted(bad.flatMap((one) => one.added));
  return {
    reason: 'non-default capabilities',
    detail: `${named(bad.map((one) => one.name))} must not include ${quoted(added)} in securityContext.capabilities.add`,
  };
}

function hostNamespaces({ spec }: PodParts): Violation | undefined {
  const set = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(
    (field) => spec[field] === true,
  );
  if (set.length === 0) return undefined;
  return { reason: 'host namespaces', detail: set.map((field) => `${field}=true`).join(', ') };
}

function hostPathVolumes({ spec }: PodParts): Violation | undefined {
  const names = (spec.volumes ?? [])
    .filter((one) => one.hostPath !== undefined)
    .map((one) => one.name);
  if (names.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: named(names, 'volume') };
}

function hostPorts(pod: PodParts): Violation | undefined {
  const bad = containersOf(pod)
    .map(({ name, ports }) => ({
      name,
      ports: (ports ?? [])
        .filter((port) => (port.hostPort ?? 0) !== 0)
        .map((port) => `${port.hostPort}`),
    }))
    .filter(({ ports }) => ports.length > 0);
  if (bad.length === 0) return undefined;
  const ports = sorted(bad.flatMap((one) => one.ports));
  const uses = plural(bad.length, 'uses', 'use');
  return {
    reason: 'hostPort',
    detail: `${named(bad.map((one) => one.name))} ${uses} ${plural(ports.length, 'hostPort')} ${ports.join(', ')}`,
  };
}

function probeHosts(pod: PodParts): Violation | undefined {
  const bad = containersOf(pod)
    .map((container) => {
      const handlers = [
        container.livenessProbe,
        container.readinessProbe,
        container.startupProbe,
        container.lifecycle?.postStart,
        container.lifecycle?.preStop,
      ];
      const hosts = handlers.flatMap((handler) => [
        handler?.httpGet?.host,
        handler?.tcpSocket?.host,
      ]);
      return {
        name: container.name,
        hosts: hosts.filter((host) => host !== undefined && host !== ''),
      };
    })
    .filter(({ hosts }) => hosts.length > 0);
  if (bad.length === 0) return undefined;
  const hosts = sorted(bad.flatMap((one) => one.hosts.map(String)));
  const uses = plural(bad.length, 'uses', 'use');
  return {
    reason: 'probe or lifecycle host',
    detail: `${named(sorted(bad.map((one) => one.name)))} ${uses} ${plural(hosts.length, 'probe or lifecycle host')} ${quoted(hosts)}`,
  };
}

function privileged(pod: PodParts): Violation | undefined {
  const names = containersOf(pod)
    .filter((one) => one.securityContext?.privileged === true)
    .map((one) => one.name);
  if (names.length === 0) return undefined;
  return {
    reason: 'privileged',
    detail: `${named(names)} must not set securityContext.privileged=true`,
  };
}

/** A Pod in a user namespace of its own may do more from v1.35 on. */
function relaxed(pod: PodParts, minor: number): boolean {
  return minor >= 35 && pod.spec.hostUsers === false;
}

function procMount(pod: PodParts, minor: number): Violation | undefined {
  if (relaxed(pod, minor)) return undefined;
  const bad = containersOf(pod).filter(({ securityContext }) => {
    const type = securityContext?.procMount;
    return type !== undefined && type !== 'Default';
  });
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((one) => one.securityContext?.procMount ?? ''));
  return {
    reason: 'procMount',
    detail: `${named(bad.map((one) => one.name))} must not set securityContext.procMount to ${quoted(types)}`,
  };
}

function seLinuxOptions(pod: PodParts, minor: number): Violation | undefined {
  const allowed = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t']);
  if (minor >= 31) allowed.add('container_engine_t');
  const bad: SELinuxOptions[] = [];
  const { setters } = wrongSetters(pod, ({ seLinuxOptions: options }) => {
    if (options === undefined) return undefined;
    const fine =
      allowed.has(options.type ?? '') && (options.user ?? '') === '' && (options.role ?? '') === '';
    if (fine) return undefined;
    bad.push(options);
    return '';
  });
  if (setters.length === 0) return undefined;
  const types = sorted(bad.map((one) => one.type ?? '').filter((type) => !allowed.has(type)));
  const data = [
    ...(types.length === 0 ? [] : [`${plural(types.length, 'type')} ${quoted(types)}`]),
    ...(bad.some((one) => (one.user ?? '') !== '') ? ['user may not be set'] : []),
    ...(bad.some((one) => (one.role ?? '') !== '') ? ['role may not be set'] : []),
  ];
  return {
    reason: 'seLinuxOptions',
    detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
  };
}

const seccompPodKey = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainerKey = 'container.seccomp.security.alpha.kubernetes.io/';

function seccompBaseline(pod: PodParts, minor: number): Violation | undefined {
  if (minor < 19) return seccompAnnotations(pod);
  const { setters, values } = wrongSeccomp(pod);
  if (setters.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  };
}

function seccompAnnotations(pod: PodParts): Violation | undefined {
  const valid = (value: string): boolean =>
    value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');
  const keys = [
    seccompPodKey,
    ...containersOf(pod).map((one) => `${seccompContainerKey}${one.name}`),
  ];
  const bad = sorted(
    keys
      .filter((key) => pod.annotations[key] !== undefined && !valid(pod.annotations[key]))
      .map((key) => `${key}=${JSON.stringify(pod.annotations[key])}`),
  );
  if (bad.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${plural(bad.length, 'annotation')} ${bad.join(', ')}`,
  };
}

function wrongSeccomp(pod: PodParts): ReturnType<typeof wrongSetters> {
  const allowed = new Set(['RuntimeDefault', 'Localhost']);
  return wrongSetters(pod, ({ seccompProfile }) =>
    seccompProfile === undefined || allowed.has(seccompProfile.type)
      ? undefined
      : seccompProfile.type,
  );
}

function sysctls({ spec }: PodParts, minor: number): Violation | undefined {
  const allowed = allowedSysctls.filter((one) => one.since <= minor).flatMap((one) => one.names);
  const bad = (spec.securityContext?.sysctls ?? [])
    .map((one) => one.name)
    .filter((name) => !allowed.includes(name));
  return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') };
}

/** Ours: a plain process on the host's own file system is no container at all. */
function hostProcesses({ spec }: PodParts): Violation | undefined {
  const name = spec.runtimeClassName ?? '';
  if (name !== 'process' && name !== 'process-root') return undefined;
  return {
    reason: 'host process',
    detail: `pod must not set runtimeClassName ${JSON.stringify(name)}`,
  };
}

function windowsHostProcess(pod: PodParts): Violation | undefined {
  const { setters } = wrongSetters(pod, ({ windowsOptions }) =>
    windowsOptions?.hostProcess === true ? 'true' : undefined,
  );
  if (setters.length === 0) return undefined;
  return {
    reason: 'hostProcess',
    detail: `${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`,
  };
}

function isWindows(pod: PodParts, minor: number): boolean {
  return minor >= 25 && pod.spec.os?.name === 'windows';
}

function privilegeEscalation(pod: PodParts, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const names = containersOf(pod)
    .filter((one) => one.securityContext?.allowPrivilegeEscalation !== false)
    .map((one) => one.name);
  if (names.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${named(names)} must set securityContext.allowPrivilegeEscalation=false`,
  };
}

function capabilitiesRestricted(pod: PodParts, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const missing: string[] = [];
  const adding: string[] = [];
  const added: string[] = [];
  for (const { name, securityContext } of containersOf(pod)) {
    const capabilities = securityContext?.capabilities;
    if (capabilities?.drop?.includes('ALL') !== true) missing.push(name);
    const more = (capabilities?.add ?? []).filter((one) => one !== 'NET_BIND_SERVICE');
    if (more.length > 0) adding.push(name);
    added.push(...more);
  }
  const details = [
    ...(missing.length === 0
      ? []
      : [`${named(missing)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [
          `${named(adding)} must not include ${quoted(sorted(added))} in securityContext.capabilities.add`,
        ]),
  ];
  return details.length === 0
    ? undefined
    : { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

function restrictedVolumes({ spec }: PodParts): Violation | undefined {
  const bad = (spec.volumes ?? [])
    .map((volume) => {
      const type = Object.entries(volume).find(
        ([key, value]) => key !== 'name' && value !== undefined,
      );
      return { name: volume.name, type: type?.[0] ?? 'emptyDir' };
    })
    .filter(({ type }) => !restrictedVolumeTypes.has(type));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((one) => one.type));
  const uses = plural(bad.length, 'uses', 'use');
  return {
    reason: 'restricted volume types',
    detail: `${named(
      bad.map((one) => one.name),
      'volume',
    )} ${uses} ${plural(types.length, 'restricted volume type')} ${quoted(types)}`,
  };
}

function runAsNonRoot(pod: PodParts, minor: number): Violation | undefined {
  if (relaxed(pod, minor)) return undefined;
  const reason = 'runAsNonRoot != true';
  const { setters } = wrongSetters(pod, (context) =>
    context.runAsNonRoot === false ? '' : undefined,
  );
  if (setters.length > 0)
    return {
      reason,
      detail: `${setters.join(' and ')} must not set securityContext.runAsNonRoot=false`,
    };
  if (pod.spec.securityContext?.runAsNonRoot === true) return undefined;
  const names = containersOf(pod)
    .filter((one) => one.securityContext?.runAsNonRoot === undefined)
    .map((one) => one.name);
  if (names.length === 0) return undefined;
  return { reason, detail: `pod or ${named(names)} must set securityContext.runAsNonRoot=true` };
}

function runAsUser(pod: PodParts, minor: number): Violation | undefined {
  if (relaxed(pod, minor)) return undefined;
  const { setters } = wrongSetters(pod, (context) => (context.runAsUser === 0 ? '0' : undefined));
  if (setters.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${setters.join(' and ')} must not set runAsUser=0` };
}

function seccompRestricted(pod: PodParts, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const wrong = seccompBaseline(pod, Math.max(minor, 19));
  if (wrong !== undefined || pod.spec.securityContext?.seccompProfile !== undefined) return wrong;
  const names = containersOf(pod)
    .filter((one) => one.securityContext?.seccompProfile === undefined)
    .map((one) => one.name);
  if (names.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${named(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
}
