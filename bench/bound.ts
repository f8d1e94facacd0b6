/** Pods from their creation to their binding through the whole server, over hollow nodes. */
import { PlainConnection, sendAll, type Endpoint } from './client.ts';
import { createPods, startServer, untilServiceAccount } from './cluster.ts';
import { hollowLease, hollowNode } from './hollow-object.ts';
import type { Reading } from './line.ts';

const nodeCount = 5000;
const boundMsMax = 120_000;
/** Half of what a node's lease may be old. */
const renewMs = 20_000;
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

export async function createToBound(options: {
  readonly count: number;
  readonly extra?: Readonly<Record<string, unknown>>;
}) {
  await using server = await startServer();
  const { endpoint } = server;
  await untilServiceAccount(endpoint);
  await createNodes(endpoint);
  const stop = keepLeases(endpoint);
  const watch = await watchBound(endpoint, options.count);
  const startMs = performance.now();
  try {
    const created = await createPods(endpoint, options);
    await watch.all;
    const seconds = (performance.now() - startMs) / 1000;
    const bound: Reading = {
      value: Math.round(options.count / seconds),
      details: { nodes: nodeCount, pods: options.count, createsPerSecond: created.perSecond },
    };
    return { bound };
  } finally {
    watch.close();
    await stop();
  }
}

async function createNodes(endpoint: Endpoint): Promise<void> {
  await sendAll(endpoint, {
    count: nodeCount,
    request: (index) => ({
      method: 'POST',
      path: '/api/v1/nodes',
      body: JSON.stringify(hollowNode(index)),
    }),
  });
  await sendAll(endpoint, {
    count: nodeCount,
    request: (index) => ({
      method: 'POST',
      path: leases,
      body: JSON.stringify(hollowLease(`hollow-${index}`)),
    }),
  });
}

/** Renews every lease in turn, spread over the time they have. */
function keepLeases(endpoint: Endpoint): () => Promise<void> {
  let stopped = false;
  const running = (async () => {
    const connection = await PlainConnection.open(endpoint);
    const batch = 100;
    for (let at = 0; !stopped; at = (at + batch) % nodeCount) {
      for (let index = at; index < at + batch && !stopped; index++)
        await connection.send({
          method: 'PATCH',
          path: `${leases}/hollow-${index}`,
          contentType: 'application/merge-patch+json',
          body: JSON.stringify({ spec: hollowLease('').spec }),
        });
      await new Promise((resolve) => setTimeout(resolve, (renewMs * batch) / nodeCount));
    }
    connection.close();
  })();
  return async () => {
    stopped = true;
    await running;
  };
}

interface BoundWatch {
  readonly all: Promise<void>;
  close(): void;
}

/** Counts Pods that have a node, by their names in the bytes of a watch. */
async function watchBound(endpoint: Endpoint, count: number): Promise<BoundWatch> {
  const connection = await PlainConnection.open(endpoint);
  const done = Promise.withResolvers<void>();
  const bound = new Set<string>();
  let rest = '';
  connection.stream('/api/v1/namespaces/default/pods?watch=1', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.includes('"nodeName":"')) continue;
      const name = /"name":"(p-\d+)"/.exec(line)?.[1];
      if (name !== undefined) bound.add(name);
    }
    if (bound.size >= count) done.resolve();
  });
  const late = setTimeout(
    () => done.reject(new Error(`${bound.size} of ${count} Pods were bound in time`)),
    boundMsMax,
  );
  return {
    all: done.promise,
    close: () => {
      clearTimeout(late);
      connection.close();
    },
  };
}
