import type { FaceReply } from '#base';
import type { Pod } from '#kube/kinds';
import type { Container, ContainerStats } from '#node/runtime';
import { text } from './face-call.ts';
import type { FaceContext } from './face-call.ts';
import { labels } from './pod-view.ts';
import { timeText } from './quantity.ts';

interface Sample {
  readonly pod: Pod;
  readonly container: Container;
  readonly stats: ContainerStats;
}

/** /stats/summary and /metrics: read from cgroups when asked, never between. */
export class Stats {
  readonly #context: FaceContext;
  readonly #before = new Map<string, { readonly atMs: number; readonly cpuNanos: number }>();

  constructor(context: FaceContext) {
    this.#context = context;
  }

  async #samples(): Promise<readonly Sample[]> {
    const { runtime } = this.#context.options;
    const pods = new Map(this.#context.pods().map((pod) => [pod.metadata.uid, pod]));
    const found: Sample[] = [];
    for (const container of runtime.containers()) {
      const pod = pods.get(container.spec.labels[labels.uid] ?? '');
      if (pod === undefined || container.state !== 'running') continue;
      const stats = await runtime.containerStats(container.id);
      if (stats !== undefined) found.push({ pod, container, stats });
    }
    return found;
  }

  async summary(): Promise<unknown> {
    const { options } = this.#context;
    const machine = await options.runtime.machine();
    const images = await options.runtime.images.usage();
    const nowMs = options.clock.nowMs();
    const byPod = new Map<Pod, Sample[]>();
    for (const sample of await this.#samples())
      byPod.set(sample.pod, [...(byPod.get(sample.pod) ?? []), sample]);
    const time = timeText(nowMs);
    const used = machine.memoryBytes - machine.memoryAvailableBytes;
    const fs = {
      time,
      availableBytes: machine.filesystemAvailableBytes,
      capacityBytes: machine.filesystemBytes,
      usedBytes: machine.filesystemBytes - machine.filesystemAvailableBytes,
    };
    return {
      node: {
        nodeName: options.nodeName,
        startTime: time,
        cpu: {
          time,
          ...this.#rate('node', nowMs, machine.cpuNanos),
          usageCoreNanoSeconds: machine.cpuNanos,
        },
        memory: {
          time,
          availableBytes: machine.memoryAvailableBytes,
          usageBytes: used,
          workingSetBytes: used,
        },
        fs,
        runtime: { imageFs: { time, ...images } },
      },
      pods: [...byPod].map(([pod, samples]) => this.#podStats(pod, samples)),
    };
  }

  #podStats(pod: Pod, samples: readonly Sample[]): unknown {
    const sum = (of: (stats: ContainerStats) => number): number =>
      samples.reduce((total, { stats }) => total + of(stats), 0);
    const { name, namespace, uid } = pod.metadata;
    const time = timeText(this.#context.options.clock.nowMs());
    const cpu = sum(({ cpuNanos }) => cpuNanos);
    const nowMs = this.#context.options.clock.nowMs();
    return {
      podRef: { name, namespace, uid },
      startTime: pod.status.startTime ?? time,
      containers: samples.map(({ container, stats }) => ({
        name: container.spec.name,
        startTime: timeText(container.startedMs ?? container.createdMs),
        cpu: {
          time: timeText(stats.atMs),
          ...this.#rate(container.id, stats.atMs, stats.cpuNanos),
          usageCoreNanoSeconds: stats.cpuNanos,
        },
        memory: {
          time: timeText(stats.atMs),
          usageBytes: stats.memoryUsageBytes,
          workingSetBytes: stats.memoryWorkingSetBytes,
          rssBytes: stats.memoryRssBytes,
        },
        rootfs: { time, usedBytes: stats.rootfsUsedBytes },
        logs: { time, usedBytes: stats.logsUsedBytes },
      })),
      cpu: { time, ...this.#rate(uid, nowMs, cpu), usageCoreNanoSeconds: cpu },
      memory: {
        time,
        usageBytes: sum(({ memoryUsageBytes }) => memoryUsageBytes),
        workingSetBytes: sum(({ memoryWorkingSetBytes }) => memoryWorkingSetBytes),
        rssBytes: sum(({ memoryRssBytes }) => memoryRssBytes),
      },
      process_stats: { process_count: sum(({ pids }) => pids) },
    };
  }

  /** Cores in use since it was last asked; nothing the first time. */
  #rate(key: string, atMs: number, cpuNanos: number): { usageNanoCores?: number } {
    const before = this.#before.get(key);
    this.#before.set(key, { atMs, cpuNanos });
    if (this.#before.size > 4096) this.#before.clear();
    if (before === undefined || atMs <= before.atMs) return {};
    const nanos = ((cpuNanos - before.cpuNanos) / (atMs - before.atMs)) * 1000;
    return { usageNanoCores: Math.max(0, Math.round(nanos)) };
  }

  async metrics(kind: string | undefined): Promise<FaceReply> {
    if (kind !== undefined && !['resource', 'cadvisor', 'probes', ''].includes(kind))
      return text(404, '404 page not found');
    const lines = kind === 'probes' ? [] : await this.#resourceLines();
    if (kind === undefined || kind === '') lines.push(...this.#ownLines());
    return {
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
      body: Buffer.from(lines.map((line) => `${line}\n`).join('')),
    };
  }

  async #resourceLines(): Promise<string[]> {
    const machine = await this.#context.options.runtime.machine();
    const samples = await this.#samples();
    const used = machine.memoryBytes - machine.memoryAvailableBytes;
    const of = ({ pod, container }: Sample): string =>
      `{container="${container.spec.name}",namespace="${pod.metadata.namespace}",pod="${pod.metadata.name}"}`;
    return [
      '# TYPE container_cpu_usage_seconds_total counter',
      ...samples.map(
        (sample) =>
          `container_cpu_usage_seconds_total${of(sample)} ${sample.stats.cpuNanos / 1e9} ${sample.stats.atMs}`,
      ),
      '# TYPE container_memory_working_set_bytes gauge',
      ...samples.map(
        (sample) =>
          `container_memory_working_set_bytes${of(sample)} ${sample.stats.memoryWorkingSetBytes} ${sample.stats.atMs}`,
      ),
      '# TYPE container_start_time_seconds gauge',
      ...samples.map(
        (sample) =>
          `container_start_time_seconds${of(sample)} ${(sample.container.startedMs ?? 0) / 1000}`,
      ),
      '# TYPE node_cpu_usage_seconds_total counter',
      `node_cpu_usage_seconds_total ${machine.cpuNanos / 1e9}`,
      '# TYPE node_memory_working_set_bytes gauge',
      `node_memory_working_set_bytes ${used}`,
      '# TYPE resource_scrape_error gauge',
      'resource_scrape_error 0',
    ];
  }

  #ownLines(): string[] {
    const { runtime } = this.#context.options;
    const states = new Map<string, number>();
    for (const { state } of runtime.containers()) states.set(state, (states.get(state) ?? 0) + 1);
    const ready = runtime.sandboxes().filter(({ state }) => state === 'ready').length;
    return [
      '# TYPE kubelet_running_containers gauge',
      ...[...states].map(
        ([state, count]) => `kubelet_running_containers{container_state="${state}"} ${count}`,
      ),
      '# TYPE kubelet_running_pods gauge',
      `kubelet_running_pods ${ready}`,
    ];
  }
}
