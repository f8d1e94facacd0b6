import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { once } from 'node:events';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Extract, Header, Pack } from 'tar-stream';
import { toolEnvironment } from '../oci/command.ts';
import { LayerError, LayerPaths } from './layer-paths.ts';

export interface UnpackOptions {
  /** Made by this; must not exist or be empty. */
  readonly folder: string;
  /** Digest of the uncompressed tar; not checked when undefined. */
  readonly diffId: string | undefined;
  readonly compressedBytes: number;
  readonly signal: AbortSignal;
}

/** A layer may unpack to this much, and past the first 256 MiB to this many times its packed size. */
export const layerBytesMax = 32 * 1024 ** 3;
const freeBytes = 256 * 1024 ** 2;
const ratioMax = 200;
const entriesMax = 2_000_000;
const whiteout = '.wh.';
const opaque = '.wh..wh..opq';

/**
 * Unpacks one layer into overlay form. The tar is read and rewritten here (names, links, whiteouts,
 * devices are judged), and the rewritten stream goes to GNU tar, since Node can make neither device
 * nodes nor extended attributes. Gives the bytes of all files.
 */
export async function unpackLayer(
  source: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
): Promise<number> {
  await mkdir(options.folder, { recursive: true, mode: 0o755 });
  const { pack: openPack, extract: openExtract } = await import('tar-stream');
  const hash = createHash('sha256');
  const plain = await decompressed(source, measured(options, hash));
  const extract = openExtract();
  const pack = openPack();
  const tar = startTar(options.folder);
  const packed = Readable.from(pack);
  const failed = new AbortController();
  const fail = (cause: unknown): void => {
    failed.abort(cause);
    extract.destroy(cause instanceof Error ? cause : new Error(String(cause)));
    plain.destroy();
  };
  plain.on('error', fail);
  packed.on('error', fail);
  tar.stdin.on('error', () => undefined); // it ended early: its exit code and stderr tell
  packed.pipe(tar.stdin);
  const onAbort = (): void => fail(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  tar.child.once('exit', (code) => {
    if (code !== 0) fail(new LayerError(`cannot unpack layer: tar: ${tar.said()}`));
  });
  try {
    plain.on('data', (chunk: Buffer) => {
      if (!extract.write(chunk)) {
        plain.pause();
        extract.once('drain', () => plain.resume());
      }
    });
    plain.on('end', () => extract.end(undefined));
    const bytes = await rewrite(extract, pack);
    pack.finalize();
    const code = await tar.ended;
    if (code !== 0) throw new LayerError(`cannot unpack layer: tar: ${tar.said()}`);
    const digest = `sha256:${hash.digest('hex')}`;
    if (options.diffId !== undefined && digest !== options.diffId)
      throw new LayerError(`layer unpacks to ${digest}, its image says ${options.diffId}`);
    return bytes;
  } catch (cause) {
    tar.child.kill('SIGKILL');
    throw failed.signal.aborted ? failed.signal.reason : cause;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
  }
}

function startTar(folder: string) {
  const args = ['-x', '-f', '-', '-C', folder, '-P', '-p', '--same-owner', '--numeric-owner'];
  const attributes = ['--xattrs', '--xattrs-include=*', '--delay-directory-restore'];
  const child = spawn('tar', [...args, ...attributes, '--warning=none'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: toolEnvironment,
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 4096) said += chunk.toString('utf8');
  });
  const ended = once(child, 'close').then(([code]) => Number(code ?? 1));
  return { child, stdin: child.stdin, ended, said: () => said.trim() };
}

type NewHeader = Partial<Header> & Pick<Header, 'name'>;

async function rewrite(extract: Extract, pack: Pack): Promise<number> {
  const paths = new LayerPaths();
  let bytes = 0;
  let entries = 0;
  for await (const entry of extract) {
    if (++entries > entriesMax) throw new LayerError(`layer holds more than ${entriesMax} entries`);
    const header = rewritten(entry.header, paths);
    if (header === undefined) {
      entry.resume();
      continue;
    }
    const size = header.size ?? 0;
    if (header.type !== 'file' || size === 0) {
      entry.resume();
      await new Promise<void>((resolve, reject) => {
        pack.entry({ ...header, size: 0 }, (cause) => (cause ? reject(cause) : resolve()));
      });
      continue;
    }
    bytes += size;
    const sink = pack.entry(header);
    for await (const chunk of entry) if (!sink.write(chunk)) await once(sink, 'drain');
    sink.end(undefined);
  }
  return bytes;
}

