import type { Resource } from '#mesos/protocol';
import { Holdings, thousandthsOf } from '../core/holdings.ts';
import { megabyte } from '../core/node-facts.ts';
import { addRanges, rangesText, type Ranges } from '../core/ranges.ts';

export interface PodAmounts {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/**
 * Resources of tasks and executors as a container's requests and limits. Memory is a hard limit in
 * Mesos, CPU a share unless a limit is said; `limits` of a task may raise both, to no limit at all.
 */
export function amountsOf(
  resources: readonly Resource[],
  limits: Readonly<Record<string, { readonly value: number }>> = {},
): PodAmounts {
  // Volumes and disks of their own are not of the node's one account.
  const sums = Holdings.of(resources.filter(({ disk }) => disk === undefined)).quantities();
  const requests: Record<string, string> = {};
  const bounds: Record<string, string> = {};
  const { cpus = 0, mem = 0, disk = 0, gpus = 0 } = sums;
  if (cpus > 0) requests['cpu'] = cpuText(cpus);
  if (mem > 0) requests['memory'] = bytesText(mem);
  if (disk > 0) requests['ephemeral-storage'] = bytesText(disk);
  if (gpus > 0) {
    requests['nvidia.com/gpu'] = String(Math.ceil(gpus / 1000));
    bounds['nvidia.com/gpu'] = requests['nvidia.com/gpu'];
  }
  const cpuLimit = limits['cpus']?.value;
  if (cpuLimit !== undefined && Number.isFinite(cpuLimit))
    bounds['cpu'] = cpuText(thousandthsOf(cpuLimit));
  const memoryLimit = limits['mem']?.value;
  if (memoryLimit === undefined && mem > 0) bounds['memory'] = bytesText(mem);
  else if (memoryLimit !== undefined && Number.isFinite(memoryLimit))
    bounds['memory'] = bytesText(thousandthsOf(memoryLimit));
  return { requests, limits: bounds };
}

function cpuText(thousandths: number): string {
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}

/** Thousandths of a megabyte. */
function bytesText(thousandths: number): string {
  if (thousandths % 1000 === 0) return `${thousandths / 1000}Mi`;
  return String(Math.ceil((thousandths * megabyte) / 1000));
}

/** All ports in these resources, reserved ones too. */
export function portsOf(resources: readonly Resource[]): Ranges {
  let ports: Ranges = [];
  for (const { name, ranges } of resources)
    if (name === 'ports') ports = addRanges(ports, ranges?.range ?? []);
  return ports;
}

/** For the held-ports annotation; undefined when there are none. */
export function heldPorts(resources: readonly Resource[]): string | undefined {
  const ports = portsOf(resources);
  return ports.length === 0 ? undefined : rangesText(ports);
}
