/** The demo as it stands, on a real cluster, by kubectl: what a newcomer does on the first day. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkout, kill, output, startCluster, until } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import { fetchPage, newConnections } from './new-connections.ts';
import type { Load } from './new-connections.ts';

const manifest = join(checkout, 'examples/hello-kubernetes.yaml');
const service = '/api/v1/namespaces/default/services/hello-world-service';
const pods = '/api/v1/namespaces/default/pods?labelSelector=app%3Dhello-world';

async function build(image: string, version: string): Promise<Buffer> {
  const script = join(checkout, 'examples/hello-world/build.sh');
  const command = `VERSION=${version} IMAGE=${image} sh ${script} - | base64`;
  return Buffer.from(await output('sh', '-c', command), 'base64');
}

async function kubectl(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  const ended = await cluster.kubectl(...args);
  assert.equal(ended.code, 0, `kubectl ${args.join(' ')}: ${ended.err}`);
  return ended.out;
}

/** The demo's Pods that are not ending. */
async function helloPods(cluster: Cluster): Promise<readonly Json[]> {
  const list = await cluster.call('GET', pods);
  return [...list['items']!].filter((pod) => pod['metadata']!['deletionTimestamp'] === undefined);
}

function waiting(pod: Json | undefined): Json | undefined {
  return pod?.['status']!['containerStatuses']?.[0]?.['state']!['waiting'];
}

/** The page names its Pod: all of them must be heard of. */
async function hearEach(
  target: { readonly host: string; readonly port: number },
  names: readonly string[],
): Promise<void> {
  const missing = new Set(names);
  await until(`an answer of each of ${names.join(', ')}`, async () => {
    const page = await fetchPage(target);
    missing.delete(/This is (\S+),/.exec(page)?.[1] ?? '');
    return missing.size === 0;
  });
}

test('hello-kubernetes runs as it stands', async (t) => {
  await using cluster = await startCluster();
  for (const version of ['1', '2', '3', '4'])
    await cluster.load(
      await build(version === '1' ? 'hello-world:latest' : `hello-world:v${version}`, version),
    );
  await kubectl(cluster, 'apply', '-f', manifest);
  await kubectl(cluster, 'rollout', 'status', 'deployment/hello-world', '--timeout=30s');
  const balancer = await until('an address of the load balancer', async () => {
    const { status } = (await cluster.call('GET', service)) as unknown as Balanced;
    return status.loadBalancer.ingress?.[0]?.ip;
  });
  const { spec } = (await cluster.call('GET', service)) as unknown as Balanced;
  const nodePort = spec.ports[0]?.nodePort ?? 0;

  await t.test(
    'the host reaches it at the load balancer, on localhost and by NodePort',
    async () => {
      for (const target of [
        { host: balancer, port: 9001 },
        { host: '127.0.0.1', port: 9001 },
        { host: '127.0.0.1', port: nodePort },
      ]) {
        const page = await until(`a page at ${target.host}:${target.port}`, () =>
          fetchPage(target),
        );
        assert.match(page, /^Hello, world! This is hello-world-\S+, version 1\.$/);
      }
      const node = (await cluster.call('GET', '/api/v1/nodes')) as unknown as NodeList;
      const address = node.items[0]?.status.addresses.find(
        ({ type }) => type === 'InternalIP',
      )?.address;
      assert.match(await fetchPage({ host: address ?? '', port: nodePort }), /version 1/);
    },
  );

  await t.test('a Pod reaches it by ClusterIP and by every form of its name', async () => {
    for (const host of [
      spec.clusterIP,
      'hello-world-service',
      'hello-world-service.default',
      'hello-world-service.default.svc',
      'hello-world-service.default.svc.cluster.local',
    ]) {
      const get = ['exec', 'deployment/hello-world', '--', 'wget', '-qO-'];
      assert.match(await kubectl(cluster, ...get, `http://${host}:9001/`), /Hello, world!/);
    }
  });

  await t.test('scaled to five, every replica answers', async () => {
    await kubectl(cluster, 'scale', 'deployment/hello-world', '--replicas=5');
    await kubectl(cluster, 'rollout', 'status', 'deployment/hello-world', '--timeout=30s');
    const names = (await helloPods(cluster)).map((pod) => String(pod['metadata']!['name']));
    assert.equal(names.length, 5);
    await hearEach({ host: balancer, port: 9001 }, names);
  });

  await t.test('three rolling updates under 500 new connections a second lose none', async () => {
    for (const target of [
      { host: balancer, port: 9001 },
      { host: '127.0.0.1', port: 9001 },
      { host: '127.0.0.1', port: nodePort },
    ])
      await rollThrice(cluster, newConnections(target, 500));
  });

  await t.test('rollout undo brings the version before back', async () => {
    await kubectl(cluster, 'rollout', 'undo', 'deployment/hello-world');
    await kubectl(cluster, 'rollout', 'status', 'deployment/hello-world', '--timeout=30s');
    // The last old Pod may be ending still, and its endpoint on its way out.
    await until('version 3', async () =>
      (await fetchPage({ host: balancer, port: 9001 })).includes('version 3'),
    );
    assert.match(
      await kubectl(cluster, 'rollout', 'history', 'deployment/hello-world'),
      /REVISION/,
    );
  });

  await t.test('a bad image says what to do, and the old Pods serve on', async () => {
    const wrong = 'deployment/hello-world hello-world=nobody-built-this:v9'.split(' ');
    await kubectl(cluster, 'set', 'image', ...wrong);
    const stuck = await until('ImagePullBackOff', async () =>
      (await helloPods(cluster)).find(
        (pod) => String(waiting(pod)?.['reason']) === 'ImagePullBackOff',
      ),
    );
    assert.match(String(waiting(stuck)?.['message']), /tandem image load/);
    const described = await kubectl(cluster, 'describe', 'pod', String(stuck['metadata']!['name']));
    assert.match(described, /Failed to pull image "nobody-built-this:v9"/);
    const load = newConnections({ host: balancer, port: 9001 }, 100);
    await until('some answers', () => load.sent >= 100);
    await load.stop();
    assert.deepEqual(load.failed, []);
    assert.ok([...load.pages.keys()].every((page) => page.includes('version 3')));
    await kubectl(cluster, 'rollout', 'undo', 'deployment/hello-world');
    await kubectl(cluster, 'rollout', 'status', 'deployment/hello-world', '--timeout=30s');
  });

  await t.test('a killed container is back at once', async () => {
    const [pod] = await helloPods(cluster);
    const name = String(pod?.['metadata']!['name']);
    // PID 1 of the container takes no SIGKILL from inside: it is found from outside.
    const victim = await pidOf(name);
    const startMs = performance.now();
    kill(victim);
    await cluster.podThat(name, (now) => {
      const status = now['status']!['containerStatuses']![0]!;
      return Number(status['restartCount']) === 1 && Boolean(status['ready']);
    });
    assert.ok(performance.now() - startMs < 3000, `${performance.now() - startMs} ms`);
  });
});

