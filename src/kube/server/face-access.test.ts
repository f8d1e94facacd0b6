import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { FaceRequest, Peer } from '#base';
import { secrets } from '#kube/kinds';
import type { Api } from '#machinery';
import { createFaceAccess, systemUser } from './index.ts';
import type { FaceAccess } from './index.ts';
import { passwordVerifier } from './passwords.ts';
import { adminToken, issuer, startCluster, type TestCluster } from './fixture.test.ts';

const local: Peer = {
  address: '127.0.0.1',
  port: 40_000,
  localAddress: '127.0.0.1',
  localPort: 5050,
  secure: false,
  certificates: [],
};

function asked(headers: Readonly<Record<string, string>>, peer: Peer = local): FaceRequest {
  return {
    method: 'POST',
    path: '/v2/apps',
    search: '',
    headers: { host: 'localhost:8080', ...headers },
    peer: { ...peer },
    signal: new AbortController().signal,
    body: () => Promise.resolve(new Uint8Array()),
    async *bodyStream() {
      /* empty */
    },
  };
}

function accessOf(cluster: TestCluster, owners: readonly number[], uid?: number): FaceAccess {
  return createFaceAccess({
    reader: cluster.kube.reader,
    authorizer: cluster.kube.authorizer,
    tokenVerifiers: cluster.kube.tokenVerifiers,
    issuer,
    socketOwner: () => Promise.resolve(uid),
    owners: new Set(owners),
    hosts: new Set(['localhost', '127.0.0.1']),
  });
}

async function addUser(api: Api, name: string, groups: string): Promise<void> {
  await api.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `user-${name}`,
      namespace: 'kube-system',
      labels: { 'tandem.dev/user': 'true' },
      annotations: { 'tandem.dev/groups': groups },
    },
    type: 'kubernetes.io/basic-auth',
    data: {
      username: Buffer.from(name).toString('base64'),
      password: Buffer.from('sesame').toString('base64'),
    },
  });
}

const basic = (text: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});

suite('Access to faces', () => {
  test('Without credentials only root and the owner come in, from this machine', async () => {
    await using cluster = await startCluster();
    const owner = await accessOf(cluster, [0, 1000], 1000).authenticate(asked({}));
    assert.ok(owner.ok && owner.principal === undefined);
    for (const uid of [1001, undefined]) {
      const other = await accessOf(cluster, [0, 1000], uid).authenticate(asked({}));
      assert.ok(!other.ok && other.status === 401, String(uid));
    }
  });

  test('A web page comes in under no name without credentials', async () => {
    await using cluster = await startCluster();
    const access = accessOf(cluster, [0], 0);
    for (const headers of [
      { origin: 'http://localhost:8080' },
      { origin: 'null' },
      { host: 'evil.example:8080' },
      { host: 'localhost.evil.example' },
    ]) {
      const answer = await access.authenticate(asked(headers));
      assert.ok(!answer.ok && answer.status === 403, JSON.stringify(headers));
    }
  });

  test('With --authenticate the owner needs credentials too', async () => {
    await using cluster = await startCluster();
    const answer = await accessOf(cluster, [], 0).authenticate(asked({}));
    assert.ok(!answer.ok && answer.status === 401);
  });

  test('Users come with passwords and tokens, and wrong ones stay out', async () => {
    await using cluster = await startCluster();
    await addUser(cluster.kube.apiFor(systemUser), 'ada', 'ops, system:masters');
    const access = accessOf(cluster, [], undefined);
    const ada = await access.authenticate(asked(basic('ada:sesame')));
    assert.ok(ada.ok);
    assert.equal(ada.principal, 'ada');
    assert.deepEqual(ada.user.groups, ['ops', 'system:authenticated']);
    const token = await access.authenticate(asked({ authorization: `Bearer ${adminToken}` }));
    assert.ok(token.ok);
    for (const headers of [
      basic('ada:wrong'),
      basic('ada:'),
      basic('bob:sesame'),
      basic(':'),
      { authorization: 'Basic !!!' },
      { authorization: 'Bearer nonsense' },
      { authorization: 'Digest x' },
    ]) {
      const answer = await access.authenticate(asked(headers));
      assert.ok(!answer.ok && answer.status === 401, JSON.stringify(headers));
    }
  });

  test('Where nobody needs credentials, those of nobody are ignored', async () => {
    await using cluster = await startCluster();
    await addUser(cluster.kube.apiFor(systemUser), 'ada', '');
    const open = accessOf(cluster, [0], 0);
    for (const authorization of [basic('spark:secret').authorization, 'token=eyJ0', 'Basic !!!']) {
      const answer = await open.authenticate(asked({ authorization }));
      assert.ok(answer.ok && answer.principal === undefined, authorization);
      const page = { authorization, origin: 'http://localhost' };
      const web = await open.authenticate(asked(page));
      assert.ok(!web.ok && web.status === 403, authorization);
      const stranger = await accessOf(cluster, [0], 7).authenticate(asked({ authorization }));
      assert.ok(!stranger.ok && stranger.status === 401, authorization);
    }
    for (const headers of [basic('ada:wrong'), { authorization: 'Bearer nonsense' }]) {
      const answer = await open.authenticate(asked(headers));
      assert.ok(!answer.ok && answer.status === 401, headers.authorization);
    }
  });

  test('RBAC decides what a user may do', async () => {
    await using cluster = await startCluster();
    const access = accessOf(cluster, [0], 0);
    const wanted = { verb: 'create', group: 'marathon.tandem.dev', resource: 'apps' };
    const owner = await access.authenticate(asked({}));
    assert.ok(owner.ok && access.allows(owner.user, wanted));
    assert.ok(!access.allows({ name: 'ada', groups: ['system:authenticated'] }, wanted));
  });

  test('Agents have passwords judged by a review; the API itself takes none', async () => {
    await using cluster = await startCluster();
    await addUser(cluster.kube.apiFor(systemUser), 'ada', 'dev');
    const verifier = passwordVerifier(cluster.kube.reader);
    const judged = (text: string) => verifier.verify(basic(text).authorization, ['a']);
    const ada = judged('ada:sesame');
    assert.ok(ada?.ok === true && ada.user.name === 'ada' && ada.user.groups.includes('dev'));
    assert.deepEqual(judged('ada:no'), { ok: false, error: 'Unknown user or wrong password' });
    assert.deepEqual(judged('eve:no'), { ok: false, error: 'there is no user of that name' });
    assert.equal(verifier.verify('some-token', ['a']), undefined);
    const names = cluster.kube.tokenVerifiers.map(({ name }) => name);
    assert.ok(!names.includes(verifier.name));
  });
});
