import type { Agent as PlainAgent, IncomingMessage } from 'node:http';
import { request as secureRequest, Agent as SecureAgent } from 'node:https';
import { Duplex } from 'node:stream';
import { connect as secureConnect, rootCertificates, type ConnectionOptions } from 'node:tls';
import type { ByteSocket, Clock } from '#base';
import { plainHttp } from '#io';
import type { RegistryOptions } from '../options.ts';
import { relay } from '../oci/relay.ts';

/** A transfer that came to a halt or broke: worth another try where it stopped. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly code: string | undefined;
  constructor(message: string, options?: ErrorOptions & { readonly code?: string | undefined }) {
    super(message, options);
    this.code = options?.code;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: IncomingMessage;
  /** Where redirects led. */
  readonly url: URL;
}
export interface Ask {
  readonly method?: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

const redirectsMax = 5;
export const stallMsDefault = 30_000;

/** HTTP to registries: own certificates, stalls, redirects, and another network namespace. */
export class Http {
  readonly #options: RegistryOptions;
  readonly #clock: Clock;
  readonly #plain: PlainAgent;
  readonly #secure = new Map<string, SecureAgent>();

  constructor(options: RegistryOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    const path = options.networkNamespace;
    this.#plain = new plainHttp.Agent({ keepAlive: path === undefined, proxyEnv: this.#proxy() });
    if (path !== undefined) connectWithin(this.#plain, path, undefined);
  }

  get stallMs(): number {
    return this.#options.stallMs ?? stallMsDefault;
  }

  close(): void {
    this.#plain.destroy();
    for (const agent of this.#secure.values()) agent.destroy();
  }

  /** Follows redirects; credentials stay with the host they were meant for. */
  async ask(url: URL, ask: Ask): Promise<Answer> {
    let at = url;
    let headers = ask.headers;
    for (let turn = 0; turn <= redirectsMax; turn++) {
      const answer = await this.#once(at, { ...ask, headers });
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined)
        return { ...answer, url: at };
      answer.body.resume();
      const next = new URL(location, at);
      if (next.protocol !== 'http:' && next.protocol !== 'https:')
        throw new Error(`redirect to ${next.protocol} refused`);
      if (next.host !== at.host)
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
        );
      at = next;
    }
    throw new Error(`${url.host} redirects in a circle`);
  }

  /** Body chunks; a stream in which nothing moves for the stall time is broken off. */
  async *chunks(answer: Answer): AsyncGenerator<Uint8Array> {
    const { body } = answer;
    let cancel = (): void => undefined;
    const watchOver = (): void => {
      cancel();
      const stalled = `${answer.url.host} sent nothing for ${this.stallMs / 1000} s`;
      cancel = this.#clock.after(this.stallMs, () => body.destroy(new TransferError(stalled)));
    };
    watchOver();
    try {
      for await (const chunk of body) {
        watchOver();
        yield chunk;
      }
      if (!body.complete) throw new TransferError(`${answer.url.host} broke the connection`);
    } catch (cause) {
      throw asTransfer(cause, answer.url.host);
    } finally {
      cancel();
      body.destroy();
    }
  }

  async read(answer: Answer, bytesMax: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of this.chunks(answer)) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new Error(`${answer.url.host} sent more than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  #once(url: URL, ask: Ask): Promise<Omit<Answer, 'url'>> {
    const secure = url.protocol === 'https:';
    const options = {
      method: ask.method ?? 'GET',
      headers: { 'user-agent': 'tandem', ...ask.headers },
      signal: ask.signal,
      agent: secure ? this.#secureAgent(url.hostname, url.host) : this.#plain,
    };
    return new Promise((resolve, reject) => {
      const sent = (secure ? secureRequest : plainHttp.request)(url, options);
      const cancel = this.#clock.after(this.stallMs, () => {
        sent.destroy(new TransferError(`${url.host} does not answer`));
      });
      sent.on('error', (cause) => {
        cancel();
        reject(ask.signal.aborted ? ask.signal.reason : asTransfer(cause, url.host));
      });
      sent.on('response', (body) => {
        cancel();
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body });
      });
      sent.end(ask.body);
    });
  }

  #secureAgent(hostname: string, host: string): SecureAgent {
    const had = this.#secure.get(host);
    if (had !== undefined) return had;
    const { ca, caByHost, insecure = [], networkNamespace } = this.#options;
    const extra = [ca, caByHost?.[host], caByHost?.[hostname]].filter((pem) => pem !== undefined);
    const trust = {
      ...(extra.length > 0 ? { ca: [...rootCertificates, ...extra] } : {}),
      rejectUnauthorized: !insecure.includes(host) && !insecure.includes(hostname),
    };
    const keepAlive = networkNamespace === undefined; // a relay serves one connection
    const agent = new SecureAgent({ keepAlive, proxyEnv: this.#proxy(), ...trust });
    if (networkNamespace !== undefined) connectWithin(agent, networkNamespace, trust);
    this.#secure.set(host, agent);
    return agent;
  }

  #proxy(): NodeJS.ProcessEnv {
    return this.#options.networkNamespace === undefined ? process.env : {};
  }
}

function asTransfer(cause: unknown, host: string): TransferError {
  if (cause instanceof TransferError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
      ? cause.code
      : undefined;
  return new TransferError(`${host}: ${message}`, { cause, code });
}

/** Opens an agent's connections through a relay in another network namespace. */
function connectWithin(
  agent: PlainAgent,
  path: string,
  secure: ConnectionOptions | undefined,
): void {
  agent.createConnection = (options, done) => {
    const host = String(options.host ?? 'localhost');
    const port = String(options.port ?? (secure === undefined ? 80 : 443));
    const open = async (): Promise<void> => {
      const socket = await relay(['nsenter', `--net=${path}`, '--'], ['tcp', host, port]);
      const stream = duplexOf(socket);
      done?.(
        null,
        secure === undefined
          ? stream
          : secureConnect({ socket: stream, servername: host, ...secure }),
      );
    };
    open().catch((cause: unknown) => {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      done?.(error, new Duplex());
    });
    return undefined;
  };
}

function duplexOf(socket: ByteSocket): Duplex {
  const iterator = socket.incoming[Symbol.asyncIterator]();
  return new Duplex({
    read() {
      iterator.next().then(
        (next) => this.push(next.done === true ? null : next.value),
        (cause: Error) => this.destroy(cause),
      );
    },
    write(chunk: Buffer, _encoding, done) {
      if (socket.write(chunk)) done();
      else
        socket.drained().then(
          () => done(),
          (cause: Error) => done(cause),
        );
    },
    final(done) {
      socket.end();
      done();
    },
    destroy(cause, done) {
      socket.destroy();
      done(cause);
    },
  });
}
