import type { FaceReply } from '#base';

/** A reply whose bytes are still being made (YAML needs its library): sent when they are there. */
export function deferred(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | Promise<Uint8Array>,
): FaceReply {
  if (body instanceof Uint8Array) return { status, headers, body };
  return {
    status,
    headers,
    body: async (sink) => {
      sink.write(await body);
    },
  };
}
