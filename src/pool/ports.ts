import type { HostPort } from './pool.ts';

/** One port of one owner on a node. */
export interface PortHolder extends HostPort {
  readonly owner: string;
}

/** The first holder that keeps `wanted` from its port; an owner is never in its own way. */
export function portConflict(
  holders: readonly PortHolder[],
  wanted: HostPort,
  owner: string,
): PortHolder | undefined {
  for (const holder of holders) {
    if (holder.port !== wanted.port || holder.owner === owner) continue;
    if (protocolOf(holder) !== protocolOf(wanted)) continue;
    if (isEvery(holder.address) || isEvery(wanted.address) || holder.address === wanted.address)
      return holder;
  }
  return undefined;
}

export function samePorts(left: readonly HostPort[], right: readonly HostPort[]): boolean {
  if (left.length !== right.length) return false;
  if (left.length === 0) return true;
  const keys = left.map(portText).toSorted(byText);
  const others = right.map(portText).toSorted(byText);
  return keys.every((key, index) => key === others[index]);
}

export function portText(port: HostPort): string {
  const address = isEvery(port.address) ? '0.0.0.0' : port.address;
  return `${address}:${port.port}/${protocolOf(port)}`;
}

// As the reference's scheduler: '' and 0.0.0.0 are every address, no protocol is TCP
// (kubernetes/kubernetes:pkg/scheduler/framework/types.go, HostPortInfo).
function isEvery(address: string): boolean {
  return address === '' || address === '0.0.0.0';
}

function protocolOf(port: HostPort): string {
  return port.protocol === '' ? 'TCP' : port.protocol;
}

export function byText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
