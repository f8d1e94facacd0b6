import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteSocket } from '#base';
import { SpdyConnection } from './spdy.ts';
import type { SpdyStream } from './spdy.ts';
import { SpdyWriter } from './spdy-frames.ts';

/** One direction: written chunks wait until they are read; `roomBytes` bounds them. */
class Pipe {
  readonly #chunks: Uint8Array[] = [];
  readonly roomBytes: number;
  waitingBytes = 0;
  mostBytes = 0;
  #ended = false;
  #wake: () => void = () => undefined;
  #roomy: (() => void)[] = [];
  constructor(roomBytes: number) {
    this.roomBytes = roomBytes;
  }
  write(chunk: Uint8Array): boolean {
    if (this.#ended) return true;
    this.#chunks.push(chunk);
    this.waitingBytes += chunk.length;
    this.mostBytes = Math.max(this.mostBytes, this.waitingBytes);
    this.#wake();
    return this.waitingBytes < this.roomBytes;
  }
  drained(): Promise<void> {
    if (this.waitingBytes < this.roomBytes || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#roomy.push(resolve));
  }
  end(): void {
    this.#ended = true;
    this.#wake();
    for (const resolve of this.#roomy.splice(0)) resolve();
  }
  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#chunks.shift();
      if (next !== undefined) {
        this.waitingBytes -= next.length;
        if (this.waitingBytes < this.roomBytes)
          for (const resolve of this.#roomy.splice(0)) resolve();
        yield next;
      } else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function socketOver(incoming: Pipe, outgoing: Pipe): ByteSocket {
  const close = (): void => {
    incoming.end();
    outgoing.end();
  };
  return {
    incoming: incoming.read(),
    write: (chunk) => outgoing.write(chunk),
    drained: () => outgoing.drained(),
    end: () => outgoing.end(),
    destroy: close,
    closed: Promise.resolve(),
  };
}

function pair(roomBytes = 64 * 1024) {
  const [up, down] = [new Pipe(roomBytes), new Pipe(roomBytes)];
  const client = new SpdyConnection(socketOver(down, up), { side: 'client' });
  const server = new SpdyConnection(socketOver(up, down), { side: 'server' });
  const running = Promise.allSettled([client.run(), server.run()]);
  return { client, server, up, down, running };
}
async function first(connection: SpdyConnection): Promise<SpdyStream> {
  for await (const stream of connection.accept()) return stream;
  throw new Error('No stream came');
}
async function textOf(stream: SpdyStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.incoming) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('A stream carries bytes both ways and is closed half by half', async () => {
  const { client, server } = pair();
  const asking = await client.open({ streamtype: 'data', port: '80' });
  await asking.write(Buffer.from('question'));
  await asking.end();
  const serving = await first(server);
  assert.deepEqual({ ...serving.headers }, { streamtype: 'data', port: '80' });
  assert.equal(await textOf(serving), 'question');
  await serving.write(Buffer.from('answer'));
  await serving.end();
  assert.equal(await textOf(asking), 'answer');
});

test('Ten megabytes arrive whole while the reader is slow, and never more than the bounds wait', async () => {
  const { client, server, up } = pair();
  const asking = await client.open({ streamtype: 'stdin' });
  const serving = await first(server);
  const chunk = Buffer.alloc(256 * 1024, 7);
  let sentBytes = 0;
  const sending = (async () => {
    for (let turn = 0; turn < 40; turn++) {
      await asking.write(chunk);
      sentBytes += chunk.length;
    }
    await asking.end();
  })();
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  // Nobody has read: a megabyte in the stream, what the pipe holds, and one write on its way.
  assert.ok(sentBytes <= 2 * 1024 * 1024, `${sentBytes} bytes were taken`);
  let gotBytes = 0;
  for await (const piece of serving.incoming) gotBytes += piece.length;
  await sending;
  assert.equal(gotBytes, 40 * chunk.length);
  assert.ok(up.mostBytes <= 64 * 1024 + 33 * 1024, `${up.mostBytes} bytes waited`);
});

test('A reset ends both readers with an error, other streams go on', async () => {
  const { client, server } = pair();
  const accepted = server.accept();
  const bad = await client.open({ streamtype: 'data' });
  const good = await client.open({ streamtype: 'data' });
  const serving = (await accepted.next()).value as SpdyStream;
  const other = (await accepted.next()).value as SpdyStream;
  await serving.reset();
  await assert.rejects(textOf(bad), /was reset/);
  await good.write(Buffer.from('on'));
  await good.end();
  assert.equal(await textOf(other), 'on');
});

test('A connection that goes ends its readers and its list of streams', async () => {
  const { client, server, running } = pair();
  const asking = await client.open({ streamtype: 'data' });
  const serving = await first(server);
  const reading = assert.rejects(textOf(serving), /was reset/);
  client.destroy();
  await running;
  await reading;
  await asking.write(Buffer.from('into the void'));
  for await (const stream of server.accept()) assert.fail(`stream ${stream.id}`);
});

test('Pings come back as they are; settings and windows are taken without a word', async () => {
  const [up, down] = [new Pipe(1e6), new Pipe(1e6)];
  const server = new SpdyConnection(socketOver(up, down), { side: 'server' });
  const running = server.run();
  const ping = await new SpdyWriter().encode({ type: 'ping', id: 7 });
  up.write(Buffer.from('80030004000000040000000080030009000000080000000100010000', 'hex'));
  up.write(ping);
  up.end();
  await running;
  down.end();
  const answered: Uint8Array[] = [];
  for await (const chunk of down.read()) answered.push(chunk);
  assert.deepEqual(Buffer.concat(answered), Buffer.from(ping));
});

test('Data for a stream that is not there is answered with a reset', async () => {
  const [up, down] = [new Pipe(1e6), new Pipe(1e6)];
  const server = new SpdyConnection(socketOver(up, down), { side: 'server' });
  const running = server.run();
  up.write(Buffer.from('0000000900000001ff', 'hex'));
  up.end();
  await running;
  down.end();
  const answered: Uint8Array[] = [];
  for await (const chunk of down.read()) answered.push(chunk);
  assert.equal(Buffer.concat(answered).toString('hex'), '80030003000000080000000900000002');
});
