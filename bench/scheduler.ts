/**
 * The scheduler's core on 5,000 nodes: Pods created to bound, with the real pool and an API in
 * memory, so that no store and no wire is measured. One JSON line per case.
 *
 * Usage: node bench/scheduler.ts [--nodes N] [--pods N]
 */
import { parseArgs } from 'node:util';
import { createRecorder, keyOf } from '#client';
import { systemClock } from '#io';
import { nodes as nodeKind, pods as podKind, type Node, type Pod } from '#kube/kinds';
import { createScheduler } from '#kube/scheduler';
import type { Api, KubeObject, ListResult, ResourceName, WatchEvent } from '#machinery';
import { createPool } from '#pool';
import { seededRandom } from '#sim';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '5000' },
    pods: { type: 'string', default: '10000' },
  },
});
const nodeCount = Number(values.nodes);
const podCount = Number(values.pods);
const zones = 3;

/** Lists what is there and then passes on what is pushed; writes are the bench's own. */
class BenchApi {
  readonly lists = new Map<string, KubeObject[]>();
  readonly #push = new Map<string, (events: readonly WatchEvent<KubeObject>[]) => void>();
  version = 1;

  list(resource: ResourceName): ListResult<KubeObject> {
    return { items: this.lists.get(resource.plural) ?? [], resourceVersion: String(this.version) };
  }

  async *watch(resource: ResourceName, signal: AbortSignal) {
    let waiting: (readonly WatchEvent<KubeObject>[])[] = [];
    let wake = (): void => undefined;
    this.#push.set(resource.plural, (events) => {
      waiting.push(events);
      wake();
    });
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      const batches = waiting;
      waiting = [];
      yield* batches;
      if (waiting.length === 0 && !signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }

  push(plural: string, events: readonly WatchEvent<KubeObject>[]): void {
    this.#push.get(plural)?.(events);
  }

  asApi(): Api {
    return {
      list: async (resource: ResourceName) => this.list(resource),
      watch: (resource: ResourceName, { signal }: { signal: AbortSignal }) =>
        this.watch(resource, signal),
      create: async (_resource: ResourceName, object: KubeObject) => object,
      update: async (_resource: ResourceName, object: KubeObject) => object,
      patch: async () => ({}),
    } as unknown as Api;
  }
}

function node(at: number): Node {
  const name = `node-${at}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: name,
      resourceVersion: String(at + 1),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {
        'kubernetes.io/hostname': name,
        'topology.kubernetes.io/zone': `zone-${at % zones}`,
      },
    },
    spec: {},
    status: {},
  } as unknown as Node;
}

function pod(name: string, extra: object): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'bench',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'bench' },
    },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'registry.k8s.io/pause:3.10',
          resources: { requests: { cpu: '100m', memory: '500Mi' } },
        },
      ],
      schedulerName: 'default-scheduler',
      ...extra,
    },
    status: { phase: 'Pending' },
  } as unknown as Pod;
}

const byHost = { topologyKey: 'kubernetes.io/hostname' };
const labelSelector = { matchLabels: { app: 'bench' } };
const cases: readonly { name: string; pods: number; extra: object }[] = [
  { name: 'plain', pods: podCount, extra: {} },
  {
    name: 'required anti-affinity on hostname',
    pods: Math.min(podCount, nodeCount),
    extra: {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ ...byHost, labelSelector }],
        },
      },
    },
  },
  {
    name: 'spread over zones',
    pods: podCount,
    extra: {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'topology.kubernetes.io/zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector,
        },
      ],
    },
  },
  {
    name: 'preferred spread over nodes and zones',
    pods: podCount,
    extra: {
      topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map(
        (topologyKey) => ({
          maxSkew: 3,
          topologyKey,
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector,
        }),
      ),
    },
  },
];

async function run(one: (typeof cases)[number]): Promise<void> {
  const api = new BenchApi();
  const pool = createPool();
  const all = Array.from({ length: nodeCount }, (_, at) => node(at));
  api.lists.set(nodeKind.plural, all);
  for (const { metadata } of all)
    pool.setNode({
      name: metadata.name,
      amounts: { cpu: 32_000, memory: 64 * 2 ** 30, pods: 110 },
    });
  const clock = systemClock;
  const done = Promise.withResolvers<void>();
  let bound = 0;
  const recorder = createRecorder({ api: api.asApi(), clock, component: 'bench', style: 'events' });
  const scheduler = createScheduler({
    api: api.asApi(),
    pool,
    clock,
    random: seededRandom(1),
    recorder,
    bindMany: async (bindings) => {
      const verdicts = pool.commit(bindings.map(({ claim }) => claim));
      const events = bindings.map(({ pod: { ...pod }, node }, at) => {
        if (verdicts[at]?.ok !== true) throw new Error(`Cannot bind ${keyOf(pod)}`);
        const metadata = { ...pod.metadata, resourceVersion: String(++api.version) };
        const object = { ...pod, metadata, spec: { ...pod.spec, nodeName: node } };
        return { type: 'MODIFIED' as const, object };
      });
      api.push(podKind.plural, events);
      bound += bindings.length;
      if (bound === one.pods) done.resolve();
      return verdicts;
    },
  });
  const stop = new AbortController();
  const running = scheduler.run(stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const made = Array.from({ length: one.pods }, (_, at) => pod(`p-${at}`, one.extra));
  const startMs = clock.monotonicMs();
  for (let at = 0; at < made.length; at += 500)
    api.push(
      podKind.plural,
      made.slice(at, at + 500).map((object) => ({ type: 'ADDED' as const, object })),
    );
  await done.promise;
  const seconds = (clock.monotonicMs() - startMs) / 1000;
  pool.check();
  stop.abort();
  await running;
  console.log(
    JSON.stringify({
      bench: 'scheduler core',
      case: one.name,
      nodes: nodeCount,
      pods: one.pods,
      podsPerSecond: Math.round(one.pods / seconds),
    }),
  );
}

for (const one of cases) await run(one);
