import { promisify } from 'node:util';
import { gunzip as gunzipCallback, gzip as gzipCallback } from 'node:zlib';
import { DecodeError } from './codec.ts';

const gzipAsync = promisify(gzipCallback);
const gunzipAsync = promisify(gunzipCallback);

/** Fast rather than small: bodies on their way to a client. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return await gzipAsync(bytes, { level: 1 });
}

/** Throws `DecodeError` for what is no gzip or becomes longer than `bytesMax`. */
export async function gunzip(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  try {
    return await gunzipAsync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    throw new DecodeError(error instanceof Error ? error.message : String(error));
  }
}
