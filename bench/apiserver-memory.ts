/**
 * What the API server keeps in memory: `node bench/apiserver-memory.ts`. Runs itself again with the
 * flags that a cluster's server is started with. Controllers and agents are not part of it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { ensurePki, systemClock, systemRandom } from '#io';
import { configMaps, pods, serviceAccounts } from '#kube/kinds';
import { createKubeServer, systemUser } from '#kube/server';
import { createPool } from '#pool';
import { openSqliteStore } from '#store';
import { serverRuntime } from '../src/main/cluster/start.ts';
import { clusterScheme } from '../src/main/server/scheme.ts';
import { versionInfo } from '../src/main/version.ts';
import { type BenchLine, report } from './harness.ts';

if (process.env['MALLOC_ARENA_MAX'] === undefined) {
  const [program, ...flags] = serverRuntime;
  const again = ['--disable-warning=ExperimentalWarning', import.meta.filename];
  const { status } = spawnSync(program, [...flags, ...again], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const atOnce = 200;
const lines: BenchLine[] = [];
const line = (what: string, atMost?: number): void => {
  const { rss, heapUsed, heapTotal, arrayBuffers } = process.memoryUsage();
  lines.push({
    what,
    value: Math.round(rss / 1e6),
    unit: 'MB',
    budget: atMost === undefined ? undefined : { atMost },
    details: { heapUsed, heapTotal, arrayBuffers },
  });
};
async function many(count: number, once: (index: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += atOnce)
    await Promise.all(Array.from({ length: atOnce }, (_, index) => once(from + index)));
}

const directory = mkdtempSync(join(import.meta.dirname, 'results', '.memory-'));
const store = await openSqliteStore({ path: join(directory, 'store.db'), clock: systemClock });
const server = createKubeServer({
  store,
  pool: createPool(),
  scheme: clusterScheme(),
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  version: versionInfo(),
  pki: await ensurePki(join(directory, 'pki'), {
    clusterName: 'bench',
    clock: systemClock,
    hosts: [],
    serviceAddress: '10.96.0.1',
    clusterDomain: 'cluster.local',
  }),
  issuer: 'https://kubernetes.default.svc.cluster.local',
  serviceRange: '10.96.0.0/16',
  advertise: { address: '192.0.2.1', port: 6443 },
});
try {
  await server.start();
  const api = server.apiFor(systemUser);
  const configMap = (name: string) =>
    api.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default' },
      data: { value: 'x'.repeat(400) },
    });
  await api.create(serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  line('empty', 130);
  await many(100_000, async (index) => {
    await configMap(`short-${index}`);
    await api.delete(configMaps, { name: `short-${index}`, namespace: 'default' });
  });
  line('after 100,000 ConfigMaps created and deleted', 200);
  await many(22_000, (index) => configMap(`kept-${index}`));
  await many(11_000, (index) =>
    api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `kept-${index}`, namespace: 'default', labels: { app: 'bench' } },
      spec: {
        containers: [
          {
            name: 'main',
            image: 'registry.example/app:1.0',
            resources: { requests: { cpu: '100m', memory: '64Mi' } },
            ports: [{ containerPort: 8080 }],
          },
        ],
      },
    }),
  );
  line('with 22,000 ConfigMaps and 11,000 Pods', 300);
  report('apiserver-memory', lines);
} finally {
  await server.stop();
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
}
