import type { Clock, FaceReply } from '#base';
import type { Scheme } from '#machinery';
import { notAcceptable } from '#machinery';
import { encodeOpenApiV2 } from '#wire';
import type { Context } from './context.ts';
import { hashOf } from './discovery.ts';
import { mediaTypes, parseAccept, typeMatches } from './negotiate.ts';
import { type SpecOptions, openApiV2, openApiV3, openApiV3Keys } from '../openapi/documents.ts';

interface Document {
  readonly body: Buffer;
  readonly hash: string;
}

/** `/openapi/v2` and `/openapi/v3`: derived from the field tables when somebody first asks. */
export function createOpenApi(scheme: Scheme, options: SpecOptions & { readonly clock: Clock }) {
  const made = new Map<string, Document>();
  const document = (key: string, make: () => object): Document => {
    let found = made.get(key);
    if (found === undefined) {
      const body = Buffer.from(JSON.stringify(make()));
      found = { body, hash: hashOf(body) };
      made.set(key, found);
    }
    return found;
  };
  let binary: Buffer | undefined;
  const keys = openApiV3Keys(scheme);
  return async (context: Context, path: string): Promise<FaceReply | undefined> => {
    if (!path.startsWith('/openapi/')) return undefined;
    if (path === '/openapi/v2') {
      const json = document('v2', () => openApiV2(scheme, options));
      if (!wantsProtobuf(context)) return reply(context, json, {});
      binary ??= encodeOpenApiV2(openApiV2(scheme, options));
      return reply(
        context,
        { body: binary, hash: json.hash },
        { 'content-type': protobufTypes[0] },
      );
    }
    if (path === '/openapi/v3') {
      const paths: Record<string, object> = {};
      for (const key of keys) {
        // Others have their turn in between: all documents together take tens of milliseconds.
        if (!made.has(key)) await options.clock.sleep(0, context.request.signal);
        const { hash } = document(key, () => openApiV3(scheme, key, options));
        paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${hash}` };
      }
      const body = Buffer.from(JSON.stringify({ paths }));
      return { status: 200, headers: { 'content-type': mediaTypes.json }, body };
    }
    const key = path.slice('/openapi/v3/'.length);
    if (!path.startsWith('/openapi/v3/') || !keys.includes(key)) return undefined;
    mustBeJson(context);
    return v3Reply(
      context,
      key,
      document(key, () => openApiV3(scheme, key, options)),
    );
  };
}

const protobufTypes = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  // What kubectl sends: no valid media type, but the older name.
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
] as const;

function wantsProtobuf(context: Context): boolean {
  const { request } = context;
  for (const { type } of parseAccept(request.headers['accept'] ?? '')) {
    if (typeMatches(type, mediaTypes.json)) return false;
    if (protobufTypes.some((known) => known === type)) return true;
  }
  mustBeJson(context);
  return false;
}

/** Version 3 is read as JSON by every client, so it has no protobuf form here. */
function mustBeJson({ request }: Context): void {
  const accept = request.headers['accept'] ?? '';
  if (accept === '') return;
  if (parseAccept(accept).some(({ type }) => typeMatches(type, mediaTypes.json))) return;
  throw notAcceptable([mediaTypes.json]);
}

function v3Reply(context: Context, key: string, document: Document): FaceReply {
  const asked = context.info.query.get('hash');
  if (asked === null || asked === '') return reply(context, document, {});
  if (asked !== document.hash)
    return {
      status: 301,
      headers: { location: `/openapi/v3/${key}?hash=${document.hash}` },
    };
  // The content behind a hash never changes.
  const year = new Date(Date.UTC(2100, 0, 1)).toUTCString();
  return reply(context, document, { 'cache-control': 'public, immutable', expires: year });
}

function reply(
  { request }: Context,
  { body, hash }: Document,
  more: Readonly<Record<string, string>>,
): FaceReply {
  const etag = `"${hash}"`;
  const headers = { 'content-type': mediaTypes.json, etag, vary: 'Accept', ...more };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers };
  return { status: 200, headers, body };
}
