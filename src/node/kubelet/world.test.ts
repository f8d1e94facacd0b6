/** A kubelet on a machine in memory and an API in memory, moved by a clock of ours. */
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import type { FakeApi } from '#client';
import type { Pod } from '#kube/kinds';
import { createSimClock, seededRandom } from '#sim';
import type { SimClock } from '#sim';
import { FakeFiles } from './fake-files.ts';
import { withStrategicPatches } from './fake-strategic.ts';
import type { PatchHooks } from './fake-strategic.ts';
import { FakeRuntime } from './fake-runtime.ts';
import type { FakeRuntimeOptions } from './fake-runtime.ts';
import { createKubelet } from './kubelet.ts';
import type { Kubelet, KubeletOptions } from './options.ts';
import { pods } from './resources.ts';

export interface World {
  readonly clock: SimClock;
  readonly api: FakeApi;
  readonly runtime: FakeRuntime;
  readonly files: FakeFiles;
  readonly kubelet: Kubelet;
  readonly events: string[];
  readonly patches: PatchHooks;
  /** Another agent on the same machine. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function world(
  runtimeOptions: Partial<FakeRuntimeOptions> = {},
  options: Partial<KubeletOptions> = {},
): Promise<World> {
  const clock = createSimClock();
  const random = seededRandom(1);
  const patches: PatchHooks = {};
  const api = withStrategicPatches(createFakeApi({ clock, random }), patches);
  const runtime = new FakeRuntime({ clock, ...runtimeOptions });
  const files = new FakeFiles();
  const events: string[] = [];
  const kubeletOptions: KubeletOptions = {
    api,
    runtime,
    clock,
    random,
    logger: process.env['LOG']
      ? { ...silentLogger, warn: (m, f) => console.log(m, f) }
      : silentLogger,
    createInformer,
    recorder: {
      event: (_object, _type, { reason, message }) => void events.push(`${reason}: ${message}`),
    },
    files,
    net: {
      http: () => Promise.reject(new Error('no network')),
      tcp: () => Promise.reject(new Error('no network')),
      grpc: () => Promise.reject(new Error('no network')),
    },
    nodeName: 'n1',
    nodeIp: '192.168.0.1',
    version: 'v1.36.2+tandem',
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    dirs: { pods: '/pods', memory: '/memory', logs: '/logs' },
    resolvConf: 'nameserver 1.1.1.1\n',
    authorize: () => true,
    ...options,
  };
  let kubelet = createKubelet(kubeletOptions);
  let stopping = new AbortController();
  let running = kubelet.run(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('stopped'));
    await clock.settle();
    await running;
  };
  await clock.advance(100);
  return {
    clock,
    api,
    runtime,
    files,
    get kubelet() {
      return kubelet;
    },
    events,
    patches,
    async restart() {
      await stop();
      kubelet = createKubelet(kubeletOptions);
      stopping = new AbortController();
      running = kubelet.run(stopping.signal);
      await clock.advance(100);
    },
    stop,
  };
}

export type Spec = Partial<Pod['spec']>;
export async function createPod(api: FakeApi, name: string, spec: Spec = {}): Promise<void> {
  await api.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', generation: 1 },
    spec: {
      nodeName: 'n1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      containers: [{ name: 'c', image: 'app', resources: {} }],
      ...spec,
    },
    status: { phase: 'Pending' },
  });
}
export function read(api: FakeApi, name: string): Promise<Pod> {
  return api.get(pods, { namespace: 'default', name });
}
