import { readFileSync, statSync } from 'node:fs';

const path = '/etc/resolv.conf';

/** The host's resolvers as resolv.conf has them, read again when the file changes. */
export function upstreamServers(): () => readonly string[] {
  let readAt = -1;
  let servers: readonly string[] = [];
  return () => {
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changed !== readAt) {
      readAt = changed;
      servers = changed === 0 ? [] : nameservers(readFileSync(path, 'utf8'));
    }
    return servers;
  };
}

export function nameservers(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server) => server !== undefined);
}
