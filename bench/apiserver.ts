/** The API server as clients see it: `node bench/apiserver.ts [--seconds N] [--only TEXT]`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createApiServer } from '#apiserver';
import { silentLogger } from '#base';
import { createAuthority, issueCertificate, serve, systemClock, systemRandom } from '#io';
import { builtinKinds, groupFacts, kindFacts, typeTables } from '#kube/kinds';
import { createScheme } from '#machinery';
import { openSqliteStore } from '#store';
import { createCodec } from '#wire';
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
const codec = createCodec(typeTables);
const scheme = createScheme({
  kinds: builtinKinds,
  codec,
  tables: typeTables,
  groupOrder: groupFacts.map(({ group, preferred, versions }) => ({
    group,
    preferred,
    versions: versions.map(({ version }) => version),
  })),
  bodyTypes: kindFacts.map(({ group, version, kind, type }) => ({
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    type,
  })),
});

async function startServer() {
  const store = await openSqliteStore({ path: join(directory, 'store.db'), clock: systemClock });
  const server = createApiServer({
    store,
    scheme,
    codec,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    version: {
      major: '1',
      minor: '36',
      gitVersion: 'v1.36.2',
      gitCommit: '',
      gitTreeState: '',
      buildDate: '',
      goVersion: '',
      compiler: '',
      platform: '',
    },
    authenticators: [
      { name: 'bench', authenticate: async () => ({ name: 'bench', groups: ['system:masters'] }) },
    ],
    authorizers: [],
    admission: [],
    doors: [],
  });
  await server.start();
  const life = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 86_400_000 };
  const authority = createAuthority('bench', life);
  const pair = issueCertificate(authority, {
    ...life,
    subject: { commonName: 'bench', organizations: [] },
    usages: ['serverAuth'],
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  const served = await serve({
    face: server.face,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    tls: { key: pair.keyPem, cert: pair.certificatePem, clientCa: authority.certificatePem },
  });
  return { store, server, served };
}

const { store, server, served } = await startServer();

async function load(plan: Omit<LoadPlan, 'port'>, onConnected?: () => void): Promise<LoadAnswer> {
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'apiserver-load.ts'),
      JSON.stringify({ ...plan, port: served.port }),
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
  plan: Omit<LoadPlan, 'port' | 'seconds'>,
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

try {
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
  const api = server.apiFor({ name: 'bench', groups: ['system:masters'] });
  const pods = scheme.byPlural('', 'v1', 'pods');
  if (pods === undefined) throw new Error('Pods are not declared');
  const podCount = 10_000;
  for (let from = 0; from < podCount; from += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => {
        const number = from + index;
        return api.create(pods, podOf(`list-${number}`, { one: String(number % 100) }));
      }),
    );
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
  report('apiserver', lines);
} finally {
  await served.close();
  await server.stop();
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
}
