import type { Server as Http1Server } from 'node:http';
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { type Server as NetServer, type Socket, createServer as createNet } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Server as TlsServer, TLSSocket, createServer as createTls } from 'node:tls';
import type { Clock, Face, FaceReply, Logger, Peer } from '#base';
import { silentLogger } from '#base';
import {
  type Exchange,
  ExchangeRequest,
  exchangeOfHttp1,
  exchangeOfHttp2,
  sendReply,
} from './http-exchange.ts';
import { HttpLane } from './http-lane.ts';
import { portHolder } from './http-port-holder.ts';
import { refuseUpgrade, sendUpgrade } from './http-upgrade.ts';
import { plainHttp } from './plain-http.ts';

export interface TlsOptions {
  /** PEM. */
  readonly key: string;
  /** PEM, the leaf first. */
  readonly cert: string;
  /** PEM; client certificates that it signed are passed to the face, others are not. */
  readonly clientCa?: string | undefined;
}
export interface ServeOptions {
  readonly face: Face;
  readonly host: string;
  /** 0: any free one, see `Served.port`. */
  readonly port: number;
  readonly clock: Clock;
  readonly tls?: TlsOptions | undefined;
  readonly logger?: Logger | undefined;
  readonly keepAliveMs?: number | undefined;
}
/** A listening server. */
export interface Served extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** New connections get these certificates. */
  renewTls(tls: TlsOptions): void;
  /** Takes no more requests, lets those under way end for up to `graceMs`, then cuts. */
  close(graceMs?: number): Promise<void>;
}

/** Go's default is 1 MB; long bearer tokens and cookies fit in this. */
const headerBytesMax = 64 * 1024;
const keepAliveMsDefault = 120_000;

/** Puts a face on a TCP port: HTTP/1.1 and HTTP/2 (by ALPN with TLS), upgrades on HTTP/1.1. */
export async function serve(options: ServeOptions): Promise<Served> {
  const server = new FaceServer(options);
  await server.listen();
  return server;
}

