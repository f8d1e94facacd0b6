import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancel, Clock, Logger } from '#base';
import { ContainerError } from '../runtime.ts';
import type { ResourceLimits, Sandbox, SandboxSpec } from '../runtime.ts';
import type { Cgroups } from './cgroups.ts';
import { isMissing, messageOf } from './namespace.ts';
import type { Network } from './network.ts';
import { shmPrefix, vethPrefix, type Paths } from './paths.ts';
import { loadRecords, saveRecord, type SandboxRecord } from './records.ts';

export interface SandboxPlace {
  readonly paths: Paths;
  readonly cluster: string;
  readonly node: string;
  readonly cgroupRoot: string;
  readonly cgroups: Cgroups;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
}

const sparesMax = 2;
const quietMs = 150;
const noSpec: SandboxSpec = {
  podName: '',
  podNamespace: '',
  podUid: '',
  attempt: 0,
  hostname: '',
  hostNetwork: false,
  hostPid: false,
  hostIpc: false,
  sharePid: false,
  dns: { servers: [], searches: [], options: [] },
  sysctls: {},
  hostAliases: [],
  labels: {},
  annotations: {},
  resources: {},
  qosClass: 'BestEffort',
};

/** The sandboxes of a node and their records. */
export class Sandboxes {
  readonly #place: SandboxPlace;
  readonly #records = new Map<string, SandboxRecord>();
  /** Connected namespaces for the next Pods: a third of what a start takes is done ahead. */
  readonly #spares: SandboxRecord[] = [];
  #preparing: Promise<void> = Promise.resolve();
  #closed = false;
  #cancelPreparing: Cancel = () => undefined;

  constructor(place: SandboxPlace) {
    this.#place = place;
  }

  /**
   * Takes over what an earlier agent left. `pinned` says which namespaces still exist: without its
   * namespace a sandbox is not ready (the machine was restarted). Half-made ones are cleared away.
   */
  async adopt(pinned: ReadonlySet<string>): Promise<void> {
    const { records, broken } = loadRecords<SandboxRecord>(this.#place.paths.sandboxes);
    for (const id of broken)
      rmSync(join(this.#place.paths.sandboxes, id), { recursive: true, force: true });
    for (const record of records.toSorted((a, b) => a.createdMs - b.createdMs)) {
      if (record.ip !== '') this.#place.network.adopt(record.ip);
      this.#records.set(record.id, record);
      if (record.state === 'making') {
        await this.remove(record.id);
        continue;
      }
      const whole = [record.netPin, record.ipcPin].every((pin) => pin === '' || pinned.has(pin));
      if (record.state === 'spare') {
        if (whole && this.#spares.length < sparesMax) this.#spares.push(record);
        else await this.remove(record.id);
        continue;
      }
      if (whole || record.state === 'notReady') this.#limit(record);
      else {
        this.#place.network.giveBack(record.ip);
        this.#save({ ...record, state: 'notReady', ip: '' });
      }
    }
    this.#prepareSoon();
  }

  /** Spares stay for the next agent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPreparing();
    await this.#preparing;
  }

  list(): readonly Sandbox[] {
    return [...this.#records.values()]
      .filter(({ state }) => state === 'ready' || state === 'notReady')
      .map(shown);
  }
  record(id: string): SandboxRecord | undefined {
    return this.#records.get(id);
  }
  get ids(): readonly string[] {
    return [...this.#records.keys()];
  }
  folder(id: string): string {
    return join(this.#place.paths.sandboxes, id);
  }
  shmDir(id: string): string {
    return `${shmPrefix(this.#place.cluster, this.#place.node)}${id.slice(0, 12)}`;
  }

  async create(spec: SandboxSpec): Promise<SandboxRecord> {
    const { paths, clock } = this.#place;
    this.#cancelPreparing();
    const network = spec.hostNetwork ? 'host' : spec.noNetwork === true ? 'none' : 'bridge';
    const spare = network !== 'bridge' || spec.hostIpc ? undefined : this.#spares.shift();
    const record: SandboxRecord = {
      ...(spare ?? this.#fresh({ network, ipc: !spec.hostIpc })),
      spec,
      createdMs: clock.nowMs(),
      cgroup: podCgroup(this.#place, spec),
      state: 'making',
    };
    const { id } = record;
    this.#records.set(id, record);
    try {
      if (spare === undefined) mkdirSync(this.folder(id), { mode: 0o711 });
      saveRecord(paths.sandboxes, record);
      const attached = spare === undefined ? this.#place.network.attach(record) : Promise.resolve();
      // Written while the namespaces are made; a failure there is awaited below all the same.
      attached.catch(() => undefined);
      this.#writeFiles(record);
      this.#limit(record);
      await attached;
      return this.#save({ ...record, state: 'ready' });
    } catch (cause) {
      await this.remove(id);
      const why = `Cannot create sandbox of "${spec.podNamespace}/${spec.podName}": `;
      throw new ContainerError('CreatePodSandboxError', `${why}${messageOf(cause)}`, { cause });
    } finally {
      this.#prepareSoon();
    }
  }

  /** A record with a new id, an address and names, of nothing that is there yet. */
  #fresh(own: {
    readonly network: 'bridge' | 'none' | 'host';
    readonly ipc: boolean;
  }): SandboxRecord {
    const { paths, network, cluster, node, cgroupRoot, clock } = this.#place;
    const id = randomBytes(32).toString('hex');
    return {
      id,
      spec: noSpec,
      createdMs: clock.nowMs(),
      ip: own.network === 'bridge' ? network.lease() : '',
      veth: own.network === 'bridge' ? `${vethPrefix(cluster, node)}${id.slice(0, 9)}` : '',
      netPin: own.network === 'host' ? '' : join(paths.netPins, id),
      ipcPin: own.ipc ? join(paths.ipcPins, id) : '',
      // Never made: a Pod that takes it brings its own.
      cgroup: `/${cgroupRoot}/${node}/spare`,
      pauseId: undefined,
      state: 'making',
    };
  }

  /** Makes spares once no Pod has been started for a moment. */
  #prepareSoon(): void {
    this.#cancelPreparing();
    if (this.#closed || this.#spares.length >= sparesMax) return;
    this.#cancelPreparing = this.#place.clock.after(quietMs, () => {
      this.#preparing = this.#prepare().catch((cause: unknown) => {
        this.#place.logger.warn('Cannot prepare a sandbox', { error: messageOf(cause) });
      });
    });
  }

  async #prepare(): Promise<void> {
    const record = this.#fresh({ network: 'bridge', ipc: true });
    this.#records.set(record.id, record);
    try {
      mkdirSync(this.folder(record.id), { mode: 0o711 });
      saveRecord(this.#place.paths.sandboxes, record);
      await this.#place.network.attach(record);
      this.#spares.push(this.#save({ ...record, state: 'spare' }));
    } catch (cause) {
      await this.remove(record.id);
      throw cause;
    }
    this.#prepareSoon();
  }

  setPause(id: string, pauseId: string): void {
    const record = this.#records.get(id);
    if (record !== undefined) this.#save({ ...record, pauseId });
  }

  updateResources(id: string, resources: ResourceLimits): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#place.cgroups.limit(record.cgroup, resources);
    const merged = { ...record.spec.resources, ...resources };
    this.#save({ ...record, spec: { ...record.spec, resources: merged } });
  }

  async stop(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined || record.state === 'notReady') return;
    await this.#place.network.detach(record);
    this.#place.network.giveBack(record.ip);
    rmSync(this.shmDir(id), { recursive: true, force: true });
    this.#save({ ...record, state: 'notReady', ip: '' });
  }

  async remove(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    if (record.state !== 'notReady') {
      await this.#place.network.detach(record);
      this.#place.network.giveBack(record.ip);
    }
    rmSync(this.shmDir(id), { recursive: true, force: true });
    if (!this.#place.cgroups.remove(record.cgroup))
      this.#place.logger.warn('Pod cgroup still has processes', { cgroup: record.cgroup });
    await rm(this.folder(id), { recursive: true, force: true });
    this.#records.delete(id);
  }

  #save(record: SandboxRecord): SandboxRecord {
    this.#records.set(record.id, record);
    saveRecord(this.#place.paths.sandboxes, record);
    return record;
  }

  #limit(record: SandboxRecord): void {
    this.#place.cgroups.make(record.cgroup, record.spec.resources);
  }

  #writeFiles({ id, spec, ip }: SandboxRecord): void {
    const folder = this.folder(id);
    const put = (name: string, text: string): void =>
      writeFileSync(join(folder, name), text, { mode: 0o644 });
    put('hostname', `${spec.hostname}\n`);
    put('hosts', hostsFile(spec, ip));
    put('resolv.conf', resolvFile(spec));
    if (!spec.hostIpc) {
      mkdirSync(this.shmDir(id), { recursive: true });
      chmodSync(this.shmDir(id), 0o1777);
    }
  }
}

