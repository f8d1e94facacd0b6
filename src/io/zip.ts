import * as fs from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { ArchiveError } from './archive-entry.ts';
import type { ArchiveEntry } from './archive-entry.ts';

// APPNOTE.TXT of PKWARE: signatures of the records that are read.
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
const commentBytesMax = 65_535;
const directoryBytesMax = 256 * 1024 * 1024;

interface Place {
  readonly method: number;
  readonly flags: number;
  readonly packed: number;
  readonly offset: number;
}

/** Entries of a zip file, by its central directory: the only part that can be trusted to be whole. */
export async function* zipEntries(path: string): AsyncGenerator<ArchiveEntry> {
  const file = await fs.open(path, 'r');
  try {
    const { size } = await file.stat();
    const directory = await centralDirectory(file, size);
    for (let at = 0; at + 46 <= directory.length; ) {
      if (directory.readUInt32LE(at) !== centralSignature)
        throw new ArchiveError('The zip file has a broken directory');
      const lengths = [28, 30, 32].map((field) => directory.readUInt16LE(at + field));
      const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
      const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
      const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
      const unix = directory.readUInt16LE(at + 4) >> 8 === 3;
      const attributes = unix ? directory.readUInt16LE(at + 40) : 0;
      const place = placeOf(directory, at, extra);
      const link = (attributes & 0o170000) === 0o120000;
      const content = (): Readable => contentOf(file, place, name);
      yield {
        name,
        kind: name.endsWith('/') ? 'directory' : link ? 'symlink' : 'file',
        mode: attributes === 0 ? undefined : attributes & 0o7777,
        linkTarget: link ? await textOf(content()) : '',
        content,
      };
      at += 46 + nameLength + extraLength + commentLength;
    }
  } finally {
    await file.close();
  }
}

async function centralDirectory(file: fs.FileHandle, size: number): Promise<Buffer> {
  const tailLength = Math.min(size, commentBytesMax + 22 + 20 + 56);
  const tail = await readAt(file, size - tailLength, tailLength);
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    let length = tail.readUInt32LE(at + 12);
    let offset = tail.readUInt32LE(at + 16);
    if (offset === 0xffffffff || length === 0xffffffff) {
      const where = Number(tail.readBigUInt64LE(Math.max(0, at - 20 + 8)));
      const end = await readAt(file, where, 56);
      if (end.readUInt32LE(0) !== end64Signature) break;
      length = Number(end.readBigUInt64LE(40));
      offset = Number(end.readBigUInt64LE(48));
    }
    if (length > directoryBytesMax || offset + length > size) break;
    return readAt(file, offset, length);
  }
  throw new ArchiveError('The file is no zip file, or its end is missing');
}

/** Sizes and offset, from the zip64 field where they are too large for the others. */
function placeOf(directory: Buffer, at: number, extra: Buffer): Place {
  let packed = directory.readUInt32LE(at + 20);
  let offset = directory.readUInt32LE(at + 42);
  const whole = directory.readUInt32LE(at + 24);
  for (let here = 0; here + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(here + 2);
    if (extra.readUInt16LE(here) === 1) {
      let field = here + 4;
      const next = (): number => {
        const value = Number(extra.readBigUInt64LE(field));
        field += 8;
        return value;
      };
      if (whole === 0xffffffff) next();
      if (packed === 0xffffffff) packed = next();
      if (offset === 0xffffffff) offset = next();
    }
    here += 4 + length;
  }
  return {
    method: directory.readUInt16LE(at + 10),
    flags: directory.readUInt16LE(at + 8),
    packed,
    offset,
  };
}

function contentOf(file: fs.FileHandle, place: Place, name: string): Readable {
  if ((place.flags & 1) !== 0) throw new ArchiveError(`Zip entry "${name}" is encrypted`);
  if (place.method !== 0 && place.method !== 8)
    throw new ArchiveError(`Zip entry "${name}" is packed by method ${place.method}`);
  const packed = Readable.from(packedBytes(file, place));
  if (place.method === 0) return packed;
  const inflate = createInflateRaw();
  packed.on('error', (error) => inflate.destroy(error));
  return packed.pipe(inflate);
}

async function* packedBytes(file: fs.FileHandle, place: Place): AsyncGenerator<Buffer> {
  const head = await readAt(file, place.offset, 30);
  if (head.readUInt32LE(0) !== localSignature)
    throw new ArchiveError('The zip file has a broken entry');
  let at = place.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
  const end = at + place.packed;
  while (at < end) {
    const chunk = await readAt(file, at, Math.min(65_536, end - at));
    yield chunk;
    at += chunk.length;
  }
}

async function readAt(file: fs.FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  if (bytesRead < length) throw new ArchiveError('The zip file is cut off');
  return buffer;
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += Buffer.from(chunk as Uint8Array).toString('utf8');
    if (text.length > 4096) throw new ArchiveError('The zip file has a link of too many letters');
  }
  return text;
}
