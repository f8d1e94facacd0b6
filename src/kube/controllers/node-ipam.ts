import { nodes as nodeKind, type Node } from '#kube/kinds';
import { createLoop, type ControllerContext, type Runnable } from './context.ts';

/** Gives each node a range of Pod addresses of its own out of the cluster's. */
export function nodeIpamController(
  context: ControllerContext,
  range: { readonly cidr: string; readonly nodeBits: number },
): Runnable {
  const nodes = context.informers.of<Node>(nodeKind);
  const recorder = context.recorder('cidrAllocator');
  const [base, count] = parse(range.cidr, range.nodeBits);
  const size = 2 ** (32 - range.nodeBits);
  /** Who has which range; a range that was given counts before it is seen back. */
  const owners = new Map<string, string>();
  const ranges = new Map<string, string>();
  const own = (key: string, cidr: string): void => {
    owners.set(cidr, key);
    ranges.set(key, cidr);
  };
  const free = (key: string): void => {
    const cidr = ranges.get(key);
    if (cidr !== undefined && owners.get(cidr) === key) owners.delete(cidr);
    ranges.delete(key);
  };
  return createLoop(context, {
    name: 'node-ipam-controller',
    workers: 1,
    needs: [nodes],
    setup: (queue) => {
      nodes.onChange(({ key, object }) => {
        if (object === undefined) free(key);
        else if (object.spec.podCIDR) own(key, object.spec.podCIDR);
        else queue.add(key);
      });
    },
    reconcile: async (key) => {
      const node = nodes.get(key);
      if (node === undefined || node.spec.podCIDR) return undefined;
      let cidr = ranges.get(key);
      for (let at = 0; at < count && cidr === undefined && owners.size < count; at++) {
        const candidate = `${dotted(base + at * size)}/${range.nodeBits}`;
        if (!owners.has(candidate)) cidr = candidate;
      }
      if (cidr === undefined) {
        recorder.event(node, 'Normal', {
          reason: 'CIDRNotAvailable',
          message: `Node ${key} status is now: CIDRNotAvailable`,
        });
        throw new Error(
          `Cannot give node "${key}" a range: all ${count} of ${range.cidr} are taken`,
        );
      }
      own(key, cidr);
      const body = { spec: { podCIDR: cidr, podCIDRs: [cidr] } };
      await context.api.patch(nodeKind, { name: key }, { type: 'merge', body });
      return undefined;
    },
  });
}

function parse(cidr: string, nodeBits: number): readonly [number, number] {
  const [address = '', bits = ''] = cidr.split('/');
  const base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return [base, 2 ** (nodeBits - Number(bits))];
}

export function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
