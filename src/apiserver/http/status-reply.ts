import type { FaceReply } from '#base';
import { BodyTooLargeError } from '#base';
import { StatusError, requestEntityTooLarge, toStatus } from '#machinery';
import { ContinueExpired } from '../verbs/list.ts';

/** Any failure as the API's own answer. */
export function failureReply(error: unknown): FaceReply {
  const failure =
    error instanceof BodyTooLargeError
      ? requestEntityTooLarge(`limit is ${error.bytesMax}`)
      : error;
  const status = toStatus(failure);
  const body =
    failure instanceof ContinueExpired
      ? { ...status, metadata: { continue: failure.continueToken } }
      : status;
  const code = failure instanceof StatusError ? failure.code : 500;
  const headers: Record<string, string | readonly string[]> = {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
  };
  const retry = failure instanceof StatusError ? failure.details?.retryAfterSeconds : undefined;
  if (retry !== undefined && retry > 0) headers['retry-after'] = String(retry);
  if (code === 403) headers['x-content-type-options'] = 'nosniff';
  return { status: code, headers, body: Buffer.from(`${JSON.stringify(body)}\n`) };
}

export function textReply(status: number, text: string): FaceReply {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache, private',
    },
    body: Buffer.from(text),
  };
}
