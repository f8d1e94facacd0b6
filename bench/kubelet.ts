/**
 * What the kubelet itself adds between a bound Pod and its status Running, over a runtime and an API
 * in memory: `node bench/kubelet.ts [--pods N]`. The fake runtime takes 7 ms for sandbox and container.
 */
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import { systemClock, systemProbeNet, systemRandom } from '#io';
import { createKubelet } from '#node/kubelet';
import { FakeFiles } from '../src/node/kubelet/fake-files.ts';
import { FakeRuntime } from '../src/node/kubelet/fake-runtime.ts';
import { withStrategicPatches } from '../src/node/kubelet/fake-strategic.ts';
import { pods } from '../src/node/kubelet/resources.ts';
import { percentiles, report, round } from './harness.ts';

const at = process.argv.indexOf('--pods');
const count = at < 0 ? 100 : Number(process.argv[at + 1]);
const clock = systemClock;
const random = systemRandom;
const api = withStrategicPatches(createFakeApi({ clock, random }));
const stop = new AbortController();
const kubelet = createKubelet({
  api,
  runtime: new FakeRuntime({ clock }),
  clock,
  random,
  logger: silentLogger,
  createInformer,
  recorder: { event: () => undefined },
  files: new FakeFiles(),
  net: systemProbeNet,
  nodeName: 'n1',
  nodeIp: '127.0.0.1',
  version: 'v1.36.2',
  clusterDns: '10.96.0.10',
  clusterDomain: 'cluster.local',
  dirs: { pods: '/pods', memory: '/memory', logs: '/logs' },
  authorize: () => true,
});
const running = kubelet.run(stop.signal);
await kubelet.registered;

async function untilRunning(name: string): Promise<number> {
  const startMs = performance.now();
  const created = await api.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'app', resources: {} }] },
    status: { phase: 'Pending' },
  });
  const watch = api.watch(pods, {
    namespace: 'default',
    fieldSelector: `metadata.name=${name}`,
    resourceVersion: created.metadata.resourceVersion,
    signal: stop.signal,
  });
  for await (const events of watch)
    if (events.some(({ object }) => object.status.phase === 'Running')) break;
  return performance.now() - startMs;
}

const single: number[] = [];
for (let index = 0; index < count; index++) single.push(await untilRunning(`one-${index}`));
const startMs = performance.now();
await Promise.all(Array.from({ length: count }, (_, index) => untilRunning(`many-${index}`)));
const seconds = (performance.now() - startMs) / 1000;
const latencyMs = percentiles(single);
report('kubelet', [
  {
    what: 'bound Pod to status Running, kubelet alone (runtime 7 ms), p50',
    value: latencyMs.p50,
    unit: 'ms',
    budget: { atMost: 30 },
    details: { latencyMs },
  },
  {
    what: `Pods of one container started, ${count} at once, kubelet alone`,
    value: round(count / seconds),
    unit: '/s',
    budget: { atLeast: 200 },
  },
]);
stop.abort(new Error('done'));
await running;
process.exit(0);
