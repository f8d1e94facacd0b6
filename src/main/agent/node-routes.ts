import type { Logger } from '#base';
import type { Informer } from '#client';
import { runCommand } from '#io';
import type { Node } from '#kube/kinds';

/** Keeps a route to every other node's Pods, by its address on the cluster's bridge. */
export async function keepNodeRoutes(options: {
  readonly nodes: Informer<Node>;
  /** The node we are on; undefined on the host in front of the nodes. */
  readonly own: string | undefined;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}): Promise<void> {
  const { nodes, own, signal, logger } = options;
  const known = new Map<string, string>();
  let turn = Promise.resolve();
  const apply = async (): Promise<void> => {
    const lines: string[] = [];
    for (const node of nodes.list()) {
      const address = node.status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
      const range = node.spec.podCIDR;
      if (
        node.metadata.name === own ||
        address === undefined ||
        range === undefined ||
        range === ''
      )
        continue;
      if (known.get(range) === address) continue;
      known.set(range, address);
      lines.push(`route replace ${range} via ${address}`);
    }
    if (lines.length === 0) return;
    try {
      await runCommand(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
    } catch (error) {
      known.clear();
      logger.error('Cannot set routes to other nodes', { error });
    }
  };
  const stop = nodes.onChange(() => {
    turn = turn.then(apply);
  });
  await new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  stop();
  await turn;
}
