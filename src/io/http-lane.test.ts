import assert from 'node:assert/strict';
import { type Socket, connect } from 'node:net';
import { suite, test } from 'node:test';
import type { Face } from '#base';
import { serve, systemClock } from './index.ts';

/** Answers with what it understood of the request. */
const tell: Face = async (request) => {
  const body = await request.body(4 * 1024 * 1024);
  const seen = {
    method: request.method,
    path: request.path,
    search: request.search,
    bytes: body.length,
    group: request.headers['x-group'],
  };
  return {
    status: request.path === '/none' ? 204 : 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(seen)),
  };
};
const listen = (face: Face = tell) =>
  serve({ face, host: '127.0.0.1', port: 0, clock: systemClock });

/** Writes the parts one after the other and reads until the server closes or `done` is satisfied. */
async function talk(
  port: number,
  parts: readonly (string | Buffer)[],
  done: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await opened(socket);
  return await new Promise((resolve) => {
    let text = '';
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (done(text)) end();
    });
    socket.on('error', end);
    socket.on('close', end);
    void (async () => {
      for (const part of parts) {
        if (socket.destroyed) return;
        await new Promise((sent) => {
          socket.write(part, sent);
        });
        await new Promise((turn) => {
          setImmediate(turn);
        });
      }
    })();
  });
}
function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
}
const answers = (count: number) => (text: string) =>
  text.split('HTTP/1.1 ').length > count && text.endsWith('}');

suite('plain requests', () => {
  test('sent ahead are answered in order', async () => {
    await using served = await listen();
    const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const text = await talk(served.port, [one('/1') + one('/2?a=b') + one('/3')], answers(3));
    const paths = [...text.matchAll(/"path":"([^"]*)","search":"([^"]*)"/g)].map(
      ([, path, search]) => `${path}?${search}`,
    );
    assert.deepEqual(paths, ['/1?', '/2?a=b', '/3?']);
  });

  test('may bring their body in pieces', async () => {
    await using served = await listen();
    const head = 'POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n';
    const text = await talk(served.port, [head, '12345', '67890'], answers(1));
    assert.match(text, /"bytes":10/);
  });

  test('without a body in the answer have none', async () => {
    await using served = await listen();
    const head = await talk(
      served.port,
      ['HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /none HTTP/1.1\r\nHost: x\r\n\r\n'],
      (text) => text.split('\r\n\r\n').length > 2,
    );
    const [first = '', second = ''] = head.split('\r\n\r\n');
    assert.match(first, /^HTTP\/1\.1 200 OK\r\n[^]*content-length: \d+/);
    assert.match(second, /^HTTP\/1\.1 204 No Content/);
    assert.doesNotMatch(second, /content-length/);
  });

  test('keep their connection, unless the server is closing', async () => {
    const served = await listen();
    const kept = await talk(served.port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], answers(1));
    assert.match(kept, /connection: keep-alive\r\nkeep-alive: timeout=120/);
    // The second connection stays open when its request is answered.
    let answered = (): void => {};
    const isAnswered = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const idle = talk(served.port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], (text) => {
      if (text.endsWith('}')) answered();
      return false;
    });
    await isAnswered;
    await served.close(60_000);
    assert.match(await idle, /"path":"\/"/);
  });

  test('get streams in chunks', async () => {
    await using served = await listen(async () => ({
      status: 200,
      headers: {},
      body: async (sink) => {
        sink.write(Buffer.from('hello '));
        sink.write(Buffer.alloc(0));
        sink.write(Buffer.from('world, wherever'));
      },
    }));
    const text = await talk(served.port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], (all) =>
      all.endsWith('0\r\n\r\n'),
    );
    assert.match(text, /\r\n\r\n6\r\nhello \r\nf\r\nworld, wherever\r\n0\r\n\r\n$/);
  });

  test('get a stream whose length is known without chunks', async () => {
    await using served = await listen(async () => ({
      status: 200,
      headers: { 'Content-Length': '11' },
      body: async (sink) => {
        sink.write(Buffer.from('hello '));
        sink.write(Buffer.from('world'));
      },
    }));
    const text = await talk(served.port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], (all) =>
      all.endsWith('world'),
    );
    assert.match(text, /\r\n\r\nhello world$/);
    assert.doesNotMatch(text, /transfer-encoding/i);
  });

  test('are told once what becomes of the connection', async () => {
    await using served = await listen(async () => ({
      status: 200,
      headers: { Connection: 'close' },
      body: Buffer.from('{}'),
    }));
    const text = await talk(served.port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], answers(1));
    assert.deepEqual(text.match(/^connection: .*$/gim), ['connection: keep-alive']);
  });

  test('leave nothing behind on their connection', async () => {
    let leaks = 0;
    const onWarning = (): void => {
      leaks++;
    };
    process.on('warning', onWarning);
    await using served = await listen(async ({ signal }) => ({
      status: signal.aborted ? 500 : 200,
      headers: {},
      body: Buffer.from('{}'),
    }));
    const one = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    await talk(served.port, [one.repeat(50)], answers(50));
    process.off('warning', onWarning);
    assert.equal(leaks, 0, 'listeners were added for each request');
  });

  test('never get a header that would end early', async () => {
    await using served = await listen(async () => ({
      status: 200,
      headers: { 'x-evil': 'a\r\nset-cookie: b' },
      body: Buffer.from('x'),
    }));
    assert.equal(await talk(served.port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n']), '');
  });
});

