import type { ByteSocket, FaceReply, FaceRequest } from '#base';
import {
  acceptHeaders,
  acceptWebSocket,
  offeredProtocols,
  type BackendReply,
  type WebSocketStream,
} from '#io';
import { badRequest } from '#machinery';

// k8s.io/apimachinery/pkg/util/httpstream/wsstream NewDefaultReaderProtocols: no name means binary.
const binary = 'binary.k8s.io';
const base64 = 'base64.binary.k8s.io';

/** A log as messages of a WebSocket: one for each piece that the kubelet sends. */
export function logSocket(request: FaceRequest, reply: BackendReply): FaceReply {
  const offered = offeredProtocols(request.headers);
  const protocol = offered.find((one) => one === binary || one === base64) ?? '';
  if (offered.length > 0 && protocol === '')
    throw badRequest(`requested protocol(s) are not supported: [${offered.join(' ')}]`);
  return {
    status: 101,
    headers: acceptHeaders(request.headers, protocol),
    upgrade: (socket) => {
      void pass(socket, { request, reply, protocol });
    },
  };
}

async function pass(
  socket: ByteSocket,
  about: {
    readonly request: FaceRequest;
    readonly reply: BackendReply;
    readonly protocol: string;
  },
): Promise<void> {
  const { request, reply, protocol } = about;
  const stream = await acceptWebSocket(socket, request.headers, protocol);
  const left = stream.closed.then(() => 'left' as const);
  void drop(stream);
  try {
    const chunks = reply.body[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([chunks.next(), left]);
      if (next === 'left') {
        await chunks.return?.();
        return;
      }
      if (next.done === true) break;
      const data = protocol === base64 ? Buffer.from(next.value).toString('base64') : next.value;
      if (!stream.send(data)) await stream.drained();
    }
    stream.close(1000);
  } catch {
    // Either side broke off: the client sees the end of the socket.
    stream.close(1011);
  }
}

/** Nothing is expected from the client; what it sends must not pile up. */
async function drop(stream: WebSocketStream): Promise<void> {
  try {
    for await (const message of stream.incoming) void message;
  } catch {
    stream.close();
  }
}
