/** The API server as clients see it: `node bench/apiserver.ts [--seconds N] [--only TEXT]`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { silentLogger } from '#base';
import { ensurePki, serve, systemClock, systemRandom } from '#io';
import { pods, serviceAccounts } from '#kube/kinds';
import { createKubeServer, systemUser } from '#kube/server';
import { createPool } from '#pool';
import { openSqliteStore } from '#store';
import { clusterScheme } from '../src/main/server/scheme.ts';
import { versionInfo } from '../src/main/version.ts';
import type { LoadPlan } from './apiserver-load.ts';
import { type BenchLine, type Percentiles, report, round } from './harness.ts';

interface LoadAnswer {
  readonly perSecond: number;
  readonly megabytesPerSecond: number;
  readonly failures: number;
  readonly firstFailure: string;
  readonly latencyMs: Percentiles;
}

const flag = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const seconds = Number(flag('--seconds') ?? 4);
const only = flag('--only');
const lines: BenchLine[] = [];
const directory = mkdtempSync(join(import.meta.dirname, 'results', '.apiserver-'));
const scheme = clusterScheme();

/** The same composition as `src/main/server.ts` has, without controllers and agents. */
async function startServer() {
  const store = await openSqliteStore({ path: join(directory, 'store.db'), clock: systemClock });
  const pki = await ensurePki(join(directory, 'pki'), {
    clusterName: 'bench',
    clock: systemClock,
    hosts: [],
    serviceAddress: '10.96.0.1',
    clusterDomain: 'cluster.local',
  });
  const server = createKubeServer({
    store,
    pool: createPool(),
    scheme,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    version: versionInfo(),
    pki,
    issuer: 'https://kubernetes.default.svc.cluster.local',
    serviceRange: '10.96.0.0/16',
    advertise: { address: '192.0.2.1', port: 6443 },
  });
  await server.start();
  const served = await serve({
    face: server.face,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    tls: {
      key: pki.server.keyPem,
      cert: pki.server.certificatePem,
      clientCa: pki.authority.certificatePem,
    },
  });
  return { store, server, served, pki };
}

const { store, server, served, pki } = await startServer();

type Address = 'port' | 'certPem' | 'keyPem';

async function load(plan: Omit<LoadPlan, Address>, onConnected?: () => void): Promise<LoadAnswer> {
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'apiserver-load.ts'),
      JSON.stringify({
        ...plan,
        port: served.port,
        certPem: pki.admin.certificatePem,
        keyPem: pki.admin.keyPem,
      } satisfies LoadPlan),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'connected') onConnected?.();
    else last = line;
  }
  return JSON.parse(last) as LoadAnswer;
}

async function measure(
  what: string,
  plan: Omit<LoadPlan, Address | 'seconds'>,
  options: { readonly atLeast?: number; readonly p99AtMost?: number } = {},
): Promise<void> {
  if (only !== undefined && !what.includes(only)) return;
  const cpuBefore = process.threadCpuUsage();
  const answer = await load({ ...plan, seconds });
  const cpu = process.threadCpuUsage(cpuBefore);
  const perRequest = (cpu.user + cpu.system) / Math.max(1, answer.perSecond * seconds);
  if (answer.failures > 0)
    console.error(`${what}: ${answer.failures} failed: ${answer.firstFailure}`);
  lines.push(
    {
      what,
      value: answer.perSecond,
      unit: '/s',
      budget: options.atLeast === undefined ? undefined : { atLeast: options.atLeast },
      details: { ...answer },
    },
    {
      what: '  p99',
      value: answer.latencyMs.p99,
      unit: 'ms',
      budget: options.p99AtMost === undefined ? undefined : { atMost: options.p99AtMost },
    },
    { what: '  main thread per request', value: round(perRequest), unit: 'us' },
  );
}

const configMap = JSON.stringify({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'bench-%' },
  data: { value: 'x'.repeat(400) },
});
const podOf = (name: string, labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'registry.example/app:1.0',
        command: ['/bin/app', '--listen', '8080'],
        env: [
          { name: 'A', value: '1' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        ports: [{ containerPort: 8080 }],
      },
    ],
  },
});

/** Ten thousand Pods to read and list; only when a line that reads them is asked for. */
async function fillPods(): Promise<void> {
  if (only !== undefined && !/get|list|page|select/.test(only)) return;
  const api = server.apiFor(systemUser);
  const podCount = 10_000;
  for (let from = 0; from < podCount; from += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => {
        const number = from + index;
        return api.create(pods, podOf(`list-${number}`, { one: String(number % 100) }));
      }),
    );
}

try {
  // What a controller makes in every namespace; Pods are refused without it.
  await server.apiFor(systemUser).create(serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
  const namespaced = '/api/v1/namespaces/default';
  await measure(
    'create ConfigMap, 0.5 KB, durable, TLS, 32 connections',
    { connections: 32, method: 'POST', path: `${namespaced}/configmaps`, body: configMap },
    { atLeast: 10_000, p99AtMost: 15 },
  );
  await measure(
    'create Pod, the same',
    {
      connections: 32,
      method: 'POST',
      path: `${namespaced}/pods`,
      body: JSON.stringify(podOf('bench-%', { app: 'bench' })),
    },
    { atLeast: 4000 },
  );
  await fillPods();
  await measure(
    'get one object, TLS, 32 connections',
    { connections: 32, method: 'GET', path: `${namespaced}/pods/list-7` },
    { atLeast: 20_000 },
  );
  await measure(
    'list a page of 500 Pods',
    { connections: 8, method: 'GET', path: `${namespaced}/pods?limit=500` },
    { atLeast: 200 },
  );
  await measure(
    'list 10,000 Pods by a label selector that matches 1 %',
    { connections: 8, method: 'GET', path: `${namespaced}/pods?labelSelector=one%3D5` },
    { atLeast: 500 },
  );
  if (only === undefined || only.includes('watch')) {
    const plan = { connections: 100, seconds, method: 'GET', watch: true } as const;
    const api = server.apiFor(systemUser);
    let stop = false;
    const writers: Promise<void>[] = [];
    const configMaps = scheme.byPlural('', 'v1', 'configmaps');
    if (configMaps === undefined) throw new Error('ConfigMaps are not declared');
    const version = String(store.revision);
    const answer = await load(
      { ...plan, path: `${namespaced}/configmaps?watch=1&resourceVersion=${version}` },
      () => {
        for (let writer = 0; writer < 64; writer++)
          writers.push(
            (async () => {
              for (let turn = 0; !stop; turn++)
                await api.create(configMaps, {
                  ...(JSON.parse(configMap) as Parameters<typeof api.create>[1]),
                  metadata: { name: `watched-${writer}-${turn}`, namespace: 'default' },
                });
            })(),
          );
      },
    );
    stop = true;
    await Promise.all(writers);
    lines.push({
      what: '100 watchers during creates',
      value: answer.perSecond,
      unit: 'events/s',
      budget: { atLeast: 300_000 },
      details: { ...answer },
    });
  }
  lines.push({
    what: 'resident memory at the end',
    value: Math.round(process.memoryUsage().rss / 1e6),
    unit: 'MB',
  });
  report(only === undefined ? 'apiserver' : 'apiserver-part', lines);
} finally {
  await served.close();
  await server.stop();
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
}
