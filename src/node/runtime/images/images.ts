import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Clock, Logger } from '#base';
import type { RegistryOptions, RuntimeOptions } from '../options.ts';
import { ImageError, type Image, type Images, type PullOptions } from '../runtime.ts';
import { isMissing, messageOf } from '../oci/namespace.ts';
import { processStart } from '../oci/records.ts';
import { configOf, DocumentError, type ConfigDocument } from './documents.ts';
import { imagesIn, spread, streamOf, type ArchivedImage } from './load.ts';
import { withLock } from './lock.ts';
import { Puller, type PulledLayer } from './pull.ts';
import { nameOf, parseReference } from './reference.ts';
import { digestOf, Store, type StoredImage } from './store.ts';
import { unpackLayer } from './unpack.ts';

/** The images of a cluster as a node sees them: the seam, and what the runtime itself needs. */
export interface ImageStore extends Images, AsyncDisposable {
  record(id: string): Promise<StoredImage | undefined>;
  /** Keeps an image's layers in place while a container stands on them. */
  use(containerId: string, imageId: string): void;
  unuse(containerId: string): void;
  /** Drops this node's holds of containers that are no more. */
  keepUses(containerIds: ReadonlySet<string>): void;
}
export type ImageOptions = Pick<
  RuntimeOptions,
  'imageDir' | 'cluster' | 'node' | 'registries' | 'clock' | 'logger'
>;

/** Opens the content store; for `tandem image load` it needs no agent. */
export async function openImages(options: ImageOptions): Promise<ImageStore> {
  const store = new Store(options.imageDir);
  await clearAside(store);
  return new OciImages(store, options);
}

/** Folders of processes that were killed while they unpacked. */
async function clearAside(store: Store): Promise<void> {
  for (const name of readdirSync(store.path('tmp'))) {
    const [pid = '', start = ''] = name.split('.').slice(1);
    if (pid !== '' && processStart(Number(pid)) === start) continue;
    await rm(store.path('tmp', name), { recursive: true, force: true });
  }
}

const transfersMax = 3;
let turns = 0;

class OciImages implements ImageStore {
  readonly #store: Store;
  readonly #node: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #puller: Puller;
  /** Pulls of one name under way in this process: the second waits for the first. */
  readonly #pulls = new Map<string, Promise<Image>>();

