import type { MasterInfo } from '#mesos/protocol';

export const masterCapabilities = ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'] as const;

export interface MasterAddress {
  readonly address: { readonly hostname: string; readonly ip: string; readonly port: number };
  readonly version: string;
}

/** As SUBSCRIBED, GET_MASTER and ZooKeeper show this master. */
export function masterInfo(masterID: string, { address, version }: MasterAddress): MasterInfo {
  const { hostname, ip, port } = address;
  return {
    id: masterID,
    ip: ipNumber(ip),
    port,
    pid: `master@${ip}:${port}`,
    hostname,
    version,
    address: { hostname, ip, port },
    capabilities: masterCapabilities.map((type) => ({ type })),
  };
}

/** Four bytes in network order, read as a little-endian integer; 0 for what is not IPv4. */
export function ipNumber(ip: string): number {
  const bytes = ip.split('.').map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => !Number.isInteger(byte))) return 0;
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}
