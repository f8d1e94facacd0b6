/**
 * Hollow nodes in a process of their own: each with its own certificate, one TLS connection, a
 * lease renewed every 10 s, a status every 5 minutes and a watch of its Pods, which it says to run.
 *
 * Usage: node bench/hollow.ts --port N --pki DIR --nodes N   Prints "ready" when all are registered,
 * then one JSON line a second: renewals that were late or failed, and Pods started.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createHttpApi, createInformer, runNodeLease, type HttpApi } from '#client';
import { silentLogger } from '#base';
import { issueCertificate, systemClock, type PemPair } from '#io';
import { nodes, pods, type Pod } from '#kube/kinds';
import { hollowNode, hollowStatus } from './hollow-object.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '6443' },
    pki: { type: 'string', default: '' },
    nodes: { type: 'string', default: '100' },
  },
});
const count = Number(values.nodes);
const clock = systemClock;
const statusMs = 300_000;
/** Registered at once; more would only wait for one another. */
const parallel = 32;
const authority: PemPair = {
  certificatePem: readFileSync(join(values.pki, 'ca.crt'), 'utf8'),
  keyPem: readFileSync(join(values.pki, 'ca.key'), 'utf8'),
};
const told = { failures: 0, started: 0, lastFailure: '' };
const signal = new AbortController().signal;

function connectAs(name: string): HttpApi {
  const pair = issueCertificate(authority, {
    subject: { commonName: `system:node:${name}`, organizations: ['system:nodes'] },
    usages: ['clientAuth'],
    notBeforeMs: Date.now() - 60_000,
    notAfterMs: Date.now() + 86_400_000,
  });
  return createHttpApi({
    server: `https://127.0.0.1:${values.port}`,
    ca: authority.certificatePem,
    cert: pair.certificatePem,
    key: pair.keyPem,
    clock,
    userAgent: 'hollow',
  });
}

async function start(index: number): Promise<void> {
  const name = `hollow-${index}`;
  const api = connectAs(name);
  await api.create(nodes, hollowNode(index) as unknown as Parameters<typeof api.create>[1]);
  const cache = createInformer(api, pods, { clock, fieldSelector: `spec.nodeName=${name}` });
  cache.onChange(({ object }) => {
    if (object !== undefined) void counted(() => runPod(api, object));
  });
  void cache.run(signal);
  void keepStatus(api, name, index);
  // Renewals of many nodes are spread over their period, as those of real ones are.
  void sleep(1 + (((index * 10_000) / count) % 10_000)).then(() =>
    runNodeLease({ api, clock, nodeName: name, logger: failureLogger }, signal),
  );
}

const failureLogger = {
  ...silentLogger,
  warn: (message: string) => {
    told.failures++;
    told.lastFailure = message;
  },
};

async function counted(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    told.failures++;
    told.lastFailure = error instanceof Error ? error.message : String(error);
  }
}

async function keepStatus(api: HttpApi, name: string, index: number): Promise<void> {
  await sleep((index * statusMs) / count);
  for (;;) {
    await counted(async () => {
      const body = { status: hollowStatus(name) };
      await api.patch(nodes, { name, subresource: 'status' }, { type: 'strategic', body });
    });
    await sleep(statusMs);
  }
}

/** The Pod's containers are said to run; one that is ending is gone at once. */
async function runPod(api: HttpApi, pod: Pod): Promise<void> {
  const { name, namespace } = pod.metadata;
  if (pod.metadata.deletionTimestamp !== undefined) {
    await api.delete(pods, { name, namespace }, { gracePeriodSeconds: 0 });
    return;
  }
  if (pod.status.phase === 'Running') return;
  told.started++;
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const ready = { status: 'True', lastTransitionTime: now };
  const status = {
    phase: 'Running',
    startTime: now,
    conditions: ['Ready', 'ContainersReady', 'Initialized'].map((type) => ({ type, ...ready })),
    containerStatuses: pod.spec.containers.map((container) => ({
      name: container.name,
      image: container.image,
      imageID: '',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: now } },
    })),
  };
  await api.patch(
    pods,
    { name, namespace, subresource: 'status' },
    { type: 'strategic', body: { status } },
  );
}

let next = 0;
await Promise.all(
  Array.from({ length: parallel }, async () => {
    while (next < count) await start(next++);
  }),
);
console.log('ready');
for (;;) {
  await sleep(1000);
  console.log(JSON.stringify(told));
}
