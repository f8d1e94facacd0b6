import { readFile, readdir, readlink } from 'node:fs/promises';

/** Who listens on a TCP port, in words: `process 4711 (nginx)`; undefined when that cannot be seen. */
export async function portHolder(port: number): Promise<string | undefined> {
  const inodes = new Set<string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const inode of listenersIn(await readText(file), port)) inodes.add(inode);
  if (inodes.size === 0) return undefined;
  for (const pid of await readNames('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await readNames(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(await readTarget(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      const name = (await readText(`/proc/${pid}/comm`)).trim();
      return `process ${pid} (${name})`;
    }
  }
  return undefined;
}

/** Inodes of sockets that listen on `port`; proc(5): columns local_address, st (0A is LISTEN), inode. */
export function listenersIn(table: string, port: number): readonly string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const found: string[] = [];
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[3] === '0A' && columns[1]?.endsWith(`:${wanted}`) === true && columns[9])
      found.push(columns[9]);
  }
  return found;
}

// What cannot be read (another user's process, one that ended meanwhile) is passed over.
async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}
async function readNames(path: string): Promise<readonly string[]> {
  return await readdir(path).catch(() => []);
}
async function readTarget(path: string): Promise<string> {
  return await readlink(path).catch(() => '');
}
