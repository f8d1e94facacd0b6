import { writeFileSync } from 'node:fs';
import type { EventRecorder } from '#client';
import { holdLoopbackPort, loopbackPortHolder, runCommand } from '#io';
import { createLoopbackPorts } from '#net/proxy';
import type { FrameOptions, ProxyOptions } from '#net/proxy';
import type { ClusterPlan } from '../cluster/plan.ts';

/** What the proxy of the host's own network has beyond the others: localhost, and conntrack. */
export function localBalancer(recorder: EventRecorder): Pick<ProxyOptions, 'loopback' | 'forget'> {
  return {
    loopback: createLoopbackPorts({
      recorder,
      holder: { hold: holdLoopbackPort, holderOf: loopbackPortHolder },
    }),
    forget: forgetConnections,
  };
}

/** `conntrack` ends with 1 when it found nothing to delete: that is no failure. */
export async function forgetConnections(ip: string): Promise<void> {
  const script =
    'for what in "udp" "tcp --state SYN_SENT"; do ' +
    'conntrack -D -p $what --reply-src "$1" || [ $? = 1 ] || exit 1; done';
  await runCommand(['sh', '-c', script, 'sh', ip]);
}

/** The frame of the service table, the same in every network namespace of the cluster. */
export function frameOf(plan: ClusterPlan): FrameOptions {
  return {
    table: plan.serviceTable,
    podRange: plan.podRange,
    serviceRange: plan.serviceRange,
    clusterNetworks: [plan.nodeRange],
  };
}

/** `localhost:<port>` of Services leaves for Pods with a loopback source, which must be allowed. */
export function allowLocalhost(bridge: string): void {
  writeFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, '1');
}
