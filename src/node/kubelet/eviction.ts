import type { Pod } from '#kube/kinds';
import type { Machine } from '#node/runtime';
import { requestOf } from './limits.ts';
import type { KubeletOptions } from './options.ts';
import type { PodWorker } from './pod-worker.ts';
import { labels } from './pod-view.ts';
import { bytesText } from './quantity.ts';

const memoryMinBytes = 100 * 1024 * 1024;
const nodefsMinShare = 0.1;
const imagefsMinShare = 0.15;
const transitionMs = 300_000;

export interface Signal {
  readonly resource: 'memory' | 'ephemeral-storage';
  readonly thresholdText: string;
  readonly availableBytes: number;
}

/** Watches memory and disk; when one runs short, room is made, at last by ending a Pod. */
export class Evictor {
  readonly #options: KubeletOptions;
  #memoryLowMs = Number.NEGATIVE_INFINITY;
  #diskLowMs = Number.NEGATIVE_INFINITY;

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  /** Pressure lasts five minutes longer than its cause, so that it does not flap. */
  pressure(): { readonly memory: boolean; readonly disk: boolean; readonly pid: boolean } {
    const now = this.#options.clock.nowMs();
    return {
      memory: now - this.#memoryLowMs < transitionMs,
      disk: now - this.#diskLowMs < transitionMs,
      pid: false,
    };
  }

  async check(
    machine: Machine,
    workers: readonly PodWorker[],
    freeDisk: () => Promise<void>,
  ): Promise<void> {
    const now = this.#options.clock.nowMs();
    if (machine.memoryAvailableBytes < memoryMinBytes) {
      this.#memoryLowMs = now;
      const signal: Signal = {
        resource: 'memory',
        thresholdText: '100Mi',
        availableBytes: machine.memoryAvailableBytes,
      };
      await this.#evictOne(workers, signal);
      return;
    }
    const images = await this.#options.runtime.images.usage();
    const nodeShort = machine.filesystemAvailableBytes < machine.filesystemBytes * nodefsMinShare;
    const imageShort = images.availableBytes < images.capacityBytes * imagefsMinShare;
    if (!nodeShort && !imageShort) {
      await this.#checkVolumes(workers);
      return;
    }
    this.#diskLowMs = now;
    await freeDisk();
    const after = await this.#options.runtime.machine();
    const enough = after.filesystemAvailableBytes >= after.filesystemBytes * nodefsMinShare;
    if (!nodeShort || enough) return;
    await this.#evictOne(workers, {
      resource: 'ephemeral-storage',
      thresholdText: String(Math.floor(machine.filesystemBytes * nodefsMinShare)),
      availableBytes: after.filesystemAvailableBytes,
    });
  }

  async #checkVolumes(workers: readonly PodWorker[]): Promise<void> {
    for (const worker of workers) {
      if (worker.over) continue;
      const message = await worker.volumes.overLimit(worker.pod);
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
      `The node was low on resource: ${shown}. Threshold quantity: ${signal.thresholdText}, available: ${bytesText(Math.floor(signal.availableBytes / 1024) * 1024)}. `,
      ...victim.containers
        .filter(({ used, request }) => used > request)
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
        const used =
          resource === 'memory'
            ? (stats?.memoryWorkingSetBytes ?? 0)
            : (stats?.rootfsUsedBytes ?? 0) + (stats?.logsUsedBytes ?? 0);
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
