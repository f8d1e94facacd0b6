import type { HeaderMap } from '#base';

/** `application/json` and `application/x-protobuf`, as the v1 APIs know them. */
export const mediaTypes = {
  json: 'application/json',
  protobuf: 'application/x-protobuf',
  recordio: 'application/recordio',
} as const;
export type Encoding = 'json' | 'protobuf';

/** Whether `Accept` (or `Message-Accept`) lets a media type through; without the header all are. */
export function acceptsMediaType(header: string | undefined, mediaType: string): boolean {
  if (header === undefined) return true;
  const [type = ''] = mediaType.split('/');
  return accepts(header, [mediaType, `${type}/*`, '*/*']);
}

/** Whether `Accept-Encoding` lets a content coding through; without the header none is. */
export function acceptsEncoding(header: string | undefined, encoding: string): boolean {
  return header !== undefined && accepts(header, [encoding, '*']);
}

/** The first candidate that is listed decides, by its q. */
function accepts(header: string, candidates: readonly string[]): boolean {
  const listed = header
    .replaceAll(/[ \t\n]/g, '')
    .split(',')
    .map((one) => one.split(';'));
  for (const candidate of candidates) {
    const found = listed.find(([name = '']) => name.toLowerCase() === candidate);
    if (found === undefined) continue;
    const weights = found.filter((one) => one.startsWith('q='));
    if (weights.length !== 1) return true;
    return Number(weights[0]?.slice(2)) > 0;
  }
  return false;
}

/** The encoding of an answer: JSON before protobuf, whatever their q. Undefined: 406. */
export function acceptedEncoding(headers: HeaderMap, header = 'accept'): Encoding | undefined {
  const accept = headers[header];
  if (acceptsMediaType(accept, mediaTypes.json)) return 'json';
  return acceptsMediaType(accept, mediaTypes.protobuf) ? 'protobuf' : undefined;
}

/** Percent-decoded, `+` as space; undefined when malformed. */
export function decodeComponent(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text
    .replaceAll('+', ' ')
    .replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
    );
}

/**
 * Names and values of a query or form (`&` or `;` between them), the last of equal names. Undefined
 * when an escape is malformed.
 */
export function decodeQuery(text: string): Map<string, string> | undefined {
  const query = new Map<string, string>();
  for (const token of text.split(/[;&]/)) {
    if (token === '') continue;
    const mark = token.indexOf('=');
    const name = decodeComponent(mark === -1 ? token : token.slice(0, mark));
    const value = decodeComponent(mark === -1 ? '' : token.slice(mark + 1));
    if (name === undefined || value === undefined) return undefined;
    query.set(name, value);
  }
  return query;
}
