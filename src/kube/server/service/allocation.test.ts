import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, seedsFromEnvironment } from '#sim';
import { startCluster } from '../fixture.test.ts';
import { BandAllocator, bandOffset, parseRange } from './bands.ts';

const services = '/api/v1/namespaces/default/services';
function service(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  };
}

test('bandOffset() keeps a lower band as the reference does', () => {
  assert.equal(bandOffset(65_536, 16, 256), 256);
  assert.equal(bandOffset(2768, 32, 128), 86);
  assert.equal(bandOffset(16, 16, 256), 0);
  assert.deepEqual(parseRange('10.96.0.0/16'), { first: 174_063_616, size: 65_536 });
  assert.throws(() => parseRange('fd00::/64'), /must be an IPv4 network/);
});

test('BandAllocator uses the upper band first, never what it avoids, and fills up', () => {
  const range = { first: 100, size: 20, offset: 5 };
  const allocator = new BandAllocator(range, seededRandom(1), (value) => value === 110);
  const upper = Array.from({ length: 14 }, () => allocator.takeAny('a') ?? 0);
  assert(upper.every((value) => value >= 105 && value !== 110));
  const lower = Array.from({ length: 5 }, () => allocator.takeAny('a') ?? 0);
  assert(lower.every((value) => value < 105));
  assert.equal(allocator.takeAny('a'), undefined);
  assert.equal(allocator.take(110, 'b'), true);
  assert.equal(allocator.take(105, 'b'), false);
  assert.equal(allocator.take(105, 'a'), true);
  allocator.release(105, 'b');
  assert.equal(allocator.ownerOf(105), 'a');
  allocator.release(105, 'a');
  assert.equal(allocator.takeAny('c'), 105);
});

test("Services get addresses and ports, and are refused what others hold, with the reference's texts", async () => {
  await using cluster = await startCluster();
  const first = await cluster.call('POST', services, {
    body: service('a', {
      type: 'NodePort',
      clusterIP: '10.96.3.4',
      ports: [{ port: 80, nodePort: 30_001 }],
    }),
  });
  assert.equal(first.status, 201, first.text);
  const address = await cluster.call('POST', services, {
    body: service('b', { clusterIP: '10.96.3.4' }),
  });
  assert.equal(address.status, 422);
  assert.equal(
    address.json['message'],
    'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.3.4"]: failed to allocate IP 10.96.3.4: provided IP is already allocated',
  );
  const outside = await cluster.call('POST', services, {
    body: service('b', { clusterIP: '10.1.2.3' }),
  });
  assert.match(
    String(outside.json['message']),
    /the provided IP \(10\.1\.2\.3\) is not in the valid range\. The range of valid IPs is 10\.96\.0\.0\/16/,
  );
  const port = await cluster.call('POST', services, {
    body: service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] }),
  });
  assert.match(
    String(port.json['message']),
    /spec\.ports\[0\]\.nodePort: Invalid value: 30001: provided port is already allocated/,
  );
  const far = await cluster.call('POST', services, {
    body: service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }),
  });
  assert.match(
    String(far.json['message']),
    /provided port is not in the valid range\. The range of valid ports is 30000-32767/,
  );
  cluster.kube.check();
  const headless = await cluster.call('POST', services, {
    body: service('h', { clusterIP: 'None', selector: { a: 'b' } }),
  });
  assert.equal(headless.status, 201, headless.text);
  assert.equal(headless.json['spec']?.['clusterIP'], 'None');
  await cluster.call('DELETE', `${services}/a`);
  cluster.kube.check();
  const again = await cluster.call('POST', services, {
    body: service('b', { clusterIP: '10.96.3.4' }),
  });
  assert.equal(again.status, 201, again.text);
  assert.deepEqual(again.json['spec']?.['ipFamilies'], ['IPv4']);
  cluster.kube.check();
});

/** Invented clients create, change, break and delete Services; the account adds up after each step. */
async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed);
  await using cluster = await startCluster();
  const types = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];
  for (let step = 0; step < 40; step++) {
    const name = `s${random.below(6)}`;
    const type = types[random.below(types.length)] ?? '';
    const spec = {
      type,
      ...(type === 'ExternalName' ? { externalName: 'a.example' } : {}),
      ...(type === 'LoadBalancer' && random.below(2) === 0
        ? { externalTrafficPolicy: 'Local' }
        : {}),
      ...(type !== 'ExternalName' && random.below(3) === 0
        ? { clusterIP: `10.96.0.${20 + random.below(4)}` }
        : {}),
      // Sometimes wrong on purpose: what was taken on the way must come back.
      ports: [
        {
          port: random.below(8) === 0 ? 99_999 : 80,
          ...(random.below(3) === 0 && type === 'NodePort'
            ? { nodePort: 30_010 + random.below(3) }
            : {}),
        },
      ],
    };
    const choice = random.below(4);
    if (choice === 0) await cluster.call('DELETE', `${services}/${name}`);
    else if (choice === 1) {
      await cluster.call('PATCH', `${services}/${name}`, {
        body: { spec },
        headers: { 'content-type': 'application/merge-patch+json' },
      });
    } else await cluster.call('POST', services, { body: service(name, spec) });
    cluster.kube.check();
  }
}

test('addresses and node ports add up whatever clients do', async () => {
  for (const seed of seedsFromEnvironment(8)) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
