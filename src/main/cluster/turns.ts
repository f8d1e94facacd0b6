import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '#cli';
import type { ClusterVerb } from '#cli';
import { place } from './locate.ts';

const turnMsMax = 180_000;

/**
 * Verbs that change a cluster take turns. The lock is a socket with an abstract name: the kernel
 * drops it with its process, and no file is left.
 */
export function inTurn(verb: ClusterVerb): ClusterVerb {
  return async (command, terminal) => {
    const { dataDir } = place(command);
    const sum = createHash('sha256').update(dataDir).digest('hex').slice(0, 32);
    await using _turn = await turn(`\0tandem-${process.getuid?.() ?? 0}-${sum}`, dataDir);
    // Awaited here: a promise that is returned would outlive the lock.
    return await verb(command, terminal);
  };
}

async function turn(path: string, dataDir: string): Promise<AsyncDisposable> {
  const deadline = performance.now() + turnMsMax;
  for (;;) {
    const server = createServer((socket) => socket.destroy());
    try {
      server.listen({ path });
      await once(server, 'listening');
      server.unref();
      return {
        [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (performance.now() > deadline)
        throw new CommandError(
          `another "tandem" works on ${dataDir} and does not end: look for it with "ps -ef"`,
          { cause: error },
        );
      await sleep(20);
    }
  }
}