suite('requests that are not plain', () => {
  const good: readonly (readonly [string, readonly (string | Buffer)[], RegExp])[] = [
    ['a head in many pieces', 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'.split(''), /"path":"\/slow"/],
    [
      'a chunked body',
      ['POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
      /"bytes":3/,
    ],
    [
      'a body that waits to be asked for',
      ['PUT /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n', 'ab'],
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*"bytes":2/,
    ],
    [
      'a body too long to gather',
      ['PUT /l HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n', Buffer.alloc(600_000, 'x')],
      /"bytes":600000/,
    ],
    [
      'a repeated header',
      ['GET /r HTTP/1.1\r\nHost: x\r\nX-Group: a\r\nX-Group: b\r\n\r\n'],
      /"group":"a, b"/,
    ],
    [
      'one after a plain one',
      [
        'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
      ],
      /"path":"\/1"[^]*"path":"\/2","search":"","bytes":1/,
    ],
    ['the old version', ['GET /0 HTTP/1.0\r\n\r\n'], /connection: close[^]*"path":"\/0"/i],
    [
      'a connection for one request',
      ['GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
      /connection: close[^]*"path":"\/c"/i,
    ],
  ];
  for (const [what, parts, expected] of good)
    test(`${what} is understood`, async () => {
      await using served = await listen();
      const text = await talk(served.port, parts, (all) => expected.test(all));
      assert.match(text, expected);
    });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['no host', 'GET / HTTP/1.1\r\nA: b\r\n\r\n', /^HTTP\/1\.1 400/],
    ['no header', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a space before a colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n', /^HTTP\/1\.1 (400|200)/],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n', /^HTTP\/1\.1 400/],
    ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n', /^HTTP\/1\.1 400/],
    ['an unknown version', 'GET / HTTP/9.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 400/],
    ['noise', '\x16\x03\x01\x02\x00\x01\r\n\r\n', /^HTTP\/1\.1 400/],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      /^HTTP\/1\.1 400/,
    ],
    [
      'a length with a sign',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nab',
      /^HTTP\/1\.1 400/,
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400/,
    ],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(80_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431/,
    ],
  ];
  for (const [what, text, expected] of bad)
    test(`${what} is judged by the library`, async () => {
      await using served = await listen();
      const got = await talk(served.port, [text], (all) => all.includes('\r\n\r\n'));
      assert.match(got, expected);
    });
});
