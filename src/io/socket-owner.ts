import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import type { Peer } from '#base';

/**
 * User id that owns the other end of a connection within this machine, from the kernel's tables;
 * undefined for connections from elsewhere. Looks into the own network namespace and the machine's.
 */
export async function socketOwner(peer: Peer): Promise<number | undefined> {
  if (peer.address === '') return undefined;
  for (const process of ['self', '1'])
    for (const table of ['tcp', 'tcp6']) {
      const uid = ownerIn(await freshText(`/proc/${process}/net/${table}`), peer);
      if (uid !== undefined) return uid;
    }
  return undefined;
}

const reading = new Map<string, Promise<string>>();
const next = new Map<string, Promise<string>>();

/**
 * A table as it is from now on. Reading one takes milliseconds where there are thousands of sockets:
 * who comes while it is read waits for the next reading, together with all others who do.
 */
function freshText(path: string): Promise<string> {
  const current = reading.get(path);
  if (current === undefined) {
    const text = tableText(path).finally(() => reading.delete(path));
    reading.set(path, text);
    return text;
  }
  let waiting = next.get(path);
  if (waiting === undefined) {
    waiting = current.then(() => {
      next.delete(path);
      return freshText(path);
    });
    next.set(path, waiting);
  }
  return waiting;
}

async function tableText(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return ''; // no such table (IPv6 off), or not ours to read
  }
}

/** Exported for tests. Rows: `sl local_address rem_address st tx:rx tr:when retrnsmt uid ...`. */
export function ownerIn(table: string, peer: Peer): number | undefined {
  const ends = [
    [endText(peer.address, peer.port), endText(peer.localAddress, peer.localPort)],
    [mappedText(peer.address, peer.port), mappedText(peer.localAddress, peer.localPort)],
  ];
  for (const [theirs, ours] of ends) {
    if (theirs === undefined || ours === undefined) continue;
    const at = table.indexOf(` ${theirs} ${ours} `);
    if (at < 0) continue;
    const columns = table.slice(at).split('\n', 1)[0]?.trim().split(/\s+/) ?? [];
    const uid = Number(columns[6]);
    if (Number.isInteger(uid)) return uid;
  }
  return undefined;
}

/** `127.0.0.1`, 80 to `0100007F:0050`: the address as the kernel's 32-bit words, little-endian. */
function endText(address: string, port: number): string | undefined {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  const end = port.toString(16).toUpperCase().padStart(4, '0');
  if (isIPv4(plain)) return `${wordOf(plain)}:${end}`;
  return address === '::1' ? `${'0'.repeat(24)}01000000:${end}` : undefined;
}

/** The same for an IPv4 client on an IPv6 socket. */
function mappedText(address: string, port: number): string | undefined {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (!isIPv4(plain)) return undefined;
  const end = port.toString(16).toUpperCase().padStart(4, '0');
  return `0000000000000000FFFF0000${wordOf(plain)}:${end}`;
}

function wordOf(address: string): string {
  const bytes = address.split('.').map(Number).toReversed();
  return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
}
