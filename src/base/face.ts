/**
 * What a face (Kubernetes, Mesos, Marathon, the kubelet's API) is: a function from a request to a
 * reply. `io` puts it on sockets, `main` binds the ports, tests and in-process clients call it directly.
 */
export type Face = (request: FaceRequest) => Promise<FaceReply>;

export type HeaderMap = Readonly<Record<string, string | undefined>>;

export interface FaceRequest {
  readonly method: string;
  /** Path as sent, still percent-encoded, without the query. */
  readonly path: string;
  /** Everything after the first `?`, still encoded; '' when there is none. */
  readonly search: string;
  /** Lower-case names; repeated headers are joined with ", ". */
  readonly headers: HeaderMap;
  readonly peer: Peer;
  /** Aborts when the client has gone away. */
  readonly signal: AbortSignal;
  /** The whole body; rejects with `BodyTooLargeError` past `bytesMax`. */
  body(bytesMax: number): Promise<Uint8Array>;
  /** The body as it comes, for uploads. */
  bodyStream(): AsyncIterable<Uint8Array>;
}

export interface Peer {
  /** '' for a request from within the process. */
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly secure: boolean;
  /** The client's certificate chain in DER, leaf first, when TLS verified it; else empty. */
  readonly certificates: readonly Uint8Array[];
}

export interface FaceReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Bytes, slices written one after the other, or a stream that writes until it returns. */
  readonly body?: Uint8Array | readonly Uint8Array[] | StreamBody;
  /** Set with status 101: takes over the connection after the head was sent (HTTP/1.1 only). */
  readonly upgrade?: (socket: ByteSocket) => void;
}

export type StreamBody = (sink: Sink, signal: AbortSignal) => Promise<void>;

/** Where a streamed body goes. Every `write` is one write to the socket. */
export interface Sink {
  /** False when the peer reads slower than we write: wait for `drained()` or give up on it. */
  write(chunk: Uint8Array): boolean;
  readonly backlogBytes: number;
  drained(): Promise<void>;
}

/** A two-way byte stream: an upgraded connection, a tunnel, a container's stream. */
export interface ByteSocket {
  /** Ends when the peer half-closes; throws when the connection breaks. May be read once. */
  readonly incoming: AsyncIterable<Uint8Array>;
  write(chunk: Uint8Array): boolean;
  drained(): Promise<void>;
  /** Half-closes our side after what was written. */
  end(): void;
  destroy(): void;
  /** Resolves once, when both sides are closed or the connection broke. */
  readonly closed: Promise<void>;
}

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly bytesMax: number;
  constructor(bytesMax: number) {
    super(`Cannot read body: it is longer than ${bytesMax} bytes`);
    this.bytesMax = bytesMax;
  }
}
