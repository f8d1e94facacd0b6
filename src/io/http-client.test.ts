import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import type { Clock } from '#base';
import {
  createAuthority,
  createHttpClient,
  issueCertificate,
  serve,
  systemClock,
} from './index.ts';

const life = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
const authority = createAuthority('test', life);
const pair = issueCertificate(authority, {
  ...life,
  subject: { commonName: 'server', organizations: [] },
  usages: ['serverAuth'],
  dnsNames: ['localhost'],
  ipAddresses: ['127.0.0.1'],
});

suite('createHttpClient()', () => {
  test('gives the whole answer also to who reads it after the server has closed the stream', async () => {
    await using served = await serve({
      face: async () => ({ status: 200, headers: {}, body: Buffer.from('a late answer') }),
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      tls: { key: pair.keyPem, cert: pair.certificatePem },
    });
    const client = createHttpClient({
      server: `https://127.0.0.1:${served.port}`,
      clock: systemClock,
      ca: authority.certificatePem,
    });
    try {
      const late = await client.request({ method: 'GET', path: '/late' });
      // The second answer comes on the same connection: the first stream is long closed by then.
      await (await client.request({ method: 'GET', path: '/other' })).body();
      assert.equal(Buffer.from(await late.body()).toString(), 'a late answer');
    } finally {
      client.close();
    }
  });

  test('leaves a connection that answers nothing, and asks on another', async () => {
    await using served = await serve({
      face: async () => ({ status: 200, headers: {}, body: Buffer.from('here') }),
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      tls: { key: pair.keyPem, cert: pair.certificatePem },
    });
    await using wire = await Wire.open(served.port);
    const clock = new HeldClock();
    const client = createHttpClient({
      server: `https://127.0.0.1:${wire.port}`,
      clock,
      ca: authority.certificatePem,
    });
    try {
      await (await client.request({ method: 'GET', path: '/' })).body();
      wire.cut();
      const lost = client.request({ method: 'PATCH', path: '/' });
      const failed = assert.rejects(lost, /the connection was closed before an answer came/);
      // In the first five seconds there was an answer.
      await clock.fire(5_000);
      await clock.fire(5_000);
      await clock.fire(10_000);
      await failed;
      const answer = await client.request({ method: 'GET', path: '/' });
      assert.equal(Buffer.from(await answer.body()).toString(), 'here');
    } finally {
      client.close();
    }
  });
});

/** Timers go off when the test says so. */
class HeldClock implements Clock {
  readonly #timers = new Set<{ readonly delayMs: number; readonly action: () => void }>();

  nowMs(): number {
    return systemClock.nowMs();
  }
  monotonicMs(): number {
    return systemClock.monotonicMs();
  }
  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(delayMs, signal);
  }
  after(delayMs: number, action: () => void): () => void {
    const timer = { delayMs, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Waits until a timer of this length is set, and lets it go off. */
  async fire(delayMs: number): Promise<void> {
    for (let turn = 0; turn < 1000; turn++) {
      for (const timer of this.#timers) {
        if (timer.delayMs !== delayMs) continue;
        this.#timers.delete(timer);
        timer.action();
        return;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail(`Nobody set a timer of ${delayMs} ms`);
  }
}

/** A cable to a port: what is cut stays connected, and silent. */
class Wire implements AsyncDisposable {
  readonly #server = createServer((near) => this.#plug(near));
  readonly #sockets = new Set<Socket>();
  readonly #target: number;

  private constructor(target: number) {
    this.#target = target;
  }
  static async open(target: number): Promise<Wire> {
    const wire = new Wire(target);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  #plug(near: Socket): void {
    const far = connect(this.#target, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
    }
    near.pipe(far);
    far.pipe(near);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
