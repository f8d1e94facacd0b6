import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image, ImageConfig } from '../runtime.ts';
import { isMissing } from '../oci/namespace.ts';
import { writeWhole } from '../oci/paths.ts';
import { isDigest } from './reference.ts';

export interface StoredImage {
  readonly image: Image;
  /** Folders of its layers, the lowest first. */
  readonly layers: readonly string[];
}
/** What is filed of an image; names are filed apart, since they move. */
export interface ImageRecord {
  readonly id: string;
  readonly digests: readonly string[];
  readonly bytes: number;
  readonly config: ImageConfig;
  /** Short names of layer folders, the lowest first. */
  readonly layers: readonly string[];
}
interface NameRecord {
  readonly id: string;
  readonly loaded: boolean;
}

/**
 * The cluster's content store on disk. Several agents share it: what one writes is either whole or not
 * there (made aside, renamed), and nothing is held in memory.
 *
 * `images/HEX.json` records, `names/ENCODED` pointers, `l/SHORT/fs` layers (short, since all of
 * them must fit one mount option), `ingest/` half transferred blobs, `uses/NODE.CONTAINER` holds.
 */
export class Store {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    for (const name of ['images', 'names', 'l', 'ingest', 'tmp', 'uses', 'locks'])
      mkdirSync(join(root, name), { recursive: true, mode: 0o711 });
  }

  path(...names: readonly string[]): string {
    return join(this.root, ...names);
  }

  /** Layers stack, so a layer's name is the hash of all below it and itself (OCI's chain id). */
  chainOf(diffIds: readonly string[]): readonly string[] {
    let chain = '';
    return diffIds.map((diffId) => {
      chain = chain === '' ? diffId : digestOf(`${chain} ${diffId}`);
      return chain.slice('sha256:'.length, 'sha256:'.length + 12);
    });
  }
  hasLayer(short: string): boolean {
    return existsSync(this.path('l', short, 'layer.json'));
  }
  layerFolder(short: string): string {
    return this.path('l', short, 'fs');
  }
  layerBytes(short: string): number {
    const record = readJson<{ readonly bytes: number }>(this.path('l', short, 'layer.json'));
    return record?.bytes ?? 0;
  }
  /** Publishes a folder `{fs}` made below `tmp/`; another's equal layer wins a race. */
  async addLayer(short: string, folder: string, bytes: number): Promise<void> {
    writeWhole(join(folder, 'layer.json'), JSON.stringify({ bytes }));
    if (this.hasLayer(short)) await rm(folder, { recursive: true, force: true });
    else await rename(folder, this.path('l', short));
  }

  addImage(record: ImageRecord): void {
    const had = this.#record(record.id);
    const digests = [...new Set([...(had?.digests ?? []), ...record.digests])];
    writeWhole(this.#imagePath(record.id), JSON.stringify({ ...record, digests }), 0o644);
  }
  setName(name: string, id: string, loaded: boolean): void {
    const record: NameRecord = { id, loaded };
    writeWhole(this.path('names', fileName(name)), JSON.stringify(record), 0o644);
  }
  removeName(name: string): void {
    rmSync(this.path('names', fileName(name)), { force: true });
  }

  idOfName(name: string): string | undefined {
    return readJson<NameRecord>(this.path('names', fileName(name)))?.id;
  }
  get(id: string): StoredImage | undefined {
    const record = this.#record(id);
    if (record === undefined) return undefined;
    return this.#stored(record, this.#names());
  }
  list(): readonly StoredImage[] {
    const names = this.#names();
    return readdirSync(this.path('images'))
      .filter((file) => file.endsWith('.json'))
      .flatMap((file) => readJson<ImageRecord>(this.path('images', file)) ?? [])
      .map((record) => this.#stored(record, names));
  }

  /** Removes the record, then every layer no other image stands on. */
  async removeImage(id: string): Promise<void> {
    const gone = this.#record(id);
    rmSync(this.#imagePath(id), { force: true });
    const kept = new Set(this.list().flatMap((stored) => stored.layers));
    for (const short of gone?.layers ?? []) {
      if (kept.has(this.layerFolder(short))) continue;
      // Out of sight first, so that a kill in the middle leaves no half layer.
      const aside = this.path('tmp', `gone-${short}-${process.pid}`);
      try {
        await rename(this.path('l', short), aside);
      } catch (cause) {
        if (!isMissing(cause)) throw cause;
      }
      await rm(aside, { recursive: true, force: true });
    }
  }

  async usage(): Promise<{
    readonly usedBytes: number;
    readonly capacityBytes: number;
    readonly availableBytes: number;
    readonly inodes: number;
    readonly inodesFree: number;
  }> {
    const disk = await statfs(this.root);
    const used = readdirSync(this.path('l')).map((short) => this.layerBytes(short));
    return {
      usedBytes: used.reduce((sum, bytes) => sum + bytes, 0),
      capacityBytes: disk.blocks * disk.bsize,
      availableBytes: disk.bavail * disk.bsize,
      inodes: disk.files,
      inodesFree: disk.ffree,
    };
  }

  #stored(record: ImageRecord, names: ReadonlyMap<string, NameRecord>): StoredImage {
    const own = [...names].filter(([, at]) => at.id === record.id);
    return {
      image: {
        id: record.id,
        names: own.map(([name]) => name).filter((name) => !name.includes('@')),
        digests: record.digests,
        bytes: record.bytes,
        loaded: own.some(([, at]) => at.loaded),
        config: record.config,
      },
      layers: record.layers.map((short) => this.layerFolder(short)),
    };
  }
  #names(): ReadonlyMap<string, NameRecord> {
    const names = new Map<string, NameRecord>();
    for (const file of readdirSync(this.path('names'))) {
      const record = file.endsWith('.tmp')
        ? undefined
        : readJson<NameRecord>(this.path('names', file));
      if (record !== undefined) names.set(decodeURIComponent(file), record);
    }
    return names;
  }
  #record(id: string): ImageRecord | undefined {
    return isDigest(id) ? readJson<ImageRecord>(this.#imagePath(id)) : undefined;
  }
  #imagePath(id: string): string {
    return this.path('images', `${id.slice('sha256:'.length)}.json`);
  }
}

export function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
/** A name may be longer than a file's: then its hash stands in, and only `resolve` finds it. */
function fileName(name: string): string {
  const encoded = encodeURIComponent(name);
  return encoded.length <= 240 ? encoded : digestOf(name).replace(':', '-');
}

/** A torn or missing file is nothing; these files are written whole by this code alone. */
function readJson<T>(path: string): T | undefined {
  try {
    const value: T = JSON.parse(readFileSync(path, 'utf8'));
    return value;
  } catch (cause) {
    if (isMissing(cause) || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
