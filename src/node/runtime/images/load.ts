import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  chooseManifest,
  descriptorOf,
  DocumentError,
  fieldsOf,
  isIndex,
  listOf,
  manifestOf,
  parseJson,
  textOf,
  textsOf,
} from './documents.ts';
import { digestOf } from './store.ts';
import { decompressed } from './unpack.ts';

/** An image found in an archive, its layers as files waiting to be unpacked. */
export interface ArchivedImage {
  readonly names: readonly string[];
  readonly config: Uint8Array;
  readonly layers: readonly { readonly file: string; readonly bytes: number }[];
}

const filesMax = 10_000;
const documentBytesMax = 8 * 1024 * 1024;

/** The archive's files, by their name in it. They lie flat below `folder`: no name of theirs is used. */
export async function spread(
  source: AsyncIterable<Uint8Array>,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { extract: openExtract } = await import('tar-stream');
  const extract = openExtract();
  const plain = await decompressed(source, new PassThrough());
  const feeding = pipeline(plain, extract);
  feeding.catch(() => undefined); // seen by the reader below, which rejects with it
  const files = new Map<string, string>();
  const links = new Map<string, string>();
  try {
    for await (const entry of extract) {
      const name = clean(entry.header.name);
      if (files.size > filesMax)
        throw new DocumentError(`archive holds more than ${filesMax} files`);
      if (entry.header.type === 'file') {
        const path = join(folder, `f${files.size}`);
        await pipeline(Readable.from(entry), createWriteStream(path, { mode: 0o600 }));
        files.set(name, path);
      } else {
        // Old docker archives share layers by links between folders.
        if (entry.header.type === 'symlink' || entry.header.type === 'link')
          links.set(name, linked(name, entry.header.linkname ?? '', entry.header.type));
        entry.resume();
      }
    }
    await feeding;
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw cause instanceof DocumentError
      ? cause
      : new DocumentError(`archive cannot be read: ${String(cause)}`, { cause });
  }
  for (const [name, target] of links) {
    const path = files.get(target);
    if (path !== undefined) files.set(name, path);
  }
  return files;
}

/** Reads docker's `manifest.json`, else an OCI layout's `index.json`. */
export async function imagesIn(
  files: ReadonlyMap<string, string>,
): Promise<readonly ArchivedImage[]> {
  const docker = files.get('manifest.json');
  if (docker !== undefined) return fromDocker(await document(docker, 'manifest.json'), files);
  const index = files.get('index.json');
  if (index !== undefined) return fromLayout(await document(index, 'index.json'), files);
  throw new DocumentError('archive is neither a docker archive nor an OCI layout');
}

async function fromDocker(
  content: Uint8Array,
  files: ReadonlyMap<string, string>,
): Promise<readonly ArchivedImage[]> {
  const images: ArchivedImage[] = [];
  for (const item of listOf(parseAny(content, 'manifest.json'))) {
    const fields = fieldsOf(item);
    const config = await document(need(files, textOf(fields.get('Config'))), 'image configuration');
    const layers = await Promise.all(
      textsOf(fields.get('Layers')).map((name) => layerAt(files, name)),
    );
    images.push({ names: textsOf(fields.get('RepoTags')), config, layers });
  }
  if (images.length === 0) throw new DocumentError('archive holds no image');
  return images;
}

async function fromLayout(
  content: Uint8Array,
  files: ReadonlyMap<string, string>,
): Promise<readonly ArchivedImage[]> {
  const images: ArchivedImage[] = [];
  for (const item of listOf(parseJson(content, 'index.json').get('manifests'))) {
    const descriptor = descriptorOf(item);
    const { annotations } = descriptor;
    const full = textOf(annotations.get('io.containerd.image.name'));
    const name = full || textOf(annotations.get('org.opencontainers.image.ref.name'));
    let fields = parseJson(await blob(files, descriptor.digest), 'image manifest');
    if (isIndex(fields))
      fields = parseJson(await blob(files, chooseManifest(fields).digest), 'image manifest');
    const manifest = manifestOf(fields);
    const config = await blob(files, manifest.config.digest);
    const layers = await Promise.all(
      manifest.layers.map((layer) => layerAt(files, blobName(layer.digest))),
    );
    images.push({ names: name === '' ? [] : [name], config, layers });
  }
  if (images.length === 0) throw new DocumentError('OCI layout holds no image');
  return images;
}

async function blob(files: ReadonlyMap<string, string>, digest: string): Promise<Uint8Array> {
  const content = await document(need(files, blobName(digest)), digest);
  const real = digestOf(content);
  if (real !== digest) throw new DocumentError(`archive holds ${real} under the name ${digest}`);
  return content;
}
async function document(path: string, what: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > documentBytesMax)
    throw new DocumentError(`${what} is longer than ${documentBytesMax} bytes`);
  return readFile(path);
}
async function layerAt(
  files: ReadonlyMap<string, string>,
  name: string,
): Promise<{ readonly file: string; readonly bytes: number }> {
  const file = need(files, name);
  return { file, bytes: (await stat(file)).size };
}
function need(files: ReadonlyMap<string, string>, name: string): string {
  const path = files.get(clean(name));
  if (path === undefined) throw new DocumentError(`archive lacks "${name}"`);
  return path;
}
function parseAny(content: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(content).toString('utf8'));
  } catch (cause) {
    throw new DocumentError(`${what} is not JSON`, { cause });
  }
}
function blobName(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}
function clean(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
function linked(name: string, target: string, type: 'symlink' | 'link'): string {
  const parts = type === 'link' ? [] : clean(name).split('/').slice(0, -1);
  for (const part of target.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return parts.join('/');
}

export function streamOf(file: string): AsyncIterable<Uint8Array> {
  return createReadStream(file, { highWaterMark: 256 * 1024 });
}
