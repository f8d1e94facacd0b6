import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { portHolder } from './http-port-holder.ts';

/** Takes a port of 127.0.0.1 so that nobody else does; undefined when somebody has it already. */
export async function holdLoopbackPort(
  protocol: string,
  port: number,
): Promise<Disposable | undefined> {
  try {
    return await (protocol === 'udp' ? holdUdp(port) : holdTcp(port));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE' || code === 'EACCES') return undefined;
    throw error;
  }
}

async function holdTcp(port: number): Promise<Disposable> {
  // Whoever gets here came before the rules did: he is told at once to try again.
  const server = createServer((socket) => socket.destroy());
  server.listen({ host: '127.0.0.1', port, exclusive: true });
  await once(server, 'listening');
  server.unref();
  return { [Symbol.dispose]: () => void server.close() };
}

async function holdUdp(port: number): Promise<Disposable> {
  const socket = createSocket('udp4');
  socket.bind({ address: '127.0.0.1', port, exclusive: true });
  await once(socket, 'listening');
  socket.unref();
  return { [Symbol.dispose]: () => void socket.close() };
}

/** Who has a port, in words. */
export async function loopbackPortHolder(_protocol: string, port: number): Promise<string> {
  return (await portHolder(port)) ?? 'another process';
}
