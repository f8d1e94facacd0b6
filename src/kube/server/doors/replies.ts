import type { FaceReply } from '#base';
import type { Status } from '#machinery';

export function statusReply(code: number, status: Status): FaceReply {
  return {
    status: code,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(`${JSON.stringify(status)}\n`),
  };
}
