/** Load for rollouts: new connections at a rate that does not wait for answers, each one counted. */
import { connect } from 'node:net';
import { sleep } from './cluster.ts';

export interface Load {
  readonly sent: number;
  readonly failed: readonly string[];
  /** First line of the page, and how often it came. */
  readonly pages: ReadonlyMap<string, number>;
  /** No new connections; resolves when the last one has ended. */
  stop(): Promise<void>;
}

const answerMsMax = 20_000;

/** Opens `perSecond` connections a second, one GET each, until it is stopped. */
export function newConnections(target: { host: string; port: number }, perSecond: number): Load {
  const failed: string[] = [];
  const pages = new Map<string, number>();
  const under = new Set<Promise<void>>();
  const startMs = performance.now();
  const counts = { sent: 0 };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) * perSecond) / 1000);
    for (; counts.sent < due; counts.sent++) {
      const atMs = performance.now();
      const one = fetchPage(target)
        .then((page) => void pages.set(page, (pages.get(page) ?? 0) + 1))
        .catch((error: unknown) => {
          const tookMs = Math.round(performance.now() - atMs);
          failed.push(`${Math.round(atMs - startMs)} ms, after ${tookMs} ms: ${String(error)}`);
        })
        .finally(() => under.delete(one));
      under.add(one);
    }
  }, 2);
  return {
    get sent() {
      return counts.sent;
    },
    failed,
    pages,
    async stop() {
      clearInterval(timer);
      while (under.size > 0) await Promise.race([Promise.all(under), sleep(100)]);
    },
  };
}

/** One new connection, one page; rejects unless it came whole with status 200. */
export function fetchPage({ host, port }: { host: string; port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ host, port });
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), answerMsMax);
    socket.on('connect', () => socket.write('GET / HTTP/1.0\r\nHost: hello\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      const [head = '', page = ''] = text.split('\r\n\r\n');
      if (/^HTTP\/1\.[01] 200 /.test(head) && page.endsWith('\n')) resolve(page.trim());
      else reject(new Error(`cut off: ${JSON.stringify(text.slice(0, 100))}`));
    });
  });
}
