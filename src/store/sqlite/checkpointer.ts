/** The checkpointer thread: moves pages from the log into the file beside the writer, not before it. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointReply } from './messages.ts';

const { path } = workerData as { readonly path: string };
assert(parentPort !== null, 'The checkpointer is a worker thread');
const port = parentPort;
const database = new DatabaseSync(path, { timeout: 5000 });
database.exec(
  'PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -256;',
);
const passive = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');

port.on('message', (message: 'checkpoint' | 'close') => {
  if (message === 'close') {
    database.close();
    port.close();
    return;
  }
  port.postMessage(checkpoint());
});

function checkpoint(): CheckpointReply {
  try {
    const row = passive.get();
    return {
      framesLeft: Number(row?.['log'] ?? 0) - Number(row?.['checkpointed'] ?? 0),
      error: undefined,
    };
  } catch (error) {
    return { framesLeft: 0, error: error instanceof Error ? error.message : String(error) };
  }
}
