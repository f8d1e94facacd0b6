/** What one node does for its Pods, through real clients and a real registry. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findKubectls } from '../interop/kubectl.ts';
import { busyboxLayer, dockerArchive } from '../os/runtime-kit.ts';
import { startRegistry } from '../os/registry-kit.ts';
import type { TestRegistry } from '../os/registry-kit.ts';
import { run, startCluster, until } from './cluster.ts';
import type { Cluster, Ended, Json } from './cluster.ts';

const kubectls = findKubectls(false);
let cluster: Cluster;
let registry: TestRegistry;

before(async () => {
  [cluster, registry] = await Promise.all([startCluster(), startRegistry()]);
  const archive = await dockerArchive({ name: 'box:1', layers: [await busyboxLayer()] });
  await cluster.load(archive);
  registry.push(archive, 'team/box:1');
});
after(async () => {
  await registry?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

const pods = '/api/v1/namespaces/default/pods';
const box = (more: object = {}) => ({
  name: 'c',
  image: 'box:1',
  command: ['sleep', '100000'],
  ...more,
});
function create(name: string, spec: object): Promise<Json> {
  return cluster.call('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 1, containers: [box()], ...spec },
  });
}
const waiting = (pod: Json): Json | undefined =>
  pod['status']?.['containerStatuses']?.[0]?.['state']?.['waiting'];

async function output(path: string, ...args: readonly string[]): Promise<Ended> {
  const ended = await run(path, args, { env: cluster.env });
  assert.equal(ended.code, 0, `${args.join(' ')}: ${ended.err}`);
  return ended;
}

/** Up to 1.30 kubectl speaks SPDY, from 1.31 on WebSocket. */
const transports = [kubectls.find(({ minor }) => minor <= 30), kubectls.at(-1)].filter(
  (kubectl) => kubectl !== undefined,
);
for (const { minor, path } of transports)
  test(`kubectl 1.${minor} copies 50 MB both ways, byte for byte`, async () => {
    const name = `copy-${minor}`;
    const container = box({ image: 'copy:1' });
    const tar = await dockerArchive({
      name: 'copy:1',
      layers: [await busyboxLayer(['tar', 'mkdir', 'test'])],
    });
    await cluster.load(tar);
    await create(name, { containers: [container] });
    await cluster.running(name);
    const [there, back] = [join(cluster.home, 'there'), join(cluster.home, `back-${minor}`)];
    const bytes = randomBytes(50_000_000);
    writeFileSync(there, bytes);
    await output(path, 'cp', there, `${name}:/tmp/big`);
    await output(path, 'cp', `${name}:/tmp/big`, back);
    const sum = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
    assert.equal(sum(readFileSync(back)), sum(bytes));
  });

test('a private image is pulled with the secret that the Pod names, and not without', async () => {
  const { host, caFile, user } = registry;
  const settings = join(cluster.dataDir, 'registries.json');
  assert.ok(!existsSync(settings));
  writeFileSync(settings, JSON.stringify({ registries: { [host]: { caFile } } }));
  chmodSync(settings, 0o600);
  const spec = { containers: [box({ image: `${host}/team/box:1` })] };
  await create('refused', spec);
  const refused = await cluster.podThat('refused', (pod) =>
    String(waiting(pod)?.['reason']).startsWith('ImagePullBackOff'),
  );
  assert.match(String(waiting(refused)?.['message']), /answered 401/);
  const config = { auths: { [host]: user } };
  await cluster.call('POST', '/api/v1/namespaces/default/secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'pull' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
  });
  await create('private', { ...spec, imagePullSecrets: [{ name: 'pull' }] });
  const running = await cluster.running('private');
  const status = running['status']?.['containerStatuses']?.[0];
  assert.match(String(status?.['imageID']), new RegExp(`^${host}/team/box@sha256:`));
});

test('an image that was loaded answers for its name whatever the pull policy says', async () => {
  await create('always', { containers: [box({ imagePullPolicy: 'Always' })] });
  await cluster.running('always');
  await create('never', { containers: [box({ image: 'not-here:1', imagePullPolicy: 'Never' })] });
  const never = await cluster.podThat('never', (pod) =>
    String(waiting(pod)?.['reason']).startsWith('Err'),
  );
  assert.deepEqual(waiting(never), {
    reason: 'ErrImageNeverPull',
    message: 'Container image "not-here:1" is not present with pull policy of Never',
  });
});

test('resources change while the container runs on', async () => {
  const resources = (cpu: string, memory: string) => ({
    requests: { cpu: '50m', memory: '16Mi' },
    limits: { cpu, memory },
  });
  await create('grows', { containers: [box({ resources: resources('100m', '32Mi') })] });
  const started = await cluster.running('grows');
  const patch = { spec: { containers: [{ name: 'c', resources: resources('200m', '64Mi') }] } };
  const newest = kubectls.at(-1)?.path ?? 'kubectl';
  await output(
    newest,
    'patch',
    'pod',
    'grows',
    '--subresource=resize',
    '-p',
    JSON.stringify(patch),
  );
  const grown = await cluster.podThat(
    'grows',
    ({ status }) =>
      String(status?.['containerStatuses']?.[0]?.['resources']?.['limits']?.['cpu']) === '200m',
  );
  const idOf = (one: Json): unknown => one['status']?.['containerStatuses']?.[0]?.['containerID'];
  assert.equal(idOf(grown), idOf(started));
});

test('the rest of a grace is kept by an agent that was killed in its middle', async () => {
  const stubborn = box({ command: ['sh', '-c', "trap '' TERM; while :; do sleep 0.1; done"] });
  await create('stubborn', { terminationGracePeriodSeconds: 6, containers: [stubborn] });
  await cluster.running('stubborn');
  const beganMs = performance.now();
  await cluster.call('DELETE', `${pods}/stubborn`);
  await new Promise((resolve) => setTimeout(resolve, 3500));
  const [agent] = (await cluster.status()).agents;
  if (agent?.pid != null) process.kill(agent.pid, 'SIGKILL');
  await until('the Pod to go', async () => {
    const left = await cluster.pod('stubborn');
    return left === undefined ? true : undefined;
  });
  const seconds = (performance.now() - beganMs) / 1000;
  assert.ok(seconds >= 5 && seconds < 9, `it took ${seconds} s`);
});
