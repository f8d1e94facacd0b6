import { notAcceptable, unsupportedMediaType } from '#machinery';

export type Format = 'json' | 'yaml' | 'protobuf';
export const mediaTypes: Readonly<Record<Format, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};
const formats: readonly Format[] = ['json', 'yaml', 'protobuf'];

/** What a client wants to see (AS/endpoints/handlers/negotiation). */
export interface Accepted {
  readonly format: Format;
  readonly as: '' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';
  /** Version of meta.k8s.io for `as`. */
  readonly metaVersion: 'v1' | 'v1beta1';
  /** `pretty=1` in the clause. */
  readonly pretty: boolean;
}

export interface Clause {
  readonly type: string;
  readonly quality: number;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Clauses of an Accept header, best first. */
export function parseAccept(header: string): readonly Clause[] {
  const clauses: Clause[] = [];
  for (const part of header.split(',')) {
    const [type = '', ...rest] = part.split(';');
    const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const one of rest) {
      const equals = one.indexOf('=');
      if (equals > 0)
        parameters[one.slice(0, equals).trim().toLowerCase()] = one
          .slice(equals + 1)
          .trim()
          .replaceAll('"', '');
    }
    const quality = parameters['q'] === undefined ? 1 : Number(parameters['q']);
    if (type.trim() !== '' && quality > 0)
      clauses.push({ type: type.trim().toLowerCase(), quality, parameters });
  }
  const specificity = (type: string) => (type === '*/*' ? 0 : type.endsWith('/*') ? 1 : 2);
  return clauses.toSorted(
    (a, b) => b.quality - a.quality || specificity(b.type) - specificity(a.type),
  );
}

export function typeMatches(clause: string, type: string): boolean {
  if (clause === '*/*' || clause === type) return true;
  return clause.endsWith('/*') && type.startsWith(clause.slice(0, -1));
}

export interface Offer {
  /** False: a kind without a protobuf form. */
  readonly protobuf: boolean;
  readonly watch: boolean;
  /** False where there is nothing to convert to (discovery, Status). */
  readonly convertible: boolean;
}

const remembered = new Map<string, Accepted>();

export function negotiate(header: string | undefined, offer: Offer): Accepted {
  if (header === undefined || header === '' || header === '*/*' || header === 'application/json')
    return plainJson;
  const key = `${offer.protobuf}${offer.watch}${offer.convertible}${header}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const found = search(header, offer);
  if (remembered.size > 500) remembered.clear();
  remembered.set(key, found);
  return found;
}

const plainJson: Accepted = { format: 'json', as: '', metaVersion: 'v1', pretty: false };

function search(header: string, offer: Offer): Accepted {
  for (const clause of parseAccept(header)) {
    for (const format of formats) {
      if (format === 'protobuf' && !offer.protobuf && !metadataOnly(clause)) continue;
      if (!typeMatches(clause.type, mediaTypes[format])) continue;
      const accepted = accept(clause, format, offer);
      if (accepted !== undefined) return accepted;
    }
  }
  const suffix = offer.watch ? ';stream=watch' : '';
  throw notAcceptable(
    formats
      .filter((format) => format !== 'protobuf' || offer.protobuf)
      .map((format) => mediaTypes[format] + suffix),
  );
}

/** Metadata has a protobuf form in every kind: what metadata informers ask for. */
function metadataOnly({ parameters }: Clause): boolean {
  return parameters['as']?.startsWith('PartialObjectMetadata') === true;
}

function accept(clause: Clause, format: Format, offer: Offer): Accepted | undefined {
  const { as = '', g = '', v = '', stream, sv, pretty } = clause.parameters;
  if (stream !== undefined && !(offer.watch && stream === 'watch')) return undefined;
  if (sv !== undefined && sv !== '' && sv !== 'v1') return undefined;
  const shape = { format, pretty: pretty === '1' } as const;
  if (as === '') return { ...shape, as: '', metaVersion: 'v1' };
  if (!offer.convertible || g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1'))
    return undefined;
  if (as === 'Table') return format === 'protobuf' ? undefined : { ...shape, as, metaVersion: v };
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
    return { ...shape, as, metaVersion: v };
  return undefined;
}

/** Format of a request's body; throws 415 for one that is not spoken here. */
export function bodyFormat(contentType: string | undefined, protobuf: boolean): Format {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '') return 'json';
  for (const format of formats)
    if (mediaTypes[format] === type && (format !== 'protobuf' || protobuf)) return format;
  throw unsupportedMediaType(
    formats.filter((format) => format !== 'protobuf' || protobuf).map((one) => mediaTypes[one]),
  );
}

/** People who look with curl or a browser get indented JSON. */
export function wantsPretty(
  accepted: Accepted,
  query: URLSearchParams,
  userAgent: string | undefined,
): boolean {
  const asked = query.get('pretty');
  if (asked !== null) return asked === '' || asked === '1' || /^t(rue)?$/i.test(asked);
  if (accepted.pretty) return true;
  return userAgent !== undefined && /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}
