import type { FaceReply } from '#base';
import { CallRejected } from '../link.ts';

/** Bodies of libprocess where a handler gives none (3rdparty/libprocess http.hpp). */
const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  409: 'Conflict',
  412: 'Precondition Failed',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** A reply with a text, or with what libprocess says of the status. Errors have no Content-Type. */
export function textReply(status: number, text?: string): FaceReply {
  const reason = reasons[status];
  const body = text ?? (reason === undefined ? '' : `${status} ${reason}.`);
  return { status, headers: {}, ...(body === '' ? {} : { body: Buffer.from(body) }) };
}

/** 200 or 202 without a body. */
export function emptyReply(status: 200 | 202): FaceReply {
  return { status, headers: {} };
}

export function bytesReply(body: Uint8Array, contentType: string): FaceReply {
  return { status: 200, headers: { 'Content-Type': contentType }, body };
}

export function jsonReply(json: string, jsonp?: string): FaceReply {
  if (jsonp === undefined) return bytesReply(Buffer.from(json), 'application/json');
  return bytesReply(Buffer.from(`${jsonp}(${json})`), 'text/javascript');
}

/** What a method other than those gets. */
export function methodNotAllowed(allowed: readonly string[], received: string): FaceReply {
  const text = `405 Method Not Allowed. Expecting one of { '${allowed.join("', '")}' }, but received '${received}'.`;
  return { status: 405, headers: { Allow: allowed.join(', ') }, body: Buffer.from(text) };
}

/** What a failed handler answers: a rejected call with its own status, a bug as 500 with its text. */
export function failureReply(error: unknown): FaceReply {
  if (error instanceof CallRejected) return textReply(error.status, error.message || undefined);
  return textReply(500, error instanceof Error ? error.message : String(error));
}
