import { open, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { CallRejected } from '#mesos/protocol';
import type { FileInfo, OpenFile, VirtualFiles } from '#mesos/protocol';

const virtual = '/master/log';
// files.cpp: at most 16 pages a call.
const readBytesMax = 16 * 4096;

/** The server's log as the Mesos master shows its own: `/master/log`, and nothing beside it. */
export function masterLog(real: string): VirtualFiles {
  return {
    async browse(path) {
      const wanted = tidy(path);
      if (wanted === virtual) return [];
      if (wanted !== '/master') throw new CallRejected(404, '');
      return [await infoOf(real)];
    },
    async read(path, { offset, length = readBytesMax }) {
      await using file = await openLog(path, real);
      const bytes = Math.max(0, Math.min(length, readBytesMax, file.size - offset));
      const data = bytes === 0 ? new Uint8Array() : await file.read(offset, bytes);
      return { size: file.size, data };
    },
    open: (path, to) => openLog(path, real, to),
    attached: () => new Map([[virtual, real]]),
  };
}

function tidy(path: string): string {
  return path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
}

async function openLog(path: string, real: string, to = 'read'): Promise<OpenFile> {
  const wanted = tidy(path);
  if (wanted === '/master') throw new CallRejected(400, `Cannot ${to} a directory.`);
  if (wanted !== virtual) throw new CallRejected(404, '');
  try {
    const file = await open(real, 'r');
    const { size } = await file.stat();
    return {
      size,
      async read(offset, length) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CallRejected(500, `Failed to open file at '${real}': ${why}`);
  }
}

async function infoOf(real: string): Promise<FileInfo> {
  const { nlink, size, mtimeMs, mode } = await stat(real);
  const { username } = userInfo();
  return {
    path: virtual,
    nlink,
    size,
    mtime: { nanoseconds: Math.trunc(mtimeMs) * 1e6 },
    mode,
    uid: username,
    gid: username,
  };
}
