/**
 * A stored object does not carry its resourceVersion: it is known only when the write is durable.
 * The JSON bytes are therefore written without it and completed afterwards, by inserting
 * `,"resourceVersion":"N"` at a place that is found once.
 *
 * Use: `const bytes = encodeCanonicalJson(object without resourceVersion)`, store them;
 * when the revision is known, `spliceResourceVersion(bytes, resourceVersionOffset(bytes), rv)` are
 * the bytes every reader and watcher gets. `metadata.uid` must be set, as it is on all stored
 * objects: the canonical order of keys is name, generateName, namespace, selfLink, uid,
 * resourceVersion, so the place is right behind the uid's value.
 */
export function resourceVersionOffset(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const metadata = buffer.indexOf(metadataKey);
  let at = metadata + metadataKey.length;
  while (metadata >= 0 && buffer[at] === quote) {
    const keyEnd = buffer.indexOf(quote, at + 1);
    if (buffer[keyEnd + 2] !== quote) break;
    const isUid = keyEnd - at === 4 && buffer.toString('latin1', at + 1, keyEnd) === 'uid';
    at = stringEnd(buffer, keyEnd + 2);
    if (isUid) return at;
    if (buffer[at] !== comma) break;
    at++;
  }
  throw new Error('Cannot find the place of resourceVersion: metadata.uid is not set');
}

const metadataKey = Buffer.from('"metadata":{');
const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;

/** The place behind the string that starts at `start`. */
function stringEnd(buffer: Buffer, start: number): number {
  let at = start + 1;
  while (at < buffer.length && buffer[at] !== quote) at += buffer[at] === backslash ? 2 : 1;
  return at + 1;
}

const head = Buffer.from(',"resourceVersion":"');

/** New bytes with the version in its place. One copy, no parsing. */
export function spliceResourceVersion(
  bytes: Uint8Array,
  offset: number,
  resourceVersion: string | number,
): Buffer {
  const version = String(resourceVersion);
  const result = Buffer.allocUnsafe(bytes.length + head.length + version.length + 1);
  result.set(bytes.subarray(0, offset), 0);
  head.copy(result, offset);
  result.write(version, offset + head.length, 'latin1');
  const after = offset + head.length + version.length;
  result[after] = quote;
  result.set(bytes.subarray(offset), after + 1);
  return result;
}