function shown(record: SandboxRecord): Sandbox {
  const { id, spec, ip, createdMs, state } = record;
  return { id, spec, ip, createdMs, state: state === 'ready' ? 'ready' : 'notReady' };
}

/** Guaranteed Pods lie beside the two classes that share what is left, as the kubelet has it. */
export function podCgroup(
  place: Pick<SandboxPlace, 'cgroupRoot' | 'node'>,
  spec: Pick<SandboxSpec, 'qosClass' | 'podUid'>,
): string {
  const tiers = { Guaranteed: '', Burstable: '/burstable', BestEffort: '/besteffort' } as const;
  return `/${place.cgroupRoot}/${place.node}${tiers[spec.qosClass]}/pod${spec.podUid}`;
}

function hostsFile(spec: SandboxSpec, ip: string): string {
  const { fqdn, hostname } = spec;
  const own = fqdn === undefined ? hostname : `${fqdn}\t${fqdn.split('.')[0]}`;
  const head = spec.hostNetwork
    ? readText('/etc/hosts').trimEnd()
    : [
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        'fe00::0\tip6-localnet',
        'fe00::0\tip6-mcastprefix',
        'fe00::1\tip6-allnodes',
        'fe00::2\tip6-allrouters',
        `${ip === '' ? '127.0.0.1' : ip}\t${own}`,
      ].join('\n');
  const aliases = spec.hostAliases.map((alias) => `${alias.ip}\t${alias.hostnames.join('\t')}`);
  const entries = aliases.length > 0 ? ['', '# Entries added by HostAliases.', ...aliases] : [];
  const about = spec.hostNetwork ? ' (host network)' : '';
  return `${[`# Kubernetes-managed hosts file${about}.`, head, ...entries].join('\n')}\n`;
}

function resolvFile({ dns }: SandboxSpec): string {
  const lines = [
    ...(dns.searches.length > 0 ? [`search ${dns.searches.join(' ')}`] : []),
    ...dns.servers.map((server) => `nameserver ${server}`),
    ...(dns.options.length > 0 ? [`options ${dns.options.join(' ')}`] : []),
  ];
  return lines.length === 0 ? readText('/etc/resolv.conf') : `${lines.join('\n')}\n`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return '';
    throw cause;
  }
}
