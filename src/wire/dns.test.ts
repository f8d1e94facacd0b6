import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeDnsQuery, encodeDnsAnswer, ipv6Groups, recordType } from './dns.ts';

/** A query as resolvers send it; `size` adds an EDNS record. */
function query(name: string, type: number, size?: number): Uint8Array {
  const bytes = [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, size === undefined ? 0 : 1];
  for (const label of name.split('.')) bytes.push(label.length, ...Buffer.from(label));
  bytes.push(0, 0, type, 0, 1);
  if (size !== undefined) bytes.push(0, 0, 41, size >> 8, size & 255, 0, 0, 0, 0, 0, 0);
  return Uint8Array.from(bytes);
}

test('decodeDnsQuery() reads name, type and the size a client takes', () => {
  const decoded = decodeDnsQuery(query('Web.default.svc.cluster.local', recordType.SRV, 1232));
  assert.equal(decoded?.name, 'Web.default.svc.cluster.local');
  assert.equal(decoded?.type, recordType.SRV);
  assert.equal(decoded?.udpBytesMax, 1232);
  assert.equal(decodeDnsQuery(query('a.b', 1))?.udpBytesMax, 512);
});

test('encodeDnsAnswer() writes an A record that points back to the question', () => {
  const asked = decodeDnsQuery(query('web.local', 1));
  assert.ok(asked);
  const answer = encodeDnsAnswer(
    asked,
    {
      code: 0,
      authoritative: true,
      answers: [{ name: 'web.local', type: 'A', ttl: 5, address: '10.0.0.7' }],
    },
    'udp',
  );
  assert.equal(
    Buffer.from(answer).toString('hex'),
    '12348580000100010000000003776562056c6f63616c0000010001c00c000100010000000500040a000007',
  );
});

test('An answer that is too long for UDP is cut with TC set, and whole over TCP', () => {
  const asked = decodeDnsQuery(query('many.local', 1));
  assert.ok(asked);
  const answers = Array.from({ length: 60 }, (_, index) => ({
    name: 'many.local',
    type: 'A' as const,
    ttl: 5,
    address: `10.0.0.${index}`,
  }));
  const overUdp = encodeDnsAnswer(asked, { code: 0, authoritative: true, answers }, 'udp');
  assert.equal((overUdp[2] ?? 0) & 2, 2);
  assert.equal(overUdp[7], 0);
  assert.equal(encodeDnsAnswer(asked, { code: 0, authoritative: true, answers }, 'tcp')[7], 60);
});

test('decodeDnsQuery() never throws and never loops on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      decodeDnsQuery(bytes);
    }),
  );
  // A name that points at itself.
  const loop = Uint8Array.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]);
  assert.equal(decodeDnsQuery(loop), undefined);
});

test('ipv6Groups() fills in the zeros', () => {
  assert.deepEqual(ipv6Groups('fd00::1:2'), [0xfd00, 0, 0, 0, 0, 0, 1, 2]);
});
