import { DatabaseSync } from 'node:sqlite';
import { type Clock, type Logger, silentLogger } from '#base';
import { type DatabaseFiles, systemDatabaseFiles } from '#io';
import { LogStore } from '../log-store.ts';
import { type Store, StoreCorruptError, StoreFormatError, StoreInUseError } from '../store.ts';
import * as format from './format.ts';
import { lockStore } from './lock.ts';
import { copyDatabase, SqliteBackend } from './sqlite-backend.ts';

export interface SqliteStoreOptions {
  /** The database file; `.lock`, `.pid`, `-wal` and `-shm` stand beside it. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  readonly files?: DatabaseFiles | undefined;
  /** The newest format that is read and the steps to it; for tests of migration. */
  readonly formats?:
    | { readonly newest: number; readonly migrations: format.Migrations }
    | undefined;
}

/** Revisions that are skipped when nobody can tell any more what was handed out. */
const unknownRevisions = 1_000_000_000;

/** Opens the store, creating it when it is not there. Nothing of a damaged one is served. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, clock, logger = silentLogger, files = systemDatabaseFiles } = options;
  files.makeParent(path);
  using cleanUp = new DisposableStack();
  const lock = cleanUp.use(lockStore(path, files));
  try {
    const killed = files.exists(`${path}-wal`);
    const reader = cleanUp.adopt(new DatabaseSync(path, { timeout: 5000 }), closeIfOpen);
    await prepare(reader, options, files);
    if (killed) checkStructure(reader);
    const backend = new SqliteBackend({ path, reader, lock, clock, logger, files });
    try {
      const store = new LogStore({ backend, clock, logger });
      cleanUp.move();
      return store;
    } catch (error) {
      await backend.close();
      throw error;
    }
  } catch (cause) {
    throw explained(cause, path);
  }
}

function closeIfOpen(database: DatabaseSync): void {
  if (database.isOpen) database.close();
}

/** Brings a database of any known format, or none, to the newest one. */
async function prepare(
  reader: DatabaseSync,
  options: SqliteStoreOptions,
  files: DatabaseFiles,
): Promise<void> {
  const { newest, migrations } = options.formats ?? {
    newest: format.formatVersion,
    migrations: format.migrations,
  };
  const found = format.pragma(reader, 'user_version');
  const tables = reader.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'];
  if (tables === 0 && found === 0) {
    reader.exec(`PRAGMA page_size = ${format.pageBytes}; PRAGMA journal_mode = WAL;`);
    format.createTables(reader);
  } else if (format.pragma(reader, 'application_id') !== format.applicationId) {
    throw new StoreFormatError('it is not a store of Tandem');
  } else if (found > newest) {
    throw new StoreFormatError(
      `its format is version ${found}, this version of Tandem reads formats up to ${newest}`,
    );
  } else if (found < newest) {
    await copyDatabase(options.path, `${options.path}.format-${found}`, files);
    migrate(reader, { found, newest, migrations });
  }
  reader.exec(`PRAGMA cache_size = -2048; PRAGMA synchronous = FULL; PRAGMA query_only = ON;
    PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;`);
}

function migrate(
  database: DatabaseSync,
  way: { readonly found: number; readonly newest: number; readonly migrations: format.Migrations },
): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (let version = way.found; version < way.newest; version++) {
      const step = way.migrations[version];
      if (step === undefined)
        throw new StoreFormatError(`its format is version ${version}, which is read no more`);
      step(database);
    }
    database.exec(`PRAGMA user_version = ${way.newest}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** After a kill: pages that hang together wrongly are found before they are written over. */
function checkStructure(database: DatabaseSync): void {
  const found = database.prepare('PRAGMA quick_check(1)').get();
  const answer = found === undefined ? 'no answer' : Object.values(found)[0];
  if (answer !== 'ok') throw new StoreCorruptError(`its pages are damaged: ${String(answer)}`);
}

const corruptCodes = new Set([11, 26]);

function explained(cause: unknown, path: string): unknown {
  if (!(cause instanceof Error) || cause instanceof StoreInUseError) return cause;
  const message = `Cannot open store "${path}": ${cause.message}`;
  if (cause instanceof StoreFormatError) return new StoreFormatError(message, { cause });
  const code = 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  if (cause instanceof StoreCorruptError || corruptCodes.has(code))
    return new StoreCorruptError(`${message}; restore a backup`, { cause });
  return new Error(message, { cause });
}

/**
 * Puts a backup in the place of the store at `path`, which must not be open. Revisions go on past
 * everything that was ever handed out, and older ones count as compacted, so that no client takes
 * what it saw before for what is now. The store that was there is kept with `.replaced` behind its name.
 */
export async function restoreSqliteStore(
  backupPath: string,
  path: string,
  options: { readonly files?: DatabaseFiles | undefined } = {},
): Promise<void> {
  const { files = systemDatabaseFiles } = options;
  files.makeParent(path);
  using _lock = lockStore(path, files);
  const restored = `${path}.restored`;
  try {
    await copyDatabase(backupPath, restored, files);
    using database = new DatabaseSync(restored);
    const version = format.pragma(database, 'user_version');
    if (format.pragma(database, 'application_id') !== format.applicationId)
      throw new StoreFormatError('it is not a backup of Tandem');
    if (version > format.formatVersion)
      throw new StoreFormatError(
        `its format is version ${version}, this version of Tandem reads formats up to ${format.formatVersion}`,
      );
    checkStructure(database);
    const known = newestRevision(path, files);
    const newest = Number(
      database
        .prepare(
          'SELECT max(base, compacted, (SELECT coalesce(max(revision), 0) FROM log)) AS n FROM meta',
        )
        .get()?.['n'],
    );
    const base = Math.max(newest, known ?? 0) + (known === undefined ? unknownRevisions : 1);
    database.prepare('UPDATE meta SET base = ?1, compacted = ?1').run(base);
  } catch (cause) {
    for (const suffix of ['', '-wal', '-shm']) files.remove(`${restored}${suffix}`);
    throw explained(cause, backupPath);
  }
  replace(restored, path, files);
}

/** Undefined when there is no store, or none that can be read. */
function newestRevision(path: string, files: DatabaseFiles): number | undefined {
  if (!files.exists(path)) return undefined;
  try {
    using database = new DatabaseSync(path);
    const row = database
      .prepare('SELECT max(base, (SELECT coalesce(max(revision), 0) FROM log)) AS n FROM meta')
      .get();
    return Number(row?.['n']);
  } catch {
    return undefined; // Damaged: that is what restoring is for.
  }
}

function replace(restored: string, path: string, files: DatabaseFiles): void {
  for (const suffix of ['-wal', '-shm', ''])
    if (files.exists(`${path}${suffix}`))
      files.move(`${path}${suffix}`, `${path}.replaced${suffix}`);
  files.move(restored, path);
}

/** A consistent copy of a store that another process has open and goes on writing to. */
export async function backupSqliteStore(path: string, target: string): Promise<void> {
  await copyDatabase(path, target, systemDatabaseFiles);
}