interface Balanced {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { nodePort?: number }[] };
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { ip: string }[] } };
}
interface NodeList {
  readonly items: readonly {
    readonly status: { readonly addresses: readonly { type: string; address: string }[] };
  }[];
}

async function rollThrice(cluster: Cluster, load: Load): Promise<void> {
  for (const version of ['2', '3', '4']) {
    await kubectl(
      cluster,
      'set',
      'image',
      'deployment/hello-world',
      `hello-world=hello-world:v${version}`,
    );
    await kubectl(cluster, 'rollout', 'status', 'deployment/hello-world', '--timeout=60s');
  }
  await load.stop();
  assert.deepEqual(load.failed, [], `of ${load.sent}`);
  for (const version of ['2', '3', '4'])
    assert.ok([...load.pages.keys()].some((page) => page.includes(`version ${version}.`)));
}

/** The main process of a Pod, by its host name. */
async function pidOf(pod: string): Promise<number> {
  const found = await output(
    'sh',
    '-c',
    `for p in /proc/[0-9]*; do grep -qsx 'NSpid:.*\\s1' $p/status && tr '\\0' '\\n' <$p/environ | grep -qx 'HOSTNAME=${pod}' && echo \${p#/proc/}; done; true`,
  );
  return Number(found.trim().split('\n')[0]);
}

test('A crashing container waits 10 s, then 20 s, in CrashLoopBackOff', async () => {
  await using cluster = await startCluster();
  await cluster.load(await build('hello-world:latest', '1'));
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'crash' },
    spec: {
      containers: [{ name: 'main', image: 'hello-world:latest', command: ['sh', '-c', 'exit 3'] }],
    },
  };
  await cluster.call('POST', '/api/v1/namespaces/default/pods', object);
  const waits: number[] = [];
  for (const restarts of [1, 2, 3]) {
    const pod = await cluster.podThat('crash', (now) => restartsOf(now) >= restarts, 40);
    const status = pod['status']!['containerStatuses']![0]!;
    const last = status['lastState']!['terminated'];
    assert.equal(Number(last?.['exitCode']), 3);
    if (restarts === 3) break;
    const off = await cluster.podThat(
      'crash',
      (now) => restartsOf(now) >= restarts && waiting(now) !== undefined,
    );
    assert.equal(String(waiting(off)?.['reason']), 'CrashLoopBackOff');
    assert.match(
      String(waiting(off)?.['message']),
      new RegExp(
        `^back-off ${restarts * 10}s restarting failed container=main pod=crash_default\\(`,
      ),
    );
    const ended = off['status']!['containerStatuses']![0]!['lastState']!['terminated'];
    const endMs = Date.parse(String(ended?.['finishedAt']));
    await cluster.podThat('crash', (now) => restartsOf(now) > restarts, 40);
    waits.push(Date.now() - endMs);
  }
  // Times in the API are whole seconds.
  assert.ok(waits[0]! >= 10_000 && waits[0]! < 12_500, `${waits[0]} ms`);
  assert.ok(waits[1]! >= 20_000 && waits[1]! < 22_500, `${waits[1]} ms`);
});

function restartsOf(pod: Json): number {
  return Number(pod['status']!['containerStatuses']?.[0]?.['restartCount'] ?? 0);
}

test('The example is the demo that was asked for, unchanged', () => {
  const text = readFileSync(manifest, 'utf8');
  assert.match(text, /type: LoadBalancer/);
  assert.doesNotMatch(text, /readinessProbe|imagePullPolicy/);
});
