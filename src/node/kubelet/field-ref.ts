import type { Container, Pod } from '#kube/kinds';
import { ConfigError } from './errors.ts';
import { isSidecar } from './limits.ts';
import { amountOf, milliOf } from './quantity.ts';

export interface NodeFacts {
  readonly nodeIp: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** What the node offers to Pods: the value of a limit that is not set. */
  readonly allocatable: { readonly memoryBytes: number; readonly ephemeralBytes: number };
}

/** The value of a downward API field, for variables and for files. */
export function fieldValue(
  pod: Pod,
  path: string,
  context: { readonly podIp: string; readonly nodeIp: string },
): string {
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed !== null)
    return pod.metadata[keyed[1] === 'labels' ? 'labels' : 'annotations']?.[keyed[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'metadata.labels':
      return mapText(pod.metadata.labels ?? {});
    case 'metadata.annotations':
      return mapText(pod.metadata.annotations ?? {});
    case 'spec.nodeName':
      return pod.spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return context.nodeIp;
    case 'status.podIP':
    case 'status.podIPs':
      return context.podIp;
    default:
      throw new ConfigError(`unsupported fieldPath: ${path}`);
  }
}

/** `key="escaped value"` a line, sorted (k8s fieldpath.FormatMap). */
function mapText(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .toSorted()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');
}

/** A limit or request in units of its divisor, rounded up. A limit not set is the node's own. */
export function resourceValue(
  pod: Pod,
  container: Container,
  options: {
    readonly selector: {
      readonly containerName?: string | undefined;
      readonly resource: string;
      readonly divisor?: unknown;
    };
    readonly node: NodeFacts;
  },
): string {
  const { selector, node } = options;
  const named = selector.containerName ?? '';
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  const of =
    named === ''
      ? container
      : [...all, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === named);
  if (of === undefined) throw new ConfigError(`container ${named} not found`);
  const [kind, ...rest] = selector.resource.split('.');
  const name = rest.join('.');
  const divisorText = typeof selector.divisor === 'string' ? selector.divisor : '0';
  const isCpu = name === 'cpu';
  const read = isCpu ? milliOf : amountOf;
  const text = kind === 'limits' ? of.resources?.limits?.[name] : of.resources?.requests?.[name];
  const fallback = kind === 'limits' ? nodeAmount(node, name) : 0;
  const value = text === undefined ? fallback : read(text);
  const divisor = amountOf(divisorText) === 0 ? read('1') : read(divisorText);
  return String(Math.ceil(value / divisor));
}

function nodeAmount(node: NodeFacts, name: string): number {
  if (name === 'cpu') return node.cpuMillis;
  if (name === 'memory') return node.allocatable.memoryBytes;
  return name === 'ephemeral-storage' ? node.allocatable.ephemeralBytes : 0;
}
