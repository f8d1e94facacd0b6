import type { Duplex } from 'node:stream';
import type { ByteSocket, FaceReply } from '#base';
import { plainHttp } from './plain-http.ts';

/** Writes the head of an upgraded connection and hands the rest of it over. */
export function sendUpgrade(socket: Duplex, head: Buffer, reply: FaceReply): void {
  socket.write(headText(reply));
  if (head.length > 0) socket.unshift(head);
  reply.upgrade?.(byteSocketOf(socket));
}

/** The answer to somebody who asked for an upgrade and gets a plain reply. */
export async function refuseUpgrade(socket: Duplex, reply: FaceReply): Promise<void> {
  const parts: Uint8Array[] = [];
  const { body } = reply;
  if (body instanceof Uint8Array) parts.push(body);
  else if (typeof body === 'function') {
    const sink = {
      write: (chunk: Uint8Array) => parts.push(chunk) > 0,
      backlogBytes: 0,
      drained: () => Promise.resolve(),
    };
    await body(sink, AbortSignal.timeout(10_000));
  } else if (body !== undefined) parts.push(...body);
  const bytes = Buffer.concat(parts);
  const headers = { ...reply.headers, 'content-length': String(bytes.length), connection: 'close' };
  socket.write(headText({ status: reply.status, headers }));
  socket.end(bytes);
}

function headText({ status, headers }: Pick<FaceReply, 'status' | 'headers'>): string {
  let text = `HTTP/1.1 ${status} ${plainHttp.STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  for (const [name, value] of Object.entries(headers))
    for (const one of typeof value === 'string' ? [value] : value)
      text += `${name}: ${one.replaceAll(/[\r\n]/g, ' ')}\r\n`;
  return `${text}\r\n`;
}

export function byteSocketOf(socket: Duplex): ByteSocket {
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  // A reset is seen by whoever reads `incoming`; without a listener it would end the process.
  socket.on('error', () => socket.destroy());
  return {
    incoming: socket as AsyncIterable<Buffer>,
    write: (chunk) => (socket.destroyed || socket.writableEnded ? false : socket.write(chunk)),
    drained: () =>
      new Promise((resolve) => {
        if (socket.destroyed || !socket.writableNeedDrain) {
          resolve();
          return;
        }
        const done = (): void => {
          socket.off('drain', done);
          socket.off('close', done);
          resolve();
        };
        socket.once('drain', done);
        socket.once('close', done);
      }),
    end: () => {
      if (!socket.destroyed) socket.end();
    },
    destroy: () => {
      socket.destroy();
    },
    closed,
  };
}
