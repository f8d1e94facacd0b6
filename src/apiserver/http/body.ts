import { limits } from '#base';
import type { FaceRequest } from '#base';
import type { Draft, KindDeclaration, KubeObject } from '#machinery';
import { StatusError, badRequest, apiVersionOf } from '#machinery';
import { DecodeError, type Decoded } from '#wire';
import type { Core } from '../core.ts';
import { checkApiVersion } from '../verbs/metadata.ts';
import { bodyFormat } from './negotiate.ts';
import type { FieldValidation } from './write-options.ts';

/** False for kinds of other dialects: JSON and YAML are all the forms they have. */
export function hasProtobuf(core: Pick<Core, 'scheme'>, type: string): boolean {
  return core.scheme.tables.type(type)?.protobuf !== false;
}

/** Decodes a request's body as `type`. Throws what a bad body deserves. */
export async function decodeBody(
  core: Core,
  request: FaceRequest,
  wanted: { readonly type: string; readonly kind: string; readonly version: string },
): Promise<Decoded> {
  const { type, kind, version } = wanted;
  const format = bodyFormat(request.headers['content-type'], hasProtobuf(core, type));
  const bytes = await request.body(limits.requestBodyBytesMax);
  try {
    if (format === 'protobuf')
      return core.codec.decodeProtobuf(bytes, (apiVersion, name) => {
        if (name === '' || apiVersion === '') return type;
        return core.scheme.typeOf(apiVersion, name);
      });
    if (bytes.length === 0) throw new DecodeError('EOF');
    if (format === 'yaml') return await core.codec.decodeYaml(type, bytes);
    return core.codec.decodeJson(type, bytes);
  } catch (cause) {
    if (cause instanceof StatusError) throw cause;
    if (!(cause instanceof DecodeError)) throw cause;
    throw badRequest(
      `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${cause.message}`,
    );
  }
}

/** The object that a POST or PUT brings, with unknown fields treated as asked. */
export async function objectFromBody(
  core: Core,
  request: FaceRequest,
  options: {
    readonly kind: KindDeclaration;
    readonly validation: FieldValidation;
    warn(text: string): void;
  },
): Promise<Draft<KubeObject>> {
  const { kind } = options;
  const decoded = await decodeBody(core, request, kind);
  const value = decoded.value as unknown as Draft<KubeObject>;
  const apiVersion = apiVersionOf(kind.group, kind.version);
  if ((value.kind ?? '') === '') value.kind = kind.kind;
  if ((value.apiVersion ?? '') === '') value.apiVersion = apiVersion;
  checkApiVersion(kind, value);
  if (value.kind !== kind.kind)
    throw badRequest(
      `${value.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: converting to ${kind.kind}: unknown conversion`,
    );
  judgeStrictness(decoded.strictProblems, options);
  return value;
}

export function judgeStrictness(
  problems: readonly string[],
  options: {
    readonly kind: KindDeclaration;
    readonly validation: FieldValidation;
    warn(text: string): void;
  },
): void {
  if (problems.length === 0 || options.validation === 'Ignore') return;
  if (options.validation === 'Warn') {
    for (const text of problems) options.warn(text);
    return;
  }
  const { kind, version } = options.kind;
  throw badRequest(
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${problems.join(', ')}`,
  );
}
