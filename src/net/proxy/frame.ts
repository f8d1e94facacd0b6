import type { TableFrame } from './ruleset.ts';

export interface FrameOptions {
  readonly table: string;
  /** All Pods of the cluster. */
  readonly podRange: string;
  readonly serviceRange: string;
  /** Networks that know the way to Pods, so that traffic to them keeps its source. */
  readonly clusterNetworks: readonly string[];
}

/** The bit that asks for masquerade on the way out; packets carry it only inside this host. */
export const masqueradeMark = '0x00400000';

/**
 * Maps, sets and base chains that every state shares. Pods of one bridge talk through this host, so
 * that answers pass the same rules back: a redirect would teach them a way around it.
 */
export function tableFrame(options: FrameOptions): TableFrame {
  const inside = [options.podRange, options.serviceRange, ...options.clusterNetworks].join(', ');
  const body = `
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map node-ports { type inet_proto . inet_service : verdict; }
  map host-ports { type ipv4_addr . inet_proto . inet_service : verdict; }
  map any-host-ports { type inet_proto . inet_service : verdict; }
  map loopback-ports { type inet_proto . inet_service : verdict; }
  set refused { type ipv4_addr . inet_proto . inet_service; }
  set refused-ports { type inet_proto . inet_service; }
  map dropped { type ipv4_addr . inet_proto . inet_service : verdict; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  chain services-of {
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local ip daddr . meta l4proto . th dport vmap @host-ports
    fib daddr type local meta l4proto . th dport vmap @any-host-ports
    fib daddr type local meta l4proto . th dport vmap @node-ports
  }
  chain refuse {
    ip daddr . meta l4proto . th dport vmap @dropped
    ip daddr . meta l4proto . th dport @refused reject
    fib daddr type local meta l4proto . th dport @refused-ports reject
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    jump services-of
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr 127.0.0.1 meta l4proto . th dport vmap @loopback-ports
    jump services-of
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    meta mark & ${masqueradeMark} == ${masqueradeMark} masquerade
    ip saddr . ip daddr @hairpin masquerade
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade
    ip saddr ${options.podRange} ip daddr != { ${inside}, 127.0.0.0/8, 224.0.0.0/4 } masquerade
  }
  chain filter-input {
    type filter hook input priority 0; policy accept;
    ct state new jump refuse
  }
  chain filter-forward {
    type filter hook forward priority 0; policy accept;
    ct state new jump refuse
  }
  chain filter-output {
    type filter hook output priority 0; policy accept;
    icmp type redirect ip daddr ${options.podRange} drop
    ct state new jump refuse
  }
`;
  return { table: options.table, body };
}
