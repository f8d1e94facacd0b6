import type { FaceReply, FaceRequest } from '#base';
import { gzip } from '#wire';
import { acceptsEncoding } from './negotiate.ts';

/** The reply as it goes to a client that takes gzip; streams and short bodies stay as they are. */
export async function compressed(
  request: FaceRequest,
  reply: FaceReply,
  bytesMin: number,
): Promise<FaceReply> {
  const { body, headers } = reply;
  if (!(body instanceof Uint8Array) || body.length < bytesMin) return reply;
  if (headers['Content-Encoding'] !== undefined) return reply;
  if (!acceptsEncoding(request.headers['accept-encoding'], 'gzip')) return reply;
  // Lower case: what stands behind this face looks for it so.
  return { ...reply, headers: { ...headers, 'content-encoding': 'gzip' }, body: await gzip(body) };
}
