import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Informer } from '#client';
import type { EndpointSlice, Service } from '#kube/kinds';
import { recordType, responseCode } from '#wire';
import type { DnsQuery } from '#wire';
import { addressesOfService, addressesOfSlice, clusterNames } from './cluster.ts';
import { forwarding } from './forward.ts';
import { dnsHandler } from './server.ts';

/** A cache that holds what it was given and never changes. */
function cache<T extends Service | EndpointSlice>(
  objects: readonly T[],
  indexes: Readonly<Record<string, (object: T) => readonly string[]>>,
): Pick<Informer<T>, 'get' | 'list' | 'by'> {
  return {
    get: (key) => objects.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key),
    list: () => objects,
    by: (index, value) => objects.filter((object) => indexes[index]?.(object).includes(value)),
  };
}
const meta = (name: string, more: object = {}): Service['metadata'] => ({
  name,
  namespace: 'default',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
  ...more,
});
const web = {
  metadata: meta('web'),
  spec: { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
};
const db = {
  metadata: meta('db'),
  spec: { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] },
};
const away = {
  metadata: meta('away'),
  spec: { type: 'ExternalName', externalName: 'example.org' },
};
const dbSlice = {
  metadata: meta('db-1', { labels: { 'kubernetes.io/service-name': 'db' } }),
  addressType: 'IPv4',
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.244.0.5'], conditions: { ready: true }, hostname: 'db-0' },
    { addresses: ['10.244.0.6'], conditions: { ready: true } },
    { addresses: ['10.244.0.7'], conditions: { ready: false } },
  ],
};
const names = clusterNames({
  services: cache([web, db, away] as unknown as Service[], { clusterIP: addressesOfService }),
  slices: cache([dbSlice] as unknown as EndpointSlice[], {
    service: (slice) => [`default/${slice.metadata.labels?.['kubernetes.io/service-name']}`],
    address: addressesOfSlice,
  }),
  zone: 'cluster.local',
  ownAddress: (ip) => ip.startsWith('10.'),
});
function question(name: string, type: number): DnsQuery {
  return {
    id: 1,
    opcode: 0,
    recursionDesired: true,
    name,
    type,
    class: 1,
    udpBytesMax: 512,
    edns: false,
  };
}
async function ask(name: string, type: number): Promise<unknown> {
  const answer = await names.answer(question(name, type), 'udp', new Uint8Array());
  if (answer === undefined || 'raw' in answer) return answer;
  if (answer.code !== responseCode.noError) return answer.code;
  return answer.answers.map((record) =>
    'address' in record
      ? record.address
      : 'texts' in record
        ? record.texts[0]
        : record.type === 'SRV'
          ? `${record.port} ${record.target}`
          : 'target' in record
            ? record.target
            : record.type,
  );
}

const cases: { name: string; type: keyof typeof recordType; want: unknown }[] = [
  { name: 'web.default.svc.cluster.local', type: 'A', want: ['10.96.0.20'] },
  { name: 'WEB.Default.svc.cluster.local', type: 'A', want: ['10.96.0.20'] },
  { name: 'web.default.svc.cluster.local', type: 'AAAA', want: [] },
  {
    name: '_http._tcp.web.default.svc.cluster.local',
    type: 'SRV',
    want: ['80 web.default.svc.cluster.local'],
  },
  { name: '_none._tcp.web.default.svc.cluster.local', type: 'SRV', want: responseCode.nameError },
  { name: 'db.default.svc.cluster.local', type: 'A', want: ['10.244.0.5', '10.244.0.6'] },
  { name: 'db-0.db.default.svc.cluster.local', type: 'A', want: ['10.244.0.5'] },
  { name: '10-244-0-6.db.default.svc.cluster.local', type: 'A', want: ['10.244.0.6'] },
  {
    name: '_sql._tcp.db.default.svc.cluster.local',
    type: 'SRV',
    want: [
      '5432 db-0.db.default.svc.cluster.local',
      '5432 10-244-0-6.db.default.svc.cluster.local',
    ],
  },
  { name: 'away.default.svc.cluster.local', type: 'A', want: ['example.org'] },
  { name: 'nobody.default.svc.cluster.local', type: 'A', want: responseCode.nameError },
  { name: 'default.svc.cluster.local', type: 'A', want: [] },
  { name: 'dns-version.cluster.local', type: 'TXT', want: ['1.1.0'] },
  { name: '10-244-0-5.default.pod.cluster.local', type: 'A', want: ['10.244.0.5'] },
  { name: '300-1-1-1.default.pod.cluster.local', type: 'A', want: responseCode.nameError },
  { name: '20.0.96.10.in-addr.arpa', type: 'PTR', want: ['web.default.svc.cluster.local'] },
  { name: '5.0.244.10.in-addr.arpa', type: 'PTR', want: ['db-0.db.default.svc.cluster.local'] },
  { name: 'example.org', type: 'A', want: undefined },
  { name: '1.1.168.192.in-addr.arpa', type: 'PTR', want: undefined },
];
for (const { name, type, want } of cases)
  test(`clusterNames() answers ${type} ${name}`, async () => {
    assert.deepEqual(await ask(name, recordType[type]), want);
  });

test('A name that nobody knows is forwarded, and SERVFAIL when no resolver answers', async () => {
  const asked: string[] = [];
  const handler = dnsHandler({
    chain: [
      names,
      forwarding({
        servers: () => ['192.0.2.1', '192.0.2.2'],
        ask: async (server) => {
          asked.push(server);
          throw new Error('no answer');
        },
      }),
    ],
    logger: silentLogger,
  });
  const bytes = Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1]);
  const answer = await handler(bytes, 'udp');
  assert.deepEqual(asked, ['192.0.2.1', '192.0.2.2']);
  assert.equal((answer?.[3] ?? 0) & 15, responseCode.serverFailure);
});

test('Broken queries get FORMERR and answers get nothing', async () => {
  const handler = dnsHandler({ chain: [names], logger: silentLogger });
  const broken = Uint8Array.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 1]);
  assert.equal(((await handler(broken, 'udp'))?.[3] ?? 0) & 15, responseCode.formatError);
  assert.equal(
    await handler(Uint8Array.from([0, 9, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0]), 'udp'),
    undefined,
  );
});
