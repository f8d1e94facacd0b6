import type { Pod } from '#kube/kinds';
import type { SandboxSpec } from '#node/runtime';
import { dnsOf, hostnameOf } from './dns.ts';
import { podLimits, qosOf } from './limits.ts';
import type { PodContext } from './pod-context.ts';
import { annotations, labels } from './pod-view.ts';

/** The sandbox a Pod asks for. */
export async function sandboxSpec(
  context: PodContext,
  pod: Pod,
  about: { readonly attempt: number; readonly event: (reason: string, message: string) => void },
): Promise<SandboxSpec> {
  const { clusterDns, clusterDomain, nodeName } = context.options;
  if (pod.spec.hostUsers === false)
    throw new Error("can't set `spec.hostUsers: false`, runtime does not support user namespaces");
  // A class that does not exist fails here, before anything is made.
  await context.runtimeHandler(pod.spec.runtimeClassName);
  const dns = dnsOf(pod, context.host.dns, { server: clusterDns, domain: clusterDomain });
  for (const { reason, message } of dns.problems) about.event(reason, message);
  const { hostname, fqdn } = hostnameOf(pod, { clusterDomain, nodeName });
  const { metadata, spec } = pod;
  const sysctls: Record<string, string> = {};
  for (const { name, value } of spec.securityContext?.sysctls ?? [])
    sysctls[name.replaceAll('/', '.')] = value;
  return {
    podName: metadata.name,
    podNamespace: metadata.namespace ?? '',
    podUid: metadata.uid,
    attempt: about.attempt,
    hostname,
    fqdn,
    hostNetwork: spec.hostNetwork ?? false,
    hostPid: spec.hostPID ?? false,
    hostIpc: spec.hostIPC ?? false,
    sharePid: spec.shareProcessNamespace ?? false,
    dns: { servers: dns.servers, searches: dns.searches, options: dns.options },
    sysctls,
    hostAliases: (spec.hostAliases ?? []).map(({ ip, hostnames }) => ({
      ip,
      hostnames: hostnames ?? [],
    })),
    labels: {
      ...metadata.labels,
      [labels.name]: metadata.name,
      [labels.namespace]: metadata.namespace ?? '',
      [labels.uid]: metadata.uid,
    },
    annotations: {
      ...metadata.annotations,
      [annotations.graceSeconds]: String(spec.terminationGracePeriodSeconds ?? 30),
    },
    resources: podLimits(pod),
    qosClass: qosOf(pod),
  };
}
