import type { Container, Pod } from '#kube/kinds';
import type { ImageConfig, Security } from '#node/runtime';
import { ConfigError } from './errors.ts';
import type { HostFeatures } from './pod-context.ts';

/** What of the machine the security context is judged by. */
export type SecurityHost = Pick<HostFeatures, 'apparmorProfiles' | 'selinux' | 'seccompDir'>;

/** The container's security context over the Pod's, as the runtime takes it. */
export function securityOf(pod: Pod, container: Container, host: SecurityHost): Security {
  const whole = pod.spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  const privileged = own.privileged ?? false;
  const seccomp = own.seccompProfile ?? whole.seccompProfile;
  const groups = [...(whole.supplementalGroups ?? [])];
  if (whole.fsGroup !== undefined) groups.push(whole.fsGroup);
  return {
    privileged,
    runAsUser: own.runAsUser ?? whole.runAsUser,
    runAsUserName: undefined,
    runAsGroup: own.runAsGroup ?? whole.runAsGroup,
    runAsNonRoot: own.runAsNonRoot ?? whole.runAsNonRoot ?? false,
    supplementalGroups: groups,
    supplementalGroupsPolicy: whole.supplementalGroupsPolicy === 'Strict' ? 'Strict' : 'Merge',
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    allowPrivilegeEscalation: own.allowPrivilegeEscalation ?? true,
    capabilitiesAdd: own.capabilities?.add ?? [],
    capabilitiesDrop: own.capabilities?.drop ?? [],
    seccomp: seccompOf(seccomp, privileged, host),
    apparmorProfile: privileged ? undefined : apparmorOf(pod, container, host),
    selinuxLabel: host.selinux ? selinuxOf(pod, container) : undefined,
    procMountUnmasked: own.procMount === 'Unmasked',
  };
}

function seccompOf(
  profile: { readonly type: string; readonly localhostProfile?: string | undefined } | undefined,
  privileged: boolean,
  host: SecurityHost,
): Security['seccomp'] {
  if (privileged || profile === undefined || profile.type === 'Unconfined') return 'Unconfined';
  if (profile.type === 'Localhost') {
    const path = profile.localhostProfile ?? '';
    if (path.startsWith('/') || path.split('/').includes('..'))
      throw new ConfigError(`seccomp profile ${JSON.stringify(path)} must lie below the node's`);
    return { localhostProfile: `${host.seccompDir}/${path}` };
  }
  return 'RuntimeDefault';
}

/** Profiles that a machine may have for containers; the first that is loaded is the default one. */
const apparmorDefaults = [
  'containers-default',
  'crun-default',
  'cri-containerd.apparmor.d',
  'docker-default',
];

/** The profile a container asks for, its own before the Pod's. */
export function apparmorWish(
  pod: Pod,
  container: Container,
): { readonly type: string; readonly localhostProfile?: string | undefined } | undefined {
  return container.securityContext?.appArmorProfile ?? pod.spec.securityContext?.appArmorProfile;
}

function apparmorOf(pod: Pod, container: Container, host: SecurityHost): string | undefined {
  const wish = apparmorWish(pod, container);
  const loaded = host.apparmorProfiles;
  if (wish === undefined || loaded === undefined) return undefined;
  if (wish.type === 'Unconfined') return 'unconfined';
  const name =
    wish.type === 'Localhost'
      ? wish.localhostProfile
      : apparmorDefaults.find((one) => loaded.includes(one));
  if (name === undefined || !loaded.includes(name))
    throw new ConfigError(
      `AppArmor profile ${JSON.stringify(name ?? 'runtime/default')} is not loaded on this node`,
    );
  return name;
}

/** Whether the Pod names a label for SELinux, which only some machines have. */
export function selinuxOf(pod: Pod, container: Container): string | undefined {
  const own = container.securityContext?.seLinuxOptions;
  const options = own ?? pod.spec.securityContext?.seLinuxOptions;
  if (options === undefined) return undefined;
  const { user, role, type, level } = options;
  const part = (value: string | undefined, otherwise: string): string =>
    value === undefined || value === '' ? otherwise : value;
  return [
    part(user, 'system_u'),
    part(role, 'system_r'),
    part(type, 'container_t'),
    part(level, 's0'),
  ].join(':');
}

/** `runAsNonRoot` is judged before the container is made (k8s kuberuntime/security_context.go). */
export function checkNonRoot(
  pod: Pod,
  container: Container,
  options: { readonly security: Security; readonly image: ImageConfig | undefined },
): void {
  const { security, image } = options;
  if (!security.runAsNonRoot) return;
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  if (security.runAsUser !== undefined) {
    if (security.runAsUser === 0)
      throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  const user = (image?.user ?? '').split(':')[0] ?? '';
  if (user === '' || user === '0')
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (!/^\d+$/.test(user))
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`,
    );
}
