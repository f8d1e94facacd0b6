import type { Pod } from '#kube/kinds';
import type { ContainerStats, Machine } from '#node/runtime';
import { requestOf } from './limits.ts';
import { overStorageLimit } from './local-storage.ts';
import type { Pressure } from './node-object.ts';
import type { KubeletOptions } from './options.ts';
import type { PodWorker } from './pod-worker.ts';
import { labels } from './pod-view.ts';
import { bytesText, kibiText } from './quantity.ts';

const memoryMinBytes = 100 * 1024 * 1024;
const nodefsMinShare = 0.1;
const imagefsMinShare = 0.15;
const inodesMinShare = 0.05;
const pidsMinShare = 0.05;
const transitionMs = 300_000;

type Short = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';
export interface Signal {
  readonly resource: Short;
  readonly thresholdText: string;
  readonly availableText: string;
}

/** Watches memory, disks and processes; when one runs short, room is made, at last by ending a Pod. */
export class Evictor {
  readonly #options: KubeletOptions;
  readonly #lowMs = { memory: -Infinity, disk: -Infinity, pid: -Infinity };

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  /** Pressure lasts five minutes longer than its cause, so that it does not flap. */
  pressure(): Pressure {
    const now = this.#options.clock.nowMs();
    const lately = (sinceMs: number): boolean => now - sinceMs < transitionMs;
    const { memory, disk, pid } = this.#lowMs;
    return { memory: lately(memory), disk: lately(disk), pid: lately(pid) };
  }

  async check(
    machine: Machine,
    workers: readonly PodWorker[],
    freeDisk: () => Promise<void>,
  ): Promise<void> {
    const now = this.#options.clock.nowMs();
    const direct = memorySignal(machine) ?? pidSignal(machine);
    if (direct !== undefined) {
      this.#lowMs[direct.resource === 'memory' ? 'memory' : 'pid'] = now;
      await this.#evictOne(workers, direct);
      return;
    }
    const images = await this.#options.runtime.images.usage();
    const imageShort =
      images.availableBytes < images.capacityBytes * imagefsMinShare ||
      images.inodesFree < images.inodes * inodesMinShare;
    const before = diskSignal(machine);
    if (before === undefined && !imageShort) {
      await this.#checkStorage(workers);
      return;
    }
    this.#lowMs.disk = now;
    await freeDisk();
    const still = diskSignal(await this.#options.runtime.machine());
    if (before !== undefined && still !== undefined) await this.#evictOne(workers, still);
  }

  async #checkStorage(workers: readonly PodWorker[]): Promise<void> {
    for (const worker of workers) {
      if (worker.over) continue;
      const { runtime } = this.#options;
      const message = await overStorageLimit(runtime, worker.pod, worker.volumes);
      if (message !== undefined) this.#evict(worker, message);
    }
  }

  async #evictOne(workers: readonly PodWorker[], signal: Signal): Promise<void> {
    const candidates = await Promise.all(
      workers
        .filter(({ pod, over }) => !over && (pod.spec.priority ?? 0) < 2_000_000_000)
        .map(async (worker) => ({ worker, ...(await this.#usage(worker.pod, signal.resource)) })),
    );
    const victim = candidates.toSorted((a, b) => compare(a, b))[0];
    if (victim === undefined) return;
    const shown = signal.resource;
    const parts = [
      `The node was low on resource: ${shown}. Threshold quantity: ${signal.thresholdText}, available: ${signal.availableText}. `,
      ...victim.containers
        .filter(
          ({ used, request }) =>
            used > request && (shown === 'memory' || shown === 'ephemeral-storage'),
        )
        .map(
          ({ name, used, request }) =>
            `Container ${name} was using ${bytesText(Math.ceil(used / 1024) * 1024)}, request is ${bytesText(request)}, has larger consumption of ${shown}. `,
        ),
    ];
    this.#evict(victim.worker, parts.join(''));
  }

  #evict(worker: PodWorker, message: string): void {
    this.#options.recorder.event(worker.pod, 'Warning', { reason: 'Evicted', message });
    worker.evict({
      phase: 'Failed',
      reason: 'Evicted',
      message,
      // A hard threshold: no grace (the reference gives one second).
      graceSeconds: 1,
      disruption: { reason: 'TerminationByKubelet', message },
    });
  }

  async #usage(pod: Pod, resource: Signal['resource']): Promise<Usage> {
    const { runtime } = this.#options;
    const own = runtime
      .containers()
      .filter(
        ({ spec, state }) => spec.labels[labels.uid] === pod.metadata.uid && state === 'running',
      );
    const containers = await Promise.all(
      own.map(async ({ id, spec }) => {
        const stats = await runtime.containerStats(id);
        const used = usedOf(stats, resource);
        const declared = pod.spec.containers.find(({ name }) => name === spec.name);
        const request = declared === undefined ? 0 : requestOf(declared, resource);
        return { name: spec.name, used, request };
      }),
    );
    const used = containers.reduce((sum, container) => sum + container.used, 0);
    const request = containers.reduce((sum, container) => sum + container.request, 0);
    return { containers, used, request, priority: pod.spec.priority ?? 0 };
  }
}

function memorySignal({ memoryAvailableBytes }: Machine): Signal | undefined {
  if (memoryAvailableBytes >= memoryMinBytes) return undefined;
  const availableText = kibiText(memoryAvailableBytes);
  return { resource: 'memory', thresholdText: '100Mi', availableText };
}

/** The reference leaves this one to whoever sets it; running dry takes the whole machine down. */
function pidSignal({ pids, pidsMax }: Machine): Signal | undefined {
  const threshold = Math.floor(pidsMax * pidsMinShare);
  const left = pidsMax - pids;
  if (left >= threshold) return undefined;
  return { resource: 'pids', thresholdText: String(threshold), availableText: String(left) };
}

function diskSignal(machine: Machine): Signal | undefined {
  const { filesystemBytes, filesystemAvailableBytes } = machine;
  const bytesMin = Math.floor(filesystemBytes * nodefsMinShare);
  if (filesystemAvailableBytes < bytesMin)
    return {
      resource: 'ephemeral-storage',
      thresholdText: String(bytesMin),
      availableText: kibiText(filesystemAvailableBytes),
    };
  const inodesMin = Math.floor(machine.filesystemInodes * inodesMinShare);
  if (machine.filesystemInodesFree >= inodesMin) return undefined;
  return {
    resource: 'inodes',
    thresholdText: String(inodesMin),
    availableText: String(machine.filesystemInodesFree),
  };
}

function usedOf(stats: ContainerStats | undefined, resource: Short): number {
  if (stats === undefined) return 0;
  if (resource === 'memory') return stats.memoryWorkingSetBytes;
  if (resource === 'pids') return stats.pids;
  return stats.rootfsUsedBytes + stats.logsUsedBytes;
}

interface Usage {
  readonly containers: readonly {
    readonly name: string;
    readonly used: number;
    readonly request: number;
  }[];
  readonly used: number;
  readonly request: number;
  readonly priority: number;
}

/** Over its request first, then low priority, then most over (k8s kubelet/eviction rankMemoryPressure). */
export function compare(a: Usage, b: Usage): number {
  const over = Number(b.used > b.request) - Number(a.used > a.request);
  return over || a.priority - b.priority || b.used - b.request - (a.used - a.request);
}
