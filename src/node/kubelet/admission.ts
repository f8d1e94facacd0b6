import type { Node, Pod } from '#kube/kinds';
import { qosOf } from './limits.ts';
import type { Pressure } from './node-object.ts';
import type { PodOutcome } from './pod-status.ts';
import { apparmorWish } from './security.ts';

/** Sysctls that are namespaced and harmless (k8s kubelet/sysctl/safe_sysctls.go). */
const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);

/** May a Pod that has not run yet run here? Room is the pool's matter; this is the rest. */
export function admit(
  pod: Pod,
  node: Node | undefined,
  about: {
    readonly pressure: Pick<Pressure, 'memory' | 'disk'> & Partial<Pressure>;
    readonly apparmor: boolean;
  },
): PodOutcome | undefined {
  const refuse = (reason: string, message: string): PodOutcome => ({
    phase: 'Failed',
    reason,
    message,
  });
  const os = pod.spec.os?.name;
  if (os !== undefined && os !== '' && os !== 'linux')
    return refuse('PodOSNotSupported', "Failed to admit pod as the OS field doesn't match node OS");
  const sysctl = forbiddenSysctl(pod);
  if (sysctl !== undefined) return refuse('SysctlForbidden', `forbidden sysctl: ${sysctl}`);
  if (!about.apparmor && asksForAppArmor(pod))
    return refuse('AppArmor', 'Cannot enforce AppArmor: AppArmor is not enabled on the host');
  if (node !== undefined && !nodeMatches(pod, node))
    return refuse(
      'NodeAffinity',
      "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    );
  const critical = (pod.spec.priority ?? 0) >= 2_000_000_000;
  if (critical) return undefined;
  const { pressure } = about;
  const bestEffort = qosOf(pod) === 'BestEffort';
  if (pressure.disk)
    return refuse('Evicted', 'Pod was rejected: The node had condition: [DiskPressure]. ');
  if (pressure.pid === true)
    return refuse('Evicted', 'Pod was rejected: The node had condition: [PIDPressure]. ');
  if (pressure.memory && bestEffort)
    return refuse('Evicted', 'Pod was rejected: The node had condition: [MemoryPressure]. ');
  return undefined;
}

/** Sysctls that would change the host, or that nobody has judged harmless. */
function forbiddenSysctl(pod: Pod): string | undefined {
  for (const { name } of pod.spec.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll('/', '.');
    if (!safeSysctls.has(dotted)) return `${JSON.stringify(name)} not allowlisted`;
    if (dotted.startsWith('net.') && pod.spec.hostNetwork === true)
      return `${JSON.stringify(name)} not allowed with host net enabled`;
    if (dotted.startsWith('kernel.') && pod.spec.hostIPC === true)
      return `${JSON.stringify(name)} not allowed with host ipc enabled`;
  }
  return undefined;
}

function asksForAppArmor(pod: Pod): boolean {
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return all.some((container) => {
    const wish = apparmorWish(pod, container);
    return wish !== undefined && wish.type !== 'Unconfined';
  });
}

function nodeMatches(pod: Pod, node: Node): boolean {
  const own = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
    if (own[key] !== value) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return true;
  return (required.nodeSelectorTerms ?? []).some((term) => {
    const expressions = term.matchExpressions ?? [];
    const fields = term.matchFields ?? [];
    if (expressions.length === 0 && fields.length === 0) return false;
    return (
      expressions.every((need) => holds(need, own[need.key])) &&
      fields.every((need) => need.key === 'metadata.name' && holds(need, node.metadata.name))
    );
  });
}

interface Need {
  readonly operator: string;
  readonly values?: readonly string[] | null | undefined;
}

function holds({ operator, values }: Need, value: string | undefined): boolean {
  const list = values ?? [];
  switch (operator) {
    case 'In':
      return value !== undefined && list.includes(value);
    case 'NotIn':
      return value === undefined || !list.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(list[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(list[0]);
    default:
      return false;
  }
}
