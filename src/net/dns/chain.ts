import type { DnsAnswer, DnsQuery } from '#wire';

/**
 * One name space: it answers questions about its own names and lets the others pass.
 *
 * `undefined` means "not mine, ask the next"; an answer with `nameError` means "mine, and it does
 * not exist". `raw` passes on an answer that came from elsewhere as bytes.
 */
export interface NameSpace {
  readonly name: string;
  answer(
    query: DnsQuery,
    transport: 'udp' | 'tcp',
    bytes: Uint8Array,
  ): Promise<NameAnswer | undefined>;
}
export type NameAnswer = DnsAnswer | { readonly raw: Uint8Array };

/** Asks name spaces in the order of the list; the first that has an answer gives it. */
export async function askChain(
  chain: readonly NameSpace[],
  query: DnsQuery,
  from: { readonly transport: 'udp' | 'tcp'; readonly bytes: Uint8Array },
): Promise<NameAnswer | undefined> {
  for (const space of chain) {
    const answer = await space.answer(query, from.transport, from.bytes);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
