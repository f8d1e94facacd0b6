/** By number, as in linux/capability.h. */
const names = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

/** What a container has unless it asks otherwise: the set all container engines agree on. */
const usual = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SYS_CHROOT',
  'MKNOD',
  'AUDIT_WRITE',
  'SETFCAP',
];

export interface CapabilityWish {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}

/**
 * Names as the OCI runtime wants them ("CAP_KILL"). `possible` is the bounding set of the agent:
 * more than that nobody can give. Kubernetes drops first, then adds; ALL means all.
 */
export function capabilitiesOf(wish: CapabilityWish, possible: bigint): readonly string[] {
  const canonical = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');
  const drop = new Set(wish.drop.map(canonical));
  const add = new Set(wish.add.map(canonical));
  const all = wish.privileged || add.has('ALL');
  const given = names.filter((name, bit) => {
    if ((possible & (1n << BigInt(bit))) === 0n) return false;
    if (wish.privileged) return true;
    if (add.has(name)) return true;
    if (drop.has(name)) return false;
    if (all) return true;
    return !drop.has('ALL') && usual.includes(name);
  });
  return given.map((name) => `CAP_${name}`);
}

/** The bounding set out of /proc/self/status. */
export function boundingSet(status: string): bigint {
  return BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}

export function unknownCapability(wish: CapabilityWish): string | undefined {
  const known = new Set<string>([...names, 'ALL']);
  return [...wish.add, ...wish.drop].find(
    (name) => !known.has(name.toUpperCase().replace(/^CAP_/, '')),
  );
}
