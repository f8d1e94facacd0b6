import type { Node } from '#kube/kinds';
import { matchesTolerations, untoleratedTaint } from '#kube/kinds';
import type { HostPort } from '#pool';
import { wantsNode } from './node-match.ts';
import type { NodeTable } from './nodes.ts';
import type { Shape } from './shape.ts';

/** Judges one node for one shape by what rarely changes: labels, taints, the node's spec. */
export interface NodeFilter {
  readonly plugin: string;
  readonly reason: string;
  passes(shape: Shape, node: Node): boolean;
}

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** In the reference's order; a node is counted under the first that refuses it. None of them can be helped by preemption. */
export const nodeFilters: readonly NodeFilter[] = [
  {
    plugin: 'NodeUnschedulable',
    reason: 'node(s) were unschedulable',
    passes: ({ example }, node) =>
      node.spec.unschedulable !== true ||
      matchesTolerations(example.spec.tolerations, unschedulableTaint),
  },
  {
    plugin: 'NodeName',
    reason: "node(s) didn't match the requested node name",
    passes: ({ nodeName }, node) => nodeName === '' || nodeName === node.metadata.name,
  },
  {
    plugin: 'TaintToleration',
    reason: 'node(s) had untolerated taint(s)',
    passes: ({ example }, node) =>
      untoleratedTaint(node.spec.taints, example.spec.tolerations, ['NoSchedule', 'NoExecute']) ===
      undefined,
  },
  {
    plugin: 'NodeAffinity',
    reason: "node(s) didn't match Pod's node affinity/selector",
    passes: ({ wishes }, node) => wantsNode(wishes, node),
  },
];

/** Judges a row by the room on it. */
export interface RoomFilter {
  readonly plugin: string;
  passes(shape: Shape, table: NodeTable, row: number): boolean;
  reasons(shape: Shape, table: NodeTable, row: number): readonly string[];
}

export const roomFilters: readonly RoomFilter[] = [
  {
    plugin: 'NodePorts',
    passes: ({ ports }, table, row) =>
      ports.length === 0 || !ports.some((port) => portTaken(port, table.ports[row] ?? [])),
    reasons: () => ["node(s) didn't have free ports for the requested pod ports"],
  },
  {
    plugin: 'NodeResourcesFit',
    passes: ({ amounts }, table, row) => {
      for (const name in amounts) {
        const wanted = amounts[name] ?? 0;
        if (wanted > 0 && wanted > (table.free(name)[row] ?? 0)) return false;
      }
      return true;
    },
    reasons: ({ amounts }, table, row) =>
      Object.keys(amounts)
        .filter(
          (name) => (amounts[name] ?? 0) > 0 && (amounts[name] ?? 0) > (table.free(name)[row] ?? 0),
        )
        .map((name) => (name === 'pods' ? 'Too many pods' : `Insufficient ${name}`)),
  },
];

function portTaken(wanted: HostPort, taken: readonly HostPort[]): boolean {
  return taken.some(
    ({ protocol, address, port }) =>
      port === wanted.port &&
      protocol === wanted.protocol &&
      (address === wanted.address || isAny(address) || isAny(wanted.address)),
  );
}

function isAny(address: string): boolean {
  return address === '' || address === '0.0.0.0';
}
