import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { silentLogger } from '#base';
import { createFakeApi, createInformer } from '#client';
import { runCommand, systemClock, systemRandom } from '#io';
import { endpointSlices, services } from '#kube/kinds';
import { ServiceProxy, serviceOfSlice } from '#net/proxy';

/**
 * A host and two Pods as network namespaces, real nftables between them. Pods have /32 addresses and
 * a route through the host, as the runtime gives them, so that answers come back the way they went.
 */
const tag = `tdt${process.pid % 10_000}`;
const host = `${tag}-host`;
const podIps = ['10.244.0.11', '10.244.0.12'];
const serverCode = (name: string): string =>
  `require('http').createServer((q, r) => r.end('${name} ' + q.socket.remoteAddress)).listen(8080, '0.0.0.0', () => console.log('up'))`;
const servers: ChildProcess[] = [];

function ip(...args: string[]): void {
  const done = spawnSync('ip', args, { encoding: 'utf8' });
  assert.equal(done.status, 0, `ip ${args.join(' ')}: ${done.stderr}`);
}
function inside(netns: string, ...command: string[]): { status: number | null; text: string } {
  const done = spawnSync('nsenter', [`--net=/run/netns/${netns}`, ...command], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status: done.status, text: done.stdout + done.stderr };
}
/** Asks over HTTP from within a namespace: the answer, or the error's code. */
function ask(netns: string, url: string): string {
  const code = `fetch('${url}', { signal: AbortSignal.timeout(3000) }).then(r => r.text()).then(t => console.log(t), e => console.log(e.cause?.code ?? e.name))`;
  return inside(netns, process.execPath, '-e', code).text.trim();
}

before(async () => {
  ip('netns', 'add', host);
  ip('-n', host, 'link', 'set', 'lo', 'up');
  ip('-n', host, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', host, 'addr', 'add', '10.244.0.1/24', 'dev', 'br0');
  ip('-n', host, 'addr', 'add', '172.30.9.1/24', 'dev', 'br0');
  ip('-n', host, 'link', 'set', 'br0', 'up');
  ip('-n', host, 'route', 'add', '10.96.0.0/16', 'dev', 'br0');
  for (const key of ['net.ipv4.ip_forward', 'net.ipv4.conf.br0.route_localnet'])
    assert.equal(inside(host, 'sysctl', '-qw', `${key}=1`).status, 0);
  for (const [index, address] of podIps.entries()) {
    const pod = `${tag}-p${index}`;
    ip('netns', 'add', pod);
    ip(
      '-n',
      host,
      'link',
      'add',
      `v${index}`,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      pod,
    );
    ip('-n', host, 'link', 'set', `v${index}`, 'master', 'br0', 'up');
    // Where br_netfilter is loaded, a Pod reaches itself only through a port that sends back.
    ip('-n', host, 'link', 'set', `v${index}`, 'type', 'bridge_slave', 'hairpin', 'on');
    ip('-n', pod, 'link', 'set', 'lo', 'up');
    ip('-n', pod, 'addr', 'add', `${address}/32`, 'dev', 'eth0');
    ip('-n', pod, 'link', 'set', 'eth0', 'up');
    ip('-n', pod, 'route', 'add', '10.244.0.1', 'dev', 'eth0');
    ip('-n', pod, 'route', 'add', 'default', 'via', '10.244.0.1');
    const server = spawn(
      'nsenter',
      [`--net=/run/netns/${pod}`, process.execPath, '-e', serverCode(`p${index}`)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    servers.push(server);
    assert.ok(server.stdout);
    await once(server.stdout, 'data');
  }
});

after(async () => {
  for (const server of servers) {
    server.kill('SIGKILL');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  }
  for (const netns of [`${tag}-p0`, `${tag}-p1`, host]) spawnSync('ip', ['netns', 'delete', netns]);
});

const ends = (ips: readonly string[]): object => ({
  addressType: 'IPv4',
  ports: [{ port: 8080, protocol: 'TCP' }],
  endpoints: ips.map((address) => ({ addresses: [address], conditions: { ready: true } })),
});
const slice = (
  service: string,
  ips: readonly string[],
): Parameters<ReturnType<typeof createFakeApi>['create']>[1] => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: `${service}-1`,
    namespace: 'default',
    labels: { 'kubernetes.io/service-name': service },
  },
  ...ends(ips),
});

