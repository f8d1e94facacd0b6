import * as fs from 'node:fs';
import { dirname } from 'node:path';

/** What a database needs of the file system beside its engine. */
export interface DatabaseFiles {
  makeParent(path: string): void;
  exists(path: string): boolean;
  readText(path: string): string | undefined;
  writeText(path: string, text: string): void;
  /** Replaces what is there; survives a power failure once it returns. */
  move(from: string, to: string): void;
  /** Says nothing when there is no such file. */
  remove(path: string): void;
  readonly processId: number;
}

export const systemDatabaseFiles: DatabaseFiles = {
  makeParent: (path) => {
    fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  },
  exists: (path) => fs.existsSync(path),
  readText: (path) => (fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : undefined),
  writeText: (path, text) => fs.writeFileSync(path, text, { mode: 0o600 }),
  move: (from, to) => {
    fs.renameSync(from, to);
    const directory = fs.openSync(dirname(to), 'r');
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  },
  remove: (path) => fs.rmSync(path, { force: true }),
  processId: process.pid,
};
