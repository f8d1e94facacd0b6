import type { Logger } from '#base';
import { decodeDnsQuery, encodeDnsAnswer, responseCode } from '#wire';
import { askChain } from './chain.ts';
import type { NameSpace } from './chain.ts';

/** Answers one DNS message; undefined: not worth an answer (it was no query). */
export type DnsHandler = (
  bytes: Uint8Array,
  transport: 'udp' | 'tcp',
) => Promise<Uint8Array | undefined>;

/** A server over an ordered chain of name spaces; sockets are `io`'s matter. */
export function dnsHandler(options: {
  readonly chain: readonly NameSpace[];
  readonly logger: Logger;
}): DnsHandler {
  return async (bytes, transport) => {
    const query = decodeDnsQuery(bytes);
    if (query === undefined) return formatError(bytes);
    const refuse = (code: number): Uint8Array =>
      encodeDnsAnswer(query, { code, authoritative: false, answers: [] }, transport);
    if (query.opcode !== 0) return refuse(responseCode.notImplemented);
    if (query.class !== 1) return refuse(responseCode.refused);
    try {
      const answer = await askChain(options.chain, query, { transport, bytes });
      if (answer === undefined) return refuse(responseCode.refused);
      return 'raw' in answer ? answer.raw : encodeDnsAnswer(query, answer, transport);
    } catch (error) {
      options.logger.error('Cannot answer DNS query', { name: query.name, error });
      return refuse(responseCode.serverFailure);
    }
  };
}

/** FORMERR for a broken query; nothing for answers and fragments, so that nobody can make us echo. */
function formatError(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < 12 || ((bytes[2] ?? 0) & 0x80) !== 0) return undefined;
  const reply = new Uint8Array(12);
  reply.set(bytes.subarray(0, 2));
  reply[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
  reply[3] = 0x80 | responseCode.formatError;
  return reply;
}