  constructor(store: Store, options: ImageOptions) {
    this.#store = store;
    this.#node = options.node;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#puller = new Puller({
      store,
      clock: options.clock,
      registries: registriesOf(options.registries),
    });
  }

  async resolve(reference: string): Promise<Image | undefined> {
    return this.#find(reference)?.image;
  }

  #find(reference: string): StoredImage | undefined {
    const direct = this.#store.get(reference);
    if (direct !== undefined) return direct;
    const id = this.#store.idOfName(nameOf(parseReference(reference)));
    return id === undefined ? undefined : this.#store.get(id);
  }

  record(id: string): Promise<StoredImage | undefined> {
    return Promise.resolve(this.#find(id));
  }

  async pull(reference: string, options: PullOptions): Promise<Image> {
    const parsed = parseReference(reference);
    const name = nameOf(parsed);
    const held = this.#find(reference);
    if (held?.image.loaded === true) return held.image;
    const underWay = this.#pulls.get(name);
    if (underWay !== undefined) return underWay;
    const pulling = this.#pullNow(reference, options);
    this.#pulls.set(name, pulling);
    try {
      return await pulling;
    } finally {
      this.#pulls.delete(name);
    }
  }

  async #pullNow(reference: string, options: PullOptions): Promise<Image> {
    const parsed = parseReference(reference);
    const name = nameOf(parsed);
    try {
      const pulled = await this.#puller.pull(parsed, options);
      const document = configOf(pulled.config);
      const bytes = pulled.layers.reduce((sum, layer) => sum + layer.bytes, 0);
      const digest = `${parsed.registry}/${parsed.repository}@${pulled.digest}`;
      const shorts = this.#store.chainOf(document.diffIds);
      checkCount(document, pulled.layers.length);
      const ahead = fetchingAhead(pulled.layers, (index) =>
        this.#store.hasLayer(shorts[index] ?? ''),
      );
      for (const [index, layer] of pulled.layers.entries()) {
        const at = {
          short: shorts[index] ?? '',
          diffId: document.diffIds[index],
          bytes: layer.bytes,
        };
        await this.#addLayer(at, options.signal, async () => streamOf(await ahead(index)));
        await layer.discard();
      }
      const id = digestOf(pulled.config);
      this.#store.addImage({
        id,
        digests: [digest],
        bytes,
        config: document.config,
        layers: shorts,
      });
      this.#store.setName(name, id, false);
      this.#store.setName(digest, id, false);
      return this.#need(id);
    } catch (cause) {
      options.signal.throwIfAborted();
      if (cause instanceof ImageError) throw cause;
      const why = `failed to pull and unpack image "${name}": ${messageOf(cause)}`;
      throw new ImageError('ErrImagePull', why, { cause });
    }
  }

  async load(
    stream: AsyncIterable<Uint8Array>,
    options: { readonly name?: string } = {},
  ): Promise<readonly Image[]> {
    const folder = this.#aside();
    try {
      const archived = await imagesIn(await spread(stream, folder));
      const loaded: Image[] = [];
      for (const [index, image] of archived.entries()) {
        const names = index === 0 && options.name !== undefined ? [options.name] : image.names;
        loaded.push(await this.#loadOne(image, names));
      }
      return loaded;
    } catch (cause) {
      if (cause instanceof ImageError) throw cause;
      throw new ImageError('ErrImagePull', `Cannot load image: ${messageOf(cause)}`, { cause });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #loadOne(archived: ArchivedImage, names: readonly string[]): Promise<Image> {
    if (names.length === 0)
      throw new DocumentError('the image in the archive has no name: give it one with --name');
    const fullNames = names.map((name) => nameOf(parseReference(name)));
    const document = configOf(archived.config);
    checkCount(document, archived.layers.length);
    const shorts = this.#store.chainOf(document.diffIds);
    for (const [index, { file, bytes }] of archived.layers.entries()) {
      const at = { short: shorts[index] ?? '', diffId: document.diffIds[index], bytes };
      await this.#addLayer(at, new AbortController().signal, async () => streamOf(file));
    }
    const id = digestOf(archived.config);
    const bytes = archived.layers.reduce((sum, layer) => sum + layer.bytes, 0);
    this.#store.addImage({ id, digests: [], bytes, config: document.config, layers: shorts });
    for (const name of fullNames) this.#store.setName(name, id, true);
    this.#logger.info('Image loaded', { id, names: fullNames });
    return this.#need(id);
  }

  async #addLayer(
    layer: { readonly short: string; readonly diffId: string | undefined; readonly bytes: number },
    signal: AbortSignal,
    open: () => Promise<AsyncIterable<Uint8Array>>,
  ): Promise<void> {
    if (this.#store.hasLayer(layer.short)) return;
    const lock = this.#store.path('locks', layer.short);
    await withLock(lock, { clock: this.#clock, signal }, async () => {
      if (this.#store.hasLayer(layer.short)) return;
      const aside = this.#aside();
      try {
        const bytes = await unpackLayer(await open(), {
          folder: `${aside}/fs`,
          diffId: layer.diffId,
          signal,
          compressedBytes: layer.bytes,
        });
        await this.#store.addLayer(layer.short, aside, bytes);
      } catch (cause) {
        await rm(aside, { recursive: true, force: true });
        throw cause;
      }
    });
  }

  async list(): Promise<readonly Image[]> {
    return this.#store.list().map((stored) => stored.image);
  }

  /** By name: that name goes, and the image with its last name. By id: all of it. */
  async remove(reference: string): Promise<void> {
    const found = this.#find(reference);
    if (found === undefined) return;
    const { id } = found.image;
    const byId = reference === id;
    const name = byId ? '' : nameOf(parseReference(reference));
    const names = found.image.names.filter((one) => byId || one === name);
    const last = byId || found.image.names.every((one) => one === name);
    const holder = last ? this.#holder(id) : undefined;
    if (holder !== undefined)
      throw new ImageError(
        'ErrImagePull',
        `Cannot remove image "${reference}": a container on node "${holder}" stands on it`,
      );
    for (const one of [...names, name]) if (one !== '') this.#store.removeName(one);
    if (!last) return;
    for (const digest of found.image.digests) this.#store.removeName(digest);
    await this.#store.removeImage(id);
  }

  usage(): ReturnType<Images['usage']> {
    return this.#store.usage();
  }

  use(containerId: string, imageId: string): void {
    const id = this.#find(imageId)?.image.id ?? imageId;
    writeFileSync(this.#usePath(containerId), id);
  }
  unuse(containerId: string): void {
    rmSync(this.#usePath(containerId), { force: true });
  }
  keepUses(containerIds: ReadonlySet<string>): void {
    for (const file of readdirSync(this.#store.path('uses'))) {
      const { node, container } = useOf(file);
      if (node === this.#node && !containerIds.has(container))
        rmSync(this.#store.path('uses', file), { force: true });
    }
  }
  #usePath(containerId: string): string {
    return this.#store.path('uses', `${this.#node}~${containerId}`);
  }
  #holder(id: string): string | undefined {
    for (const file of readdirSync(this.#store.path('uses')))
      if (readText(this.#store.path('uses', file)) === id) return useOf(file).node;
    return undefined;
  }

  #need(id: string): Image {
    const stored = this.#store.get(id);
    if (stored === undefined) throw new Error(`Cannot find image "${id}" just stored`);
    return stored.image;
  }
  /** A new path below `tmp/` whose name tells its owner, so that a later start can clear it. */
  #aside(): string {
    const owner = `${process.pid}.${processStart(process.pid) ?? ''}`;
    return this.#store.path('tmp', `t.${owner}.${turns++}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#puller.close();
  }
}

function registriesOf(given: ImageOptions['registries']): () => RegistryOptions {
  if (typeof given === 'function') return given;
  const fixed = given ?? {};
  return () => fixed;
}

/** While one layer is unpacked the next ones are on their way. */
function fetchingAhead(
  layers: readonly PulledLayer[],
  isHere: (index: number) => boolean,
): (index: number) => Promise<string> {
  const underWay = new Map<number, Promise<string>>();
  return (wanted) => {
    for (let index = wanted; index < Math.min(layers.length, wanted + transfersMax); index++) {
      const layer = layers[index];
      if (layer === undefined || underWay.has(index) || (index > wanted && isHere(index))) continue;
      const fetching = layer.fetch();
      fetching.catch(() => undefined); // seen by whoever wants this layer
      underWay.set(index, fetching);
    }
    return underWay.get(wanted) ?? Promise.reject(new Error(`Cannot fetch layer ${wanted}`));
  };
}

function useOf(file: string): { readonly node: string; readonly container: string } {
  const at = file.lastIndexOf('~');
  return { node: file.slice(0, at), container: file.slice(at + 1) };
}
function checkCount(document: ConfigDocument, layers: number): void {
  if (document.diffIds.length !== layers)
    throw new DocumentError(
      `image has ${layers} layers, its configuration names ${document.diffIds.length}`,
    );
}
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return '';
    throw cause;
  }
}
