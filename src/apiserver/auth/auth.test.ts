import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { Clock, FaceRequest } from '#base';
import { createAuthority, issueCertificate, systemClock } from '#io';
import { isStatus } from '#machinery';
import {
  anonymousAuthenticator,
  bearerAuthenticator,
  bootstrapTokenVerifier,
  certificateAuthenticator,
  serviceAccountVerifier,
  staticTokenVerifier,
  verifyToken,
  websocketTokenPrefix,
  type TokenObjects,
} from './authenticators.ts';
import { impersonationOf } from './impersonation.ts';
import { openIdPaths } from './openid.ts';
import { createTokenSigner, type TokenClaims } from './tokens.ts';

const startMs = 1_800_000_000_000;
let nowMs = startMs;
const clock: Clock = { ...systemClock, nowMs: () => nowMs };
const issuer = 'https://kubernetes.default.svc.cluster.local';

function ecKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

function request(headers: Record<string, string>, certificates: Uint8Array[] = []): FaceRequest {
  return {
    method: 'GET',
    path: '/api',
    search: '',
    headers,
    peer: { address: '', port: 0, localAddress: '', localPort: 0, secure: true, certificates },
    signal: AbortSignal.timeout(1000),
    body: async () => new Uint8Array(),
    async *bodyStream() {},
  };
}

function claims(over: Partial<TokenClaims> = {}): TokenClaims {
  const seconds = startMs / 1000;
  return {
    iss: issuer,
    sub: 'system:serviceaccount:default:web',
    aud: [issuer],
    exp: seconds + 3600,
    iat: seconds,
    nbf: seconds,
    jti: 'a-b-c',
    'kubernetes.io': {
      namespace: 'default',
      serviceaccount: { name: 'web', uid: 'u1' },
      pod: { name: 'web-0', uid: 'p1' },
    },
    ...over,
  };
}

const standing = new Map<string, { uid: string; deletedMs: number | undefined }>([
  ['ServiceAccount/default/web', { uid: 'u1', deletedMs: undefined }],
  ['Pod/default/web-0', { uid: 'p1', deletedMs: undefined }],
]);
const objects: TokenObjects = {
  find: (kind, name, namespace) => standing.get(`${kind}/${namespace}/${name}`),
};

const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

for (const [name, keyPem] of [
  ['ES256', ecKey()],
  ['RS256', rsaKey],
] as const) {
  test(`a service account token signed with ${name} names its account and what it is bound to`, async () => {
    const signer = createTokenSigner(keyPem);
    const verifier = serviceAccountVerifier({ signer, issuer, objects, clock });
    const bearer = bearerAuthenticator([verifier], [issuer]);
    const token = signer.sign(claims());
    const user = await bearer.authenticate(request({ authorization: `Bearer ${token}` }));
    assert.deepEqual(user, {
      name: 'system:serviceaccount:default:web',
      uid: 'u1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': ['JTI=a-b-c'],
        'authentication.kubernetes.io/pod-name': ['web-0'],
        'authentication.kubernetes.io/pod-uid': ['p1'],
      },
    });
    const [header] = token.split('.');
    assert.equal(JSON.parse(Buffer.from(header ?? '', 'base64url').toString()).alg, name);
  });
}

const signer = createTokenSigner(ecKey());
const verifier = serviceAccountVerifier({ signer, issuer, objects, clock });
const seconds = startMs / 1000;
const refusals: { name: string; over: Partial<TokenClaims>; error: string }[] = [
  {
    name: 'that has expired',
    over: { exp: seconds - 1 },
    error: 'service account token has expired',
  },
  {
    name: 'from the future',
    over: { nbf: seconds + 9 },
    error: 'service account token is not valid yet',
  },
  {
    name: 'for another audience',
    over: { aud: ['vault'] },
    error: `token audiences ["vault"] is invalid for the target audiences ["${issuer}"]`,
  },
  {
    name: 'of a deleted Pod',
    over: {
      'kubernetes.io': {
        namespace: 'default',
        serviceaccount: { name: 'web', uid: 'u1' },
        pod: { name: 'web-1', uid: 'p1' },
      },
    },
    error: 'service account token has been invalidated',
  },
  {
    name: 'of an account that was made anew',
    over: { 'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'web', uid: 'u0' } } },
    error: 'service account token has been invalidated',
  },
  {
    name: 'whose subject is not its account',
    over: { sub: 'system:serviceaccount:kube-system:root' },
    error: 'service account token has been invalidated',
  },
];
for (const { name, over, error } of refusals) {
  test(`a token ${name} is refused`, () => {
    const result = verifyToken([verifier], signer.sign(claims(over)), [issuer]);
    assert.deepEqual(result, { ok: false, error: `[invalid bearer token, ${error}]` });
  });
}

test('a token of a terminating Pod works for a minute', () => {
  const token = signer.sign(claims());
  standing.set('Pod/default/web-0', { uid: 'p1', deletedMs: startMs });
  try {
    nowMs = startMs + 59_000;
    assert(verifyToken([verifier], token, [issuer]).ok);
    nowMs = startMs + 60_000;
    assert(!verifyToken([verifier], token, [issuer]).ok);
  } finally {
    nowMs = startMs;
    standing.set('Pod/default/web-0', { uid: 'p1', deletedMs: undefined });
  }
});

test('a token with a changed body, another key or algorithm "none" is no token', () => {
  const token = signer.sign(claims());
  const [head = '', , signature = ''] = token.split('.');
  const body = Buffer.from(JSON.stringify(claims({ sub: 'x' }))).toString('base64url');
  const none = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(head, 'base64url').toString()), alg: 'none' }),
  ).toString('base64url');
  const other = createTokenSigner(ecKey()).sign(claims());
  for (const forged of [`${head}.${body}.${signature}`, `${none}.${body}.`, other, 'a.b.c', ''])
    assert.equal(signer.read(forged), undefined);
});

