import { existsSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { runCommand, runNft } from '#io';
import { allowLocalhost } from '../agent/local-balancer.ts';
import { isMissing } from './config.ts';
import type { ClusterConfig, MachineBefore } from './config.ts';
import { planOf } from './plan.ts';

const forwarding = 'net/ipv4/ip_forward';
const netnsFolder = '/run/netns';

/**
 * The cluster's own bridge, the namespaces of its nodes, and the table that keeps strangers out.
 * Idempotent: what is there is left, what is missing is made.
 */
export async function makeHostNetwork(config: ClusterConfig): Promise<void> {
  const plan = planOf(config);
  writeSysctl(forwarding, '1');
  const present = interfaces();
  const lines: string[] = [];
  if (!present.has(plan.clusterBridge)) {
    lines.push(`link add ${plan.clusterBridge} type bridge`);
    lines.push(`addr add ${plan.hostIp}/24 dev ${plan.clusterBridge}`);
    lines.push(`link set ${plan.clusterBridge} up`);
    // A machine without a default route must find a way to Services before their rules can turn it.
    lines.push(`route add ${plan.serviceRange} dev ${plan.clusterBridge}`);
  }
  await ipBatch(lines);
  // localhost:<port> of Services leaves through this bridge with a loopback source.
  allowLocalhost(plan.clusterBridge);
  for (let index = 0; index < config.nodes; index++) await makeNodeNamespace(config, index);
  await runNft(hostTable(config));
}

async function makeNodeNamespace(config: ClusterConfig, index: number): Promise<void> {
  const plan = planOf(config);
  const netns = plan.netns(index);
  if (netns === undefined || namespaces().has(netns)) return;
  const { outside, inside } = vethNames(config, index);
  await runCommand(['ip', 'netns', 'add', netns]);
  await ipBatch([
    `link add ${outside} type veth peer name ${inside} netns ${netns}`,
    `link set ${outside} master ${plan.clusterBridge} up`,
  ]);
  await runCommand(['ip', '-n', netns, '-batch', '-'], {
    input: [
      'link set lo up',
      `link set ${inside} name eth0`,
      `addr add ${plan.nodeIp(index)}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${plan.hostIp}`,
      '',
    ].join('\n'),
  });
  await runCommand([
    'nsenter',
    `--net=/run/netns/${netns}`,
    'sysctl',
    '-qw',
    'net.ipv4.ip_forward=1',
  ]);
}

function vethNames(config: ClusterConfig, index: number): { outside: string; inside: string } {
  const { clusterBridge } = planOf(config);
  const base = clusterBridge.slice(4, 13);
  return {
    outside: `tn${index + 1}-${base}`.slice(0, 15),
    inside: `ti${index + 1}-${base}`.slice(0, 15),
  };
}

/** Addresses on the bridge are for this machine and its nodes: packets from elsewhere are dropped. */
function hostTable(config: ClusterConfig): string {
  const plan = planOf(config);
  const table = plan.hostTable;
  const ours = `{ "lo", "${plan.clusterBridge}", "${plan.podBridge}" }`;
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain input {
    type filter hook input priority -10; policy accept;
    ip daddr ${plan.nodeRange} tcp dport { ${Object.values(plan.ports).join(', ')} } iifname != ${ours} drop
  }
  chain postrouting {
    type nat hook postrouting priority 90; policy accept;
    ip saddr ${plan.nodeRange} ip daddr != { ${plan.nodeRange}, ${plan.podRange}, ${plan.serviceRange} } oifname != ${ours} masquerade
  }
}
`;
}

/** Takes away exactly what this cluster made, whatever of it is there. */
export async function removeHostNetwork(config: ClusterConfig): Promise<void> {
  const plan = planOf(config);
  // Links first: the kernel takes its time to give up those of a namespace that went.
  const present = interfaces();
  const indexes = Array.from({ length: config.nodes }, (_, index) => index);
  const links = [
    ...indexes.map((index) => vethNames(config, index).outside),
    plan.clusterBridge,
    plan.podBridge,
  ];
  await ipBatch(links.filter((link) => present.has(link)).map((link) => `link delete ${link}`));
  for (const index of indexes) {
    const netns = plan.netns(index);
    if (netns !== undefined && namespaces().has(netns))
      await runCommand(['ip', 'netns', 'delete', netns]);
  }
  for (const table of [plan.hostTable, plan.serviceTable])
    await runNft(`add table ip ${table}\ndelete table ip ${table}\n`);
}

/** What a cluster changes on the machine, as it is now. */
export function machineNow(): MachineBefore {
  // Forwarding for the machine sets it for every interface, and turns redirects the other way.
  const each = readdirSync('/proc/sys/net/ipv4/conf').map(
    (link) => `net/ipv4/conf/${link}/forwarding`,
  );
  const names = [forwarding, 'net/ipv4/conf/all/accept_redirects', ...each];
  return {
    sysctls: Object.fromEntries(names.map((name) => [name, readSysctl(name)])),
    netnsFolder: existsSync(netnsFolder),
  };
}

/** The last cluster on the machine puts back what the first one found. */
export async function restoreMachine(before: MachineBefore): Promise<void> {
  for (const [name, value] of Object.entries(before.sysctls))
    if (existsSync(`/proc/sys/${name}`)) writeSysctl(name, value);
  if (before.netnsFolder || !existsSync(netnsFolder) || readdirSync(netnsFolder).length > 0) return;
  // `ip netns` mounts this folder on itself when it is used for the first time.
  await runCommand(['umount', netnsFolder]);
  rmdirSync(netnsFolder);
}

function readSysctl(name: string): string {
  return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
}
function writeSysctl(name: string, value: string): void {
  if (readSysctl(name) !== value) writeFileSync(`/proc/sys/${name}`, value);
}

async function ipBatch(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await runCommand(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

export function interfaces(): ReadonlySet<string> {
  const names = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .slice(2)
    .map((line) => (line.split(':')[0] ?? '').trim());
  return new Set(names.filter((name) => name !== ''));
}

function namespaces(): ReadonlySet<string> {
  const listed = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return new Set(listed.stdout.split('\n').map((line) => line.split(' ')[0] ?? ''));
}

/** IPv4 networks that the machine routes already, as "a.b.c.d/len" or "default". */
export function routes(): readonly string[] {
  try {
    return readFileSync('/proc/net/route', 'utf8')
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, destination, , , , , , mask] = line.split('\t');
        return destination === undefined || mask === undefined
          ? []
          : [`${dotted(destination)}/${dotted(mask)}`];
      });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The kernel writes addresses as hexadecimal in the machine's byte order (little-endian). */
function dotted(hex: string): string {
  const parts = hex.trim().match(/../g) ?? [];
  return parts
    .toReversed()
    .map((part) => Number.parseInt(part, 16))
    .join('.');
}
