import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Face, FaceReply } from '#base';
import { CallRejected } from '../link.ts';
import { openAccess } from './access.ts';
import type { Access } from './access.ts';
import { jsonReply, methodNotAllowed, textReply } from './replies.ts';
import { createRouterFace } from './router.ts';
import type { HttpRequest, Route } from './router.ts';
import { inProcessRequest } from './in-process.ts';

function shows(name: string): Route {
  return { realm: 'r', handle: async ({ path }) => textReply(200, `${name} ${path}`) };
}

function faceWith(extra: Readonly<Record<string, Route>> = {}, access: Access = openAccess): Face {
  return createRouterFace({
    delegate: 'master',
    access,
    processes: {
      master: {
        '': shows('root'),
        state: shows('state'),
        'api/v1': shows('api'),
        'api/v1/scheduler': shows('scheduler'),
        ...extra,
      },
      version: { '': shows('version') },
      'slave(1)': { state: shows('agent') },
    },
    bodyBytesMax: 2000,
  });
}

async function ask(face: Face, path: string): Promise<string> {
  const reply = await face(inProcessRequest({ path }));
  return `${reply.status} ${textOf(reply)}`;
}
function textOf({ body }: FaceReply): string {
  return body instanceof Uint8Array ? Buffer.from(body).toString() : '';
}

const routes: readonly (readonly [string, string])[] = [
  ['/', '200 root /master'],
  ['/state', '200 state /master/state'],
  ['/master/state', '200 state /master/state'],
  ['/state/', '200 state /master/state/'],
  ['/state/anything', '200 state /master/state/anything'],
  ['/state.json', '404 404 Not Found.'],
  ['/api/v1/scheduler/x', '200 scheduler /master/api/v1/scheduler/x'],
  ['/api/v1/foo', '200 api /master/api/v1/foo'],
  ['/api', '404 404 Not Found.'],
  ['/version', '200 version /version'],
  ['/version/x', '404 404 Not Found.'],
  ['/slave%281%29/state', '200 agent /slave%281%29/state'],
  ['/slave(1)/state', '200 agent /slave(1)/state'],
  ['/master/../state', '404 404 Not Found.'],
  ['state', "400 Request URL path must start with '/'"],
];
for (const [path, answer] of routes) {
  test(`${path} is answered ${answer}`, async () => {
    assert.equal(await ask(faceWith(), path), answer);
  });
}

test('Failures of a handler are its status and text, bugs are 500', async () => {
  const face = faceWith({
    refused: { handle: () => Promise.reject(new CallRejected(409, 'Busy')) },
    forbidden: { handle: () => Promise.reject(new CallRejected(403, '')) },
    broken: { handle: () => Promise.reject(new Error('Out of luck')) },
    method: { handle: async ({ method }) => methodNotAllowed(['POST', 'PUT'], method) },
  });
  assert.equal(await ask(face, '/refused'), '409 Busy');
  assert.equal(await ask(face, '/forbidden'), '403 403 Forbidden.');
  assert.equal(await ask(face, '/broken'), '500 Out of luck');
  const reply = await face(inProcessRequest({ path: '/method' }));
  assert.equal(reply.headers['Allow'], 'POST, PUT');
  assert.equal(
    textOf(reply),
    "405 Method Not Allowed. Expecting one of { 'POST', 'PUT' }, but received 'GET'.",
  );
});

test('Whoever has no name does not reach the handler', async () => {
  const asked: string[] = [];
  const access: Access = {
    async authenticate(_, realm) {
      asked.push(realm);
      return { refusal: textReply(401) };
    },
  };
  const face = faceWith({ health: { handle: async () => textReply(200) } }, access);
  assert.equal(await ask(face, '/state'), '401 401 Unauthorized.');
  assert.equal(await ask(face, '/health'), '200 ');
  assert.deepEqual(asked, ['r']);
});

test('Bodies of 1024 bytes are compressed for who can read it', async () => {
  const handle = async (): Promise<FaceReply> => jsonReply(JSON.stringify('x'.repeat(1022)));
  const face = faceWith({ long: { handle } });
  const headers = { 'accept-encoding': 'gzip;q=0.5, br' };
  const packed = await face(inProcessRequest({ path: '/long', headers }));
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.ok(packed.body instanceof Uint8Array);
  assert.equal(gunzipSync(packed.body).length, 1024);
  for (const refusing of ['gzip;q=0', 'br', undefined]) {
    const plain = await face(
      inProcessRequest({ path: '/long', headers: { 'accept-encoding': refusing } }),
    );
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(textOf(plain).length, 1024);
  }
});

test('Bodies come decompressed and within their limit', async () => {
  const handle = async (request: HttpRequest): Promise<FaceReply> =>
    textReply(200, await request.text());
  const face = faceWith({ echo: { handle } });
  const headers = { 'content-encoding': 'gzip' };
  const good = await face(inProcessRequest({ path: '/echo', headers, body: gzipSync('hello') }));
  assert.equal(textOf(good), 'hello');
  const bomb = await face(
    inProcessRequest({ path: '/echo', headers, body: gzipSync(Buffer.alloc(1_000_000)) }),
  );
  assert.equal(bomb.status, 500);
  const long = await face(inProcessRequest({ path: '/echo', body: Buffer.alloc(3000) }));
  assert.equal(`${long.status} ${textOf(long)}`, '413 Request body is longer than 2000 bytes');
});

test('Queries are decoded, the last of equal names counts', async () => {
  const handle = async ({ query }: HttpRequest): Promise<FaceReply> =>
    jsonReply(JSON.stringify(Object.fromEntries(query)), query.get('jsonp'));
  const face = faceWith({ query: { handle } });
  const search = 'a=1&b=x+%C3%A9%2F;a=2&jsonp=cb&flag';
  const reply = await face(inProcessRequest({ path: '/query', search }));
  assert.equal(textOf(reply), 'cb({"a":"2","b":"x é/","jsonp":"cb","flag":""})');
  assert.equal(reply.headers['Content-Type'], 'text/javascript');
  assert.equal((await face(inProcessRequest({ path: '/query', search: 'a=%zz' }))).status, 400);
});