test('a wrong bearer token is 401 and never anonymous', async () => {
  const bearer = bearerAuthenticator([verifier], [issuer]);
  for (const authorization of ['Bearer nonsense', 'bearer a b', 'Bearer abcdef.0123456789abcdef'])
    await assert.rejects(bearer.authenticate(request({ authorization })), (error: unknown) =>
      isStatus(error, 'Unauthorized'),
    );
  assert.equal(await bearer.authenticate(request({})), undefined);
  const user = await anonymousAuthenticator().authenticate(request({}));
  assert.deepEqual(user, { name: 'system:anonymous', groups: ['system:unauthenticated'] });
});

test('a browser may send its token as a WebSocket subprotocol', async () => {
  const bearer = bearerAuthenticator(
    [staticTokenVerifier('s3cret', { name: 'ann', groups: [] })],
    [],
  );
  const carrier = websocketTokenPrefix + Buffer.from('s3cret').toString('base64url');
  const headers = {
    upgrade: 'websocket',
    'sec-websocket-protocol': `v5.channel.k8s.io, ${carrier}`,
  };
  assert.equal((await bearer.authenticate(request(headers)))?.name, 'ann');
  const alone = { upgrade: 'websocket', 'sec-websocket-protocol': carrier };
  assert.equal(await bearer.authenticate(request(alone)), undefined);
});

test('a bootstrap token counts while its Secret allows it', () => {
  const known = {
    id: 'abcdef',
    secret: '0123456789abcdef',
    expiresMs: startMs + 1000,
    usableForAuthentication: true,
    groups: ['system:bootstrappers:tandem'],
  };
  const verify = (over: Partial<typeof known>, token = 'abcdef.0123456789abcdef') =>
    bootstrapTokenVerifier(
      (id) => (id === 'abcdef' ? { ...known, ...over } : undefined),
      clock,
    ).verify(token, []);
  assert.deepEqual(verify({}), {
    ok: true,
    audiences: [],
    user: {
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:tandem'],
    },
  });
  assert.equal(verify({ expiresMs: startMs }), undefined);
  assert.equal(verify({ usableForAuthentication: false }), undefined);
  assert.equal(verify({}, 'abcdef.0123456789abcdee'), undefined);
  assert.equal(verify({}, 'fedcba.0123456789abcdef'), undefined);
  assert.equal(verify({}, 'ABCDEF.0123456789abcdef'), undefined);
});

test('a client certificate gives user and groups', async () => {
  const life = { notBeforeMs: startMs, notAfterMs: startMs + 1e9 };
  const authority = createAuthority('ca', life);
  const pair = issueCertificate(authority, {
    ...life,
    subject: { commonName: 'ann', organizations: ['dev', 'ops'] },
    usages: ['clientAuth'],
  });
  const raw = Buffer.from(pair.certificatePem.replace(/-----.*-----/g, ''), 'base64');
  const user = await certificateAuthenticator().authenticate(request({}, [raw]));
  assert.equal(user?.name, 'ann');
  assert.deepEqual(user?.groups, ['dev', 'ops', 'system:authenticated']);
  assert.match(
    user?.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '',
    /^X509SHA256=[0-9a-f]{64}$/,
  );
});

test('impersonationOf() names every right that is needed', () => {
  const real = { name: 'ann', groups: [] };
  assert.equal(impersonationOf({}, real), undefined);
  const wanted = impersonationOf(
    {
      'impersonate-user': 'system:serviceaccount:ns:bot',
      'impersonate-uid': '7',
      'impersonate-extra-acme.com%2fscope': 'a, b',
    },
    real,
  );
  assert.deepEqual(wanted?.user, {
    name: 'system:serviceaccount:ns:bot',
    uid: '7',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
    extra: { 'acme.com/scope': ['a', 'b'] },
  });
  assert.deepEqual(
    wanted?.needs.map(
      (n) => `${n.verb} ${n.group}/${n.resource}/${n.subresource} ${n.namespace} ${n.name}`,
    ),
    [
      'impersonate /serviceaccounts/ ns bot',
      'impersonate authentication.k8s.io/userextras/acme.com/scope  a',
      'impersonate authentication.k8s.io/userextras/acme.com/scope  b',
      'impersonate authentication.k8s.io/uids/  7',
    ],
  );
  assert.throws(
    () => impersonationOf({ 'impersonate-group': 'g' }, real),
    /without impersonating a user/,
  );
});

test('openIdPaths() publish the issuer and its keys', async () => {
  const paths = openIdPaths({ signer, issuer });
  const reply = await paths['/openid/v1/jwks']?.(request({}));
  assert(reply?.body instanceof Uint8Array);
  const { keys } = JSON.parse(Buffer.from(reply.body).toString());
  assert.equal(keys[0].kty, 'EC');
  assert.equal(keys[0].d, undefined);
});
