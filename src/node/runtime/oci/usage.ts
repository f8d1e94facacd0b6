import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isMissing } from './namespace.ts';

const entriesMax = 100_000;
const blockBytes = 512;

/** Bytes on disk of a file or folder; what vanishes meanwhile does not count. */
export async function treeBytes(path: string): Promise<number> {
  let bytes = 0;
  let seen = 0;
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined && seen < entriesMax; next = waiting.pop()) {
    seen++;
    try {
      const stat = await lstat(next);
      bytes += stat.blocks * blockBytes;
      if (!stat.isDirectory()) continue;
      for (const name of await readdir(next)) waiting.push(join(next, name));
    } catch (cause) {
      if (!isMissing(cause) && codeOf(cause) !== 'EACCES') throw cause;
    }
  }
  return bytes;
}
