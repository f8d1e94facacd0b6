import { createFakeApi } from '#client';
import { configMaps, deployments, pods, replicaSets, serviceAccounts, type Pod } from '#kube/kinds';
import type { KubeObject, ResourceName } from '#machinery';
import { createSimClock, seededRandom } from '#sim';
import { createControllers } from './controllers.ts';

/** All controllers over an API in memory, with a clock that tests move. */
export function world(
  options: { readonly podRange?: { readonly cidr: string; readonly nodeBits: number } } = {},
) {
  const clock = createSimClock();
  const random = seededRandom(1);
  const api = createFakeApi({ clock, random });
  const stop = new AbortController();
  const all = createControllers({
    ...options,
    api,
    clock,
    random,
    rootCaPem: 'CA',
    loadBalancerRange: { first: '10.9.0.10', last: '10.9.0.11' },
    resources: () => [pods, configMaps, serviceAccounts, replicaSets, deployments],
  });
  const running = Promise.all(all.map((one) => one.run(stop.signal)));
  const end = async () => {
    stop.abort();
    await running;
  };
  const active = () =>
    api.all<Pod>(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  /** A kubelet in one breath: what is terminating goes, what is new runs and is ready. */
  const kubelet = async (ready: (pod: Pod) => boolean = () => true) => {
    for (const pod of api.all<Pod>(pods)) {
      const { name, namespace } = pod.metadata;
      if (pod.metadata.deletionTimestamp !== undefined) {
        await api.delete(pods, { name, namespace }, { gracePeriodSeconds: 0 });
        continue;
      }
      const status = ready(pod) ? 'True' : 'False';
      if (pod.status?.conditions?.[0]?.status === status) continue;
      const conditions = [{ type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' }];
      const podIP = `10.0.0.${api.writes % 250}`;
      await api.update<Pod>(
        pods,
        { ...pod, status: { phase: 'Running', conditions, podIP } },
        { subresource: 'status' },
      );
    }
  };
  const settle = async (rounds = 12) => {
    for (let round = 0; round < rounds; round++) await clock.advance(10);
  };
  /** Creates what a test writes down, as a client would: the shape is the test's own business. */
  const make = (resource: ResourceName, body: object) => api.create(resource, body as KubeObject);
  return { api, clock, end, active, kubelet, settle, make };
}
