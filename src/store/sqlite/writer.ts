/** The writer thread: appends groups of records, each in one transaction with one fsync. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { readMeta } from './format.ts';
import type { WriterReply, WriterRequest } from './messages.ts';
import { unpackRecords } from './record.ts';

const sweepRevisionsMax = 1000;
const { path } = workerData as { readonly path: string };
assert(parentPort !== null, 'The writer is a worker thread');
const port = parentPort;

const database = new DatabaseSync(path, { timeout: 5000 });
// FULL: every commit waits for its fsync. The checkpointer moves pages, not the writer's commits.
database.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -2048;
  PRAGMA temp_store = MEMORY;`);
const insert = database.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)');
const setSums = database.prepare('UPDATE meta SET records = ?, checksums = ? WHERE id = 1');
const begin = database.prepare('BEGIN IMMEDIATE');
const commit = database.prepare('COMMIT');
let { records, checksums } = readMeta(database);

/** All or nothing: the sums in memory move only when the transaction is durable. */
function transaction(work: () => { readonly added: number; readonly sum: number }): void {
  begin.run();
  try {
    const { added, sum } = work();
    const nextRecords = records + added;
    const nextChecksums = (checksums + sum) >>> 0;
    setSums.run(nextRecords, nextChecksums);
    commit.run();
    records = nextRecords;
    checksums = nextChecksums;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function append(packed: Buffer, firstRevision: number): void {
  transaction(() => {
    let revision = firstRevision;
    let sum = 0;
    for (const record of unpackRecords(packed, firstRevision)) {
      const { key, created, previous, expiresMs, checksum, value } = record;
      insert.run(revision, key, created, previous, expiresMs, checksum, value);
      sum = (sum + checksum) >>> 0;
      revision += 1;
    }
    return { added: revision - firstRevision, sum };
  });
}

const superseded = database.prepare(
  `SELECT previous AS gone FROM log WHERE revision > ?1 AND revision <= ?2 AND previous > 0
   UNION SELECT revision FROM log WHERE revision > ?1 AND revision <= ?2 AND value IS NULL`,
);
const remove = database.prepare('DELETE FROM log WHERE revision = ? RETURNING checksum');
const setCompacted = database.prepare('UPDATE meta SET compacted = ?, swept = ? WHERE id = 1');
/** Revisions are dense except after a restore; this finds the next one. */
const following = database.prepare(
  `SELECT max(revision) AS last FROM
   (SELECT revision FROM log WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?)`,
);

/** One slice of a compaction; true when it was the last. */
function sweep(upTo: number): boolean {
  const { swept, compacted } = readMeta(database);
  const last = following.get(swept, upTo, sweepRevisionsMax)?.['last'];
  const end = typeof last === 'number' ? last : upTo;
  const done = typeof last !== 'number' || end === upTo;
  transaction(() => {
    let added = 0;
    let sum = 0;
    for (const row of superseded.all(swept, end)) {
      const removed = remove.get(Number(row['gone']));
      if (removed === undefined) continue;
      added -= 1;
      sum = (sum - Number(removed['checksum'])) >>> 0;
    }
    setCompacted.run(Math.max(compacted, upTo), end);
    return { added, sum };
  });
  return done;
}

function answer(id: number, work: () => void): void {
  port.postMessage(attempt(id, work));
}

function attempt(id: number, work: () => void): WriterReply {
  try {
    work();
    return { id, error: undefined };
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
    return { id, error: { code, message: error instanceof Error ? error.message : String(error) } };
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** In slices, with appends between them. */
function compact(id: number, upTo: number): void {
  let done = false;
  const reply = attempt(id, () => {
    done = sweep(upTo);
  });
  if (done || reply.error !== undefined) port.postMessage(reply);
  else setImmediate(() => compact(id, upTo));
}

port.on('message', (request: WriterRequest) => {
  const { id } = request;
  switch (request.kind) {
    case 'append':
      answer(id, () => append(bufferOf(request.packed), request.firstRevision));
      break;
    case 'compact':
      compact(id, request.upTo);
      break;
    case 'checkpoint':
      answer(id, () => database.exec('PRAGMA wal_checkpoint(PASSIVE)'));
      break;
    case 'probe':
      answer(id, () => database.exec('UPDATE meta SET probe = probe + 1 WHERE id = 1'));
      break;
    case 'close':
      // A checkpoint that does not go through is made up for at the next start.
      attempt(id, () => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
      answer(id, () => database.close());
      port.close();
  }
});