class FaceServer implements Served {
  readonly host: string;
  port: number;
  readonly #options: ServeOptions;
  readonly #logger: Logger;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server | undefined;
  readonly #listener: NetServer;
  readonly #sockets = new Set<Duplex>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #lanes = new Set<HttpLane>();
  readonly #peers = new WeakMap<object, Peer>();
  #hasClientCa: boolean;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.host = options.host;
    this.port = options.port;
    this.#hasClientCa = options.tls?.clientCa !== undefined;
    this.#http1 = this.#createHttp1();
    if (options.tls === undefined) {
      this.#listener = createNet({ noDelay: true }, (socket) => this.#accept(socket));
    } else {
      this.#http2 = this.#createHttp2();
      this.#listener = this.#createTls(options.tls);
    }
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen({ port: this.port, host: this.host, backlog: 4096 }, () => {
        this.#listener.off('error', reject);
        resolve();
      });
    }).catch(async (cause: NodeJS.ErrnoException) => {
      const where = `${this.host}:${this.port}`;
      if (cause.code !== 'EADDRINUSE')
        throw new Error(`Cannot listen on ${where}: ${cause.message}`, { cause });
      const holder = (await portHolder(this.port)) ?? 'another process';
      throw Object.assign(
        new Error(`Cannot listen on ${where}: the port is taken by ${holder}`, { cause }),
        { code: cause.code },
      );
    });
    this.#listener.on('error', (error) => this.#logger.error('Listening socket failed', { error }));
    const address = this.#listener.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
    // Connections are handed over, so the HTTP server must be told to watch its time limits.
    this.#http1.emit('listening');
  }

  renewTls(tls: TlsOptions): void {
    this.#hasClientCa = tls.clientCa !== undefined;
    (this.#listener as TlsServer).setSecureContext({
      key: tls.key,
      cert: tls.cert,
      ca: tls.clientCa,
    });
  }

  async close(graceMs = 0): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#listener.close(() => resolve());
    });
    for (const session of this.#sessions) session.close();
    for (const lane of this.#lanes) lane.end();
    this.#http1.close();
    this.#http1.closeIdleConnections();
    const cancel = this.#options.clock.after(graceMs, () => {
      for (const session of this.#sessions) session.destroy();
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #createTls(tls: TlsOptions): TlsServer {
    const server = createTls(
      {
        key: tls.key,
        cert: tls.cert,
        ca: tls.clientCa,
        minVersion: 'TLSv1.2',
        requestCert: true,
        rejectUnauthorized: false,
        noDelay: true,
        ALPNProtocols: ['h2', 'http/1.1'],
      },
      (socket) => this.#accept(socket),
    );
    server.on('tlsClientError', (error, socket) => {
      this.#logger.debug('TLS handshake failed', { error: error.message });
      socket.destroy();
    });
    return server;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // Resets come at any time and concern only this connection.
    socket.on('error', (error) => {
      this.#logger.debug('Connection broke', { error: error.message });
    });
    const isHttp2 = socket instanceof TLSSocket && socket.alpnProtocol === 'h2';
    if (isHttp2) this.#http2?.emit('connection', socket);
    else this.#openLane(socket);
  }

  #openLane(socket: Socket): void {
    const lane = new HttpLane(socket, {
      face: this.#options.face,
      clock: this.#options.clock,
      logger: this.#logger,
      keepAliveMs: this.#options.keepAliveMs ?? keepAliveMsDefault,
      peer: () => this.#peerOf(socket),
      giveUp: () => {
        this.#lanes.delete(lane);
        this.#http1.emit('connection', socket);
      },
    });
    this.#lanes.add(lane);
    socket.once('close', () => this.#lanes.delete(lane));
  }

  #createHttp1(): Http1Server {
    const server = plainHttp.createServer({
      maxHeaderSize: headerBytesMax,
      keepAliveTimeout: this.#options.keepAliveMs ?? keepAliveMsDefault,
      requestTimeout: 0,
      joinDuplicateHeaders: true,
      noDelay: true,
      shouldUpgradeCallback: (request) =>
        /^(websocket|spdy\/3\.1)$/i.test(request.headers.upgrade ?? ''),
    });
    server.on('request', (request, response) => {
      response.on('error', (error) =>
        this.#logger.debug('Response broke', { error: error.message }),
      );
      this.#answer(exchangeOfHttp1(request, response, this.#peerOf(request.socket)));
    });
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      const peer = this.#peerOf(request.socket);
      const exchange: Exchange = {
        method: request.method ?? 'GET',
        target: request.url ?? '/',
        headers: request.headers,
        peer,
        input: request,
        output: socket,
        sendHead() {},
      };
      socket.on('error', () => socket.destroy());
      void this.#upgrade(exchange, socket, head);
    });
    return server;
  }

  #createHttp2(): Http2Server {
    const server = createHttp2({
      settings: { maxConcurrentStreams: 1000, maxHeaderListSize: headerBytesMax },
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.on('error', (error) =>
        this.#logger.debug('HTTP/2 session broke', { error: error.message }),
      );
    });
    server.on('stream', (stream, headers) => {
      stream.on('error', (error) =>
        this.#logger.debug('HTTP/2 stream broke', { error: error.message }),
      );
      const socket = stream.session?.socket;
      if (socket === undefined) return;
      this.#answer(exchangeOfHttp2(stream, headers, this.#peerOf(socket)));
    });
    return server;
  }

  #answer(exchange: Exchange): void {
    const request = new ExchangeRequest(exchange);
    this.#options.face(request).then(
      async (reply) => {
        await sendReply(exchange, request, reply).catch((error: unknown) =>
          this.#fail(exchange, error),
        );
      },
      (error: unknown) => this.#fail(exchange, error),
    );
  }

  /** A face never throws by design: the connection ends, so that nobody takes half an answer for one. */
  #fail(exchange: Exchange, error: unknown): void {
    if (!exchange.output.destroyed)
      this.#logger.error('Cannot answer', { target: exchange.target.split('?')[0], error });
    exchange.output.destroy();
  }

  async #upgrade(exchange: Exchange, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const reply: FaceReply = await this.#options.face(new ExchangeRequest(exchange));
      if (reply.status === 101 && reply.upgrade !== undefined) sendUpgrade(socket, head, reply);
      else await refuseUpgrade(socket, reply);
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  /** One for all requests of a connection. */
  #peerOf(socket: object): Peer {
    const known = this.#peers.get(socket);
    if (known !== undefined) return known;
    const { remoteAddress, remotePort, localAddress, localPort } = socket as Socket;
    const secure = this.#options.tls !== undefined;
    const peer: Peer = {
      address: remoteAddress ?? '',
      port: remotePort ?? 0,
      localAddress: localAddress ?? '',
      localPort: localPort ?? 0,
      secure,
      certificates: secure && this.#hasClientCa ? verifiedChain(socket) : [],
    };
    this.#peers.set(socket, peer);
    return peer;
  }
}

function verifiedChain(socket: object): readonly Uint8Array[] {
  // An HTTP/2 session shows its socket through a proxy, so the class cannot be asked.
  const tls = socket as TLSSocket;
  if (tls.authorized !== true) return [];
  const chain: Uint8Array[] = [];
  const seen = new Set<string>();
  let certificate = tls.getPeerCertificate(true);
  while (certificate?.raw !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256);
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