/** The header to write in an entry's place, or undefined to leave it out. */
function rewritten(header: Header, paths: LayerPaths): NewHeader | undefined {
  const path = paths.place(header.name);
  const base = path.slice(path.lastIndexOf('/') + 1);
  const folder = path.slice(0, Math.max(0, path.length - base.length - 1));
  if (base === opaque) return opaqueFolder(folder, header, paths);
  if (base.startsWith(`${whiteout}${whiteout}`)) return undefined; // aufs' own bookkeeping
  if (base.startsWith(whiteout)) {
    const name = base.slice(whiteout.length);
    if (name === '' || name === '.' || name === '..')
      throw new LayerError(`layer entry "${header.name}" hides nothing that can be`);
    const target = folder === '' ? name : `${folder}/${name}`;
    // It hides what lower layers have there, not what this one brings.
    if (paths.get(target) !== undefined) return undefined;
    paths.put(target, { kind: 'whiteout' });
    return { ...fresh(header), name: `./${target}`, type: 'character-device', ...zeroDevice };
  }
  return ordinary(path, header, paths);
}

const zeroDevice = { devmajor: 0, devminor: 0, mode: 0, size: 0 };

function ordinary(path: string, header: Header, paths: LayerPaths): NewHeader | undefined {
  const common = { ...fresh(header), name: `./${path}` };
  const uid = header.uid ?? 0;
  const gid = header.gid ?? 0;
  switch (header.type) {
    case 'directory': {
      paths.put(path, { kind: 'dir', mode: header.mode ?? 0o755, uid, gid });
      return { ...common, type: 'directory' };
    }
    case 'file':
    case 'contiguous-file':
    case 'fifo':
      paths.put(path, { kind: 'file' });
      return { ...common, type: header.type === 'fifo' ? 'fifo' : 'file', size: header.size ?? 0 };
    case 'symlink':
      paths.put(path, { kind: 'link', target: header.linkname ?? '' });
      return { ...common, type: 'symlink', linkname: header.linkname ?? '' };
    case 'link': {
      const target = paths.place(header.linkname ?? '');
      const seen = paths.get(target);
      if (seen === undefined || seen.kind === 'dir')
        throw new LayerError(`layer entry "${header.name}" links to what the layer does not hold`);
      paths.put(path, seen);
      return { ...common, type: 'link', linkname: `./${target}` };
    }
    case 'character-device':
      if (header.devmajor === 0 && header.devminor === 0) {
        paths.put(path, { kind: 'whiteout' });
        return { ...common, type: 'character-device', ...zeroDevice };
      }
      throw new LayerError(`layer holds the device node "${header.name}"`);
    case 'block-device':
      throw new LayerError(`layer holds the device node "${header.name}"`);
    default:
      return undefined; // global pax headers and the like
  }
}

function opaqueFolder(folder: string, header: Header, paths: LayerPaths): NewHeader {
  const seen = paths.get(folder);
  const known = seen?.kind === 'dir' ? seen : { mode: 0o755, uid: 0, gid: 0 };
  const pax = { 'SCHILY.xattr.trusted.overlay.opaque': 'y' };
  const { mode, uid, gid } = known;
  return { ...fresh(header), name: `./${folder}`, type: 'directory', mode, uid, gid, pax };
}

/** What of a header may pass: no names but the ones we give, no attributes but harmless ones. */
function fresh(header: Header): NewHeader {
  const kept = Object.entries(header.pax ?? {}).filter(
    ([key]) => key === 'SCHILY.xattr.security.capability' || key.startsWith('SCHILY.xattr.user.'),
  );
  return {
    name: '',
    mode: header.mode ?? 0o644,
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
    mtime: header.mtime ?? new Date(0),
    ...(kept.length === 0 ? {} : { pax: Object.fromEntries(kept) }),
  };
}

/** Counts and hashes the uncompressed bytes and stops a bomb. */
function measured(options: UnpackOptions, hash: ReturnType<typeof createHash>): Transform {
  let bytes = 0;
  const bytesMax = Math.min(layerBytesMax, Math.max(freeBytes, options.compressedBytes * ratioMax));
  return new Transform({
    transform(chunk: Buffer, _encoding: string, done: TransformCallback) {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        done(new LayerError(`layer unpacks to more than ${bytesMax} bytes`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

/** Tells gzip, zstd and plain apart by their first bytes. */
export async function decompressed(
  source: AsyncIterable<Uint8Array>,
  into: Transform,
): Promise<Transform> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < 4) {
    const next = await iterator.next();
    if (next.done === true) break;
    head.push(next.value);
    bytes += next.value.length;
  }
  const start = Buffer.concat(head);
  const whole = Readable.from(rejoined(start, iterator), { objectMode: false });
  const unzip =
    start.length >= 2 && start.readUInt16BE(0) === 0x1f8b
      ? createGunzip()
      : start.length >= 4 && start.readUInt32LE(0) === 0xfd2f_b528
        ? createZstdDecompress()
        : undefined;
  whole.on('error', (cause) => into.destroy(cause));
  if (unzip === undefined) return whole.pipe(into);
  unzip.on('error', (cause) => into.destroy(new LayerError(`cannot decompress: ${cause.message}`)));
  return whole.pipe(unzip).pipe(into);
}

async function* rejoined(
  head: Buffer,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
