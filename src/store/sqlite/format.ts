import type { DatabaseSync } from 'node:sqlite';

/** Version of what is on disk. A change of the tables raises it and adds a step to `migrations`. */
export const formatVersion = 1;
/** "Tndm", in the header of the database file. */
export const applicationId = 0x546e646d;
export const pageBytes = 4096;

/** `migrations[n]` turns format n into n + 1; run in one transaction, after a backup. */
export type Migrations = Readonly<Record<number, (database: DatabaseSync) => void>>;
export const migrations: Migrations = {};

// `revision` is the outward resourceVersion: appending is always at the end of the table, and no
// second index makes a write touch pages all over the file.
const tables = `
  CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    created INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    value BLOB
  );
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    base INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    swept INTEGER NOT NULL,
    records INTEGER NOT NULL,
    checksums INTEGER NOT NULL,
    probe INTEGER NOT NULL
  );
  INSERT INTO meta VALUES (1, 0, 0, 0, 0, 0, 0);`;

export function createTables(database: DatabaseSync): void {
  database.exec(
    `BEGIN IMMEDIATE; ${tables}
     PRAGMA application_id = ${applicationId};
     PRAGMA user_version = ${formatVersion};
     COMMIT;`,
  );
}

/**
 * What the store is worth: `base` is where revisions started after the last restore, `swept` how
 * far compaction has cleaned up, `records` and `checksums` the count and the sum (modulo 2^32) of
 * all records, so that a page that is gone or from another time does not go unnoticed.
 */
export interface Meta {
  readonly base: number;
  readonly compacted: number;
  readonly swept: number;
  readonly records: number;
  readonly checksums: number;
}

export function readMeta(database: DatabaseSync): Meta {
  const row = database
    .prepare('SELECT base, compacted, swept, records, checksums FROM meta WHERE id = 1')
    .get();
  if (row === undefined) throw new Error('its description is missing');
  return {
    base: Number(row['base']),
    compacted: Number(row['compacted']),
    swept: Number(row['swept']),
    records: Number(row['records']),
    checksums: Number(row['checksums']),
  };
}

export function pragma(database: DatabaseSync, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return Number(row === undefined ? 0 : Object.values(row)[0]);
}
