import { createWriteStream } from 'node:fs';
import * as https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { plainHttp } from './plain-http.ts';

export interface DownloadOptions {
  /** A transfer that moves no byte for so long fails. */
  readonly stallMs: number;
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

// As curl's default for followed redirects.
const redirectsMax = 50;

/**
 * Fetches a URL into a file; gives the answer's status, and writes nothing unless it is 200. Follows
 * redirects. The system's authorities and those of NODE_EXTRA_CA_CERTS are trusted.
 */
export async function downloadFile(
  url: string,
  path: string,
  options: DownloadOptions,
): Promise<number> {
  let at = new URL(url);
  for (let hops = 0; hops <= redirectsMax; hops++) {
    const answer = await open(at, options);
    const status = answer.statusCode ?? 0;
    const { location } = answer.headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      answer.destroy();
      at = new URL(location, at);
      continue;
    }
    if (status !== 200) {
      answer.destroy();
      return status;
    }
    await save(answer, path, options);
    return status;
  }
  throw new Error(`Maximum (${redirectsMax}) redirects followed`);
}

function open(url: URL, { stallMs, signal }: DownloadOptions): Promise<IncomingMessage> {
  const call = url.protocol === 'https:' ? https.get : plainHttp.get;
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return Promise.reject(new Error(`Protocol ${url.protocol} is not followed`));
  return new Promise((resolve, reject) => {
    const headers = { 'User-Agent': 'tandem-fetcher', Accept: '*/*' };
    let answer: IncomingMessage | undefined;
    const request = call(url, { agent: false, headers, signal }, (response) => {
      answer = response;
      resolve(response);
    });
    request.setTimeout(stallMs, () => {
      const stalled = new Error(`Transfer stalled: no byte for ${stallMs / 1000} s`);
      // The answer's own stream says why it ends; it knows nothing of the request's error.
      answer?.destroy(stalled);
      request.destroy(stalled);
    });
    request.once('error', reject);
  });
}

async function save(
  answer: IncomingMessage,
  path: string,
  options: DownloadOptions,
): Promise<void> {
  const { signal, bytesMax } = options;
  let size = 0;
  async function* counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > bytesMax) throw new Error(`The file is larger than ${bytesMax} bytes`);
      yield chunk;
    }
  }
  await pipeline(answer, counted, createWriteStream(path), { signal });
  const told = answer.headers['content-length'];
  if (
    told !== undefined &&
    Number(told) !== size &&
    answer.headers['content-encoding'] === undefined
  )
    throw new Error(`The transfer ended after ${size} of ${told} bytes`);
}