test('Services lead real connections to Pods, from the host, from Pods and by localhost', async () => {
  const clock = systemClock;
  const api = createFakeApi({ clock, random: systemRandom });
  const stop = new AbortController();
  const options = { clock };
  const serviceCache = createInformer(api, services, options);
  const slices = createInformer(api, endpointSlices, {
    ...options,
    indexes: { service: serviceOfSlice },
  });
  const proxy = new ServiceProxy({
    services: serviceCache,
    slices,
    place: { nodeName: 'n1', zone: undefined },
    frame: {
      table: tag,
      podRange: '10.244.0.0/16',
      serviceRange: '10.96.0.0/16',
      clusterNetworks: ['172.30.9.0/24'],
    },
    fixed: new Map(),
    clock,
    logger: silentLogger,
    apply: (script) =>
      runCommand(['nsenter', `--net=/run/netns/${host}`, 'nft', '-f', '-'], { input: script }),
    loopback: { hold: async (wanted) => new Set(wanted.keys()) },
  });
  const running = [serviceCache.run(stop.signal), slices.run(stop.signal), proxy.run(stop.signal)];
  const base = { apiVersion: 'v1', kind: 'Service' };
  await api.create(services, {
    ...base,
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.20',
      ports: [{ port: 9001, protocol: 'TCP', nodePort: 30_901 }],
    },
    status: { loadBalancer: { ingress: [{ ip: '172.30.9.130' }] } },
  });
  await api.create(services, {
    ...base,
    metadata: { name: 'self', namespace: 'default' },
    spec: { clusterIP: '10.96.0.21', ports: [{ port: 80, protocol: 'TCP' }] },
  });
  await api.create(services, {
    ...base,
    metadata: { name: 'none', namespace: 'default' },
    spec: { clusterIP: '10.96.0.22', ports: [{ port: 80, protocol: 'TCP' }] },
  });
  await api.create(services, {
    ...base,
    metadata: { name: 'sticky', namespace: 'default' },
    spec: {
      clusterIP: '10.96.0.23',
      sessionAffinity: 'ClientIP',
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  });
  await api.create(endpointSlices, slice('web', podIps));
  await api.create(endpointSlices, slice('self', [podIps[0] ?? '']));
  await api.create(endpointSlices, slice('sticky', podIps));
  await proxy.settled((rules) => rules.chains.size >= 7, AbortSignal.timeout(10_000));

  const seen = new Set(
    Array.from({ length: 12 }, () => ask(host, 'http://10.96.0.20:9001/').split(' ')[0]),
  );
  assert.deepEqual(
    [...seen].toSorted((a = '', b = '') => a.localeCompare(b)),
    ['p0', 'p1'],
    'both endpoints get connections',
  );
  assert.match(
    ask(host, 'http://172.30.9.130:9001/'),
    /^p[01] /,
    'the load balancer address answers',
  );
  assert.match(ask(host, 'http://127.0.0.1:9001/'), /^p[01] /, 'localhost answers');
  assert.match(ask(host, 'http://127.0.0.1:30901/'), /^p[01] /, 'the node port answers');
  assert.match(ask(`${tag}-p1`, 'http://10.96.0.20:9001/'), /^p[01] /, 'a Pod reaches the Service');
  assert.match(
    ask(`${tag}-p1`, 'http://10.96.0.21/'),
    new RegExp(`^p0 .*${podIps[1]}$`),
    'a Pod keeps its address',
  );
  assert.match(
    ask(`${tag}-p0`, 'http://10.96.0.21/'),
    /^p0 /,
    'a Pod reaches itself through its Service',
  );
  assert.equal(ask(host, 'http://10.96.0.22/'), 'ECONNREFUSED', 'no endpoints: refused at once');
  const sticky = new Set(
    Array.from({ length: 8 }, () => ask(`${tag}-p1`, 'http://10.96.0.23/').split(' ')[0]),
  );
  assert.equal(sticky.size, 1, 'a client stays with its endpoint');

  await api.update(endpointSlices, slice('web', [podIps[1] ?? '']));
  await proxy.settled(
    (rules) =>
      !JSON.stringify([
        ...(rules.chains.get(
          [...rules.chains.keys()].find((name) => name.startsWith('svc-default-web')) ?? '',
        ) ?? []),
      ]).includes(podIps[0] ?? ''),
    AbortSignal.timeout(10_000),
  );
  const later = new Set(
    Array.from({ length: 6 }, () => ask(host, 'http://10.96.0.20:9001/').split(' ')[0]),
  );
  assert.deepEqual([...later], ['p1'], 'an endpoint that went gets nothing');
  stop.abort();
  await Promise.allSettled(running);
});
