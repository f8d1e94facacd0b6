import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaceRequest, Peer } from '#base';
import { localCallers } from './local-callers.ts';

const peer: Peer = {
  address: '127.0.0.1',
  port: 1,
  localAddress: '127.0.0.1',
  localPort: 2,
  secure: false,
  certificates: [],
};
const cases: readonly (readonly [string, Readonly<Record<string, string>>, number | undefined])[] =
  [
    ['let in', { host: 'localhost:5051' }, undefined],
    ['let in', {}, undefined],
    ['let in', { host: 'LOCALHOST' }, undefined],
    ['refused', { host: 'example.com' }, 403],
    ['refused', { host: 'localhost', origin: 'http://localhost' }, 403],
  ];
for (const [what, headers, status] of cases)
  test(`An owner with ${JSON.stringify(headers)} is ${what}`, async () => {
    const hosts = new Set(['localhost']);
    const local = localCallers({ owners: new Set([7]), hosts, socketOwner: async () => 7 });
    const refusal = await local.refusal(requestOf(headers));
    assert.equal(refusal?.status, status);
  });

test('Others are refused, and everybody where credentials are needed', async () => {
  const hosts = new Set(['localhost']);
  for (const uid of [8, undefined]) {
    const local = localCallers({ owners: new Set([7]), hosts, socketOwner: async () => uid });
    assert.equal((await local.refusal(requestOf({})))?.status, 401);
  }
  const closed = localCallers({ owners: new Set(), hosts, socketOwner: async () => 7 });
  assert.equal(closed.open, false);
  assert.equal((await closed.refusal(requestOf({})))?.status, 401);
});

function requestOf(headers: Readonly<Record<string, string>>): FaceRequest {
  return {
    method: 'GET',
    path: '/state',
    search: '',
    headers,
    peer,
    signal: new AbortController().signal,
    body: async () => new Uint8Array(),
  } as Partial<FaceRequest> as FaceRequest;
}
