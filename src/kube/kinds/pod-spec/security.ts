import type { Field } from '../shared/field.ts';
import type {
  AppArmorProfile,
  Container,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from '../types/core-v1.ts';
import { checkRelativePath } from './paths.ts';
import { checkWindowsOptions } from './windows.ts';

const idMax = 2_147_483_647;
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const sysctlPattern = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlText =
  'must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const ipcSysctls = new Set([
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
  'kernel.shm',
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.msg',
]);

export interface SecurityLeniency {
  readonly anyHostSysctl?: boolean;
  readonly keepsSeLinuxPolicy?: boolean;
}

function checkId(id: number | undefined, field: Field, name: string): void {
  if (id !== undefined) field.at(name).between(id, 0, idMax);
}

export function checkPodSecurity(spec: PodSpec, field: Field, leniency: SecurityLeniency): void {
  const context = spec.securityContext;
  if (context === undefined) return;
  checkId(context.fsGroup, field, 'fsGroup');
  checkId(context.runAsUser, field, 'runAsUser');
  checkId(context.runAsGroup, field, 'runAsGroup');
  for (const [index, group] of (context.supplementalGroups ?? []).entries())
    field.at('supplementalGroups').at(index).between(group, 0, idMax);
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    field
      .at('shareProcessNamespace')
      .invalid(true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  if (context.sysctls !== undefined)
    checkSysctls(context.sysctls, spec, { field: field.at('sysctls'), leniency });
  checkChoice(context.fsGroupChangePolicy, field.at('fsGroupChangePolicy'), [
    'Always',
    'OnRootMismatch',
  ]);
  checkSeccomp(context.seccompProfile, field.at('seccompProfile'));
  checkWindowsOptions(context.windowsOptions, field.at('windowsOptions'));
  checkAppArmor(context.appArmorProfile, field.at('appArmorProfile'));
  checkChoice(context.supplementalGroupsPolicy, field.at('supplementalGroupsPolicy'), [
    'Merge',
    'Strict',
  ]);
  checkChoice(
    context.seLinuxChangePolicy,
    field.at('seLinuxChangePolicy'),
    leniency.keepsSeLinuxPolicy === true ? ['MountOption', 'Recursive'] : ['Recursive'],
  );
}

function checkChoice(value: string | undefined, field: Field, supported: readonly string[]): void {
  if (value !== undefined && !supported.includes(value)) field.notSupported(value, supported);
}

function checkSysctls(
  sysctls: readonly Sysctl[],
  spec: PodSpec,
  { field, leniency }: { field: Field; leniency: SecurityLeniency },
): void {
  const seen = new Set<string>();
  for (const [index, { name }] of sysctls.entries()) {
    const at = field.at(index).at('name');
    if (name === '') at.required();
    else if (name.length > 253 || !sysctlPattern.test(name)) at.invalid(name, sysctlText);
    else if (seen.has(name)) at.duplicate(name);
    if (leniency.anyHostSysctl !== true) {
      const dotted = name.replaceAll('/', '.');
      if (spec.hostNetwork === true && dotted.startsWith('net.'))
        at.invalid(name, "may not be specified when 'hostNetwork' is true");
      if (spec.hostIPC === true && (ipcSysctls.has(dotted) || dotted.startsWith('fs.mqueue.')))
        at.invalid(name, "may not be specified when 'hostIPC' is true");
    }
    seen.add(name);
  }
}

export function checkSeccomp(profile: SeccompProfile | undefined, field: Field): void {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  const at = field.at('localhostProfile');
  if (type === 'Localhost') {
    if (localhostProfile === undefined) at.required('must be set when seccomp type is Localhost');
    else checkRelativePath(localhostProfile, at);
  } else if (localhostProfile !== undefined)
    at.invalid(localhostProfile, 'can only be set when seccomp type is Localhost');
  if (type === '') field.at('type').required('type is required when seccompProfile is set');
  else if (!profileTypes.includes(type)) field.at('type').notSupported(type, profileTypes);
}

export function checkAppArmor(profile: AppArmorProfile | undefined, field: Field): void {
  if (profile === undefined) return;
  const { type, localhostProfile } = profile;
  const at = field.at('localhostProfile');
  if (type === '') field.at('type').required('type is required when appArmorProfile is set');
  else if (!profileTypes.includes(type)) field.at('type').notSupported(type, profileTypes);
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      at.invalid(localhostProfile, 'can only be set when AppArmor type is Localhost');
    return;
  }
  if (localhostProfile === undefined || localhostProfile.trim() === '') {
    at.required('must be set when AppArmor type is Localhost');
    return;
  }
  if (localhostProfile.trim() !== localhostProfile)
    at.invalid(localhostProfile, 'must not be padded with whitespace');
  if (localhostProfile.length > 4095) at.tooLong(4095);
}

