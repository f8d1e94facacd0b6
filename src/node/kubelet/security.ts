import type { Container, Pod } from '#kube/kinds';
import type { ImageConfig, Security } from '#node/runtime';
import { ConfigError } from './errors.ts';

/** The container's security context over the Pod's, as the runtime takes it. */
export function securityOf(pod: Pod, container: Container): Security {
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
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    allowPrivilegeEscalation: own.allowPrivilegeEscalation ?? true,
    capabilitiesAdd: own.capabilities?.add ?? [],
    capabilitiesDrop: own.capabilities?.drop ?? [],
    seccomp: seccompOf(seccomp, privileged),
    procMountUnmasked: own.procMount === 'Unmasked',
  };
}

function seccompOf(
  profile: { readonly type: string; readonly localhostProfile?: string | undefined } | undefined,
  privileged: boolean,
): Security['seccomp'] {
  if (privileged || profile === undefined || profile.type === 'Unconfined') return 'Unconfined';
  if (profile.type === 'Localhost') return { localhostProfile: profile.localhostProfile ?? '' };
  return 'RuntimeDefault';
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
