import type { NameSpace } from './chain.ts';
import { responseCode } from '#wire';

/** Sends a query as it came to one upstream server and gives its answer as it came. */
export type AskUpstream = (
  server: string,
  query: Uint8Array,
  options: { readonly transport: 'udp' | 'tcp'; readonly timeoutMs: number },
) => Promise<Uint8Array>;

const attemptMs = 2000;

/**
 * Everything that nobody else knew: the host's own resolvers, in their order. When none answers
 * the client gets SERVFAIL at once after the last, so that it can try elsewhere.
 */
export function forwarding(options: {
  /** Addresses as the host's resolv.conf has them now. */
  readonly servers: () => readonly string[];
  readonly ask: AskUpstream;
}): NameSpace {
  return {
    name: 'forward',
    async answer(_query, transport, bytes) {
      for (const server of options.servers().slice(0, 3)) {
        try {
          return { raw: await options.ask(server, bytes, { transport, timeoutMs: attemptMs }) };
        } catch {
          // The next server may know; without one the client is told below.
          continue;
        }
      }
      return { code: responseCode.serverFailure, authoritative: false, answers: [] };
    },
  };
}