/** One container's context; `hostUsers` is the Pod's. */
export function checkSecurityContext(
  context: SecurityContext | undefined,
  field: Field,
  hostUsers: boolean | undefined,
): void {
  if (context === undefined) return;
  checkId(context.runAsUser, field, 'runAsUser');
  checkId(context.runAsGroup, field, 'runAsGroup');
  const { procMount } = context;
  if (procMount !== undefined) {
    checkChoice(procMount, field.at('procMount'), ['Default', 'Unmasked']);
    if (procMount === 'Unmasked' && hostUsers !== false)
      field.at('procMount').invalid(procMount, '`hostUsers` must be false to use `Unmasked`');
  }
  checkSeccomp(context.seccompProfile, field.at('seccompProfile'));
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true)
      field.invalid(
        context,
        'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      );
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN') === true)
      field.invalid(
        context,
        'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
      );
  }
  checkWindowsOptions(context.windowsOptions, field.at('windowsOptions'));
  checkAppArmor(context.appArmorProfile, field.at('appArmorProfile'));
}

const linuxOnlyOfPods: readonly (keyof PodSecurityContext)[] = [
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
];
const linuxOnlyOfUsers: readonly (keyof PodSecurityContext)[] = [
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
];
const linuxOnlyOfContainers: readonly (keyof SecurityContext)[] = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
];

/** What only the other system has. Called when `os` itself is fine. */
export function checkSystem(spec: PodSpec, field: Field): void {
  const containers: readonly (readonly [string, readonly Partial<Container>[]])[] = [
    ['initContainers', spec.initContainers ?? []],
    ['containers', spec.containers ?? []],
    ['ephemeralContainers', spec.ephemeralContainers ?? []],
  ];
  const context = spec.securityContext;
  if (spec.os?.name === 'linux') {
    const text = 'windows options cannot be set for a linux pod';
    if (context?.windowsOptions !== undefined)
      field.at('securityContext.windowsOptions').forbidden(text);
    for (const [list, items] of containers)
      for (const [index, { securityContext }] of items.entries())
        if (securityContext?.windowsOptions !== undefined)
          field.at(list).at(index).at('securityContext.windowsOptions').forbidden(text);
    return;
  }
  if (spec.os?.name !== 'windows') return;
  const text = 'cannot be set for a windows pod';
  const refuse = (names: readonly (keyof PodSecurityContext)[]): void => {
    for (const name of names)
      if (context?.[name] !== undefined) field.at('securityContext').at(name).forbidden(text);
  };
  refuse(['appArmorProfile', 'seLinuxOptions']);
  if (spec.hostUsers !== undefined) field.at('hostUsers').forbidden(text);
  if (spec.hostPID === true) field.at('hostPID').forbidden(text);
  if (spec.hostIPC === true) field.at('hostIPC').forbidden(text);
  refuse(linuxOnlyOfPods);
  if (spec.shareProcessNamespace !== undefined) field.at('shareProcessNamespace').forbidden(text);
  refuse(linuxOnlyOfUsers);
  for (const [list, items] of containers)
    for (const [index, { securityContext }] of items.entries())
      for (const name of linuxOnlyOfContainers)
        if (securityContext?.[name] !== undefined)
          field.at(list).at(index).at('securityContext').at(name).forbidden(text);
}
