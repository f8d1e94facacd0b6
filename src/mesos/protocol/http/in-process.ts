import { BodyTooLargeError } from '#base';
import type { FaceRequest, HeaderMap } from '#base';

/** A request from within the process: for other parts and for tests. */
export function inProcessRequest(options: {
  readonly path: string;
  readonly method?: string | undefined;
  readonly search?: string | undefined;
  readonly headers?: HeaderMap | undefined;
  readonly body?: Uint8Array | string | undefined;
  readonly signal?: AbortSignal | undefined;
}): FaceRequest {
  const body = Buffer.from(options.body ?? '');
  return {
    method: options.method ?? 'GET',
    path: options.path,
    search: options.search ?? '',
    headers: options.headers ?? {},
    peer: {
      address: '',
      port: 0,
      localAddress: '',
      localPort: 0,
      secure: false,
      certificates: [],
    },
    signal: options.signal ?? new AbortController().signal,
    async body(bytesMax) {
      if (body.length > bytesMax) throw new BodyTooLargeError(bytesMax);
      return body;
    },
    async *bodyStream() {
      yield body;
    },
  };
}
